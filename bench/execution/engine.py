"""Running cells in one process: what they need is loaded and kept for the next, and a crash becomes a failure."""

import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final
from uuid import uuid4

import torch

from bench.backbone import Backbone
from bench.budget import Budget
from bench.card import TaskCard
from bench.cell import LOADING, Failure, Result, Work
from bench.column import Column
from bench.config.data import DataSpec
from bench.context import Context
from bench.errors import BenchError, DataError
from bench.execution.evaluation import Evaluation, ranking
from bench.execution.output import CellOutput
from bench.planning.budgets import Budgets
from bench.planning.plan import Job, PlannedCell, Requirements
from bench.prediction.saving import save_adapted
from bench.runtime.arithmetic import PrecisionRequest
from bench.runtime.cache import Cache
from bench.runtime.limits import DEFAULT_MEMORY_BYTES
from bench.runtime.memory import forget_peak, peak_mib, release
from bench.runtime.provenance import describe_run
from bench.strategy import BROUGHT_HEAD, SOURCE, UNLABELLED, Model, Seeds, Strategy
from bench.subsets.seeds import seed_of
from bench.task import Split, Task, fold_content, verify
from bench.training.context import AUTO, NetworkContext, network_of

CPU: Final = torch.device("cpu")
THREADS: Final = 1
"""Per process. Work is spread over processes instead: small networks gain more from that, and sums that are always
taken in the same order make a score the same on any number of cores."""


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    """What the last cell needed, kept for the next, and what it took to make it.

    It is that of a task and backbone, or of a task alone, whose backbone then has no name; and of one fold of it.
    """

    name: tuple[DataSpec, str, int]
    card: TaskCard
    data_sha256: str
    budgets: Budgets
    context: Context
    evaluation: Evaluation
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
        memory_bytes: int = DEFAULT_MEMORY_BYTES,
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

    def run(self, job: Job) -> Iterator[CellOutput]:
        """Yield the outcome of each cell of a job, whose cells are of one task, backbone, strategy and fold.

        Whatever goes wrong with a cell becomes a `Failure` and concerns no other.
        """
        ready: list[_Ready] = []
        for planned in job.cells:
            try:
                ready.append(self._ready(planned, job))
            except (Exception, SystemExit) as error:  # `sys.exit` in somebody else's code
                yield CellOutput(_failure(planned, error))
        while ready:
            for done in self._fit(ready):
                yield done
                ready = [one for one in ready if one.planned.key != done.outcome.key]

    def _fit(self, ready: Sequence["_Ready"]) -> Iterator[CellOutput]:
        """Yield the outcomes of cells, up to the first that fails: what fitted them has ended then.

        That one is fitted once more, alone: what is done for several may fail for another's sake.
        """
        context, strategy = ready[0].loaded.context, ready[0].planned.strategy
        models: Iterator[Model] | None = None
        for one in ready:
            try:
                forget_peak(self._device)
                if models is None:
                    models = strategy.fit(context, [each.budget for each in ready], [each.seeds for each in ready])
                output = self._output(one, next(models))
            except (Exception, SystemExit) as error:  # `sys.exit` in somebody else's code
                if len(ready) > 1:
                    yield from self._fit([one])
                else:
                    yield CellOutput(_failure(one.planned, error))
                return
            yield output

    def _output(self, one: "_Ready", model: Model) -> CellOutput:
        """Score a model and return the outcome of its cell."""
        planned, loaded, cost = one.planned, one.loaded, model.cost
        evaluation = loaded.evaluation
        start = time.perf_counter()
        predictions = model.predict(evaluation.test.raw)
        seconds = time.perf_counter() - start
        peak = peak_mib(self._device)
        scores = evaluation.score(predictions)
        under = evaluation.score_shifts(model.predict) if planned.shifts else None
        device = self._device if planned.seen_through else CPU
        result = Result(
            cell=planned.cell,
            key=planned.key,
            amount=one.budget.amount,
            n_test=sum(evaluation.block_sizes),
            score=ranking(scores, evaluation.metric),
            chance=ranking(evaluation.baselines, evaluation.metric),
            penalty=cost.penalty,
            seconds=round(cost.seconds + seconds, 4),
            training_seconds=round(cost.training_seconds, 4),
            evaluation_seconds=round(seconds, 4),
            shared=_rounded((*cost.work, loaded.loading)),
            shifted=under.scores if under else (),
            losses=cost.losses,
            steps=cost.steps,
            trainable_parameters=cost.trainable_parameters,
            total_parameters=cost.total_parameters,
            peak_mib=round(peak, 1),
            device=device.type,
            precision=cost.precision,
            data_sha256=loaded.data_sha256,
            provenance=describe_run(device),
            scores=scores,
            baselines=evaluation.baselines,
            zero=evaluation.zero,
            trivial=evaluation.trivial,
            block_sizes=evaluation.block_sizes,
            metric_files=evaluation.metric_files,
            tested=evaluation.tested_name,
            fold=planned.fold,
            folds=loaded.card.folds,
            n_train=loaded.budgets.total,
            learning_rate=cost.learning_rate,
            rates=cost.rates,
            kept=cost.kept,
        )
        self._export(one, model, result)
        shifted = under.predictions if under else {}
        tested = evaluation.tested(shifts=planned.shifts)
        return CellOutput(result, predictions, tested, shifted, cost.choice)

    def _export(self, one: "_Ready", model: Model, result: Result) -> None:
        """Write the adapted model into its folder, if it is to be kept."""
        folder = self._exports.get(one.planned.key)
        if folder:
            save_adapted(folder, one.planned, one.loaded.card, network_of(one.loaded.context), model.parts(), result)

    def _ready(self, planned: PlannedCell, job: Job) -> "_Ready":
        """Return a cell with its budget. Raises `DataError` if it cannot be drawn, or the task lacks something."""
        loaded = self._load(planned, job)
        _refuse_lacking(planned.strategy, loaded.context)
        budget = loaded.budgets.draw(planned.cell.budget, seed_of(planned.cell, "subset"))
        cell = planned.cell
        return _Ready(planned, loaded, budget, Seeds(seed_of(cell, "initialisation"), seed_of(cell, "order")))

    def _load(self, planned: PlannedCell, job: Job) -> _Loaded:
        """Return what a cell needs; that of the one before it is dropped first."""
        through = planned.seen_through
        name = (planned.spec, through, planned.fold)
        if self._loaded is None or self._loaded.name != name:
            self._loaded = None
            release()
            start = time.perf_counter()
            task = self._open_task(planned.cell.task, planned.spec, self._cache)
            if task.card.sha256 != planned.data_sha256:
                raise DataError(
                    f"{planned.spec.address} changed since the run was planned: give the same command once more"
                )
            split = task.split(planned.fold, self._cache)
            first = task.split(0, self._cache) if planned.fold and task.card.pinned else split  # which the card names
            data_sha256 = verify(task, first)
            content = fold_content(data_sha256, planned.fold)
            train = split.train
            budgets = Budgets(task.target, train.labels[task.target.reads], train.facts)
            context = self._context(task, split, through, job.requirements, content, budgets)
            evaluation = Evaluation(task.target, split, data_sha256)
            loading = Work(LOADING, uuid4().hex, time.perf_counter() - start)
            self._loaded = _Loaded(name, task.card, data_sha256, budgets, context, evaluation, loading)
        return self._loaded

    def _context(
        self, task: Task, split: Split, through: str, wanted: Requirements, content: str, budgets: Budgets
    ) -> Context:
        """Return what a strategy may see of a split, through a backbone if it is named."""
        needed = budgets.union(wanted.budgets)
        if not through:
            return Context(task.card.name, task.target, split, needed=needed, content=content, cache=self._cache)
        backbone = self._load_backbone(through).to(self._device)
        n_stages = len(backbone.stages)
        return NetworkContext(
            task.card.name,
            task.target,
            split,
            backbone,
            needed=needed,
            boundaries=frozenset().union(*(strategy.boundaries(n_stages) for strategy in wanted.strategies)),
            content=content,
            cache=self._cache,
            device=self._device,
            memory_bytes=self._memory_bytes,
            decoders=self._decoders,
            request=self._request,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """A cell that can be fitted."""

    planned: PlannedCell
    loaded: _Loaded
    budget: Budget[Column]
    seeds: Seeds


def _refuse_lacking(strategy: Strategy, context: Context) -> None:
    """Raise `DataError` if a task and its backbone do not have what a strategy requires."""
    if UNLABELLED in strategy.requires and context.unlabelled is None:
        raise DataError(f"the strategy {strategy.name!r} needs {UNLABELLED}, and the task {context.task!r} has none")
    if SOURCE in strategy.requires and context.source is None:
        raise DataError(f"the strategy {strategy.name!r} needs {SOURCE}, and the task {context.task!r} has none")
    if BROUGHT_HEAD in strategy.requires:
        backbone = network_of(context).backbone
        if backbone.brings(context.target) is None:
            brought = f"{backbone.card.name} brings none for this target"
            raise DataError(f"the strategy {strategy.name!r} needs {BROUGHT_HEAD}, and {brought}")


def _failure(planned: PlannedCell, error: Exception | SystemExit) -> Failure:
    reason = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
    return Failure(
        cell=planned.cell,
        key=planned.key,
        reason=" ".join(reason.split()),
        traceback="".join(traceback.format_exception(error)),
    )


def _rounded(works: Iterable[Work]) -> tuple[Work, ...]:
    """Return each piece of work once, its seconds rounded."""
    return tuple(Work(work.phase, work.key, round(work.seconds, 4)) for work in dict.fromkeys(works))
