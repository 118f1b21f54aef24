"""Variances of seeds and test blocks, held against loops over the formulas, scipy's intervals and cases by hand."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats as reference

from bench import stats
from tests.bench.stats.replicated import N_BLOCKS, seeds_alone


def scored(examples: NDArray[np.float64], block_sizes: list[int], **more: float) -> stats.Replicates:
    """Return the replicates of the mean score of examples [n_seeds, n], in blocks one after the other."""
    block = np.repeat(np.arange(len(block_sizes)), block_sizes)
    scores = {seed: float(row.mean()) for seed, row in enumerate(examples)}
    without = {seed: [row[block != j].mean() for j in range(len(block_sizes))] for seed, row in enumerate(examples)}
    return stats.replicate(scores, without, block_sizes, **more)


def two_way(means: NDArray[np.float64]) -> tuple[float, float]:
    """Return the variance of the grand mean of block means [s, b] and its degrees of freedom, by plain loops."""
    s, b = means.shape
    grand = means.mean()
    by_seed = b * sum((means[i].mean() - grand) ** 2 for i in range(s)) / (s - 1)
    by_block = s * sum((means[:, j].mean() - grand) ** 2 for j in range(b)) / (b - 1)
    rest = 0.0
    for i in range(s):
        for j in range(b):
            rest += (means[i, j] - means[i].mean() - means[:, j].mean() + grand) ** 2
    rest /= (s - 1) * (b - 1)
    total = max(by_seed + by_block - rest, by_seed, by_block)
    doubt = by_seed**2 / (s - 1) + by_block**2 / (b - 1) + rest**2 / ((s - 1) * (b - 1))
    return total / (s * b), min(max(total**2 / doubt, min(s, b) - 1), s + b - 2)


@pytest.mark.parametrize(("by_seed", "by_block"), [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0.5, 0.5), (0.1, 2.0)])
@pytest.mark.parametrize("n_seeds", [2, 3, 5])
def test_blocks_of_one_size_give_the_mean_squares_of_a_two_way_table(
    n_seeds: int, by_seed: float, by_block: float
) -> None:
    rng, n_blocks, size = np.random.default_rng(n_seeds), 8, 6
    moved = by_seed * rng.normal(size=(n_seeds, 1)) + by_block * np.repeat(rng.normal(size=n_blocks), size)
    examples = moved + rng.normal(size=(n_seeds, n_blocks * size))
    found = stats.uncertainty(scored(examples, [size] * n_blocks))
    variance, freedom = two_way(examples.reshape(n_seeds, n_blocks, size).mean(axis=-1))
    assert found == pytest.approx((examples.mean(), variance, freedom))


def test_blocks_of_several_sizes_give_the_variance_of_a_ratio_over_clusters() -> None:
    sizes = [5, 10, 40, 20, 25]
    examples = np.random.default_rng(1).normal(size=(1, sum(sizes)))
    expected = 0.0
    ends = np.cumsum(sizes)
    for size, end in zip(sizes, ends, strict=True):
        share, off = size / 100, examples[0, end - size : end].mean() - examples.mean()
        expected += share**2 * off**2 / (1 - share)
    found = stats.uncertainty(scored(examples, sizes))
    assert found.variance == pytest.approx(expected)
    # .05^2 + .1^2 + .4^2 + .2^2 + .25^2 = .275: as good as 3.636 blocks of one size
    assert found.freedom == pytest.approx(1 / 0.275 - 1)


def test_a_difference_is_taken_before_its_variance_so_that_what_is_common_cancels() -> None:
    rng = np.random.default_rng(2)
    hard = 10 * np.repeat(rng.normal(size=10), 5)  # how hard each block is, for both
    ours, theirs = hard + rng.normal(size=(3, 50)), hard + rng.normal(size=(3, 50))
    gap = stats.contrast(scored(ours, [5] * 10) - scored(theirs, [5] * 10))
    variance, freedom = two_way((ours - theirs).reshape(3, 10, 5).mean(axis=-1))
    assert gap == pytest.approx(((ours - theirs).mean(), variance, freedom))
    assert gap.variance < stats.uncertainty(scored(ours, [5] * 10)).variance / 10


def test_only_seeds_that_both_have_are_in_a_difference() -> None:
    gap = seeds_alone([0.5, math.nan, 0.9]) - seeds_alone([0.1, 0.2, 0.3])
    assert gap.seeds == (0, 2)
    assert gap.values.tolist() == pytest.approx([0.4, 0.6])


@pytest.mark.parametrize("values", [[0.5, 0.7], [0.8, 0.82, 0.79, 0.9]])
def test_what_no_block_moves_has_scipys_t_interval_over_seeds(values: list[float]) -> None:
    expected = reference.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=reference.sem(values))
    assert stats.uncertainty(seeds_alone(values)).interval() == pytest.approx(expected)
    assert stats.student(values).interval() == pytest.approx(expected)


def test_the_p_value_of_seeds_alone_is_that_of_scipys_paired_t_test() -> None:
    ours, theirs = np.array([0.81, 0.84, 0.90, 0.86]), np.array([0.80, 0.80, 0.85, 0.84])
    found = stats.contrast(seeds_alone(ours) - seeds_alone(theirs))
    assert found.p == pytest.approx(reference.ttest_rel(ours, theirs).pvalue)
    one_sided = reference.ttest_rel(ours, theirs, alternative="greater").confidence_interval(0.95).low
    assert found.lowest() == pytest.approx(one_sided)
    assert found.mirrored().mean == -found.mean


def test_seeds_that_agree_leave_the_blocks_to_speak() -> None:
    row = np.random.default_rng(3).normal(size=(1, 30))
    one, three = (stats.uncertainty(scored(np.repeat(row, n, axis=0), [3] * 10)) for n in (1, 3))
    assert three == pytest.approx((one.mean, one.variance, 9))


def test_fewer_than_four_blocks_say_nothing_and_four_do() -> None:
    examples = np.random.default_rng(4).normal(size=(3, 12))
    three, four = (stats.uncertainty(scored(examples, sizes)) for sizes in ([4] * 3, [3] * 4))
    assert three.mean == pytest.approx(examples.mean())
    assert not three.known
    assert math.isnan(three.p)
    assert four.known
    alone = stats.replicate({0: 0.5, 1: 0.6}, {0: [], 1: []}, [12])
    assert np.isnan(stats.estimate(alone)[1:3]).all(), "a single block is none"


def test_a_score_that_is_missing_without_some_block_has_no_blocks() -> None:
    found = stats.replicate({0: 0.5, 1: 0.6}, {0: [0.5] * 4, 1: [0.6, math.nan, 0.6, 0.6]}, [1] * 4)
    assert len(found) == 2
    assert not stats.uncertainty(found).known
    assert not stats.contrast(found - seeds_alone([0.1, 0.2])).known, "a sum with what has no blocks has none"


def test_one_seed_is_known_by_its_test_examples_and_contrasted_with_nothing() -> None:
    one = scored(np.random.default_rng(5).normal(size=(1, 40)), [4] * 10)
    assert stats.uncertainty(one).known
    assert not stats.contrast(one).known
    assert stats.contrast(one).mean == stats.uncertainty(one).mean


def test_what_is_identical_everywhere_is_as_certain_as_the_steps_of_a_score_allow() -> None:
    same = stats.contrast(seeds_alone([0.3, 0.5]) - seeds_alone([0.1 + 0.2, 0.5]))
    assert (same.variance, same.p) == (0.0, 1.0)
    scores = {0: 0.3, 1: 0.5}
    stepped = stats.replicate(scores, {seed: [one] * 4 for seed, one in scores.items()}, [25] * 4, finest=1e-4)
    assert stats.contrast(stepped - stepped).variance == pytest.approx(
        2e-4
    )  # agreeing on 100 examples leaves others open
    assert stats.contrast(seeds_alone([0.1, 0.1, 0.1])).p == 0.0


def test_no_variance_is_below_what_the_steps_of_a_score_allow() -> None:
    scores = {0: 0.5, 1: 0.5}
    ours = stats.replicate(scores, {seed: [one] * 4 for seed, one in scores.items()}, [25] * 4, finest=1e-4)
    assert stats.contrast(ours - ours.plus(-0.01)).variance == pytest.approx(2e-4)  # 1 / n^2 of each
    assert stats.uncertainty(ours.scaled(3.0)).variance == pytest.approx(9e-4)


def test_no_seeds_are_no_mean() -> None:
    assert np.isnan(stats.uncertainty(stats.NO_REPLICATES)).all()
    assert stats.estimate(stats.NO_REPLICATES).n_values == 0
    assert math.isnan(stats.student([]).mean)


def test_folds_by_hand() -> None:
    # s^2 = .01 over three folds, and a quarter of it for what the folds have in common: .01 (1/3 + 1/4)
    folds = stats.replicate({0: 0.6, 1: 0.7, 2: 0.8}, {0: [], 1: [], 2: []}, [50], overlap=0.25)
    found = stats.uncertainty(folds)
    assert found == pytest.approx((0.7, 0.01 * (1 / 3 + 1 / 4), 2))
    margin = 4.302653 * (0.01 * 7 / 12) ** 0.5
    assert stats.estimate(folds)[1:3] == pytest.approx((0.7 - margin, 0.7 + margin), rel=1e-6)
    assert not stats.uncertainty(folds.with_seeds([1])).known, "one fold says nothing of another"
    assert math.isnan(stats.variance_by_blocks(folds))


def test_a_sum_of_budgets_of_folds_has_the_larger_overlap() -> None:
    small, large = (stats.replicate({0: 0.6, 1: 0.7}, {0: [], 1: []}, [50], overlap=overlap) for overlap in (0.1, 0.5))
    assert stats.combine([small, large], [0.5, 0.5]).overlap == 0.5


def test_what_more_seeds_would_not_take_away_is_the_variance_of_the_block_means() -> None:
    examples = np.random.default_rng(6).normal(size=(3, 40))
    blocks = examples.reshape(3, 10, 4).mean(axis=(0, 2))
    assert stats.variance_by_blocks(scored(examples, [4] * 10)) == pytest.approx(blocks.var(ddof=1) / 10)


def test_a_mean_of_independent_means_by_hand() -> None:
    # variances of .04 with 4 degrees of freedom and .01 with 2: .05 / 4, and .05^2 / (.04^2 / 4 + .01^2 / 2) = 5.556
    parts = [stats.Uncertainty(0.2, 0.04, 4.0), stats.Uncertainty(0.6, 0.01, 2.0)]
    assert stats.pooled(parts) == pytest.approx((0.4, 0.0125, 0.0025 / 0.00045))
    certain = [stats.Uncertainty(0.2, 0.0, 4.0), stats.Uncertainty(0.6, 0.0, 2.0)]
    assert stats.pooled(certain) == pytest.approx((0.4, 0.0, 6.0))
    assert not stats.pooled([parts[0], stats.Uncertainty(0.1, math.nan, math.nan)]).known


def test_a_mean_of_dependent_means_is_never_better_known_than_they_are_on_average() -> None:
    parts = [stats.Uncertainty(0.2, 0.04, 4.0), stats.Uncertainty(0.6, 0.01, 2.0)]
    assert stats.mean_of_dependent(parts) == pytest.approx((0.4, ((0.2 + 0.1) / 2) ** 2, 2.0))


@pytest.mark.parametrize(("right", "n"), [(340, 400), (20, 400), (1, 200), (150, 300)])
def test_shares_of_independent_examples_have_scipys_wilson_interval(right: int, n: int) -> None:
    examples = np.random.default_rng(7).permutation(np.arange(n) < right).astype(np.float64)[None]
    found = stats.estimate(scored(examples, [1] * n, finest=1 / n**2), proportion=True)
    level = 2 * reference.norm.cdf(reference.t.ppf(0.975, n - 1)) - 1  # at which scipy takes Student's quantile
    expected = reference.binomtest(right, n).proportion_ci(level, method="wilson")
    assert found.mean == right / n
    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high), abs=2e-4)


@pytest.mark.parametrize("n_seeds", [1, 3])
@pytest.mark.parametrize("right", [0, 400])
def test_what_all_seeds_have_all_right_or_all_wrong_has_the_width_of_the_test_examples(
    right: int, n_seeds: int
) -> None:
    found = stats.estimate(scored(np.full((n_seeds, 400), right / 400), [20] * N_BLOCKS), proportion=True)
    freedom = N_BLOCKS - 1 + (n_seeds - 1 if right else 0)  # a share of 0 counts as identical everywhere
    level = 2 * reference.norm.cdf(reference.t.ppf(0.975, freedom)) - 1
    expected = reference.binomtest(right, 400).proportion_ci(level, method="wilson")
    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_blocks_that_hang_together_count_as_fewer_examples() -> None:
    # Each of 40 blocks of 10 is right or wrong as a whole: 40 examples' worth, less one.
    examples = np.repeat(np.arange(40) % 4 > 0, 10).astype(np.float64)[None]
    found = stats.estimate(scored(examples, [10] * 40), proportion=True)
    level = 2 * reference.norm.cdf(reference.t.ppf(0.975, 39)) - 1
    expected = reference.binomtest(30, 40).proportion_ci(level, method="wilson")
    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high), abs=3e-3)
