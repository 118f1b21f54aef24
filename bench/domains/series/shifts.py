"""The shift of series: a noisier instrument, so that the past is known less well than where was learnt.

What comes later in the same series would be part of the test split itself: no shift of its own.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from bench.domains.series.raw import expect_windows
from bench.domains.shift import Shift, generator_of
from bench.task import Examples

NOISE: Final = 0.5  # standard deviation, in units of the series


def add_noise(examples: Examples) -> Examples:
    """Return windows with Gaussian noise on every value of the past; what is to be forecast stays as it is."""
    windows = expect_windows(examples.raw)
    noise = np.stack([generator_of(past.tobytes()).standard_normal(len(past)) for past in windows.past])
    return replace(examples, raw=replace(windows, past=windows.past + NOISE * windows.unit[:, None] * noise))


SHIFTS: Final = (Shift("noise", "noise of half a typical change on every value of the past", add_noise, "series"),)
