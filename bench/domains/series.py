"""The domain `series`: windows of time series."""

from typing import Final

from bench.domains.offer import PASTS, DomainOffer

DOMAIN: Final = DomainOffer(frozenset({PASTS}))
