"""What is known of differences before any correction, held against scipy and against cases worked by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats as reference

from bench import stats
from bench.gate.evidence import FINEST, Basis, Differences, Evidence, weigh
from bench.gate.moderation import moderate
from bench.stats import Replicates

Floats = NDArray[np.float64]
N_BLOCKS = 20


def cell(values: object, blocks: object = (), *, finest: float = 0.0) -> Replicates:
    """Return the differences [seeds] of a cell, and what each block [seeds, blocks] adds to them."""
    v = np.array(values, dtype=np.float64)
    effects = np.array(blocks, dtype=np.float64).reshape(len(v), -1)
    sizes = np.full(max(effects.shape[1], 1), 10.0)
    without = v[:, None] - effects
    return stats.replicate(dict(enumerate(v.tolist())), dict(enumerate(without)), sizes, finest=finest)


def noisy(generator: np.random.Generator, *, mean: float = 0.0, of_seed: float = 0.0, rest: float = 0.01) -> Replicates:
    """Return a cell whose seeds scatter, and whose examples do."""
    blocks = mean + of_seed * generator.standard_normal((5, 1)) + rest * generator.standard_normal((5, N_BLOCKS))
    values = blocks.mean(axis=1)
    return cell(values, (blocks - values[:, None]) / (N_BLOCKS - 1))


def alone(one: Replicates) -> Evidence:
    """Return what is known of a cell that has a task to itself."""
    return weigh(Differences(task="task", rows=((one,),))).cells[0][0]


def test_a_cell_is_tested_by_seeds_and_test_blocks() -> None:
    one = noisy(np.random.default_rng(0), mean=-0.02)
    found = alone(one)
    assert found.known == stats.contrast(one)
    assert found.basis == Basis.EXAMPLES
    assert found.p == pytest.approx(stats.contrast(one).p)


@pytest.mark.parametrize("n_blocks", [0, 2, 3])
def test_with_fewer_than_four_blocks_it_is_the_paired_t_test_of_scipy_over_seeds(n_blocks: int) -> None:
    values = [-0.05, -0.02, -0.04, -0.01, -0.03]
    found = alone(cell(values, np.zeros((5, n_blocks))))
    expected = reference.ttest_1samp(values, 0.0)
    ends = expected.confidence_interval(0.95)
    assert found.basis == Basis.SEEDS
    assert found.p == pytest.approx(float(expected.pvalue))
    assert found.known.interval() == pytest.approx((float(ends.low), float(ends.high)))


def test_one_seed_is_no_test() -> None:
    found = alone(cell([-0.5], np.full((1, N_BLOCKS), 0.01)))
    assert math.isnan(found.p)
    assert not found.same
    assert found.known.mean == -0.5


def test_what_is_the_same_in_both_runs_is_no_test_even_with_one_seed() -> None:
    for n_seeds in (1, 5):
        found = alone(cell(np.full(n_seeds, 1e-16), np.zeros((n_seeds, N_BLOCKS))))
        assert found.same
        assert math.isnan(found.p)


def test_answers_that_moved_between_blocks_are_not_the_same() -> None:
    moved = np.zeros((5, N_BLOCKS))
    moved[:, 0], moved[:, 1] = 0.001, -0.001
    assert not alone(cell(np.zeros(5), moved)).same


@pytest.mark.parametrize("n_blocks", [2, N_BLOCKS])
def test_a_scatter_that_is_rounding_is_no_certainty(n_blocks: int) -> None:
    wobble = 5e-17 * np.arange(5)
    tiny, large = (alone(cell(-size + wobble, np.zeros((5, n_blocks)))) for size in (1e-7, 0.05))
    assert tiny.p > 0.9
    assert large.p < 1e-6
    assert tiny.known.variance == pytest.approx(FINEST**2 / 5)


def test_seeds_that_all_lose_the_same_few_of_few_examples_are_not_certain() -> None:
    one_of_a_hundred = alone(cell([-0.01] * 5, finest=2 / 100**2))
    assert one_of_a_hundred.p > 0.05


def test_the_mean_of_a_row_is_plain_whatever_scatters() -> None:
    loud, quiet = cell(-0.1 + 0.05 * np.arange(-2, 3)), cell(np.full(5, 0.02))
    found = weigh(Differences(task="task", rows=((loud, quiet), (quiet,))))
    assert found.rows[0].known.mean == pytest.approx(-0.04)
    assert found.whole.known.mean == pytest.approx(-0.01)  # over rows
    assert (found.rows[0].n_pairs, found.whole.n_pairs) == (10, 15)


def test_a_row_and_a_task_have_the_p_values_of_all_that_they_are_made_of_together() -> None:
    generator = np.random.default_rng(1)
    rows = tuple(tuple(noisy(generator, mean=-0.004 * place) for place in range(2)) for _ in range(3))
    found = weigh(Differences(task="task", rows=rows))
    cells = [[one.p for one in row] for row in found.cells]
    for row, own in zip(found.rows, cells, strict=True):
        assert row.combined == pytest.approx(min(reference.false_discovery_control([row.p, *own])))
    every = [found.whole.p, *(row.p for row in found.rows), *(p for own in cells for p in own)]
    assert found.whole.combined == pytest.approx(min(reference.false_discovery_control(every)))
    assert (found.rows[0].n_tests, found.whole.n_tests) == (3, 10)


def test_what_is_the_same_is_no_test_of_its_row() -> None:
    same, worse = cell(np.zeros(5), np.zeros((5, N_BLOCKS))), noisy(np.random.default_rng(2), mean=-0.02)
    found = weigh(Differences(task="task", rows=((same, same, worse),)))
    assert found.rows[0].n_tests == 2
    assert found.rows[0].p == pytest.approx(found.cells[0][2].p), "the mean of one and nothing"
    assert not found.rows[0].same


def test_seeds_that_a_cell_lacks_do_not_count_in_the_mean() -> None:
    whole, fewer = cell([-0.1, -0.2, -0.3]), cell([-0.1, -0.2])
    found = weigh(Differences(task="task", rows=((whole, fewer),)))
    assert found.rows[0].known.mean == pytest.approx(-0.15)
    assert (found.rows[0].n_seeds, found.rows[0].n_pairs) == (2, 5)


def test_simes_weighs_one_small_value_and_many_rather_small_ones() -> None:
    assert stats.simes([0.01, 0.5, 0.9, math.nan]) == pytest.approx(0.03)
    assert stats.simes([0.03, 0.04, 0.04]) == pytest.approx(0.04)
    assert math.isnan(stats.simes([math.nan]))


def test_cells_whose_seeds_scatter_alike_tell_of_each_other() -> None:
    generator = np.random.default_rng(3)
    rows = [[noisy(generator) for _ in range(5)] for _ in range(5)]
    found = [one for row in moderate(rows) for one in row if one is not None]
    own = [stats.contrast(one) for row in rows for one in row]
    assert len(found) == 25
    assert np.median([one.freedom for one in found]) > 1.5 * np.median([one.freedom for one in own])
    student = [math.log(one.values.var(ddof=1) / 5) for row in rows for one in row]
    truth = math.log(0.01**2 / (5 * N_BLOCKS))
    errors = [np.square(np.array(logs) - truth).mean() for logs in ([math.log(one.variance) for one in found], student)]
    assert errors[0] < 0.75 * errors[1]
    assert [one.mean for one in found] == pytest.approx([one.mean for one in own])


def test_a_cell_whose_seeds_scatter_beyond_the_others_keeps_its_own() -> None:
    generator = np.random.default_rng(4)
    rows = [[noisy(generator) for _ in range(5)] for _ in range(5)]
    rows[2][3] = noisy(generator, of_seed=0.05)
    found = moderate(rows)[2][3]
    assert found is not None
    assert found.freedom == pytest.approx(4.0)
    assert found.variance == pytest.approx(float(rows[2][3].values.var(ddof=1) / 5))


def test_where_blocks_moved_alike_in_all_seeds_they_count() -> None:
    generator = np.random.default_rng(5)
    rows = [[noisy(generator) for _ in range(5)] for _ in range(5)]
    common = np.tile(0.05 * generator.standard_normal(N_BLOCKS), (5, 1))
    rows[0][0] = cell(rows[0][0].values, common / N_BLOCKS + 0.0005 * generator.standard_normal((5, N_BLOCKS)))
    found = moderate(rows)[0][0]
    assert found is not None
    assert found.variance > stats.variance_by_blocks(rows[0][0]) * 0.99


def test_few_cells_or_seeds_tell_nothing_of_each_other() -> None:
    generator = np.random.default_rng(6)
    assert moderate([[noisy(generator) for _ in range(5)]]) == [[None] * 5]
    assert moderate([[cell([-0.5], np.full((1, N_BLOCKS), 0.01))]] * 9) == [[None]] * 9
    assert moderate([[cell(np.arange(5.0))] * 5] * 5) == [[None] * 5] * 5, "there are no blocks"


@given(st.integers(0, 99))
def test_better_and_worse_are_mirror_images(seed: int) -> None:
    generator = np.random.default_rng(seed)
    rows = tuple(tuple(noisy(generator, mean=-0.01) for _ in range(3)) for _ in range(5))
    mirrored = tuple(tuple(one.scaled(-1.0) for one in row) for row in rows)
    ours, theirs = (weigh(Differences(task="task", rows=several)) for several in (rows, mirrored))
    assert ours.whole.combined == pytest.approx(theirs.whole.combined)
    assert ours.rows[0].known.mean == pytest.approx(-theirs.rows[0].known.mean)
