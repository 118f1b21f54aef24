"""An exported model answers as its cell did, in every domain, and is refused where it is not what it says."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import torch

from bench.backbone import Backbone, Reader, TokenStage
from bench.backbones.catalog import MINILM
from bench.backbones.loading import load_backbone
from bench.column import Column
from bench.domains.text.raw import Texts
from bench.errors import StoreError, WeightsError
from bench.prediction.exported import FORMAT, Exported, holds, make_room, read_exported
from bench.prediction.model import ExportedModel, load_model
from bench.prediction.unlabelled import gather
from bench.runtime.arithmetic import WantedPrecision
from bench.strategies.finetune import Finetune
from bench.strategies.lora import Lora
from bench.strategies.probe import Probe
from bench.strategy import Strategy
from bench.subsets.seeds import torch_seed
from bench.targets.classes import Classes
from bench.targets.forecast import Forecast
from tests.bench.prediction.exporting import (
    Adapted,
    adapt,
    picture_task,
    recording_task,
    series_table,
    series_task,
    text_task,
)
from tests.bench.training.two_stages import BOTH
from tests.fitting import fit, toy_context
from tests.toys import ToyBackbone

QUICK: Final[Mapping[str, Any]] = {
    "learning_rate": 1e-2,
    "head_learning_rate": 1e-2,
    "batch_size": 4,
    "epochs": 1,
    "max_steps": 2,
    "penalties": (0.1,),
}
PROBE = Probe(name="linear_probe", **QUICK)
PARTIAL = Finetune(name="partial", trained=0.5, **QUICK)
FULL = Finetune(name="full", **QUICK)
SCRATCH = Finetune(name="scratch", weights="random", head="zero", **QUICK)
LORA = Lora(name="lora", rank=2, **QUICK)
UPPER_LORA = Lora(name="upper_lora", rank=2, trained=0.5, head="zero", **QUICK)
STRATEGIES: Final[tuple[Strategy, ...]] = (PROBE, PARTIAL, FULL, SCRATCH)

UNSEEN = "volcano"


def opened(adapted: Adapted) -> ExportedModel:
    return load_model(adapted.folder, read_exported(adapted.folder), device="cpu")


def answers_as_its_cell(adapted: Adapted) -> None:
    agree(opened(adapted).predict(adapted.test.raw), adapted.predictions, rtol=1e-6, atol=1e-6)


def agree(found: Column, expected: Column, *, rtol: float = 1e-7, atol: float = 0) -> None:
    assert set(found.values) == set(expected.values)
    for name, array in expected.arrays().items():
        np.testing.assert_allclose(found.arrays()[name], array, rtol=rtol, atol=atol)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_pictures_in_files_are_predicted_as_the_cell_did(strategy: Strategy, tmp_path: Path) -> None:
    adapted = adapt(picture_task(tmp_path), "bundled:glyphs", strategy, tmp_path)
    answers_as_its_cell(adapted)
    asked = gather(read_exported(adapted.folder), [str(tmp_path / "stroke-02.png"), str(tmp_path / "stroke-05.png")])
    agree(opened(adapted).predict(asked.raw), adapted.predictions.take([0, 1]), atol=1e-2)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_model_predicts_in_the_precision_it_was_trained_in(precision: WantedPrecision, tmp_path: Path) -> None:
    adapted = adapt(picture_task(tmp_path), "bundled:glyphs", FULL, tmp_path, precision=precision)
    assert adapted.result.precision == precision
    answers_as_its_cell(adapted)
    model = opened(adapted)
    other = replace(adapted.result, precision={"float32": "bfloat16", "bfloat16": "float32"}[precision])
    in_other = replace(model, exported=replace(model.exported, result=other))
    assert np.abs(in_other.predict(adapted.test.raw)["logit"] - adapted.predictions["logit"]).max() > 1e-6


@pytest.mark.parametrize("strategy", [PROBE, PARTIAL], ids=lambda strategy: strategy.name)
def test_recordings_are_heard_at_the_rate_and_for_the_time_of_training(strategy: Strategy, tmp_path: Path) -> None:
    adapted = adapt(recording_task(tmp_path), "bundled:spoken-words", strategy, tmp_path)
    answers_as_its_cell(adapted)
    files = [str(tmp_path / f"tone-{number:02}.wav") for number in (2, 5, 8, 11)]
    found = opened(adapted).predict(gather(read_exported(adapted.folder), files).raw)
    agree(found, adapted.predictions, atol=1e-6)


@pytest.fixture(scope="module")
def weather(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Strategy], Adapted]:
    """Models of texts, each adapted once."""

    @cache
    def adapted(strategy: Strategy) -> Adapted:
        return adapt(text_task(), MINILM.name, strategy, tmp_path_factory.mktemp(strategy.name))

    return adapted


@pytest.mark.parametrize("strategy", [PARTIAL, FULL, SCRATCH, LORA, UPPER_LORA], ids=lambda strategy: strategy.name)
def test_texts_are_predicted_as_the_cell_did(strategy: Strategy, weather: Callable[[Strategy], Adapted]) -> None:
    answers_as_its_cell(weather(strategy))


@pytest.mark.parametrize("strategy", [PROBE, FULL, UPPER_LORA], ids=lambda strategy: strategy.name)
def test_the_steps_after_a_table_are_forecast_as_the_cell_did(strategy: Strategy, tmp_path: Path) -> None:
    table = series_table(tmp_path / "demand.csv")
    adapted = adapt(series_task(tmp_path / "demand.csv"), "bundled:series", strategy, tmp_path)
    answers_as_its_cell(adapted)
    table.iloc[:-24].to_csv(tmp_path / "until.csv", index=False)  # up to where the last test windows end
    asked = gather(read_exported(adapted.folder), [str(tmp_path / "until.csv")])
    assert [source.series for source in asked.sources] == ["north", "south"]
    assert asked.sources[0].times == tuple(table["date"][-24:])
    agree(opened(adapted).predict(asked.raw), adapted.predictions.take(np.arange(len(adapted.test))[-2:]), rtol=1e-5)


def token_rows(backbone: Backbone, word: str) -> torch.Tensor:
    first = backbone.stages[0]
    assert isinstance(first, TokenStage)
    return first.table.weight[backbone.prepare(Texts((word,))).values[0, 1:-1]]


def test_words_that_the_task_does_not_hold_are_those_of_the_pretrained_table(
    weather: Callable[[Strategy], Adapted],
) -> None:
    model, pretrained = opened(weather(FULL)), load_backbone(MINILM.name)
    assert torch.equal(token_rows(model.backbone, UNSEEN), token_rows(pretrained, UNSEEN))
    assert not torch.equal(token_rows(model.backbone, "weather"), token_rows(pretrained, "weather"))
    assert np.isfinite(model.predict(Texts((UNSEEN,)))["logit"]).all()


def test_from_scratch_they_are_those_that_were_drawn(weather: Callable[[Strategy], Adapted]) -> None:
    drawn = load_backbone(MINILM.name)
    torch.manual_seed(torch_seed(0, "initialisation"))
    drawn.initialise()
    assert torch.equal(token_rows(opened(weather(SCRATCH)).backbone, UNSEEN), token_rows(drawn, UNSEEN))


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Adapted:
    folder = tmp_path_factory.mktemp("tones")
    return adapt(recording_task(folder), "bundled:spoken-words", PROBE, folder)


@pytest.fixture(name="copy")
def _copy(tones: Adapted, tmp_path: Path) -> Path:
    """A copy of an exported model, to be spoilt."""
    for file in tones.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_the_description_says_what_was_exported(tones: Adapted) -> None:
    exported = read_exported(tones.folder)
    assert exported.result == tones.result
    assert exported.task == tones.task.card
    assert exported.target == Classes(("low", "high"))
    assert exported.boundary == len(exported.backbone.stages)
    assert exported.input_format == {"rate_hz": 8_000, "length": 6_000}
    assert exported.libraries["torch"] == torch.__version__.partition("+")[0]
    assert holds(tones.folder, tones.result.key)
    assert not holds(tones.folder, "another")


def test_a_horizon_comes_back_with_what_its_series_are_measured_in(tmp_path: Path) -> None:
    series_table(tmp_path / "demand.csv")
    exported = read_exported(adapt(series_task(tmp_path / "demand.csv"), "bundled:series", PROBE, tmp_path).folder)
    assert exported.target == Forecast(24)
    assert (exported.input_format["context"], exported.input_format["season"]) == (96, 7)
    assert exported.input_format.keys() == {"context", "season", "unit of north", "unit of south"}


def respelt(folder: Path, **changes: object) -> None:
    path = folder / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_folder_without_a_model_says_how_one_is_made_or_where_they_are(tmp_path: Path, tones: Adapted) -> None:
    with pytest.raises(WeightsError, match=r"no exported model in .*`bench run … --export DIR` makes one"):
        read_exported(tmp_path)
    below = tmp_path / "task" / "backbone" / "full"
    below.mkdir(parents=True)
    (below / "model.json").write_bytes((tones.folder / "model.json").read_bytes())
    with pytest.raises(WeightsError, match=r"there is one in .*task/backbone/full"):
        read_exported(tmp_path)


@pytest.mark.parametrize(("found", "age"), [(FORMAT + 1, "newer"), (FORMAT - 1, "older")])
def test_another_format_is_refused(copy: Path, found: int, age: str) -> None:
    respelt(copy, format=found)
    with pytest.raises(WeightsError, match=rf"of the {age} format {found}, this version reads format {FORMAT}"):
        read_exported(copy)


def test_a_description_that_is_none_is_refused(copy: Path) -> None:
    respelt(copy, target={"kind": "classes"})
    with pytest.raises(WeightsError, match=r"is not what an export writes"):
        read_exported(copy)
    for text in ("{", "[]", '{"format": "one"}'):
        (copy / "model.json").write_text(text)
        with pytest.raises(WeightsError, match=r"cannot be read"):
            read_exported(copy)


def test_a_target_that_is_not_installed_here_is_named(copy: Path) -> None:
    respelt(copy, target={"kind": "boxes"})
    with pytest.raises(WeightsError, match=r"predicts what is not installed here: unknown target 'boxes'"):
        read_exported(copy)


@pytest.mark.parametrize("trained", [0.25, 0.5, 1.0])
def test_a_model_that_reads_several_stages_answers_as_it_did(trained: float, tones: Adapted, tmp_path: Path) -> None:
    context = toy_context(tmp_path, target=BOTH)
    model = fit(Finetune(name="partial", trained=trained, **QUICK), context)
    parts = model.parts()
    assert parts is not None
    backbone = ToyBackbone()
    backbone.stages = parts.stages
    exported = replace(read_exported(tones.folder), target=BOTH, boundary=parts.boundary, codec=parts.codec)
    reader = Reader(BOTH.readout, BOTH.codec.restored(parts.codec), BOTH.objective, parts.head)
    found = ExportedModel(exported, backbone, reader, torch.device("cpu")).predict(context.tested)
    agree(found, model.predict(context.tested), rtol=1e-4, atol=1e-5)


def load(folder: Path, **changes: object) -> ExportedModel:
    exported: Exported = replace(read_exported(folder), **changes)  # type: ignore[arg-type]  # whatever a test changes
    return load_model(folder, exported, device="cpu")


def test_weights_of_another_export_are_refused(copy: Path) -> None:
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(WeightsError, match=r"is not the file that its description names"):
        load(copy)
    path.unlink()
    with pytest.raises(WeightsError, match=r"cannot read the weights"):
        load(copy)


def test_a_backbone_that_is_not_to_be_had_or_another_by_now_is_told(copy: Path) -> None:
    card = read_exported(copy).backbone
    with pytest.raises(WeightsError, match=r"as bundled:murmurs is, and that cannot be found here: unknown bundled"):
        load(copy, backbone=replace(card, name="bundled:murmurs"))
    with pytest.raises(WeightsError, match=r"bundled:series is not built any more as it was when .* with torch 2"):
        load(copy, backbone=replace(card, name="bundled:series"))


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(StoreError, match=r"cannot make the folder .*taken/model: Not a directory"):
        make_room(tmp_path / "taken" / "model")
