"""A card is kept until a file it was read from changes."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.backbones import cards
from bench.backbones.cards import keep_card, kept_card
from bench.runtime.cache import Cache
from tests.toys import ToyBackbone

CARD = ToyBackbone().card


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"some weights")
    return path


def test_a_kept_card_comes_back_as_it_was(weights: Path, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    assert kept_card(CARD.name, cache) is None
    keep_card(CARD, [weights], cache)
    assert kept_card(CARD.name, cache) == CARD
    assert kept_card(CARD.name, Cache(tmp_path / "cache")) == CARD, "in the next process, too"


@pytest.mark.parametrize("change", ["rewritten", "removed"])
def test_a_card_is_dropped_when_a_file_changes(change: str, weights: Path, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    keep_card(CARD, [weights], cache)
    if change == "removed":
        weights.unlink()
    else:
        weights.write_bytes(b"other weights altogether")
    assert kept_card(CARD.name, cache) is None
    other = replace(CARD, sha256="other")
    keep_card(other, [weights], cache)
    assert kept_card(CARD.name, cache) == other


def test_another_version_of_a_library_asks_anew(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_card(CARD, [weights], Cache(tmp_path / "cache"))
    monkeypatch.setattr(cards, "version", lambda library: "99")
    assert kept_card(CARD.name, Cache(tmp_path / "cache")) is None
