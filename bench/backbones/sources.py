"""Where backbones come from; a new source has its line here, and its case in `loading`."""

from collections.abc import Mapping
from typing import Final

SOURCES: Final = ("bundled", "hf", "timm", "torchvision", "torchaudio", "file", "untrained")
"""Where backbones come from, by the first part of their names. `loading` opens a backbone of each."""

ELSEWHERE: Final[Mapping[str, str]] = {
    "timm:…": "pictures, by timm: timm:resnet18.a1_in1k",
    "torchvision:…": "pictures, by torchvision: torchvision:mobilenet_v2",
    "torchaudio:…": "speech, its pipelines: torchaudio:WAV2VEC2_BASE",
    "hf:…": "any domain, of a hub or a folder: hf:openai-community/gpt2",
    "file:…": "your weights: file:timm/resnet18:my.safetensors",
    "untrained:…": "weights drawn by chance: untrained:timm/resnet18",
}
"""Names of backbones that are elsewhere, with what they mean."""
