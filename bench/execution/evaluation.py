"""Scoring models on a test split: plain, under shifts, with every metric and without each test block."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from bench.cell import Scores, ShiftedScore
from bench.column import Array, Column, Indices, dense
from bench.domain import Raw
from bench.errors import DataError
from bench.metric import Metric, files_of
from bench.results.tested import PLAIN, Tested, Truth
from bench.scoring import score
from bench.shifts.scoring import Shifted, shift_test
from bench.target import Target, combination, zero_skill
from bench.task import Examples, Split

Predict = Callable[[Raw], Column]


class UnderShifts(NamedTuple):
    """The scores of a model under shifts, and the predictions that were scored, by the names of the shifts."""

    scores: tuple[ShiftedScore, ...]
    predictions: Mapping[str, Column]


class _Baseline(NamedTuple):
    """What has no skill: its predictions, and their scores."""

    predictions: Column
    scores: Scores


class Scorable(NamedTuple):
    """What predictions of test examples are scored against, each [n]; `units` names what is scored as one, if any."""

    labels: Column
    facts: Column | None
    blocks: Indices
    units: Array | None


def score_units(target: Target, metrics: Sequence[Metric], predictions: Column, tested: Scorable) -> Scores:
    """Return the scores of predictions [n] by some metrics of a target, those of each unit combined into one first.

    The block and the facts of a unit are those of its first example. Examples that are all units of their own are
    scored as they are. Raises `DataError` if the target cannot combine, or the labels in a unit differ.
    """
    labels, facts, blocks, units = tested
    if units is None or len(np.unique(units)) == len(units):
        return score(metrics, predictions, labels, facts, blocks)
    combined = combination(target)(predictions, labels, units)
    facts = None if facts is None else facts.take(combined.rows)
    return score(metrics, combined.predictions, combined.labels, facts, blocks[combined.rows])


class Evaluation:
    """The test split of a task: how its target scores predictions of it, and what has no skill there."""

    def __init__(self, target: Target, split: Split, content: str) -> None:
        """`content` is the sha256 of the data, which decides the test blocks.

        Raises `DataError` if examples are to be scored as one and the target cannot combine their predictions.
        """
        if any(part.units is not None for part in (split.test, *(other.examples for other in split.elsewhere))):
            combination(target)
        self._target = target
        self._metrics = target.metrics  # once: a metric in a file may change while a run goes on
        self._split = split
        self._content = content
        self.test = split.test
        train = split.train
        self._zero = zero_skill(target, train.labels[target.reads], train.raw, train.facts)
        self._baseline = self._predict_baseline(split.test)
        self.baselines = self.score(self._baseline)

    @property
    def metric(self) -> str:
        """The name of the metric that ranks."""
        return self._metrics[0].card.name

    @property
    def zero(self) -> str:
        """The title of the baseline that stands for no skill."""
        return self._zero.title

    @cached_property
    def trivial(self) -> Mapping[str, Scores]:
        """The scores of all baselines by their titles, where there are several."""
        several, train, test = self._target.baselines, self._split.train.labels[self._target.reads], self.test
        if len(several) == 1:
            return {}
        return {one.title: self.score(one.predict(train, test.raw, test.facts)) for one in several}

    @property
    def metric_files(self) -> dict[str, str]:
        """The sha256 of the file of each metric that is a function of a user's."""
        return files_of(self._metrics)

    def tested(self, *, shifts: bool) -> Tested:
        """Return what predictions belong to, under shifts too if these are asked for."""
        plain = self._truth(self.test, self._test_blocks)
        if not shifts:
            return Tested(*plain, {PLAIN: self._baseline})
        under = {name: one.predictions for name, one in self._baselines_under.items()}
        others = {one.name: one.examples for one in self.shifted if one.elsewhere}
        elsewhere = {name: self._truth(examples, self._blocks(examples)) for name, examples in others.items()}
        return Tested(*plain, {PLAIN: self._baseline, **under}, elsewhere)

    @cached_property
    def tested_name(self) -> str:
        """What tells apart what predictions belong to, with shifts or without."""
        return self.tested(shifts=False).name

    @cached_property
    def block_sizes(self) -> tuple[int, ...]:
        """How many are scored in each test block: examples, or units where several examples are scored as one."""
        return self._sizes(self.test, self._test_blocks)

    @cached_property
    def shifted(self) -> tuple[Shifted, ...]:
        """The test split under each of its shifts."""
        return shift_test(self.test, self._split.elsewhere)

    def score(self, predictions: Column) -> Scores:
        """Return the scores of predictions of the test split."""
        return self._score(self.test, predictions, self._test_blocks)

    def score_shifts(self, predict: Predict) -> UnderShifts:
        """Return the scores of a model on the test split under each shift."""
        scores, kept = [], {}
        for shifted in self.shifted:
            start = time.perf_counter()
            examples = shifted.examples
            predictions = predict(examples.raw)
            kept[shifted.name] = predictions
            blocks = self._blocks(examples)
            found = self._score(examples, predictions, blocks)
            baselines = self._baselines_under[shifted.name].scores
            scores.append(
                ShiftedScore(
                    shift=shifted.name,
                    title=shifted.title,
                    score=ranking(found, self.metric),
                    chance=ranking(baselines, self.metric),
                    seconds=round(time.perf_counter() - start, 4),
                    scores=found,
                    baselines=baselines,
                    block_sizes=self._sizes(examples, blocks) if shifted.elsewhere else (),
                )
            )
        return UnderShifts(tuple(scores), kept)

    def _score(self, examples: Examples, predictions: Column, blocks: Indices) -> Scores:
        tested = Scorable(examples.labels[self._target.reads], examples.facts, blocks, examples.units)
        return score_units(self._target, self._metrics, predictions, tested)

    @cached_property
    def _baselines_under(self) -> Mapping[str, _Baseline]:
        """What has no skill under each shift."""
        found = {}
        for shifted in self.shifted:
            examples = shifted.examples
            predictions = self._predict_baseline(examples)
            scores = self._score(examples, predictions, self._blocks(examples))
            found[shifted.name] = _Baseline(predictions, scores)
        return found

    def _predict_baseline(self, examples: Examples) -> Column:
        """Return the predictions without skill; they may know the training labels, all of them."""
        train = self._split.train.labels[self._target.reads]
        return self._zero.predict(train, examples.raw, examples.facts)

    def _truth(self, examples: Examples, blocks: Indices) -> Truth:
        rows = {"block": blocks, "group": examples.groups, "unit": examples.units, "name": examples.names}
        known = {name: array for name, array in rows.items() if array is not None}
        return Truth(examples.labels[self._target.reads], examples.facts, dense(**known))

    @staticmethod
    def _sizes(examples: Examples, blocks: Indices) -> tuple[int, ...]:
        """Return how many of each block are scored: examples, or units where these are scored as one."""
        units = examples.units
        first = slice(None) if units is None else np.unique(units, return_index=True)[1]
        return tuple(np.bincount(blocks[first]).tolist())

    @cached_property
    def _test_blocks(self) -> Indices:
        return self._blocks(self.test)

    def _blocks(self, examples: Examples) -> Indices:
        labels = examples.labels[self._target.reads]
        return self._target.sampling.blocks(labels, examples.facts, examples.groups, self._content)


def ranking(scores: Scores, metric: str) -> float:
    """Return the value of the metric that ranks. Raises `DataError` if the test examples do not define it."""
    value = scores.values[metric]
    if value is None:
        raise DataError(f"the test split does not define {metric}: rank by another metric, or test on more examples")
    return value
