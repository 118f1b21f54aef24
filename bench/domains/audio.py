"""The domain `audio`: recordings."""

from typing import Final

from bench.domains.offer import FEATURES, DomainOffer, Features


def _features() -> Features:
    from bench.domains import bands  # noqa: PLC0415 (loads torchaudio, a second)

    return Features("statistics of mel bands", bands.describe)


DOMAIN: Final = DomainOffer(frozenset({FEATURES}), _features)
