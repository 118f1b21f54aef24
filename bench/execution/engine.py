"""Owns running cells in one process: what they need is loaded and kept for the next, and a crash becomes a failure."""

import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final
from uuid import uuid4

import torch
from torch import nn

from bench.backbone import Backbone
from bench.card import TaskCard
from bench.cell import LOADING, Failure, Result, Work
from bench.classical.cell import ClassicalGroup, run_classical
from bench.config.data import DataSpec
from bench.errors import BenchError, DataError
from bench.execution.scored import Scored
from bench.planning.plan import Needs, Pack, PlannedCell
from bench.prediction.exported import Exported
from bench.prediction.model import hearing_of, library_versions, past_of, save_model
from bench.runtime.arithmetic import PrecisionRequest
from bench.runtime.cache import Cache
from bench.runtime.memory import release
from bench.task import Task, verify
from bench.training.adapt import Keep, run_cell
from bench.training.group import AUTO, Group
from bench.training.inputs import MEMORY_BYTES

THREADS: Final = 1
"""Per process. Work is spread over processes instead: small networks gain more from that, and sums that are always
taken in the same order make a score the same on any number of cores."""


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    """What the last cell needed, kept for the next, and what it took to make it.

    It is the group of a task and backbone, or of a task alone, whose backbone then has no name.
    """

    name: tuple[DataSpec, str]
    card: TaskCard
    group: Group | ClassicalGroup
    loading: Work


class Engine:
    """Runs cells one after the other on one device."""

    def __init__(
        self,
        open_task: Callable[[str, DataSpec, Cache], Task],
        load_backbone: Callable[[str], Backbone],
        *,
        cache: Cache,
        device: str,
        memory_bytes: int = MEMORY_BYTES,
        decoders: int = 1,
        exports: Mapping[str, Path] = MappingProxyType({}),
        request: PrecisionRequest = AUTO,
    ) -> None:
        """`open_task` returns the task of a name and a description of its data, `load_backbone` a backbone by name.

        `memory_bytes` is how much of the examples is held at once, `decoders` how many threads read their files.
        `exports` are the folders that adapted models are kept in, by the keys of their cells. `request` says
        in which precision they are trained.
        """
        torch.set_num_threads(THREADS)
        self._open_task = open_task
        self._load_backbone = load_backbone
        self._cache = cache
        self._device = torch.device(device)
        self._memory_bytes = memory_bytes
        self._decoders = decoders
        self._exports = exports
        self._request = request
        self._loaded: _Loaded | None = None

    def run(self, pack: Pack) -> Iterator[Scored]:
        """Yield what came of each cell of a pack, in order.

        Whatever goes wrong with a cell becomes a `Failure` and concerns no other.
        """
        for planned in pack.cells:
            yield self._run(planned, pack)

    def _run(self, planned: PlannedCell, pack: Pack) -> Scored:
        try:
            loaded = self._load(planned, pack.needs)
            if isinstance(loaded.group, ClassicalGroup):
                measured = run_classical(planned, loaded.group, loading=loaded.loading, companions=pack.cells)
            else:
                keep = self._keep(planned, loaded.card, loaded.group)
                measured = run_cell(planned, loaded.group, loading=loaded.loading, companions=pack.cells, keep=keep)
        except Exception as error:  # the one broad except of the project
            reason = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
            return Scored(
                Failure(
                    cell=planned.cell,
                    key=planned.key,
                    reason=" ".join(reason.split()),
                    traceback="".join(traceback.format_exception(error)),
                )
            )
        labels = loaded.group.splits.test.labels
        return Scored(measured.result, measured.predictions, labels, measured.shifted, measured.choice)

    def _keep(self, planned: PlannedCell, card: TaskCard, group: Group) -> Keep | None:
        """Return what saves the adapted model of a cell, if it is to be kept."""
        folder = self._exports.get(planned.key)
        return partial(_save, folder, planned, card, group) if folder else None

    def _load(self, planned: PlannedCell, needs: Needs) -> _Loaded:
        """Return what a cell needs; that of the one before it is dropped first."""
        name = (planned.spec, "" if planned.strategy.classical else planned.cell.backbone)
        if self._loaded is None or self._loaded.name != name:
            self._loaded = None
            release()
            start = time.perf_counter()
            task = self._open_task(planned.cell.task, planned.spec, self._cache)
            if task.card.sha256 != planned.data_sha256:
                raise DataError(
                    f"{planned.spec.address} changed since the run was planned: give the same command once more"
                )
            group = self._group(planned, needs, task)
            self._loaded = _Loaded(name, task.card, group, Work(LOADING, uuid4().hex, time.perf_counter() - start))
        return self._loaded

    def _group(self, planned: PlannedCell, needs: Needs, task: Task) -> Group | ClassicalGroup:
        splits = task.load(self._cache)
        content = verify(task, splits)
        if planned.strategy.classical:
            return ClassicalGroup(task.target, splits, needs=needs, content=content, cache=self._cache)
        return Group(
            task.target,
            splits,
            self._load_backbone(planned.cell.backbone).to(self._device),
            needs=needs,
            content=content,
            cache=self._cache,
            device=self._device,
            memory_bytes=self._memory_bytes,
            decoders=self._decoders,
            request=self._request,
        )


def _save(
    folder: Path,
    planned: PlannedCell,
    card: TaskCard,
    group: Group,
    stages: nn.ModuleList,
    head: nn.Linear,
    result: Result,
) -> None:
    """Write the adapted model of a cell into a folder."""
    exported = Exported(
        result=result,
        task=card,
        data=planned.spec,
        backbone=group.backbone.card,
        boundary=planned.strategy.boundary(group.n_stages),
        target=group.target,
        hearing=hearing_of(group.splits.test.raw),
        past=past_of(group.splits.test.raw),
        libraries=library_versions(),
    )
    save_model(folder, exported, stages, head)
