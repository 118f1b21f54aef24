"""The points of learning curves as replicates: scores of several seeds, with what each test block does to them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bench import stats
from bench.cell import ALL_STREAMS, Cell, Outcome, Result, Scores
from bench.metric import MetricCard
from bench.results.manifest import Manifest


class Point(NamedTuple):
    """A point of a learning curve: what cells that differ in their seeds alone have in common."""

    task: str
    backbone: str
    strategy: str
    budget: str


@dataclass(frozen=True, slots=True)
class Points:
    """Scores by the metric that ranks: of models, and of the baseline that has no skill on the same test examples.

    `shifted` has those of the models under each shift of the test split, by its name.
    """

    models: Mapping[Point, stats.Replicates]
    baselines: Mapping[Point, stats.Replicates]
    shifted: Mapping[tuple[Point, str], stats.Replicates]

    def estimate(self, point: Point, metric: MetricCard, shift: str = "") -> stats.Estimate:
        """Return the mean score of a point with its interval, under a shift if one is named."""
        found = self.shifted.get((point, shift)) if shift else self.models.get(point)
        return estimate_score(found or stats.NO_REPLICATES, metric)


def estimate_score(measured: stats.Replicates, metric: MetricCard) -> stats.Estimate:
    """Return a mean score with its interval, which no score that is better than a perfect one is in."""
    found = stats.estimate(measured, proportion=metric.proportion)
    if metric.higher_is_better:
        return found._replace(lower=min(found.lower, metric.perfect), upper=min(found.upper, metric.perfect))
    return found._replace(lower=max(found.lower, metric.perfect), upper=max(found.upper, metric.perfect))


def replicate_points(manifest: Manifest, outcomes: Mapping[Cell, Outcome | None]) -> Points:
    """Return the replicates of every point with a score. Cells that vary one random stream alone do not count."""
    found: dict[Point, list[Result]] = defaultdict(list)
    for cell, outcome in outcomes.items():
        if isinstance(outcome, Result) and cell.varied == ALL_STREAMS:
            found[Point(cell.task, cell.backbone, cell.strategy, str(cell.budget))].append(outcome)
    models, baselines, shifted = {}, {}, {}
    for point, results in found.items():
        metric = manifest.tasks[point.task].metric
        models[point] = replicate_results(results, metric)
        baselines[point] = _replicates(results, metric, ((one.chance, one.baselines) for one in results))
        for shift in dict.fromkeys(under.shift for one in results for under in one.shifted):
            under_it = [(one, under) for one in results for under in one.shifted if under.shift == shift]
            shifted[point, shift] = _replicates(
                [one for one, _ in under_it], metric, ((under.score, under.scores) for _, under in under_it)
            )
    return Points(models, baselines, shifted)


def replicate_results(results: Sequence[Result], metric: MetricCard) -> stats.Replicates:
    """Return the scores of results that differ in their seeds alone as replicates."""
    return _replicates(results, metric, ((one.score, one.scores) for one in results))


def replicate_skill(results: Sequence[Result], metric: MetricCard) -> stats.Replicates:
    """Return the skill of results that differ in their seeds alone: 0 is the mean baseline, 1 is perfect.

    Where the baseline is perfect there is no skill: none.
    """
    chance = sum(one.chance for one in results) / len(results)
    if metric.perfect == chance:
        return stats.NO_REPLICATES
    return replicate_results(results, metric).plus(-chance).scaled(1 / (metric.perfect - chance))


def _replicates(
    results: Iterable[Result], metric: MetricCard, scored: Iterable[tuple[float, Scores]]
) -> stats.Replicates:
    scores, without = {}, {}
    block_sizes: tuple[int, ...] = ()
    n_test = 1
    for result, (value, several) in zip(results, scored, strict=True):
        seed, left = result.cell.seed, several.without.get(metric.name, ())
        scores[seed], without[seed] = value, [float("nan") if one is None else one for one in left]
        block_sizes, n_test = result.block_sizes, result.n_test
    finest = 1 / n_test**2 if metric.proportion else 0.0
    return stats.replicate(scores, without, block_sizes or (n_test,), finest=finest)
