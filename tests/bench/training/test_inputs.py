"""What is streamed is what would have been held: the same examples in the same order, and the same scores."""

import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.backbone import Batch
from bench.domain import Images, Raw
from bench.planning.plan import Needs
from bench.runtime.cache import Cache
from bench.strategy import Strategy
from bench.training.adapt import run_cell
from bench.training.group import Group
from bench.training.inference import Recomputed, forward_all
from bench.training.inputs import Allowance, Streamed, prepare
from tests.toys import PARTIAL, STRATEGIES, ToyBackbone, ToyTask, toy_cell, toy_splits

CPU = torch.device("cpu")
RAW = toy_splits().train.raw


class Watched(ToyBackbone):
    """Counts how many batches are prepared and not yet taken."""

    def __init__(self) -> None:
        super().__init__()
        self.prepared = 0
        self.lock = threading.Lock()

    def prepare(self, raw: Raw) -> Batch:
        with self.lock:
            self.prepared += 1
        return super().prepare(raw)


def toy_group(folder: Path, *, memory_bytes: int) -> Group:
    return Group(
        ToyTask.target,
        toy_splits(),
        ToyBackbone(),
        needs=Needs(frozenset({0.0, 0.5, 1.0}), frozenset({(1.0, 0)})),
        content="toy",
        cache=Cache(folder),
        device=CPU,
        memory_bytes=memory_bytes,
        decoders=2,
    )


def test_batches_come_in_the_order_in_which_they_are_asked_for() -> None:
    streamed = Streamed(ToyBackbone(), RAW, 3, CPU)
    rows = [torch.tensor(one) for one in ([5, 1], [0], [9, 9, 2], [29], [3, 4])]
    whole = ToyBackbone().prepare(RAW)
    for asked, batch in zip(rows, streamed.batches(rows), strict=True):
        assert torch.equal(batch.values, whole.values[asked])


def test_taking_selects_examples_and_reads_none() -> None:
    backbone = Watched()
    taken = Streamed(backbone, RAW, 1, CPU).take(torch.tensor([7, 3])).take(torch.tensor([1]))
    assert (len(taken), backbone.prepared) == (1, 0)
    [batch] = taken.batches([torch.tensor([0])])
    assert torch.equal(batch.values, ToyBackbone().prepare(RAW).values[3:4])


def test_no_more_is_read_ahead_than_there_are_threads() -> None:
    backbone = Watched()
    batches = Streamed(backbone, RAW, 2, CPU).batches(torch.arange(30).split(1))
    for taken in range(1, 6):
        next(batches)
        assert backbone.prepared <= taken + 2


def test_an_error_while_reading_reaches_who_asked() -> None:
    class Damaged(ToyBackbone):
        def prepare(self, raw: Raw) -> Batch:
            raise ValueError("a picture that is none")

    with pytest.raises(ValueError, match="a picture that is none"):
        list(Streamed(Damaged(), RAW, 2, CPU).batches([torch.tensor([0])]))


def test_an_allowance_is_used_up() -> None:
    allowance = Allowance(100)
    assert [allowance.grants(size) for size in (60, 50, 40, 1)] == [True, False, True, False]


def test_what_is_granted_is_held_and_the_rest_is_streamed() -> None:
    size = ToyBackbone().prepare(RAW).values.nbytes
    held = prepare(ToyBackbone(), RAW, allowance=Allowance(size), decoders=2)
    streamed = prepare(ToyBackbone(), RAW, allowance=Allowance(size - 1), decoders=2)
    assert isinstance(held, Batch)
    assert isinstance(streamed, Streamed)
    assert torch.equal(held.values, ToyBackbone().prepare(RAW).values)


def test_preparing_in_parts_is_preparing_as_one() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, size=(200, 4, 4, 1), dtype=np.uint8)
    held = prepare(ToyBackbone(), Images(pixels), allowance=Allowance(2**20), decoders=3)
    assert isinstance(held, Batch)
    assert torch.equal(held.values, ToyBackbone().prepare(Images(pixels)).values)


def test_activations_that_are_too_large_are_computed_anew_and_let_gradients_through_above() -> None:
    backbone = ToyBackbone()
    anew = Recomputed(backbone.prepare(RAW), backbone.stages[:2], "float32")
    [batch] = anew.take(torch.tensor([4, 2, 8])).batches([torch.tensor([2, 0])])
    kept = forward_all(backbone.stages[:2], backbone.prepare(RAW), precision="float32")
    torch.testing.assert_close(batch.values, kept.values[[8, 4]])
    backbone.stages[2](batch.values).sum().backward()
    assert all(parameter.grad is None for parameter in backbone.stages[:2].parameters())
    assert all(parameter.grad is not None for parameter in backbone.stages[2].parameters())


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_scores_do_not_depend_on_how_much_memory_there_is(strategy: Strategy, tmp_path: Path) -> None:
    ample, scarce = (toy_group(tmp_path / str(size), memory_bytes=size) for size in (2**30, 1))
    assert isinstance(scarce.test(0), Streamed)
    assert isinstance(scarce.test(2), Recomputed)
    assert isinstance(ample.test(2), Batch)
    one, other = (run_cell(toy_cell(strategy), group)[1] for group in (ample, scarce))
    # Products of other batch sizes round otherwise, which these large rates make something of.
    np.testing.assert_allclose(one, other, rtol=1e-2 if strategy is PARTIAL else 1e-5, atol=1e-6)


def test_a_partial_cell_on_recomputed_activations_keeps_the_frozen_stages_as_they_are(tmp_path: Path) -> None:
    group = toy_group(tmp_path, memory_bytes=1)
    before = {name: value.clone() for name, value in group.backbone.state_dict().items()}
    run_cell(toy_cell(PARTIAL), group)
    assert all(torch.equal(value, before[name]) for name, value in group.backbone.state_dict().items())
