"""What a target reads, of several stages or of every token, is the same however the stages below are run."""

from pathlib import Path

import numpy as np
import pytest
import torch

from bench.backbone import Backbone, read_stages
from bench.backbones.catalog import MINILM
from bench.backbones.loading import load_backbone
from bench.column import Ragged
from bench.domains.text.raw import Texts
from bench.readout import POOLED, Kind, Readout
from bench.strategies.finetune import Finetune
from bench.strategies.probe import Probe
from bench.strategy import Strategy
from bench.training.inference import forward_all, read_all
from bench.training.inputs import Tapped
from tests.bench.training.two_stages import BOTH, TWO_STAGES, TwoHeads
from tests.fitting import drawn, fit, toy_context
from tests.toys import FULL, QUICK, WIDTH, ToyBackbone, toy_split

STRATEGIES: tuple[Strategy, ...] = (
    Probe(name="all_frozen", **QUICK),
    Finetune(name="one_trained", trained=0.25, **QUICK),
    Finetune(name="half_trained", trained=0.5, **QUICK),
    Finetune(name="three_trained", trained=0.75, **QUICK),
    FULL,
)


@pytest.mark.parametrize("memory_bytes", [2**30, 1], ids=["held", "recomputed"])
@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_a_model_that_reads_two_stages_predicts_as_its_network_run_whole(
    strategy: Strategy, memory_bytes: int, tmp_path: Path
) -> None:
    boundaries = sorted(strategy.boundaries(4))
    context = toy_context(tmp_path, target=BOTH, memory_bytes=memory_bytes, boundaries=boundaries)
    model = fit(strategy, context)
    parts = model.parts()
    assert parts is not None
    assert isinstance(parts.head, TwoHeads)
    assert all(part.get_parameter("weight").abs().sum() > 0 for part in parts.head.parts), "both heads have learnt"
    backbone = ToyBackbone().eval()
    parts.stages.eval()
    with torch.inference_mode():
        features = read_stages(backbone, parts.stages, backbone.prepare(context.tested), TWO_STAGES)
        whole = parts.head(features)[0].numpy()
    assert [one.shape for one in features] == [(30, WIDTH), (30, WIDTH)]
    np.testing.assert_allclose(model.predict(context.tested)["logit"], whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("boundary", [0, 1, 2, 3, 4])
def test_a_network_cut_anywhere_reads_the_same_two_stages(boundary: int) -> None:
    backbone, inputs = ToyBackbone(), ToyBackbone().prepare(toy_split().test.raw)
    whole = read_all(backbone, backbone.stages, inputs, TWO_STAGES, precision="float32").features
    reached, tapped = (forward_all(backbone.stages[:place], inputs, precision="float32") for place in (boundary, 2))
    above = Tapped(reached, {2: tapped} if boundary > 2 else {})
    found = read_all(backbone, backbone.stages[boundary:], above, TWO_STAGES, precision="float32").features
    for one, other in zip(found, whole, strict=True):
        assert torch.equal(one, other)


def test_what_is_read_below_the_boundary_gets_no_gradient_and_what_is_above_does(tmp_path: Path) -> None:
    context = toy_context(tmp_path, target=BOTH, boundaries=(3,))
    [batch] = context.examples(drawn().rows, 3, TWO_STAGES).batches([torch.arange(30)])
    below, last = read_stages(context.backbone, context.backbone.stages[3:], batch, TWO_STAGES)
    assert not below.requires_grad
    last.sum().backward()
    assert all(parameter.grad is None for parameter in context.backbone.stages[:3].parameters())
    assert all(parameter.grad is not None for parameter in context.backbone.stages[3].parameters())


WORDS = (
    ("Sleet", "over", "Aberdeenshire"),
    ("fine",),
    ("an", "unpredictable", "thunderstorm", "tonight"),
)
SEQUENCE = Readout(Kind.SEQUENCE)


@pytest.fixture(scope="module")
def reader() -> Backbone:
    return load_backbone(MINILM.name)


def in_words() -> Texts:
    return Texts(tuple(" ".join(words) for words in WORDS), WORDS)


def test_every_token_is_read_at_its_place_padded_with_nothing_that_counts(reader: Backbone) -> None:
    inputs = reader.prepare(in_words())
    assert inputs.lengths is not None
    [features] = read_all(reader, reader.stages, inputs, SEQUENCE, precision="float32").features
    assert features.shape == (len(WORDS), int(inputs.lengths.max()), reader.card.width)
    for row, length in enumerate(inputs.lengths.tolist()):
        alone = reader.prepare(in_words().take(np.array([row])))
        [expected] = read_all(reader, reader.stages, alone, SEQUENCE, precision="float32").features
        torch.testing.assert_close(features[row, :length], expected[0], rtol=1e-3, atol=1e-4)


def test_the_geometry_of_words_is_where_their_first_tokens_are(reader: Backbone) -> None:
    inputs = reader.prepare(in_words())
    assert isinstance(inputs.geometry, Ragged)
    for row, words in enumerate(WORDS):
        places = inputs.geometry.of("token", row)
        assert len(places) == len(words)
        for place, word in zip(places, words, strict=True):
            first = reader.prepare(Texts((word,))).values[0, 1]  # after the token that opens a text
            assert inputs.values[row, place] == first


def test_words_beyond_the_longest_text_have_no_token() -> None:
    short = load_backbone(f"{MINILM.name}?longest=6")
    geometry = short.prepare(in_words()).geometry
    assert isinstance(geometry, Ragged)
    assert (geometry["token"] < 6).all()
    assert geometry.of("token", 2)[-1] == -1
    assert (geometry.of("token", 1) == [1]).all()


def test_a_frozen_sequence_keeps_the_words_of_each_text(reader: Backbone, tmp_path: Path) -> None:
    """Texts are sorted by length on their way: each keeps its own words."""
    read = read_all(reader, reader.stages, reader.prepare(in_words()), SEQUENCE, precision="float32")
    assert isinstance(read.geometry, Ragged)
    backwards = read.take(torch.tensor([2, 1, 0]))
    assert isinstance(backwards.geometry, Ragged)
    for place, row in enumerate((2, 1, 0)):
        np.testing.assert_array_equal(backwards.geometry.of("token", place), read.geometry.of("token", row))
        assert torch.equal(backwards.features[0][place], read.features[0][row])


def test_pooled_features_are_those_of_the_hidden_states_that_a_sequence_has(reader: Backbone) -> None:
    inputs = reader.prepare(in_words())
    [pooled] = read_all(reader, reader.stages, inputs, POOLED, precision="float32").features
    [hidden] = read_all(reader, reader.stages, inputs, SEQUENCE, precision="float32").features
    assert inputs.mask is not None
    mask = inputs.mask[:, :, None]
    torch.testing.assert_close(pooled, (hidden * mask).sum(1) / mask.sum(1), rtol=1e-3, atol=1e-4)  # their mean
