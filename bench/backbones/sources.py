"""Where backbones come from: the sources by their names, built in or of installed packages."""

from collections.abc import Mapping
from typing import Final

from bench.registry import BACKBONES, BUILT_IN, names

ELSEWHERE: Final[Mapping[str, str]] = {
    "timm:…": "pictures, by timm: timm:resnet18.a1_in1k",
    "torchvision:…": "pictures, by torchvision: torchvision:mobilenet_v2",
    "torchaudio:…": "speech, its pipelines: torchaudio:WAV2VEC2_BASE",
    "hf:…": "any domain, of a hub or a folder: hf:openai-community/gpt2",
    "file:…": "your weights: file:timm/resnet18:my.safetensors",
    "untrained:…": "random weights: untrained:timm/resnet18",
}
"""Names of backbones that are elsewhere, with what they mean."""


def listed() -> list[tuple[str, str]]:
    """Return the names of backbones that are elsewhere and what they mean, those of installed packages too."""
    outside = [source for source in names(BACKBONES) if source not in BUILT_IN[BACKBONES]]
    return [*ELSEWHERE.items(), *((f"{source}:…", "of an installed package") for source in outside)]
