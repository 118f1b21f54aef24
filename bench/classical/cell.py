"""Owns one classical cell: a model of the domain fitted on a label budget, scored once on the test split."""

import importlib
import time
from collections.abc import Iterable
from functools import cached_property

import torch

from bench.cell import Result, Work
from bench.classical.models import Fitted, Models, TaskData
from bench.execution.scored import Measured
from bench.planning.budgets import Budgets
from bench.planning.plan import Needs, PlannedCell
from bench.planning.seeds import seed_of
from bench.runtime.cache import Cache
from bench.runtime.memory import forget_peak, peak_mib
from bench.runtime.provenance import describe_run
from bench.shifts.scoring import UNSHIFTED, Shifted, score_shifts, shift_test
from bench.target import Target
from bench.task import Splits

CPU = torch.device("cpu")


class ClassicalGroup:
    """What the classical cells of one task share: its data, and what its domain's models make of them."""

    def __init__(self, target: Target, splits: Splits, *, needs: Needs, content: str, cache: Cache) -> None:
        """`content` is the sha256 of the splits; `needs` says what the cells to come will ask for."""
        self.target = target
        self.splits = splits
        self.content = content
        self.chance = target.chance(splits.test.labels, splits.test.raw)
        self._budgets = Budgets(target, splits.train.labels)
        self._models = _models(TaskData(target, splits, self._budgets.union(needs.budgets), content, cache))

    @cached_property
    def shifted(self) -> tuple[Shifted, ...]:
        """The test split under each of its shifts."""
        return shift_test(self.splits.test)

    def fit(self, planned: PlannedCell, companions: Iterable[PlannedCell] = ()) -> tuple[Fitted, int]:
        """Return the model of a cell and the number of labels in its budget.

        `companions` are cells to come: models on budgets as large as this one's are fitted together with its own.
        Raises `DataError` for a budget that is too small.
        """
        cell, strategy = planned.cell, planned.strategy
        rows = self._budgets.rows(cell.fraction, seed_of(cell, "subset"))
        like = [one.cell for one in companions if (one.strategy, one.cell.fraction) == (strategy, cell.fraction)]
        budgets = (self._budgets.rows(one.fraction, seed_of(one, "subset")) for one in like)
        return self._models.fit(rows, recipe=strategy.recipe, companions=budgets), len(rows)


def run_classical(
    planned: PlannedCell, group: ClassicalGroup, *, loading: Work, companions: Iterable[PlannedCell] = ()
) -> Measured:
    """Return what came of a classical cell.

    `loading` is what it took to load the data; for `companions` see `ClassicalGroup.fit`, which is where errors are
    raised.
    """
    forget_peak(CPU)
    fitted, n_labels = group.fit(planned, companions)
    start = time.perf_counter()
    test = group.splits.test
    predictions = fitted.predict(test.raw)
    seconds = round(time.perf_counter() - start, 4)
    peak = peak_mib(CPU)
    shifted = UNSHIFTED
    if planned.shifts:
        shifted = score_shifts(group.target, group.shifted, lambda test: fitted.predict(test.examples.raw))
    shared = (*fitted.work, loading)
    result = Result(
        cell=planned.cell,
        key=planned.key,
        n_labels=n_labels,
        n_test=len(test),
        score=group.target.score(predictions, test.labels, test.raw),
        chance=group.chance,
        penalty=fitted.penalty,
        seconds=seconds,
        training_seconds=0.0,
        evaluation_seconds=seconds,
        shared=tuple(Work(work.phase, work.key, round(work.seconds, 4)) for work in shared),
        shifted=shifted.scores,
        losses=(),
        steps=0,
        trainable_parameters=fitted.coefficients,
        total_parameters=fitted.coefficients,
        peak_mib=round(peak, 1),
        device=CPU.type,
        precision=fitted.arithmetic,
        data_sha256=group.content,
        provenance=describe_run(CPU),
    )
    return Measured(result, predictions, shifted.predictions)


def _models(data: TaskData) -> Models:
    """Return the models of a domain, from its module: loaded late, since scikit-learn takes more than a second."""
    module = importlib.import_module(f"bench.classical.{data.splits.train.raw.domain}")
    models: Models = module.models(data)
    return models
