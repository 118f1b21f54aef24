"""The domain `vision`: pictures."""

from typing import Final

from bench.domains.offer import FEATURES, DomainOffer, Features


def _features() -> Features:
    from bench.domains import gradients  # noqa: PLC0415 (loads scikit-image, a second)

    return Features("oriented gradients and thumbnails", gradients.describe)


DOMAIN: Final = DomainOffer(frozenset({FEATURES}), _features)
