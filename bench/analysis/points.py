"""The points of learning curves as replicates: scores of several seeds, with what each test block does to them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
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

    `shifted` has those of the models under each shift of the test split, by its name, `trivial` those of each baseline
    of a target that has several, by its title; `zero` says for each task which of these has no skill, "" for the only
    one.
    """

    models: Mapping[Point, stats.Replicates]
    baselines: Mapping[Point, stats.Replicates]
    shifted: Mapping[tuple[Point, str], stats.Replicates]
    trivial: Mapping[tuple[Point, str], stats.Replicates]
    zero: Mapping[str, str]

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
    models, baselines, shifted, trivial = {}, {}, {}, {}
    for point, results in found.items():
        metric = manifest.tasks[point.task].metric
        models[point] = replicate_results(results, metric)
        baselines[point] = _replicates(
            metric, [_Scored(one, one.chance, one.baselines, one.block_sizes) for one in results]
        )
        for shift in dict.fromkeys(under.shift for one in results for under in one.shifted):
            taken = [
                _Scored(one, under.score, under.scores, under.block_sizes or one.block_sizes)
                for one in results
                for under in one.shifted
                if under.shift == shift
            ]
            shifted[point, shift] = _replicates(metric, taken)
        for title in dict.fromkeys(title for one in results for title in one.trivial):
            kept = [(one, one.trivial[title], one.trivial[title].values.get(metric.name)) for one in results]
            known = [_Scored(one, value, scores, one.block_sizes) for one, scores, value in kept if value is not None]
            if known:
                trivial[point, title] = _replicates(metric, known)
    zero = {point.task: results[0].zero for point, results in found.items()}
    return Points(models, baselines, shifted, trivial, zero)


def replicate_results(results: Sequence[Result], metric: MetricCard) -> stats.Replicates:
    """Return the scores of results that differ in their seeds alone as replicates."""
    return _replicates(metric, [_Scored(one, one.score, one.scores, one.block_sizes) for one in results])


def replicate_skill(results: Sequence[Result], metric: MetricCard) -> stats.Replicates:
    """Return the skill of results that differ in their seeds alone: 0 is the mean baseline, 1 is perfect.

    Where the baseline is perfect there is no skill: none.
    """
    chance = sum(one.chance for one in results) / len(results)
    if metric.perfect == chance:
        return stats.NO_REPLICATES
    return replicate_results(results, metric).plus(-chance).scaled(1 / (metric.perfect - chance))


class _Scored(NamedTuple):
    """A score of a result: its value, all metrics, and how many were scored in each block."""

    result: Result
    value: float
    scores: Scores
    block_sizes: tuple[int, ...]

    @property
    def n_test(self) -> int:
        """How many were scored."""
        return sum(self.block_sizes) or self.result.n_test


def _replicates(metric: MetricCard, several: Sequence[_Scored]) -> stats.Replicates:
    """Return the replicates of scores of several seeds on one test split, or each on its own fold of the data."""
    if several[0].result.folds > 1:
        return _replicates_of_folds(metric, several)
    without = {
        one.result.cell.seed: [
            float("nan") if value is None else value for value in one.scores.without.get(metric.name, ())
        ]
        for one in several
    }
    first = several[0]
    finest = 1 / first.n_test**2 if metric.proportion else 0.0
    sizes = first.block_sizes or (first.n_test,)
    return stats.replicate({one.result.cell.seed: one.value for one in several}, without, sizes, finest=finest)


def _replicates_of_folds(metric: MetricCard, several: Sequence[_Scored]) -> stats.Replicates:
    """Return the replicates of scores that each are of one fold; those of seeds that share a fold are averaged."""
    by_fold: dict[int, list[float]] = defaultdict(list)
    for one in several:
        by_fold[one.result.fold].append(one.value)
    n_test = sum(one.n_test for one in several) / len(several)
    share = max(one.result.amount / one.result.n_train if one.result.n_train else 1.0 for one in several)
    return stats.replicate(
        {fold: sum(values) / len(values) for fold, values in by_fold.items()},
        dict.fromkeys(by_fold, ()),
        (n_test,),
        finest=1 / (len(by_fold) * n_test) ** 2 if metric.proportion else 0.0,
        overlap=share / (several[0].result.folds - 1),
    )
