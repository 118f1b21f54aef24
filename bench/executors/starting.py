"""Owns starting an engine, late."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cache import Cache

if TYPE_CHECKING:
    from bench.engine import Engine


def start_engine(*, cache_root: Path, cache_limit_bytes: int, device: str) -> "Engine":
    """Return an engine over the project's tasks and backbones.

    Imported by name, since importing it takes seconds that only a process which runs cells should spend.
    """
    engine = importlib.import_module("bench.engine")
    loading = importlib.import_module("bench.backbones.loading")
    tasks = importlib.import_module("tasks")
    cache = Cache(cache_root, limit_bytes=cache_limit_bytes)
    started: Engine = engine.Engine(tasks.FAMILIES, loading.load_backbone, cache=cache, device=device)
    return started
