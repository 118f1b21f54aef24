"""Statistics: intervals over seeds, what is read off learning curves, ranks, variances, many comparisons."""

from bench.stats.aggregates import interquartile_mean
from bench.stats.crossover import Crossing, CrossingKind, crossover
from bench.stats.curves import area_under_curve, areas_of_seeds, skill
from bench.stats.extrapolation import PowerLaw, fit_power_law
from bench.stats.intervals import (
    CONFIDENCE,
    ROUNDING,
    Estimate,
    Floats,
    Interval,
    clipped_interval,
    half_width,
    mean_interval,
)
from bench.stats.multiplicity import benjamini_hochberg, holm, paired_p
from bench.stats.ranks import RankIntervals, competition_ranks, may_be_best, rank_intervals
from bench.stats.savings import Savings, label_savings, label_savings_over_seeds
from bench.stats.variance import VariancePart, variance_parts

__all__ = [
    "CONFIDENCE",
    "ROUNDING",
    "Crossing",
    "CrossingKind",
    "Estimate",
    "Floats",
    "Interval",
    "PowerLaw",
    "RankIntervals",
    "Savings",
    "VariancePart",
    "area_under_curve",
    "areas_of_seeds",
    "benjamini_hochberg",
    "clipped_interval",
    "competition_ranks",
    "crossover",
    "fit_power_law",
    "half_width",
    "holm",
    "interquartile_mean",
    "label_savings",
    "label_savings_over_seeds",
    "may_be_best",
    "mean_interval",
    "paired_p",
    "rank_intervals",
    "skill",
    "variance_parts",
]
