"""The shift of series: a later period, further from what was learnt than the whole of the test."""

from typing import Final

import numpy as np

from bench.domains.shift import Shift
from bench.task import Examples


def later_half(examples: Examples) -> Examples:
    """Return the later half of windows that are in order of time."""
    return examples.take(np.arange(len(examples) // 2, len(examples)))


SHIFTS: Final = (Shift("later", "the later half of the test period", later_half, "series"),)
