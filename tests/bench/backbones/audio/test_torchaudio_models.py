"""torchaudio's pipelines, with tiny networks in a cache of the tests' own and never a network."""

import copy
import socket
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from torch import nn
from torchaudio import pipelines
from torchaudio.models import wav2vec2_model, wavlm_model

from bench.backbone import Backbone
from bench.backbones.audio.torchaudio_models import open_torchaudio, read_pipeline
from bench.backbones.opened import Opened, read_reference
from bench.errors import UnknownNameError, WeightsError
from bench.runtime.cache import file_sha256
from bench.testing.backbones import BACKBONE_CHECKS, BackboneCheck
from bench.training.inference import forward_all
from tests.bench.backbones.audio.clips import OF_AUDIO, clips, unsettle

TINY: dict[str, Any] = {
    "extractor_conv_layer_config": [(8, 10, 5), (12, 8, 64)],
    "encoder_embed_dim": 16,
    "encoder_pos_conv_kernel": 6,
    "encoder_pos_conv_groups": 2,
    "encoder_num_layers": 3,
    "encoder_num_heads": 2,
    "encoder_ff_interm_features": 24,
}

NAMES = ("WAV2VEC2_BASE", "WAV2VEC2_ASR_BASE_960H", "HUBERT_LARGE", "WAVLM_BASE", "WAVLM_LARGE")


def make_tiny(name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    """Put a pipeline like torchaudio's `name`, but tiny, in its place, with its weights in `home`; return the network.

    The weights of pipelines for transcription have outputs of another alphabet, too, which torchaudio removes.
    """
    bundle = getattr(pipelines, name)
    said = vars(bundle)
    settings = {**said["_params"], **TINY}
    if said["_params"]["aux_num_out"]:
        settings["aux_num_out"] = 5
    build = wavlm_model if said["_model_type"] == "WavLM" else wav2vec2_model
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network: nn.Module = build(**settings)
    unsettle(network)
    state = network.state_dict()
    for key in ("aux.weight", "aux.bias"):
        if key in state:
            state[key] = torch.cat([state[key], state[key][:3]])
    folder = home / "hub" / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(state, folder / said["_path"])
    tiny = replace(bundle, _params=settings)
    tiny.__doc__ = bundle.__doc__
    monkeypatch.setattr(pipelines, name, tiny)
    monkeypatch.setenv("TORCH_HOME", str(home))
    return network.eval()


@pytest.fixture(scope="module", params=NAMES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, nn.Module, Opened]:
    with pytest.MonkeyPatch.context() as patch:
        network = make_tiny(request.param, tmp_path_factory.mktemp("torch"), patch)
        return request.param, network, open_torchaudio(read_reference(f"torchaudio:{request.param}"))


@pytest.fixture
def backbone(made: tuple[str, nn.Module, Opened]) -> Backbone:
    return copy.deepcopy(made[2].backbone)


@pytest.mark.parametrize("check", [*BACKBONE_CHECKS, *OF_AUDIO])
def test_the_contract_is_kept(check: BackboneCheck, made: tuple[str, nn.Module, Opened]) -> None:
    check(made[2].backbone, clips())


def test_features_are_those_of_the_library(made: tuple[str, Any, Opened]) -> None:
    name, network, opened = made
    network.aux = None
    samples = torch.from_numpy(clips().samples)
    if name.endswith("LARGE"):  # which want each clip normalised
        samples = torch.stack([nn.functional.layer_norm(clip, clip.shape) for clip in samples])
    with torch.no_grad():
        own = network(samples)[0].mean(1)
    backbone = opened.backbone
    features = forward_all(backbone.stages, backbone.prepare(clips()), precision="float32").values
    torch.testing.assert_close(features, own, rtol=1e-4, atol=1e-5)


def test_nothing_is_dropped_in_training(backbone: Backbone) -> None:
    inputs = backbone.prepare(clips())
    quiet = backbone.eval()(inputs)
    torch.testing.assert_close(backbone.train()(inputs), quiet, rtol=1e-4, atol=1e-5)


def test_the_card_tells_the_file_and_its_licence(made: tuple[str, nn.Module, Opened]) -> None:
    name, _, opened = made
    card = opened.backbone.card
    (path,) = opened.files
    assert (card.sha256, card.licence, card.title) == (file_sha256(path), "MIT", name)
    assert card.source == f"https://download.pytorch.org/torchaudio/models/{path.name}"
    assert card.stages == ("convolutions", "positions", "layer1", "layer2", "layer3")


def test_every_pipeline_is_known_with_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    found = read_pipeline("WAV2VEC2_BASE")
    assert found.path == tmp_path / "hub" / "checkpoints" / "wav2vec2_fairseq_base_ls960.pth"
    assert read_pipeline("VOXPOPULI_ASR_BASE_10K_DE").path.suffix == ".pt"
    assert read_pipeline("WAVLM_BASE_PLUS").relative


@pytest.mark.parametrize("name", ["WAV2VEC_BASE", "MMS_FA", "HDEMUCS_HIGH_MUSDB"])
def test_other_names_are_refused_with_the_nearest(name: str) -> None:
    with pytest.raises(UnknownNameError, match=f"unknown pipeline of torchaudio '{name}'.*WAVLM_LARGE"):
        open_torchaudio(read_reference(f"torchaudio:{name}"))
    with pytest.raises(UnknownNameError, match="did you mean 'WAV2VEC2_BASE'"):
        read_pipeline("WAV2VEC_BASE")


def test_without_a_network_one_sentence_says_what_to_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def unreachable(*_: object, **__: object) -> None:
        assert (socket.getdefaulttimeout() or inf) <= 10
        raise URLError(socket.gaierror("no such host"))

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "urlopen", unreachable)
    with pytest.raises(WeightsError) as caught:
        open_torchaudio(read_reference("torchaudio:HUBERT_BASE"))
    message = str(caught.value)
    assert "hubert_fairseq_base_ls960.pth is not in torch's cache" in message
    assert str(tmp_path / "hub" / "checkpoints") in message
    assert "bench fetch --backbone torchaudio:HUBERT_BASE" in message
    assert "\n" not in message


def test_damaged_weights_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_tiny("HUBERT_BASE", tmp_path, monkeypatch)
    path = tmp_path / "hub" / "checkpoints" / "hubert_fairseq_base_ls960.pth"
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"<html>not found</html>"):
        path.write_bytes(damaged)
        with pytest.raises(WeightsError, match=r"hubert_fairseq_base_ls960\.pth.*delete the file"):
            open_torchaudio(read_reference("torchaudio:HUBERT_BASE"))


def test_pickles_that_would_run_code_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_tiny("HUBERT_BASE", tmp_path, monkeypatch)
    path = tmp_path / "hub" / "checkpoints" / "hubert_fairseq_base_ls960.pth"
    torch.save({"encoder": print}, path)
    with pytest.raises(WeightsError, match="such as code, which is never run"):
        open_torchaudio(read_reference("torchaudio:HUBERT_BASE"))
