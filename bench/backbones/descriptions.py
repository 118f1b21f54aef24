"""Cards of backbones by their names. A card that is known needs no tensor library: listing and planning are quick."""

from collections.abc import Iterable

from bench.backbones.cards import keep_card, kept_card
from bench.backbones.catalog import BUNDLED, MINILM, bundled_card
from bench.backbones.catalog import names as here
from bench.card import BackboneCard
from bench.errors import unknown_name
from bench.registry import BACKBONES, names
from bench.runtime.cache import Cache


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
    sources = names(BACKBONES)
    if source not in sources or source == "bundled" or not place:
        examples = (*here(), *(f"{other}:…" for other in sources if other != "bundled"))
        raise unknown_name("backbone", name, examples)
    card = kept_card(name, cache)
    if card is None:
        from bench.backbones.loading import open_backbone  # noqa: PLC0415 (with the tensor library, seconds)

        opened = open_backbone(name, trust_remote_code=trust_remote_code, large=large)
        card = opened.backbone.card
        keep_card(card, opened.files, cache)
    return card


def describe_all(wanted: Iterable[str], cache: Cache, *, trust_remote_code: bool = False) -> dict[str, BackboneCard]:
    """Return the cards of the backbones `wanted`, by name. Raises like `describe`."""
    return {name: describe(name, cache, trust_remote_code=trust_remote_code) for name in dict.fromkeys(wanted)}
