"""Published weights are taken from the libraries' caches, and missed quickly and in one sentence."""

from pathlib import Path
from types import SimpleNamespace
from urllib.error import HTTPError, URLError

import pytest
import timm
import torch
import torchvision
from huggingface_hub import constants
from safetensors.torch import save_file
from torch import nn

from bench.backbone import Backbone
from bench.backbones import hubs
from bench.backbones.opened import read_reference
from bench.backbones.vision.timm_models import open_timm
from bench.backbones.vision.torchvision_models import open_torchvision
from bench.errors import DataError, UnknownNameError, WeightsError
from bench.files import downloads
from bench.runtime.cache import file_sha256

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class NoNetwork:
    """Stands for a network on which nobody answers, and counts who asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, *args: object, **kwargs: object) -> None:
        self.asked += 1
        raise URLError("nobody is there")


@pytest.fixture(autouse=True)
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NoNetwork:
    nobody = NoNetwork()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(downloads, "urlopen", nobody)
    monkeypatch.setattr(torch.hub, "urlopen", nobody)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return nobody


def keep_in_hub(folder: Path, hub_id: str, weights: nn.Module) -> Path:
    """Keep weights as the hub's client would have, and return their path."""
    repository = folder / "hub" / f"models--{hub_id.replace('/', '--')}"
    path = repository / "snapshots" / COMMIT / "model.safetensors"
    path.parent.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    save_file(weights.state_dict(), path)
    return path


def assert_same(backbone: Backbone, weights: nn.Module) -> None:
    expected = dict(weights.named_parameters())
    for name, parameter in backbone.stages.named_parameters():
        assert torch.equal(parameter, expected[name.partition("graph.")[2]])


@pytest.mark.parametrize("name", ["timm:test_resnet.r160_in1k", "timm:test_resnet"])
def test_timm_weights_are_read_from_the_hubs_cache(name: str, tmp_path: Path, network: NoNetwork) -> None:
    torch.manual_seed(5)
    weights = timm.create_model("test_resnet")
    path = keep_in_hub(tmp_path, "timm/test_resnet.r160_in1k", weights)
    opened = open_timm(read_reference(name))
    assert_same(opened.backbone, weights)
    assert opened.files == (path,)
    assert opened.backbone.card.sha256 == file_sha256(path)
    assert (opened.backbone.card.name, opened.backbone.card.licence) == (name, "apache-2.0")
    assert not network.asked


def test_missing_timm_weights_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        open_timm(read_reference("timm:test_resnet"))
    assert str(caught.value) == (
        f"model.safetensors of timm/test_resnet.r160_in1k is not in the Hugging Face cache {tmp_path / 'hub'}, and "
        f"cannot be fetched ({constants.ENDPOINT} does not answer); where there is a network, run "
        "`python -m bench fetch --backbone timm:test_resnet`"
    )


def test_nobody_is_asked_where_the_hub_is_off(monkeypatch: pytest.MonkeyPatch, network: NoNetwork) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match=r"cannot be fetched \(HF_HUB_OFFLINE is set\)"):
        open_timm(read_reference("timm:test_resnet"))
    assert not network.asked


def test_a_hub_that_refuses_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise HTTPError("https://hub", 403, "no", hdrs=None, fp=None)  # type: ignore[arg-type]

    monkeypatch.setattr(downloads, "urlopen", refuse)
    assert downloads.hub_answers()


@pytest.mark.parametrize("large", [False, True])
def test_weights_that_are_large_are_fetched_when_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, large: bool
) -> None:
    kept = keep_in_hub(tmp_path / "elsewhere", "timm/test_resnet.r160_in1k", timm.create_model("test_resnet"))
    monkeypatch.setattr(hubs, "hub_answers", lambda: True)
    monkeypatch.setattr(hubs, "get_hf_file_metadata", lambda url: SimpleNamespace(size=3 * 2**30))
    monkeypatch.setattr(hubs, "hf_hub_download", lambda hub_id, file: str(kept))
    reference = read_reference("timm:test_resnet")._replace(large=large)
    if large:
        assert open_timm(reference).files == (kept,)
    else:
        with pytest.raises(DataError, match=r"3,072 MiB are too much .* apache-2.0.*fetch --backbone timm:test_resnet"):
            open_timm(reference)


def test_damaged_timm_weights_say_what_to_do(tmp_path: Path) -> None:
    path = keep_in_hub(tmp_path, "timm/test_resnet.r160_in1k", timm.create_model("test_resnet"))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WeightsError, match=r"timm cannot load .*; delete it, so that it is fetched anew"):
        open_timm(read_reference("timm:test_resnet"))


def test_a_timm_model_without_weights_is_told_what_there_is_instead() -> None:
    with pytest.raises(WeightsError, match="timm has no weights for test_coatnet; take untrained:timm/test_coatnet"):
        open_timm(read_reference("timm:test_coatnet"))


def keep_for_torch(folder: Path, url: str, weights: nn.Module, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep weights as torch.hub would have, under the name of their hash, and return their path."""
    path = folder / "torch" / "hub" / "checkpoints" / url.rpartition("/")[2]
    path.parent.mkdir(parents=True)
    torch.save(weights.state_dict(), path)
    monkeypatch.setattr(hubs, "file_sha256", lambda path: "f707e7126e35")  # as of the published file
    return path


@pytest.mark.parametrize(
    "name",
    [
        "torchvision:shufflenet_v2_x0_5",
        "torchvision:shufflenet_v2_x0_5?weights=IMAGENET1K_V1",
        "torchvision:shufflenet_v2_x0_5?weights=ShuffleNet_V2_X0_5_Weights.DEFAULT",
        "torchvision:ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1",
    ],
)
def test_torchvision_weights_are_read_from_torchs_cache(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = torchvision.models.shufflenet_v2_x0_5(weights=None)
    url = torchvision.models.ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1.url
    path = keep_for_torch(tmp_path, url, weights, monkeypatch)
    opened = open_torchvision(read_reference(name))
    assert_same(opened.backbone, weights)
    assert opened.files == (path,)
    assert opened.backbone.card.sha256 == file_sha256(path)
    assert opened.backbone.card.source == url


def test_other_bytes_than_torchs_link_names_are_refused(tmp_path: Path) -> None:
    url = torchvision.models.ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1.url
    path = tmp_path / "torch" / "hub" / "checkpoints" / url.rpartition("/")[2]
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half a downl")
    with pytest.raises(WeightsError, match="is damaged: its sha256 does not begin with f707e7126e; delete it"):
        open_torchvision(read_reference("torchvision:shufflenet_v2_x0_5"))


def test_missing_torchvision_weights_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        open_torchvision(read_reference("torchvision:shufflenet_v2_x0_5"))
    said = str(caught.value)
    assert (
        f"shufflenetv2_x0.5-f707e7126e.pth is not in torch's cache {tmp_path / 'torch' / 'hub' / 'checkpoints'}" in said
    )
    assert "nobody is there" in said
    assert said.endswith("run `python -m bench fetch --backbone torchvision:shufflenet_v2_x0_5`")
    assert not list((tmp_path / "torch" / "hub" / "checkpoints").iterdir())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "resnet50?weights=IMAGENET1K_V3",
            "unknown weights of torchvision:resnet50 'IMAGENET1K_V3'; did you mean 'IMAGENET",
        ),
        ("ResNet5_Weights.DEFAULT", "unknown torchvision weights 'ResNet5_Weights'; did you mean 'ResNet50_Weights'"),
    ],
)
def test_unknown_weights_are_told_with_the_nearest(name: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        open_torchvision(read_reference(f"torchvision:{name}"))
