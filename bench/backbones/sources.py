"""Owns where backbones come from; a new source has its line here."""

from collections.abc import Mapping
from typing import Final

SOURCES: Final[Mapping[str, tuple[str, str]]] = {
    "bundled": ("bench.backbones.bundled.opening", "open_bundled"),
    "hf": ("bench.backbones.huggingface.opening", "open_huggingface"),
    "timm": ("bench.backbones.vision.timm_models", "open_timm"),
    "torchvision": ("bench.backbones.vision.torchvision_models", "open_torchvision"),
    "torchaudio": ("bench.backbones.audio.torchaudio_models", "open_torchaudio"),
    "file": ("bench.backbones.architectures", "open_file"),
    "untrained": ("bench.backbones.architectures", "open_untrained"),
}
"""Where backbones come from, by the first part of their names: the module and its function that opens one."""

ELSEWHERE: Final[Mapping[str, str]] = {
    "timm:…": "pictures, by timm: timm:resnet18.a1_in1k",
    "torchvision:…": "pictures, by torchvision: torchvision:mobilenet_v2",
    "torchaudio:…": "speech, its pipelines: torchaudio:WAV2VEC2_BASE",
    "hf:…": "any domain, of a hub or a folder: hf:openai-community/gpt2",
    "file:…": "your weights: file:timm/resnet18:my.safetensors",
    "untrained:…": "weights drawn by chance: untrained:timm/resnet18",
}
"""Names of backbones that are elsewhere, with what they mean."""
