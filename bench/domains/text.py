"""The domain `text`: words, phrases and sentences."""

from typing import Final

from bench.domains.offer import WORDS, DomainOffer

DOMAIN: Final = DomainOffer(frozenset({WORDS}))
