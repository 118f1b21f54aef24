"""Owns statistics: intervals over seeds, learning curves and what is read off them, ranks, many comparisons."""

from bench.stats.curves import area_under_curve, skill
from bench.stats.intervals import (
    CONFIDENCE,
    ROUNDING,
    Difference,
    Floats,
    Interval,
    clipped_interval,
    half_width,
    paired_difference,
)
from bench.stats.multiplicity import benjamini_hochberg, holm, paired_p
from bench.stats.ranks import competition_ranks
from bench.stats.savings import Savings, label_savings

__all__ = [
    "CONFIDENCE",
    "ROUNDING",
    "Difference",
    "Floats",
    "Interval",
    "Savings",
    "area_under_curve",
    "benjamini_hochberg",
    "clipped_interval",
    "competition_ranks",
    "half_width",
    "holm",
    "label_savings",
    "paired_difference",
    "paired_p",
    "skill",
]
