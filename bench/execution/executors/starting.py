"""Owns starting an engine, late."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.runtime.arithmetic import PrecisionRequest
from bench.runtime.cache import Cache

if TYPE_CHECKING:
    from bench.execution.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """What every process that runs cells is told.

    `memory_bytes` is how much of the examples a process holds at once, `decoders` how many threads read their files.
    `exports` are the folders that adapted models are kept in, by the keys of their cells. `request` says in which
    precision they are trained.
    """

    cache_root: Path
    cache_limit_bytes: int
    device: str
    memory_bytes: int
    decoders: int
    trust_remote_code: bool
    exports: Mapping[str, Path] = field(default_factory=dict)
    request: PrecisionRequest = field(default_factory=PrecisionRequest)


def start_engine(settings: EngineSettings) -> "Engine":
    """Return an engine over the project's tasks and backbones.

    Imported by name, since importing it takes seconds that only a process which runs cells should spend.
    """
    engine = importlib.import_module("bench.execution.engine")
    loading = importlib.import_module("bench.backbones.loading")
    opening = importlib.import_module("bench_tasks.opening")
    started: Engine = engine.Engine(
        opening.open_task,
        partial(loading.load_backbone, trust_remote_code=settings.trust_remote_code),
        cache=Cache(settings.cache_root, limit_bytes=settings.cache_limit_bytes),
        device=settings.device,
        memory_bytes=settings.memory_bytes,
        decoders=settings.decoders,
        exports=settings.exports,
        request=settings.request,
    )
    return started
