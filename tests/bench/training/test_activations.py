"""Frozen stages run once over each example, however many boundaries, runs and processes ask."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.backbone import Batch
from bench.planning.plan import Needs
from bench.runtime.cache import Cache
from bench.training import activations
from bench.training.activations import Activations
from bench.training.group import Group
from bench.training.inputs import MEMORY_BYTES, Allowance
from tests.toys import STAGES, Dense, ToyBackbone, ToyTask, toy_splits

CPU = torch.device("cpu")


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


def made(folder: Path, *, content: str = "toy", seed: int = 0, boundaries: tuple[int, ...] = (2, 4)) -> Activations:
    backbone = ToyBackbone(seed=seed)
    return Activations(
        backbone,
        backbone.prepare(toy_splits().train.raw),
        content=content,
        cache=Cache(folder),
        device=CPU,
        boundaries=boundaries,
        allowance=Allowance(MEMORY_BYTES),
        check=lambda: None,
    )


def test_one_pass_serves_all_boundaries(tmp_path: Path, runs: list[int]) -> None:
    split = made(tmp_path)
    split.at(4), split.at(2)
    assert runs == [30] * len(STAGES)
    made(tmp_path).at(2)
    assert runs == [30] * len(STAGES), "kept between runs"


def test_a_higher_boundary_goes_on_from_a_lower_one(tmp_path: Path, runs: list[int]) -> None:
    made(tmp_path, boundaries=(2,)).at(2)
    made(tmp_path).at(4)
    assert runs == [30] * len(STAGES)


def test_a_lower_boundary_can_be_asked_for_after_a_higher_one_was_kept(tmp_path: Path, runs: list[int]) -> None:
    higher = made(tmp_path, boundaries=()).features().values.clone()
    later = made(tmp_path)
    assert torch.equal(later.features().values, higher)
    assert runs == [30] * len(STAGES), "what is kept is read"
    lower = later.at(2)
    assert isinstance(lower, Batch)
    assert runs == [30] * (len(STAGES) + 2)


def test_stopping_on_the_way_changes_no_value(tmp_path: Path) -> None:
    direct, by_steps = (
        made(tmp_path / "a", boundaries=()).features(),
        made(tmp_path / "b", boundaries=(1, 2, 3)).features(),
    )
    assert torch.equal(direct.values, by_steps.values)


def test_work_is_told_in_pieces_that_boundaries_share(tmp_path: Path) -> None:
    split = made(tmp_path)
    (lower,), upper = split.work(2), split.work(4)
    assert upper[0] == lower
    assert len(upper) == 2
    assert made(tmp_path).work(4) == upper, "what it took is kept with it"


def test_another_content_backbone_boundary_or_precision_is_another_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {
        made(tmp_path).key(4),
        made(tmp_path).key(2),
        made(tmp_path, content="other").key(4),
        made(tmp_path, seed=1).key(4),
    }
    for changes in ({"name": "toy:dense?layers=other"}, {"stages": ("one", "two")}):  # of the same weights
        split = made(tmp_path)
        split._backbone.card = replace(split._backbone.card, **changes)
        keys.add(split.key(4))
    monkeypatch.setattr(activations, "frozen_precision", lambda device: "bfloat16")
    assert len(keys | {made(tmp_path).key(4)}) == 7


def test_a_damaged_entry_is_made_anew(tmp_path: Path, runs: list[int]) -> None:
    before = made(tmp_path, boundaries=()).features().values.clone()  # not mapped from the file
    for path in tmp_path.glob("*.bin"):
        path.write_bytes(path.read_bytes()[:-1])
    after = made(tmp_path, boundaries=()).features()
    assert torch.equal(before, after.values)
    assert len(runs) == 2 * len(STAGES)


def test_sequences_are_cut_to_the_longest_taken_and_mask_their_padding() -> None:
    batch = Batch(torch.zeros(3, 4, 5), torch.tensor([1, 4, 2]))
    assert batch.take(torch.tensor([0, 2])).values.shape == (2, 2, 5)
    assert batch.mask is not None
    assert batch.mask.sum(1).tolist() == [1, 4, 2]


@pytest.mark.parametrize(("fraction", "expected"), [(0.2, 6), (0.9, 30)])
def test_only_examples_that_some_cell_sees_are_run_unless_they_are_most(
    fraction: float, expected: int, tmp_path: Path, runs: list[int]
) -> None:
    group = Group(
        ToyTask.target,
        toy_splits(),
        ToyBackbone(),
        needs=Needs(frozenset({0.0}), frozenset({(fraction, 0), (0.1, 0)})),
        content="toy",
        cache=Cache(tmp_path),
        device=CPU,
    )
    rows = group.budget(0.1, 0)
    [batch] = group.train(4, rows).batches([torch.arange(len(rows))])
    found = batch.values
    assert runs == [expected] * len(STAGES)
    whole = ToyBackbone().forward(ToyBackbone().prepare(toy_splits().train.raw))
    torch.testing.assert_close(found, whole[torch.from_numpy(rows)])
    assert np.array_equal(group.encoded(rows).numpy(), toy_splits().train.labels[rows])
