"""Starting an engine, late."""

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

    Imports it first, which takes seconds that only a process which runs cells should spend.
    """
    from bench_tasks.opening import open_task  # noqa: PLC0415 (likewise)

    from bench.backbones.loading import load_backbone  # noqa: PLC0415 (with the tensor library, seconds)
    from bench.execution.engine import Engine  # noqa: PLC0415 (likewise)

    return Engine(
        open_task,
        partial(load_backbone, trust_remote_code=settings.trust_remote_code),
        cache=Cache(settings.cache_root, limit_bytes=settings.cache_limit_bytes),
        device=settings.device,
        memory_bytes=settings.memory_bytes,
        decoders=settings.decoders,
        exports=settings.exports,
        request=settings.request,
    )
