"""How far a mean of replicates may be from what other budgets and other test examples would give.

Seeds and test blocks are crossed: a two-way table without repeats, whose mean squares say how much each moves the mean
(Searle, Casella and McCulloch 1992, Variance components). A block counts by how it moves the whole, so that blocks may
differ in size: for a mean over examples this is the usual variance of a ratio over clusters (Cochran 1977, Sampling
techniques, ch. 9). Degrees of freedom are those of Satterthwaite (1946), Biometrics Bulletin 2(6).

Where each seed is tested on a fold of its own, seeds and folds are one factor. The variance between them leaves out
what folds have in common, the examples that they learn from; what Nadeau and Bengio (2003), Machine Learning 52, add
for it is taken in proportion to how much of the other folds a budget takes.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit  # `scipy.stats` takes a second to import, this does not

from bench.stats.intervals import CONFIDENCE, ROUNDING, Estimate, Floats
from bench.stats.replicates import FEWEST_BLOCKS, Replicates

ONE_SIDED: Final = 1.645  # the quantile of a normal distribution that 95 % lie below
NEGLIGIBLE: Final = 1e-20  # mean squares below it are rounding


class Uncertainty(NamedTuple):
    """A mean, its variance, and the degrees of freedom of this variance; nan where these are not known."""

    mean: float
    variance: float
    freedom: float

    @property
    def known(self) -> bool:
        """Whether anything is known but the mean."""
        return not np.isnan(self.variance)

    @property
    def p(self) -> float:
        """How likely a mean this far from 0 is by chance, on either side: Student's t; nan if not known."""
        return two_sided(self.mean, self.variance, self.freedom).item()

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Return the lower and the upper end of the interval that holds the true mean with this confidence."""
        margin = self.margin(confidence)
        return self.mean - margin, self.mean + margin

    def margin(self, confidence: float = CONFIDENCE) -> float:
        """Return half the width of the interval."""
        return float(stdtrit(self.freedom, (1 + confidence) / 2) * np.sqrt(self.variance))

    def mirrored(self) -> "Uncertainty":
        """Return the same of the opposite quantity."""
        return self._replace(mean=-self.mean)

    def lowest(self, confidence: float = CONFIDENCE) -> float:
        """Return what the true mean is above with this confidence: the lower end of a one-sided interval."""
        return self.mean - float(stdtrit(self.freedom, confidence) * np.sqrt(self.variance))


def uncertainty(measured: Replicates) -> Uncertainty:
    """Return what is known of the mean of replicates. Without seeds the mean is nan.

    With a single seed the test examples alone speak: of this very model, not of others that more seeds would give.
    Nothing is known with fewer than four blocks, or with one fold.
    """
    if not len(measured):
        return Uncertainty(np.nan, np.nan, np.nan)
    mean = float(measured.values.mean())
    if measured.is_nothing and measured.moved.shape[1] >= FEWEST_BLOCKS:  # none of these examples tells the two apart
        return Uncertainty(mean, measured.finest, max(1.0, measured.n_blocks - 1))
    if measured.overlap is not None:
        variance, freedom = between_folds(measured.values, measured.overlap)
    elif measured.moved.shape[1] < FEWEST_BLOCKS:
        return Uncertainty(mean, np.nan, np.nan)
    else:
        variance, freedom = crossed(measured.values, measured.moved, measured.n_blocks)
    return Uncertainty(mean, max(float(variance), measured.finest), float(freedom))


def variance_by_blocks(measured: Replicates) -> float:
    """Return the part of the variance of the mean that more seeds would not take away; nan where it is not known."""
    if not uncertainty(measured).known or measured.overlap is not None:
        return float("nan")
    return float(mean_squares(measured.values, measured.moved).blocks) / measured.moved.size


def contrast(difference: Replicates) -> Uncertainty:
    """Return what is known of the mean of a difference between two ways to learn.

    As `uncertainty`, but nothing with a single seed: two models then differ, which says nothing of another budget.
    """
    found = uncertainty(difference)
    return found if len(difference) > 1 else Uncertainty(found.mean, np.nan, np.nan)


def pooled(parts: Sequence[Uncertainty]) -> Uncertainty:
    """Return what is known of the mean of several independent means, such as those of one model on unlike tasks."""
    means, variances, freedom = np.array(parts, dtype=np.float64).T
    spread = float(variances.sum())
    doubt = float((variances**2 / freedom).sum())
    degrees = spread**2 / doubt if doubt > NEGLIGIBLE**2 else float(freedom.sum())
    return Uncertainty(float(means.mean()), spread / len(parts) ** 2, degrees)


def mean_of_dependent(parts: Sequence[Uncertainty]) -> Uncertainty:
    """Return what is known of the mean of several means that may depend on each other in any way.

    No deviation of such a mean is larger than the mean of the deviations; the fewest degrees of freedom hold.
    """
    means, variances, freedom = np.array(parts, dtype=np.float64).T
    return Uncertainty(float(means.mean()), float(np.sqrt(variances).mean() ** 2), float(freedom.min()))


def student(values: ArrayLike) -> Uncertainty:
    """Return what is known of the mean of independent values [n]: Student (1908), Biometrika 6(1)."""
    v = np.asarray(values, dtype=np.float64)
    if len(v) < 2:
        return Uncertainty(float(v.mean()) if len(v) else np.nan, np.nan, np.nan)
    return Uncertainty(float(v.mean()), float(v.var(ddof=1) / len(v)), len(v) - 1.0)


def estimate(measured: Replicates, *, proportion: bool = False) -> Estimate:
    """Return the mean of replicates with its 95 % interval; the ends are nan where nothing is known.

    With `proportion` the values are shares of examples that are right: their interval is that of Wilson (1927), Journal
    of the American Statistical Association 22(158), with as many examples as would have this variance if they were
    independent, and Student's quantile in place of the normal one. It stays within 0 and 1 and has a width at both.
    """
    found = uncertainty(measured)
    if proportion and found.known:
        return Estimate(found.mean, *_wilson(found, measured), len(measured))
    return Estimate(found.mean, *found.interval(), len(measured))


def _wilson(found: Uncertainty, measured: Replicates) -> tuple[float, float]:
    p = min(max(found.mean, 0.0), 1.0)
    folds = measured.overlap is not None
    n = measured.n_test * (len(measured) if folds or 0 < p < 1 else 1)  # at 0 and 1 seeds agree on every example
    if found.variance > 0 and 0 < p < 1:
        known = p * (1 - p) / found.variance
        n = known if folds else min(known, n)
    t2 = float(stdtrit(found.freedom, (1 + CONFIDENCE) / 2)) ** 2
    centre, half = p + t2 / (2 * n), np.sqrt(t2 * p * (1 - p) / n + t2**2 / (4 * n**2))
    return float((centre - half) / (1 + t2 / n)), float((centre + half) / (1 + t2 / n))


class MeanSquares(NamedTuple):
    """How far seeds, blocks and the rest of a two-way table scatter: mean squares of the effect on the mean, [...]."""

    seeds: Floats
    blocks: Floats
    rest: Floats


def mean_squares(values: ArrayLike, moved: ArrayLike) -> MeanSquares:
    """Return the mean squares of values [..., s] that blocks move by `moved` [..., s, b]; of one seed, blocks alone."""
    v, m = np.asarray(values, dtype=np.float64), np.asarray(moved, dtype=np.float64)
    s, b = m.shape[-2:]
    of_block = m.mean(axis=-2)  # [..., b]
    blocks = s * (of_block**2).sum(axis=-1) / (b - 1)
    if s == 1:
        return MeanSquares(np.zeros_like(blocks), blocks, np.zeros_like(blocks))
    rest = ((m - of_block[..., None, :]) ** 2).sum(axis=(-2, -1)) / ((s - 1) * (b - 1))
    return MeanSquares(b * v.var(axis=-1, ddof=1), blocks, rest)


def crossed(values: ArrayLike, moved: ArrayLike, n_blocks: float) -> tuple[Floats, Floats]:
    """Return the variance of the mean of values [..., s] that blocks move by `moved` [..., s, b], and its freedom.

    `n_blocks` is how many blocks of one size would know as much (see `bench.stats.replicates`).
    """
    squares = mean_squares(values, moved)
    s, b = np.shape(moved)[-2:]
    if s == 1:
        return squares.blocks / b, np.full_like(squares.blocks, n_blocks - 1)
    return combined_variance(squares, s, b, n_blocks, seeds_freedom=s - 1.0)


def combined_variance(
    squares: MeanSquares, n_seeds: int, n_blocks: int, even_blocks: float, *, seeds_freedom: ArrayLike
) -> tuple[Floats, Floats]:
    """Return the variance that mean squares of two seeds or more give the mean, and its freedom.

    `even_blocks` is how many blocks of one size would know as much as the `n_blocks` there are; `seeds_freedom` are the
    degrees of freedom of the mean square of seeds, more than their number less one where others told of it too.

    Where seeds happen to move the mean less than chance would, the mean square of blocks is all that is left, and its
    own degrees of freedom look like the natural choice. They are not: far out in the tails, where corrections for many
    comparisons look, three seeds would then be sure of what is not so (on 14 % of simulated pages instead of 2 %).
    """
    seeds, blocks, rest = squares
    own, most = np.asarray(seeds_freedom, dtype=np.float64), even_blocks - 1
    total = np.maximum(seeds + blocks - rest, np.maximum(seeds, blocks))  # as often the variance as there are both
    doubt = seeds**2 / own + blocks**2 / most + rest**2 / ((n_seeds - 1) * most)
    freedom = np.divide(total**2, doubt, out=np.full_like(total, np.inf), where=doubt > NEGLIGIBLE**2)
    return total / (n_seeds * n_blocks), np.clip(freedom, np.minimum(own, most), own + most)


def between_folds(values: ArrayLike, overlaps: ArrayLike) -> tuple[Floats, Floats]:
    """Return the variance of the mean of values [..., K] of as many folds, and its degrees of freedom, [...].

    It is s^2 (1 / K + overlap), with `overlaps` [...] as in `bench.stats.replicates`.
    """
    v = np.asarray(values, dtype=np.float64)
    folds = v.shape[-1]
    if folds < 2:
        return np.full(v.shape[:-1], np.nan), np.full(v.shape[:-1], np.nan)
    return v.var(axis=-1, ddof=1) * (1 / folds + np.asarray(overlaps)), np.full(v.shape[:-1], folds - 1.0)


def two_sided(means: ArrayLike, variances: ArrayLike, freedom: ArrayLike) -> Floats:
    """Return how likely means this far from 0 are by chance, on either side; any shape, nan where not known.

    A mean without variance is certain: 0, or 1 where it is 0 up to rounding.
    """
    size = np.abs(np.asarray(means, dtype=np.float64))
    deviations = np.sqrt(np.asarray(variances, dtype=np.float64))
    certain = np.where(size > ROUNDING, np.inf, 0.0)
    t: Floats = np.divide(size, deviations, out=certain, where=~(deviations <= ROUNDING))
    p: Floats = 2 * stdtr(np.asarray(freedom, dtype=np.float64), -t)
    return p
