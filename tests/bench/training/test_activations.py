"""Frozen stages run once over each example, however many boundaries, runs and processes ask."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.backbone import Backbone, Batch
from bench.budget import Share
from bench.column import Column, dense, ragged
from bench.domain import Raw
from bench.readout import POOLED, Readout
from bench.runtime.cache import Cache
from bench.runtime.limits import DEFAULT_MEMORY_BYTES
from bench.training import activations
from bench.training.activations import Activations
from bench.training.context import NetworkContext
from bench.training.inputs import Inputs, MemoryBudget, Streamed
from tests.fitting import CPU, drawn
from tests.toys import STAGES, WIDTH, Dense, ToyBackbone, ToyTask, toy_split

TWO_STAGES = Readout(stages=(1, -1))


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the examples that each call of a dense stage sees; one alone only tells how large its activations are."""
    seen: list[int] = []
    plain = Dense.forward

    def forward(self: Dense, values: Tensor, mask: Tensor | None = None) -> Tensor:
        if len(values) > 1:
            seen.append(len(values))
        return plain(self, values, mask)

    monkeypatch.setattr(Dense, "forward", forward)
    return seen


def made(
    folder: Path,
    *,
    content: str = "toy",
    backbone: Backbone | None = None,
    boundaries: tuple[int, ...] = (2, 4),
    prepare: Callable[[Backbone], Inputs] = lambda backbone: backbone.prepare(toy_split().train.raw),
) -> Activations:
    through = backbone or ToyBackbone()
    return Activations(
        through,
        prepare(through),
        content=content,
        cache=Cache(folder),
        device=CPU,
        boundaries=boundaries,
        memory=MemoryBudget(DEFAULT_MEMORY_BYTES),
        check=lambda: None,
    )


def values_at(split: Activations, boundary: int) -> Tensor:
    [batch] = split.at(boundary, POOLED).batches([torch.arange(30)])
    return batch.values


def test_one_pass_serves_all_boundaries(tmp_path: Path, runs: list[int]) -> None:
    split = made(tmp_path)
    split.features(POOLED), split.at(2, POOLED)
    assert runs == [30] * len(STAGES)
    made(tmp_path).at(2, POOLED), made(tmp_path).features(POOLED)
    assert runs == [30] * len(STAGES), "kept between runs"


def test_a_higher_boundary_goes_on_from_a_lower_one(tmp_path: Path, runs: list[int]) -> None:
    made(tmp_path, boundaries=(2,)).at(2, POOLED)
    made(tmp_path).features(POOLED)
    made(tmp_path, boundaries=(2, 3)).at(3, POOLED)
    assert runs == [30] * (len(STAGES) + 1)


def test_a_lower_boundary_can_be_asked_for_after_a_higher_one_was_kept(tmp_path: Path, runs: list[int]) -> None:
    [higher] = made(tmp_path, boundaries=()).features(POOLED).features
    higher = higher.clone()
    later = made(tmp_path)
    assert torch.equal(later.features(POOLED).features[0], higher)
    assert runs == [30] * len(STAGES), "what is kept is read"
    lower = later.at(2, POOLED)
    assert isinstance(lower, Batch)
    assert runs == [30] * (len(STAGES) + 2)


def test_stopping_on_the_way_changes_no_value(tmp_path: Path) -> None:
    [direct], [by_steps] = (
        made(tmp_path / "a", boundaries=()).features(POOLED).features,
        made(tmp_path / "b", boundaries=(1, 2, 3)).features(POOLED).features,
    )
    assert torch.equal(direct, by_steps)


def test_work_is_told_in_pieces_that_boundaries_share(tmp_path: Path) -> None:
    split = made(tmp_path)
    (lower,), upper = split.work(2, POOLED), split.features_work(POOLED)
    assert upper[0] == lower
    assert len(upper) == 2
    assert made(tmp_path).features_work(POOLED) == upper, "what it took is kept with it"


def test_another_content_backbone_boundary_readout_or_precision_is_another_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = made(tmp_path)
    keys = {
        split.key(4),
        split.key(2),
        split.features_key(POOLED),
        split.features_key(TWO_STAGES),
        made(tmp_path, content="other").key(4),
        made(tmp_path, backbone=ToyBackbone(seed=1)).key(4),
    }
    for changes in ({"name": "toy:dense?layers=other"}, {"stages": ("one", "two")}):  # of the same weights
        split = made(tmp_path)
        split._backbone.card = replace(split._backbone.card, **changes)
        keys.add(split.key(4))
    monkeypatch.setattr(activations, "frozen_precision", lambda device: "bfloat16")
    assert len(keys | {made(tmp_path).key(4)}) == 9


def test_a_damaged_entry_is_made_anew(tmp_path: Path, runs: list[int]) -> None:
    before = made(tmp_path, boundaries=()).features(POOLED).features[0].clone()  # not mapped from the file
    for path in tmp_path.glob("*.bin"):
        path.write_bytes(path.read_bytes()[:-1])
    [after] = made(tmp_path, boundaries=()).features(POOLED).features
    assert torch.equal(before, after)
    assert len(runs) == 2 * len(STAGES)


def test_sequences_are_cut_to_the_longest_taken_and_mask_their_padding() -> None:
    batch = Batch(torch.zeros(3, 4, 5), torch.tensor([1, 4, 2]))
    assert batch.take(torch.tensor([0, 2])).values.shape == (2, 2, 5)
    assert batch.mask is not None
    assert batch.mask.sum(1).tolist() == [1, 4, 2]


def test_features_of_several_stages_are_those_on_the_way(tmp_path: Path, runs: list[int]) -> None:
    split = made(tmp_path, boundaries=())
    middle, last = split.features(TWO_STAGES).features
    assert torch.equal(middle, values_at(split, 2))
    assert torch.equal(last, split.features(POOLED).features[0])


@pytest.mark.parametrize("memory_bytes", [DEFAULT_MEMORY_BYTES, 1])
def test_what_a_readout_names_below_a_boundary_comes_along_with_each_batch(tmp_path: Path, memory_bytes: int) -> None:
    split = made(tmp_path, boundaries=(3,))
    split._memory = MemoryBudget(memory_bytes)
    taken = split.at(3, TWO_STAGES).take(torch.tensor([7, 3, 9]))
    assert len(taken) == 3
    below, reached = values_at(split, 2), values_at(split, 3)
    rows = [torch.tensor([2, 0]), torch.tensor([1])]
    for batch, examples in zip(taken.batches(rows), ([9, 7], [3]), strict=True):
        torch.testing.assert_close(batch.values, reached[examples])
        torch.testing.assert_close(batch.taps[2], below[examples])


class Measuring(ToyBackbone):
    """A backbone whose preparation keeps a number of each picture, and some of each."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def prepare(self, raw: Raw) -> Batch:
        batch = super().prepare(raw)
        sums = batch.values.sum(1).double().numpy()
        told = dense(sum=sums) if self.kind == "dense" else ragged(sum=[[one] * (1 + int(one) % 3) for one in sums])
        return replace(batch, geometry=told)


def of_streamed(backbone: Backbone) -> Inputs:
    return Streamed(backbone, toy_split().train.raw, 2, CPU)


def same(found: Column | None, expected: Column | None) -> None:
    assert found is not None
    assert expected is not None
    for name, array in expected.arrays().items():
        np.testing.assert_array_equal(found.arrays()[name], array)


@pytest.mark.parametrize("kind", ["dense", "ragged"])
def test_what_is_streamed_keeps_its_geometry_with_activations_and_features(tmp_path: Path, kind: str) -> None:
    expected = Measuring(kind).prepare(toy_split().train.raw).geometry
    for _ in range(2):  # computed, then read
        split = made(tmp_path, backbone=Measuring(kind), prepare=of_streamed)
        same(split.at(2, POOLED).geometry, expected)
        same(split.features(POOLED).geometry, expected)
    rows = np.array([5, 2])
    assert expected is not None
    same(split.features(POOLED).take(torch.from_numpy(rows)).geometry, expected.take(rows))


@pytest.mark.parametrize(("share", "expected"), [(0.2, 6), (0.9, 30)])
def test_only_examples_that_some_cell_sees_are_run_unless_they_are_most(
    share: float, expected: int, tmp_path: Path, runs: list[int]
) -> None:
    small, large = drawn(Share(0.1)), drawn(Share(share))
    context = NetworkContext(
        "toy",
        ToyTask.target,
        toy_split(),
        ToyBackbone(),
        needed=np.union1d(small.rows, large.rows),
        boundaries=frozenset({4}),
        content="toy",
        cache=Cache(tmp_path),
        device=CPU,
    )
    [found] = context.features(small.rows, POOLED).features
    assert runs == [expected] * len(STAGES)
    whole = ToyBackbone().forward(ToyBackbone().prepare(toy_split().train.raw))
    assert whole.shape == (30, WIDTH)
    torch.testing.assert_close(found, whole[torch.from_numpy(small.rows)])
