"""Trying candidates on the training splits of some tasks, part of which is held out to score them."""

import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from bench.backbone import Backbone
from bench.budget import Asked
from bench.context import Context
from bench.errors import BenchError, DataError
from bench.planning.budgets import Budgets
from bench.runtime.cache import Cache, content_key
from bench.strategy import BACKBONE, Seeds, Strategy
from bench.task import Examples, Split, Task, fingerprint
from bench.training.choosing import divide
from bench.training.context import NetworkContext
from bench.tuning.grid import first_round, second_round

log = logging.getLogger(__name__)

MOST_LEARNT: Final = 1_000
MOST_SCORED: Final = 300
"""Examples that budgets are drawn from, and that are held out: more would cost time and change no order."""

CPU: Final = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class Trial:
    """A candidate with its mean score on what each task held out, by the names of tasks, larger being better."""

    candidate: Strategy
    scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class Tuned:
    """The best candidate of a strategy, its mean score on each task, and how many were tried."""

    winner: Strategy
    scores: dict[str, float]
    tried: int


class Bench:
    """A task whose training split is divided, seen through one backbone."""

    def __init__(self, task: Task, backbone: Backbone, *, cache: Cache) -> None:
        """Raises `DataError` if nothing can be held out."""
        self.name = task.card.name
        self._target = task.target
        self._backbone = backbone
        self._cache = cache
        self._split = validation_split(task, cache)
        self._content = content_key(f"tuning on {fingerprint(self._split)}")

    def scores(self, strategy: Strategy, budgets: Sequence[Asked], seeds: int) -> list[float]:
        """Return what a strategy scores at each budget with each seed, larger being better."""
        target, train, test = self._target, self._split.train, self._split.test
        metric = target.metrics[0]
        drawing = Budgets(target, train.labels[target.reads], train.facts)
        context = self._context(strategy)
        found = []
        for asked in budgets:
            for seed in range(seeds):
                [model] = strategy.fit(context, [drawing.draw(asked, seed)], [Seeds(seed, seed)])
                value = metric.compute(model.predict(context.tested), test.labels[target.reads], test.facts)
                if value is None:
                    raise DataError(f"what {self.name} holds out does not define {metric.card.name}")
                found.append(value if metric.card.higher_is_better else -value)
        return found

    def _context(self, strategy: Strategy) -> Context:
        everything = np.arange(len(self._split.train))
        if BACKBONE not in strategy.requires:
            return Context(
                self.name, self._target, self._split, needed=everything, content=self._content, cache=self._cache
            )
        return NetworkContext(
            self.name,
            self._target,
            self._split,
            self._backbone,
            needed=everything,
            boundaries=strategy.boundaries(len(self._backbone.stages)),
            content=self._content,
            cache=self._cache,
            device=CPU,
        )


def validation_split(task: Task, cache: Cache) -> Split:
    """Return the training split of a task divided into two: what is learnt from, and what candidates are scored on.

    Its test split is not looked at. Raises `DataError` if nothing can be held out.
    """
    target, train = task.target, task.split(0, cache).train
    divided = divide(target.sampling, train.labels[target.reads], train.facts, train.groups)
    if divided is None:
        raise DataError(f"the training split of {task.card.name} is too small to hold out a part of it")
    learnt, tested = (train.take(places) for places in divided)
    return Split(_fewer(task, learnt, MOST_LEARNT), _fewer(task, tested, MOST_SCORED))


def _fewer(task: Task, examples: Examples, most: int) -> Examples:
    """Return at most so many examples, as a budget would draw them, in their order."""
    labels = examples.labels[task.target.reads]
    order = task.target.sampling.order(labels, examples.facts, np.random.default_rng(0))
    return examples.take(np.sort(order[:most]))


def tune(strategy: Strategy, benches: Sequence[Bench], budgets: Sequence[Asked], seeds: int) -> Tuned:
    """Return the best of the candidates of a strategy over some tasks.

    Tasks have scores of their own kinds: a candidate stands by its mean rank on them.
    """

    def tried(candidates: Iterable[Strategy]) -> list[Trial]:
        return [_trial(candidate, benches, budgets, seeds) for candidate in candidates]

    trials = tried(first_round(strategy))
    trials += tried(second_round(best_of(trials).candidate))
    best = best_of(trials)
    return Tuned(best.candidate, best.scores, len(trials))


def best_of(trials: Sequence[Trial]) -> Trial:
    """Return the trial of the best mean rank over its tasks, of equal ones the first."""
    ranks = np.zeros(len(trials))
    for task in trials[0].scores:
        values = np.array([trial.scores[task] for trial in trials])
        ranks += [(values > value).sum() + (values == value).sum() / 2 for value in values]
    return trials[int(ranks.argmin())]


def _trial(candidate: Strategy, benches: Sequence[Bench], budgets: Sequence[Asked], seeds: int) -> Trial:
    """Return what a candidate scores on each task; one that diverges there is the worst."""
    scores = {}
    for bench in benches:
        try:
            found = bench.scores(candidate, budgets, seeds)
        except BenchError as error:
            log.info("%s: %s", candidate.name, error)
            found = [-math.inf]
        scores[bench.name] = float(np.mean(found))
    told = ", ".join(f"{task} {value:.4f}" for task, value in scores.items())
    log.info("%s %s: %s", candidate.name, candidate.recipe(), told)
    return Trial(candidate, scores)
