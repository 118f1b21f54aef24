"""Models without a label use the head that came with the backbone, and what was to stay frozen is checked."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bench.backbone import Backbone, Batch, Head, Pretrained, Reader, run_stages
from bench.budget import ALL, NONE, Count
from bench.column import dense
from bench.domain import Raw
from bench.domains.series.raw import Windows, scaled
from bench.errors import DataError, FreezeError
from bench.readout import Readout
from bench.strategies.finetune import Finetune
from bench.strategy import Seeds, Strategy
from bench.targets.forecast import Forecast
from bench.targets.value import Value
from bench.task import Examples, Split
from bench.training.adapted import fresh_reader
from tests.bench.training.hidden import HIDDEN
from tests.fitting import drawn, fit, toy_context
from tests.toys import FULL, PARTIAL, PROBE, QUICK, SIDE, WIDTH, ToyBackbone, toy_split

TARGET = Forecast(2)
FROM_NOTHING = Finetune(name="from_nothing", trained=0.5, head="zero", **QUICK)


class Forecaster(ToyBackbone):
    """The toy network on windows of 16 steps, which may bring the head that it was pretrained with."""

    def __init__(self, brings: Forecast | None) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        head = Head(torch.randn(WIDTH, 2, generator=generator), torch.randn(2, generator=generator))
        self.pretrained = Pretrained(brings, head) if brings else None

    def prepare(self, raw: Raw) -> Batch:
        assert isinstance(raw, Windows)
        values, scale = scaled(raw)
        return Batch(torch.from_numpy(values), geometry=scale)


def series_split() -> Split:
    """Return windows of a wave on a large level with their next two steps."""
    steps = np.arange(80)
    series = 1000 + 3 * np.sin(steps / 4) + np.random.default_rng(0).standard_normal(80)
    windows = np.lib.stride_tricks.sliding_window_view(series, SIDE * SIDE + 2)

    def examples(rows: slice) -> Examples:
        some = windows[rows]
        raw = Windows(some[:, :-2].copy(), season=4, unit=np.ones(len(some)))
        return Examples(raw, {"future": dense(future=some[:, -2:].copy())})

    return Split(examples(slice(0, 30)), examples(slice(40, 60)))


def forecasts(strategy: Strategy, backbone: Backbone, folder: Path) -> np.ndarray:
    """Return the forecasts of a model that saw no label."""
    split = series_split()
    context = toy_context(folder, backbone=backbone, target=TARGET, split=split)
    nothing = drawn(NONE, target=TARGET, split=split)
    model = fit(strategy, context, nothing)
    assert (model.cost.steps, model.cost.losses, model.cost.penalty) == (0, (), None)
    found: np.ndarray = model.predict(context.tested)["future"]
    return found


@pytest.mark.parametrize("strategy", [PROBE, PARTIAL, FULL], ids=lambda strategy: strategy.name)
def test_without_a_label_the_head_that_was_brought_forecasts(strategy: Strategy, tmp_path: Path) -> None:
    backbone, split = Forecaster(TARGET), series_split()
    inputs = backbone.prepare(split.test.raw)
    head = backbone.brings(TARGET)
    assert isinstance(head, Head)
    assert inputs.geometry is not None
    with torch.inference_mode():
        outputs = (backbone(inputs) @ head.weight + head.bias).double().numpy()
    expected = outputs * inputs.geometry["spread"] + inputs.geometry["centre"]
    np.testing.assert_allclose(forecasts(strategy, backbone, tmp_path), expected, rtol=1e-5)


@pytest.mark.parametrize("backbone", [Forecaster(None), Forecaster(Forecast(1))], ids=["none", "of a shorter horizon"])
def test_a_probe_without_a_label_or_a_head_for_the_target_says_that_it_needs_labels(
    backbone: Backbone, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="toy:dense brings no head for this target: it needs labels"):
        forecasts(PROBE, backbone, tmp_path)


def test_a_whole_reader_is_read_where_it_says_and_the_passes_to_there_are_told(tmp_path: Path) -> None:
    backbone, split, readout = Forecaster(None), series_split(), Readout(stages=(-2,))
    head = TARGET.objective.head((WIDTH,))
    torch.nn.init.normal_(head.get_parameter("weight"), generator=torch.Generator().manual_seed(5))
    backbone.pretrained = Pretrained(TARGET, Reader(readout, TARGET.codec, TARGET.objective, head))
    context = toy_context(tmp_path, backbone=backbone, target=TARGET, split=split)
    model = fit(PROBE, context, drawn(NONE, target=TARGET, split=split))
    assert model.cost.work == tuple(context.frozen_work(context.n_stages, readout))
    assert model.cost.work != tuple(context.frozen_work(context.n_stages, TARGET.readout))

    inputs = backbone.prepare(split.test.raw)
    assert inputs.geometry is not None
    with torch.inference_mode():
        (outputs,) = head((run_stages(backbone.stages[:-1], inputs).values,))
    expected = outputs.double().numpy() * inputs.geometry.values["spread"] + inputs.geometry.values["centre"]
    np.testing.assert_allclose(model.predict(context.tested)["future"], expected, rtol=1e-5)
    fit(PROBE, context, drawn(ALL, target=TARGET, split=split))
    np.testing.assert_allclose(
        model.predict(context.tested)["future"], expected, rtol=1e-5, err_msg="a copy is trained"
    )


class Priced(ToyBackbone):
    """The toy network, which brings a head for values that are twice its first feature and 100."""

    def __init__(self) -> None:
        super().__init__()
        weight = torch.zeros(WIDTH, 1)
        weight[0] = 2.0
        self.pretrained = Pretrained(Value(), Head(weight, torch.tensor([100.0])))


def priced_split() -> tuple[Split, np.ndarray]:
    """Return pictures with what that head makes of them as their values, and the values to test on."""
    plain = toy_split()
    parts = []
    for examples in (plain.train, plain.test):
        with torch.inference_mode():
            features = Priced()(Priced().prepare(examples.raw)).double().numpy()
        parts.append(Examples(examples.raw, {"value": dense(value=2.0 * features[:, 0] + 100.0)}))
    train, test = parts
    return Split(train, test), test.labels["value"]["value"]


@pytest.mark.parametrize("n_labels", [0, 12])
@pytest.mark.parametrize(
    "strategy",
    [
        PROBE,
        Finetune(
            name="slow",
            trained=0.5,
            **{**QUICK, "learning_rate": 1e-9, "head_learning_rate": 1e-9, "batch_norm": "pretrained"},
        ),
    ],
)
def test_a_head_that_is_right_as_it_came_is_right_at_any_budget(
    strategy: Strategy, n_labels: int, tmp_path: Path
) -> None:
    """Whatever mean and spread the labels of a budget have, it speaks on the scale that it was trained on."""
    split, expected = priced_split()
    context = toy_context(tmp_path, backbone=Priced(), target=Value(), split=split)
    model = fit(strategy, context, drawn(Count(n_labels), target=Value(), split=split))
    np.testing.assert_allclose(model.predict(context.tested)["value"], expected, rtol=1e-3)


def test_a_head_with_hidden_layers_begins_the_same_in_every_cell(tmp_path: Path) -> None:
    context, labels = toy_context(tmp_path, target=HIDDEN), drawn().labels
    weights = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        weights.append(fresh_reader(context, labels, brought=False).head.get_parameter("hidden.weight").clone())
    assert torch.equal(*weights)


def test_a_head_from_nothing_forecasts_the_level_of_each_past(tmp_path: Path) -> None:
    found = forecasts(FROM_NOTHING, Forecaster(TARGET), tmp_path)
    raw = series_split().test.raw
    assert isinstance(raw, Windows)
    np.testing.assert_allclose(found, raw.past.mean(1, keepdims=True).repeat(2, axis=1))


def test_probes_with_and_without_labels_are_fitted_together_each_for_its_own_budget(tmp_path: Path) -> None:
    split = series_split()
    context = toy_context(tmp_path, backbone=Forecaster(TARGET), target=TARGET, split=split)
    budgets = [drawn(asked, target=TARGET, split=split) for asked in (NONE, ALL, NONE, Count(10))]
    together = list(PROBE.fit(context, budgets, [Seeds(0, 0)] * 4))
    for model, budget in zip(together, budgets, strict=True):
        alone = fit(PROBE, context, budget)
        found, expected = (one.predict(context.tested)["future"] for one in (model, alone))
        np.testing.assert_array_equal(found, expected)
    first, second, *_ = (model.predict(context.tested)["future"] for model in together)
    assert not np.allclose(first, second, atol=1e-3)


def test_labels_that_are_small_changes_on_a_large_level_are_learnt(tmp_path: Path) -> None:
    """In float32 a level of 1e9 would leave nothing of changes of 1."""
    far = series_split()

    def lifted(examples: Examples) -> Examples:
        raw = examples.raw
        assert isinstance(raw, Windows)
        future = examples.labels["future"]["future"] + 1e9
        return Examples(Windows(raw.past + 1e9, raw.season, raw.unit), {"future": dense(future=future)})

    errors = []
    for name, split in (("near", far), ("far", Split(lifted(far.train), lifted(far.test)))):
        context = toy_context(tmp_path / name, backbone=Forecaster(None), target=TARGET, split=split)
        forecast = fit(PROBE, context, drawn(target=TARGET, split=split)).predict(context.tested)["future"]
        errors.append(np.abs(forecast - split.test.labels["future"]["future"]).mean())
    assert errors[1] == pytest.approx(errors[0], rel=1e-2)


@pytest.mark.parametrize("strategy", [PROBE, PARTIAL], ids=lambda strategy: strategy.name)
def test_a_frozen_stage_that_moves_a_buffer_is_an_error_that_names_it(strategy: Strategy, tmp_path: Path) -> None:
    with pytest.raises(FreezeError, match="stage 'first' of toy:dense was to stay frozen"):
        fit(strategy, toy_context(tmp_path, backbone=ToyBackbone(restless=True)))


def test_a_frozen_stage_that_moves_a_weight_is_found_after_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = toy_context(tmp_path)
    fit(PARTIAL, context)  # so that all frozen work is done

    def meddle(*given: object, **settings: object) -> tuple[float, ...]:
        with torch.no_grad():
            context.backbone.stages[1].get_parameter("linear.bias").add_(1)
        return ()

    monkeypatch.setattr("bench.training.fitting.train", meddle)
    with pytest.raises(FreezeError, match="stage 'second' of toy:dense was to stay frozen"):
        fit(PARTIAL, context)


def test_a_model_counts_what_learns_and_what_there_is(tmp_path: Path) -> None:
    context = toy_context(tmp_path)
    whole = sum(parameter.numel() for parameter in context.backbone.parameters())
    upper = sum(parameter.numel() for parameter in context.backbone.stages[2:].parameters())
    head = 3 * (WIDTH + 1)
    for strategy, learns in ((PROBE, head), (PARTIAL, upper + head), (FULL, whole + head)):
        cost = fit(strategy, context).cost
        assert (cost.trainable_parameters, cost.total_parameters) == (learns, whole + head)


def test_the_stages_of_a_model_are_those_of_the_backbone_below_and_its_own_above(tmp_path: Path) -> None:
    context = toy_context(tmp_path)
    for strategy, boundary in ((PROBE, 4), (PARTIAL, 2), (FULL, 0)):
        parts = fit(strategy, context).parts()
        assert parts is not None
        assert parts.boundary == boundary
        below = zip(parts.stages[:boundary], context.backbone.stages[:boundary], strict=True)
        assert all(one is other for one, other in below)
        assert isinstance(parts.stages, nn.ModuleList)
        assert len(parts.stages) == 4


def test_a_strategy_sees_no_label_of_the_split(tmp_path: Path) -> None:
    context = toy_context(tmp_path)
    assert dict(context.train.labels) == {}
