"""The source data of the bundled series backbone: synthetic series only, drawn from two families of processes.

Most are sums of parts a forecaster knows by name: seasonalities, trends, autoregressive noise, level shifts, outliers.
The others are draws from Gaussian processes with randomly composed kernels (KernelSynth, from Chronos: Ansari et al.
2024, arXiv:2403.07815). No measured series is among them.

What is to be forecast is not what would happen but what to expect: every shock to a process ends with the past, so that
a future is its mean given how things stand. The best forecaster of either is the same one; this way it is learnt from
less data. (Where amplitudes wander or a series is skewed or floored, it is rather the median.)
"""

from typing import Final, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.column import Dense
from bench.domains.series.raw import Windows
from bench.pretraining.kernels import kernel_draws
from bench.pretraining.stretches import CONTEXT, HORIZON, LENGTH, Series, log_uniform, periods
from bench.targets.forecast import LABEL, Forecast
from bench.task import Examples, Split

WINDOWS: Final = 300_000
TEST_WINDOWS: Final = 5_000
SEED: Final = 96_24
CHUNK: Final = 10_000  # windows drawn together: what fits in the processor's cache or nearly
KERNEL_SHARE: Final = 0.15
BOUND: Final = 6.0  # deviations of its own past; beyond, squared errors would drown what can be forecast

HARMONICS: Final = 6
BURN_IN: Final = 60
# Deviations of the noise, log-uniform, where trend, season and shifts have a deviation of about 1.
QUIETEST: Final = 0.01
LOUDEST: Final = 1.0


@final
class SyntheticSeries:
    """Windows of 96 synthetic steps with the 24 that follow, each on the scale of its own past."""

    name: Final = "series"
    target: Final = Forecast(HORIZON)

    def split(self) -> Split:
        """Return the windows, the same ones every time."""
        generator = np.random.default_rng(SEED)
        windows = draw(WINDOWS + TEST_WINDOWS, generator)
        return Split(train=_examples(windows[TEST_WINDOWS:]), test=_examples(windows[:TEST_WINDOWS]))

    def augment(self, values: Tensor, generator: torch.Generator) -> Tensor:
        """Return the windows as they are: their futures would have to change with them."""
        return values


def draw(count: int, generator: np.random.Generator) -> Series:
    """Return `count` windows of past and future [count, 120], shuffled, of mean 0 and deviation 1 over the past."""
    chunks: list[Series] = []
    missing = count
    while missing > 0:
        of_kernels = round(KERNEL_SHARE * CHUNK)
        chunk = np.concatenate([kernel_draws(of_kernels, generator), sums_of_parts(CHUNK - of_kernels, generator)])
        chunk = _usable(chunk * generator.choice((-1, 1), (len(chunk), 1)).astype(np.float32))[:missing]
        chunks.append(chunk[generator.permutation(len(chunk))])
        missing -= len(chunk)
    return np.concatenate(chunks)


def sums_of_parts(count: int, generator: np.random.Generator) -> Series:
    """Return series [count, 120] added up from named parts, each part present in a share of them."""
    trend = _trends(count, generator) * _present(0.75, count, generator, spread=1.0, typical=0.6)
    season = _seasonalities(periods(count, generator), generator) * _present(0.9, count, generator, spread=0.3)
    other = _seasonalities(periods(count, generator), generator)
    other *= _present(0.25, count, generator, spread=0.8, typical=0.6)
    shifts = _level_shifts(count, generator) * _present(0.08, count, generator, spread=0.7)
    signal = trend + season + other + shifts
    # The floor leaves a few series with hardly any signal.
    signal /= signal[:, :CONTEXT].std(axis=1, keepdims=True) + 0.05
    level = log_uniform(QUIETEST, LOUDEST, count, generator).astype(np.float32)
    return _observed(signal + level * _autoregressions(count, generator), generator)


def _seasonalities(period: Series, generator: np.random.Generator) -> Series:
    """Return cycles [n, 120] of random shape, from pure waves to sharp peaks, some of wandering amplitude or phase."""
    count = len(period)
    steps = np.arange(LENGTH, dtype=np.float32)
    phase = generator.random((count, 1), dtype=np.float32)
    loose = log_uniform(0.002, 0.03, count, generator) * (generator.random((count, 1)) < 0.25)
    sway = np.cumsum(loose * _until_now(count, generator), axis=1) * np.minimum(1, 12 / period)
    wave = np.exp(2j * np.pi * (steps / period + phase + sway)).astype(np.complex64)  # [n, 120]
    decay = generator.uniform(0.5, 4.0, (count, 1))
    cycle = np.zeros((count, LENGTH), np.float32)
    harmonic = np.ones_like(wave)
    for order in range(1, HARMONICS + 1):
        harmonic = harmonic * wave
        weight = _complex_normal(count, generator) * order**-decay
        # What the sampling cannot carry would alias to another period.
        weight *= period > 2 * order
        cycle += (weight * harmonic).real.astype(np.float32)
    cycle /= cycle.std(axis=1, keepdims=True) + 1e-6
    growth = steps / LENGTH - 0.5
    depth = log_uniform(0.005, 0.08, count, generator) * (generator.random((count, 1)) < 0.3)
    swell = np.cumsum(depth * _until_now(count, generator), axis=1)
    slope = generator.normal(0, 0.8, (count, 1)) * (generator.random((count, 1)) < 0.25)
    out: Series = (cycle * np.exp(swell + slope * growth)).astype(np.float32)
    return out


def _until_now(count: int, generator: np.random.Generator) -> Series:
    """Return shocks [count, 120] that end with the past."""
    shocks = generator.standard_normal((count, LENGTH), dtype=np.float32)
    shocks[:, CONTEXT:] = 0
    return shocks


def _complex_normal(count: int, generator: np.random.Generator) -> NDArray[np.complex128]:
    return generator.standard_normal((count, 1)) + 1j * generator.standard_normal((count, 1))


def _trends(count: int, generator: np.random.Generator) -> Series:
    """Return trends [count, 120], straight, with knots, flattening out, of wandering slope, or exponential."""
    steps = np.linspace(-1, 1, LENGTH, dtype=np.float32)
    slope = generator.standard_normal((count, 1))
    knots = generator.uniform(-1, 0.5, (count, 3, 1))
    bends = generator.standard_normal((count, 3, 1)) * (generator.random((count, 3, 1)) < 0.5)
    piecewise = slope * steps + (bends * np.maximum(steps - knots, 0)).sum(axis=1)
    speed = log_uniform(0.3, 5, count, generator)
    damped = -slope * np.exp(-speed * (steps + 1)) * 2
    exponential = slope * np.exp(np.minimum(speed, 2) * steps)
    bend = log_uniform(0.01, 0.5, count, generator)
    drift = bend * generator.standard_normal((count, LENGTH))
    drift[:, CONTEXT:] = 0
    wandering = np.cumsum(slope + np.cumsum(drift, axis=1), axis=1) * 2 / LENGTH
    kind = generator.choice(5, (count, 1), p=(0.3, 0.15, 0.15, 0.25, 0.15))
    options = [slope * steps, piecewise, damped, wandering]
    trends = np.select([kind == 0, kind == 1, kind == 2, kind == 3], options, exponential)
    out: Series = trends.astype(np.float32)
    return out


def _autoregressions(count: int, generator: np.random.Generator) -> Series:
    """Return second-order autoregressions [count, 120]: white and red noise, random walks, stochastic cycles.

    With roots r·exp(±iω) the coefficients are 2r·cos(ω) and -r²; with real roots p and q they are p + q and -pq.
    """
    real = generator.random(count) < 0.8
    kind = generator.random(count)
    p = np.where(kind < 0.4, 0, np.where(kind < 0.5, 1, 1 - 10 ** generator.uniform(-2, 0, count)))
    q = generator.uniform(-0.3, 0.6, count) * (generator.random(count) < 0.5)
    radius = 1 - 10 ** generator.uniform(-2.5, -0.7, count)
    angle = 2 * np.pi / periods(count, generator)[:, 0]
    first = np.where(real, p + q, 2 * radius * np.cos(angle)).astype(np.float32)
    second = np.where(real, -p * q, -(radius**2)).astype(np.float32)
    shocks = generator.standard_normal((BURN_IN + LENGTH, count), dtype=np.float32)
    heavy = generator.random(count) < 0.15
    shocks[:, heavy] = generator.standard_t(3, (BURN_IN + LENGTH, int(heavy.sum())))
    shocks[BURN_IN + CONTEXT :] = 0
    values = np.zeros_like(shocks)
    for step in range(2, len(values)):
        values[step] = first * values[step - 1] + second * values[step - 2] + shocks[step]
    noise = values[BURN_IN:].T - values[BURN_IN][:, None] * (p == 1)[:, None]
    out: Series = (noise / (noise[:, :CONTEXT].std(axis=1, keepdims=True) + 1e-6)).astype(np.float32)
    return out


def _level_shifts(count: int, generator: np.random.Generator) -> Series:
    """Return one or two steps up or down [count, 120]."""
    steps = np.arange(LENGTH)
    moments = generator.uniform(0, CONTEXT, (count, 2, 1))
    heights = generator.standard_normal((count, 2, 1)) * (generator.random((count, 2, 1)) < 0.7)
    out: Series = (heights * (steps >= moments)).sum(axis=1).astype(np.float32)
    return out


def _observed(series: Series, generator: np.random.Generator) -> Series:
    """Return the series [n, 120] as an instrument might give it: skewed, floored, rounded, with outliers, or plain."""
    count = len(series)
    scaled = (series - series.mean(axis=1, keepdims=True)) / (series.std(axis=1, keepdims=True) + 1e-6)
    kind = generator.random((count, 1))
    floor = generator.uniform(-1.5, 0.3, (count, 1))
    grain = generator.uniform(0.1, 0.6, (count, 1))
    seen = np.select(
        [kind < 0.10, kind < 0.17, kind < 0.24],
        [np.exp(0.7 * scaled), np.maximum(scaled, floor), np.round(scaled / grain) * grain],
        scaled,
    )
    # Rounding, like outliers, is not to be forecast.
    rounded = (kind[:, 0] >= 0.17) & (kind[:, 0] < 0.24)
    seen[rounded, CONTEXT:] = scaled[rounded, CONTEXT:]
    struck = (generator.random((count, LENGTH)) < 0.02) & (generator.random((count, 1)) < 0.08)
    struck[:, CONTEXT:] = False
    out: Series = (seen + struck * generator.normal(0, 3, (count, LENGTH))).astype(np.float32)
    return out


def _present(
    share: float, count: int, generator: np.random.Generator, *, spread: float, typical: float = 1.0
) -> Series:
    """Return amplitudes [count, 1], log-normal about `typical`, zero but in a `share` of the series."""
    amplitude = typical * np.exp(spread * generator.standard_normal((count, 1), dtype=np.float32))
    out: Series = (amplitude * (generator.random((count, 1)) < share)).astype(np.float32)
    return out


def _usable(series: Series) -> Series:
    """Return the series on the scale of their past, without those whose past is flat or whose future runs away."""
    past = series[:, :CONTEXT]
    centre, spread = past.mean(axis=1, keepdims=True), past.std(axis=1, keepdims=True)
    scaled = (series - centre) / np.maximum(spread, 1e-6)
    keep = (spread[:, 0] > 1e-3) & (np.abs(scaled[:, CONTEXT:]).max(axis=1) < BOUND)
    out: Series = scaled[keep]
    return out


def _examples(windows: Series) -> Examples:
    values, unit = windows.astype(np.float64), np.ones(len(windows))
    past, future = np.ascontiguousarray(values[:, :CONTEXT]), np.ascontiguousarray(values[:, CONTEXT:])
    return Examples(Windows(past, season=1, unit=unit), {LABEL: Dense({LABEL: future})}, Dense({"unit": unit}))
