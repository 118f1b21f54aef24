"""Owns execution in this process: one cell after the other, as on a GPU and in tests."""

from collections.abc import Iterator, Sequence

from bench.cache import Cache
from bench.executors.starting import start_engine
from bench.plan import Pack
from bench.scored import Scored


def execute_here(packs: Sequence[Pack], *, cache: Cache, device: str) -> Iterator[Scored]:
    """Yield what came of each cell, in order."""
    engine = start_engine(cache_root=cache.root, cache_limit_bytes=cache.limit_bytes, device=device)
    for pack in packs:
        yield from engine.run(pack)
