"""Test blocks keep together what depends on each other, are as even as that allows, and belong to the data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.subsets.blocks import deal_blocks, stretch_blocks

SHA256 = "61f41d079ec3abb523fbe849e709b4bfff3ddfe73f190e04969281e5205dba73"

group_names = st.lists(st.integers(0, 60).map("voice {}".format), min_size=1, max_size=200)


@given(group_names, st.integers(1, 25))
def test_no_group_is_in_two_blocks(names: list[str], most: int) -> None:
    blocks = deal_blocks(len(names), np.array(names), seed_from=SHA256, most=most)
    assert len(set(zip(names, blocks.tolist(), strict=True))) == len(set(names))


@given(group_names, st.integers(1, 25))
def test_there_are_as_many_blocks_as_groups_up_to_the_most_and_none_is_empty(names: list[str], most: int) -> None:
    blocks = deal_blocks(len(names), np.array(names), seed_from=SHA256, most=most)
    assert set(blocks.tolist()) == set(range(min(most, len(set(names)))))


@given(group_names, st.integers(1, 25))
def test_blocks_differ_by_at_most_the_largest_group(names: list[str], most: int) -> None:
    blocks = deal_blocks(len(names), np.array(names), seed_from=SHA256, most=most)
    sizes = np.bincount(blocks, minlength=min(most, len(set(names))))
    assert sizes.max() - sizes.min() <= max(map(names.count, names))


def test_large_groups_are_dealt_before_small_ones() -> None:
    names = np.repeat(["a", "b", "c", "d", "z"], [1, 1, 1, 1, 4])
    assert np.bincount(deal_blocks(8, names, seed_from=SHA256, most=2)).tolist() == [4, 4]


@given(st.integers(1, 300), st.integers(1, 25))
def test_single_examples_are_dealt_as_evenly_as_can_be(n: int, most: int) -> None:
    blocks = deal_blocks(n, None, seed_from=SHA256, most=most)
    sizes = np.bincount(blocks)
    assert len(blocks) == n
    assert len(sizes) == min(n, most)
    assert sizes.max() - sizes.min() <= 1


def test_single_examples_are_dealt_at_random() -> None:
    blocks = deal_blocks(1000, None, seed_from=SHA256)
    assert abs(float(np.corrcoef(blocks[:-1], blocks[1:])[0, 1])) < 0.1


@given(group_names)
def test_a_group_keeps_its_block_in_whatever_order_examples_come(names: list[str]) -> None:
    order = np.random.default_rng(len(names)).permutation(len(names))
    blocks = deal_blocks(len(names), np.array(names), seed_from=SHA256)
    np.testing.assert_array_equal(deal_blocks(len(names), np.array(names)[order], seed_from=SHA256), blocks[order])


@pytest.mark.parametrize("names", [None, np.arange(200) // 2])
def test_other_data_have_other_blocks_and_the_same_data_the_same(
    names: NDArray[np.int64] | None,
) -> None:
    blocks = deal_blocks(200, names, seed_from=SHA256)
    np.testing.assert_array_equal(blocks, deal_blocks(200, names, seed_from=SHA256))
    assert (blocks != deal_blocks(200, names, seed_from=SHA256[::-1])).any()


def test_one_group_is_one_block() -> None:
    assert deal_blocks(7, np.full(7, "one"), seed_from=SHA256).tolist() == [0] * 7


@given(st.integers(1, 400), st.integers(1, 30), st.integers(1, 25))
def test_a_stretch_of_time_has_three_horizons_of_window_starts(n: int, horizon: int, most: int) -> None:
    blocks = stretch_blocks(np.arange(n), None, horizon, most)
    sizes = np.bincount(blocks)
    assert blocks.tolist() == sorted(blocks.tolist())
    assert len(sizes) == min(most, max(1, n // (3 * horizon)))
    assert len(sizes) == 1 or sizes.min() >= 3 * horizon
    assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize(("starts", "count"), [(1, 1), (35, 1), (71, 1), (72, 2), (107, 2), (108, 3), (10_000, 20)])
def test_a_test_span_without_room_for_two_stretches_is_one_block(starts: int, count: int) -> None:
    assert len(set(stretch_blocks(np.arange(starts), None, 12).tolist())) == count


@given(st.integers(1, 9), st.integers(1, 60), st.integers(1, 5))
def test_a_few_series_share_their_stretches_whatever_the_unit_of_time(n: int, steps: int, horizon: int) -> None:
    moments, series = np.repeat(np.arange(steps), n), np.tile(np.arange(n), steps)
    blocks = stretch_blocks(moments * 3600 + 7, series, horizon)
    np.testing.assert_array_equal(blocks, stretch_blocks(np.arange(steps), None, horizon)[moments])


@given(st.lists(st.integers(1, 30), min_size=10, max_size=40), st.integers(1, 40))
def test_whole_series_are_dealt_where_there_are_ten(lengths: list[int], horizon: int) -> None:
    series = np.repeat([f"series {number}" for number in range(len(lengths))], lengths)
    moments = np.concatenate([np.arange(length) for length in lengths])
    blocks = stretch_blocks(moments, series, horizon)
    sizes = np.bincount(blocks)
    assert len(set(zip(series.tolist(), blocks.tolist(), strict=True))) == len(lengths)
    assert len(sizes) == min(20, len(lengths))
    assert sizes.max() - sizes.min() <= max(lengths)
