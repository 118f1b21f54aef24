"""What is streamed is what would have been held: the same examples in the same order, and the same scores."""

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.backbone import Batch
from bench.column import dense
from bench.domain import Raw
from bench.domains.vision.raw import ImageArray
from bench.readout import POOLED
from bench.strategy import Strategy
from bench.targets.forecast import Forecast
from bench.task import Examples, Split
from bench.training.inference import Recomputed, forward_all, read_all
from bench.training.inputs import MemoryBudget, Streamed, prepare
from tests.fitting import CPU, drawn, fit, toy_context
from tests.toys import FULL, PARTIAL, PROBE, STRATEGIES, ToyBackbone, toy_split

RAW = toy_split().train.raw


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


def test_an_memory_is_used_up() -> None:
    memory = MemoryBudget(100)
    assert [memory.grants(size) for size in (60, 50, 40, 1)] == [True, False, True, False]


def test_what_is_granted_is_held_and_the_rest_is_streamed() -> None:
    size = ToyBackbone().prepare(RAW).values.nbytes
    held = prepare(ToyBackbone(), RAW, memory=MemoryBudget(size), decoders=2)
    streamed = prepare(ToyBackbone(), RAW, memory=MemoryBudget(size - 1), decoders=2)
    assert isinstance(held, Batch)
    assert isinstance(streamed, Streamed)
    assert torch.equal(held.values, ToyBackbone().prepare(RAW).values)


def test_preparing_in_parts_is_preparing_as_one() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, size=(200, 4, 4, 1), dtype=np.uint8)
    held = prepare(ToyBackbone(), ImageArray(pixels), memory=MemoryBudget(2**20), decoders=3)
    assert isinstance(held, Batch)
    assert torch.equal(held.values, ToyBackbone().prepare(ImageArray(pixels)).values)


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
def test_predictions_do_not_depend_on_how_much_memory_there_is(strategy: Strategy, tmp_path: Path) -> None:
    ample, scarce = (toy_context(tmp_path / str(size), memory_bytes=size) for size in (2**30, 1))
    assert isinstance(scarce.inputs_of(scarce.tested, 0, POOLED), Streamed)
    assert isinstance(scarce.inputs_of(scarce.tested, 2, POOLED), Recomputed)
    assert isinstance(ample.inputs_of(ample.tested, 2, POOLED), Batch)
    one, other = (fit(strategy, context) for context in (ample, scarce))
    np.testing.assert_allclose(one.cost.losses, other.cost.losses, rtol=1e-5)
    if strategy is not PARTIAL:  # products of other batch sizes round otherwise, which these rates make much of
        found, expected = one.predict(ample.tested)["logit"], other.predict(scarce.tested)["logit"]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_partial_model_is_the_same_to_the_bit_if_recomputed_activations_are_rounded_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Recomputed.batches

    def as_kept(self: Recomputed, rows: Iterable[torch.Tensor]) -> Iterator[Batch]:
        whole = next(plain(self, [torch.arange(len(self))]))
        return map(whole.take, rows)

    monkeypatch.setattr(Recomputed, "batches", as_kept)
    ample, scarce = (toy_context(tmp_path / str(size), memory_bytes=size) for size in (2**30, 1))
    one, other = (fit(PARTIAL, context).predict(context.tested)["logit"] for context in (ample, scarce))
    np.testing.assert_array_equal(one, other)


def test_a_partial_cell_on_recomputed_activations_keeps_the_frozen_stages_as_they_are(tmp_path: Path) -> None:
    context = toy_context(tmp_path, memory_bytes=1)
    before = {name: value.clone() for name, value in context.backbone.state_dict().items()}
    fit(PARTIAL, context)
    assert all(torch.equal(value, before[name]) for name, value in context.backbone.state_dict().items())


class Scaling(ToyBackbone):
    """A backbone that puts every picture on a scale of its own, which decoding needs."""

    def prepare(self, raw: Raw) -> Batch:
        batch = super().prepare(raw)
        centre = batch.values.mean(1, keepdim=True)
        spread = batch.values.std(1, keepdim=True)
        scale = dense(centre=centre.double().numpy(), spread=spread.double().numpy())
        return Batch((batch.values - centre) / spread, geometry=scale)


def brightness_split() -> Split:
    """Return pictures with what is to be predicted of them: the mean of their upper and of their lower half."""

    def measured(examples: Examples) -> Examples:
        assert isinstance(examples.raw, ImageArray)
        halves = examples.raw.pixels.reshape(len(examples), 2, -1).mean(2) / 255  # [n, 2]
        return Examples(examples.raw, {"future": dense(future=halves)})

    split = toy_split()
    return Split(measured(split.train), measured(split.test))


@pytest.mark.parametrize("strategy", [PROBE, PARTIAL, FULL], ids=lambda strategy: strategy.name)
@pytest.mark.parametrize("memory_bytes", [1_500, 1], ids=["activations alone are held", "nothing is held"])
def test_labels_are_encoded_in_the_geometry_of_what_is_streamed(
    strategy: Strategy, memory_bytes: int, tmp_path: Path
) -> None:
    target, split = Forecast(2), brightness_split()
    found = []
    for size in (2**30, memory_bytes):
        context = toy_context(tmp_path / str(size), backbone=Scaling(), target=target, split=split, memory_bytes=size)
        if size == 1_500:
            assert isinstance(context.inputs_of(context.tested, 0, POOLED), Streamed)
            assert isinstance(context.inputs_of(context.tested, 2, POOLED), Batch)
        model = fit(strategy, context, drawn(target=target, split=split))
        found.append((model.predict(context.tested)["future"], model.cost.losses))
    (one, losses), (other, of_streamed) = found
    np.testing.assert_allclose(of_streamed, losses, rtol=1e-5)
    if strategy is not PARTIAL or memory_bytes > 1:
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5)
    expected = split.test.labels["future"]["future"]
    assert np.abs(one - expected).mean() < 0.5, "on the scale of the labels"


def test_geometry_of_batches_ends_in_the_place_of_its_example() -> None:
    backbone = Scaling()
    held, streamed = backbone.prepare(RAW), Streamed(backbone, RAW, 2, CPU)
    assert held.geometry is not None
    [batch] = Recomputed(streamed, backbone.stages[:1], "float32").batches([torch.arange(30)])
    for geometry in (
        batch.geometry,
        forward_all(backbone.stages[:2], streamed, precision="float32").geometry,
        read_all(backbone, backbone.stages, streamed, POOLED, precision="float32").geometry,
    ):
        assert geometry is not None
        np.testing.assert_array_equal(geometry["centre"], held.geometry["centre"])
