"""Statistics: intervals over seeds and test examples, readings of learning curves, ranks, many comparisons."""

from bench.stats.crossover import Crossing, CrossingKind, crossover
from bench.stats.curves import area_of_replicates, skill
from bench.stats.extrapolation import PowerLaw, fit_power_law
from bench.stats.intervals import (
    CONFIDENCE,
    ROUNDING,
    Estimate,
    Floats,
)
from bench.stats.multiplicity import benjamini_hochberg, holm, simes
from bench.stats.ranks import RankIntervals, competition_ranks, may_be_best, rank_intervals
from bench.stats.replicates import FEWEST_BLOCKS, NO_REPLICATES, Replicates, combine, replicate, shared_seeds
from bench.stats.savings import Savings, label_savings, savings_of_replicates
from bench.stats.standings import WinRates, duels, ranks_over_tasks, win_rates
from bench.stats.uncertainty import (
    ONE_SIDED,
    MeanSquares,
    Uncertainty,
    combined_variance,
    contrast,
    estimate,
    mean_of_dependent,
    mean_squares,
    pooled,
    student,
    uncertainty,
    variance_by_blocks,
)
from bench.stats.variance import VariancePart, variance_parts

__all__ = [
    "CONFIDENCE",
    "FEWEST_BLOCKS",
    "NO_REPLICATES",
    "ONE_SIDED",
    "ROUNDING",
    "Crossing",
    "CrossingKind",
    "Estimate",
    "Floats",
    "MeanSquares",
    "PowerLaw",
    "RankIntervals",
    "Replicates",
    "Savings",
    "Uncertainty",
    "VariancePart",
    "WinRates",
    "area_of_replicates",
    "benjamini_hochberg",
    "combine",
    "combined_variance",
    "competition_ranks",
    "contrast",
    "crossover",
    "duels",
    "estimate",
    "fit_power_law",
    "holm",
    "label_savings",
    "may_be_best",
    "mean_of_dependent",
    "mean_squares",
    "pooled",
    "rank_intervals",
    "ranks_over_tasks",
    "replicate",
    "savings_of_replicates",
    "shared_seeds",
    "simes",
    "skill",
    "student",
    "uncertainty",
    "variance_by_blocks",
    "variance_parts",
    "win_rates",
]
