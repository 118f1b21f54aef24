"""Forecasters of transformers are cut into stages that keep the backbone contract, from files as hubs keep them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoConfig,
    InformerConfig,
    PatchTSMixerConfig,
    PatchTSMixerForPrediction,
    PatchTSTConfig,
    PatchTSTForPrediction,
    PatchTSTModel,
    TimesFmConfig,
    TimesFmModelForPrediction,
)

from bench.backbone import Backbone, Batch, run_stages
from bench.backbones.huggingface.series import build_untrained_series, open_series
from bench.backbones.opened import read_reference
from bench.domains.series.raw import Windows, scaled
from bench.errors import WeightsError
from bench.testing.backbones import BACKBONE_CHECKS, BackboneCheck, features_of

NAME = read_reference("hf:someone/forecaster")
N = 6
CONTEXT = 32


def patchtst(**settings: Any) -> Any:  # noqa: ANN401 - a config of transformers, which has no types
    said = {"context_length": CONTEXT, "patch_length": 8, "patch_stride": 4, "d_model": 8, "ffn_dim": 16}
    dropout = {"ff_dropout": 0.3, "path_dropout": 0.3, "positional_dropout": 0.3}
    return PatchTSTConfig(**said | dropout | {"num_input_channels": 7, "num_hidden_layers": 2} | settings)


def mixer(**settings: Any) -> Any:  # noqa: ANN401
    return PatchTSMixerConfig(context_length=CONTEXT, patch_length=8, num_input_channels=7, num_layers=2, **settings)


def timesfm(**settings: Any) -> Any:  # noqa: ANN401
    return TimesFmConfig(
        context_length=64,
        patch_length=8,
        horizon_length=8,
        num_hidden_layers=2,
        hidden_size=16,
        intermediate_size=16,
        head_dim=4,
        num_attention_heads=4,
        **settings,
    )


CONFIGS: dict[str, Callable[[], Any]] = {
    "patchtst with batch norm": lambda: patchtst(norm_type="batchnorm"),
    "patchtst with layer norm": lambda: patchtst(norm_type="layernorm"),
    "patchtst with a class token": lambda: patchtst(use_cls_token=True, positional_encoding_type="random"),
    "patchtst of one layer": lambda: patchtst(num_hidden_layers=1),
    "mixer": mixer,
    "mixer with positions and attention": lambda: mixer(
        use_positional_encoding=True, self_attn=True, norm_mlp="BatchNorm"
    ),
    "timesfm": timesfm,
    "timesfm with positions": lambda: timesfm(use_positional_embedding=True),
}


def untrained(config: Any) -> Backbone:  # noqa: ANN401
    return build_untrained_series(NAME, Path("there"), config)


@pytest.fixture(params=list(CONFIGS.values()), ids=list(CONFIGS))
def backbone(request: pytest.FixtureRequest) -> Backbone:
    return untrained(request.param())


def windows(length: int = 40, n: int = N) -> Windows:
    steps = np.random.default_rng(0).standard_normal((n, length)).cumsum(axis=1)
    return Windows(steps, season=4, unit=np.ones(n))


@pytest.mark.parametrize("check", BACKBONE_CHECKS)
def test_the_contract_is_kept(check: BackboneCheck, backbone: Backbone) -> None:
    check(backbone, windows())


def test_the_card_names_the_embedding_and_the_layers(backbone: Backbone) -> None:
    assert backbone.card.stages == ("embedding", *(f"layer{number}" for number in range(1, len(backbone.stages))))


def test_initialising_puts_every_buffer_back(backbone: Backbone) -> None:
    for buffer in backbone.buffers():
        buffer.add_(1)
    before = {name: buffer.clone() for name, buffer in backbone.named_buffers()}
    with torch.random.fork_rng(devices=[]):
        backbone.initialise()
    assert not [name for name, buffer in backbone.named_buffers() if torch.equal(before[name], buffer)]


def test_dropout_of_the_config_acts_in_training_alone() -> None:
    backbone = untrained(patchtst())
    inputs = backbone.prepare(windows())
    backbone.train()
    assert not torch.equal(run_stages(backbone.stages, inputs).values, run_stages(backbone.stages, inputs).values)


def test_untrained_weights_are_always_the_same_whatever_was_drawn_before() -> None:
    one = untrained(patchtst())
    torch.rand(3)
    assert untrained(patchtst()).card.sha256 == one.card.sha256 != untrained(patchtst(d_model=16)).card.sha256


def test_the_features_are_those_of_the_network_itself() -> None:
    config = patchtst(num_input_channels=1, scaling=None)
    backbone = untrained(config)
    network = PatchTSTModel(config)
    network.load_state_dict(
        {
            key.removeprefix("network."): value
            for key, value in backbone.state_dict().items()
            if key.startswith("network.")
        }
    )
    values = backbone.prepare(windows()).values
    expected = network.eval()(past_values=values[:, :, None]).last_hidden_state.flatten(1)
    torch.testing.assert_close(features_of(backbone, windows()), expected)


@pytest.mark.parametrize("settings", [{}, {"use_positional_embedding": True}], ids=["plain", "positions"])
def test_the_features_of_timesfm_are_those_of_its_last_patch(settings: dict[str, bool]) -> None:
    backbone = untrained(timesfm(**settings))
    network = backbone.get_submodule("network")
    values = backbone.prepare(windows()).values  # [6, 40]
    values = values - values[:, :8].mean(1, keepdim=True)  # TimesFM itself puts the first patch on a scale of its own
    values = values / values[:, :8].std(1, keepdim=True, correction=0)
    expected = network(values, torch.zeros_like(values), torch.zeros(N, 1, dtype=torch.long)).last_hidden_state[:, -1]
    torch.testing.assert_close(run_stages(backbone.stages, Batch(values)).values, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("length", "expected"), [(20, 16), (40, 40), (100, 64), (5, 8)])
def test_timesfm_reads_as_many_whole_patches_as_there_are(length: int, expected: int) -> None:
    assert untrained(timesfm()).prepare(windows(length)).values.shape == (N, expected)


def test_a_longer_past_loses_its_start_and_a_shorter_one_is_lengthened() -> None:
    backbone = untrained(patchtst())
    raw = windows(40)
    values, scale = scaled(raw)
    prepared = backbone.prepare(raw)
    np.testing.assert_array_equal(prepared.values.numpy(), values[:, -CONTEXT:])
    assert prepared.geometry is not None
    for name in ("centre", "spread"):
        np.testing.assert_array_equal(prepared.geometry[name], scale[name])
    short = backbone.prepare(windows(10)).values
    assert short.shape == (N, CONTEXT)
    assert torch.equal(short[:, :23], short[:, :1].expand(-1, 23))


@pytest.mark.parametrize(
    ("architecture", "config"),
    [(PatchTSTForPrediction, patchtst), (PatchTSMixerForPrediction, mixer), (TimesFmModelForPrediction, timesfm)],
)
def test_a_snapshot_is_opened_without_its_head(
    architecture: Any,  # noqa: ANN401
    config: Callable[[], Any],
    tmp_path: Path,
) -> None:
    published = architecture(config())
    published.save_pretrained(tmp_path)
    opened = open_series(NAME, tmp_path, AutoConfig.from_pretrained(tmp_path))
    assert opened.files == (tmp_path / "model.safetensors",)
    assert opened.backbone.card.name == "hf:someone/forecaster"
    kept = {name.split(".", 1)[1]: value for name, value in published.state_dict().items()}
    weights = opened.backbone.get_submodule("network").state_dict()
    assert all(torch.equal(kept[name], value) for name, value in weights.items())
    assert not opened.backbone.training
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    said = open_series(NAME, tmp_path, AutoConfig.from_pretrained(tmp_path))
    assert (opened.backbone.card.licence, said.backbone.card.licence) == ("not said: see the source", "mit")
    assert said.files == (tmp_path / "model.safetensors", tmp_path / "README.md")


def test_weights_that_are_not_for_the_architecture_are_refused(tmp_path: Path) -> None:
    PatchTSTForPrediction(patchtst()).save_pretrained(tmp_path)
    with pytest.raises(
        WeightsError, match=r"are not for PatchTST as its config.json says: \d+ tensors are missing, such"
    ):
        open_series(NAME, tmp_path, patchtst(num_hidden_layers=3))
    with pytest.raises(WeightsError, match="cannot be read"):
        open_series(NAME, tmp_path, patchtst(d_model=16))
    (tmp_path / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(WeightsError, match="cannot be read"):
        open_series(NAME, tmp_path, patchtst())
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"there is no \.safetensors file"):
        open_series(NAME, tmp_path, patchtst())


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (patchtst(channel_attention=True), "reads its 7 channels together"),
        (patchtst(share_embedding=False), "reads its 7 channels together"),
        (mixer(mode="mix_channel"), "reads its 7 channels together"),
        (InformerConfig(prediction_length=4), "its encoder reads time features and lagged values"),
        (patchtst(norm_type="none"), "describes no PatchTST: none is not a supported norm"),
    ],
)
def test_what_cannot_be_used_is_refused(config: Any, told: str) -> None:  # noqa: ANN401
    with pytest.raises(WeightsError, match=told):
        untrained(config)
