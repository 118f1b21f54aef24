"""Checkpoints are taken whatever they were wrapped in, if they are of the architecture, and nothing in them is run."""

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor

from bench.backbone import Backbone
from bench.backbones.architectures import open_file
from bench.backbones.opened import read_reference
from bench.backbones.vision.torchvision_models import torchvision_design
from bench.errors import WeightsError
from bench.runtime.cache import file_sha256

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def whole() -> State:
    """Return the state of a small network with a classifier of seven classes."""
    torch.manual_seed(3)
    network = timm.create_model("test_resnet", num_classes=7)
    return dict(network.state_dict())


@pytest.fixture(autouse=True)
def _in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def opened(path: str, architecture: str = "timm/test_resnet") -> Backbone:
    return open_file(read_reference(f"file:{architecture}:{path}")).backbone


def assert_has(backbone: Backbone, state: Mapping[str, Tensor]) -> None:
    found = {name.partition("graph.")[2]: parameter for name, parameter in backbone.stages.named_parameters()}
    assert found
    for name, parameter in found.items():
        assert torch.equal(parameter, state[name])


def prefixed(prefix: str) -> Callable[[State], State]:
    return lambda state: {prefix + name: tensor for name, tensor in state.items()}


@pytest.mark.parametrize(
    "wrap",
    [
        dict,
        prefixed("module."),
        prefixed("backbone."),
        prefixed("module.model."),
        prefixed("_orig_mod.module.encoder."),
        lambda state: {"epoch": 3, "state_dict": state, "optimizer": {"lr": 0.1}},
        lambda state: {"model": prefixed("module.")(state)},
        lambda state: {"model_state_dict": state, "args": [1, "two"]},
        lambda state: {name: tensor for name, tensor in state.items() if not name.startswith("fc.")},
        lambda state: {name: tensor for name, tensor in state.items() if "num_batches_tracked" not in name},
        lambda state: {
            name: tensor.half().float() if tensor.is_floating_point() else tensor for name, tensor in state.items()
        },
    ],
    ids=[
        "plain",
        "module",
        "backbone",
        "module.model",
        "three",
        "nested",
        "both",
        "args",
        "headless",
        "old",
        "rounded",
    ],
)
def test_weights_are_found_in_what_they_were_wrapped_in(
    whole: State, wrap: Callable[[State], Any], request: pytest.FixtureRequest
) -> None:
    torch.save(wrap(whole), "my.pth")
    expected = wrap(whole) if "rounded" in request.node.name else whole
    assert_has(opened("my.pth"), expected)


def test_safetensors_are_read_and_the_card_names_the_file_as_given(whole: State) -> None:
    Path("weights").mkdir()
    save_file(whole, "weights/my.safetensors")
    found = open_file(read_reference("file:timm/test_resnet:weights/my.safetensors"))
    assert_has(found.backbone, whole)
    assert found.backbone.card.source == "weights/my.safetensors"
    assert found.backbone.card.sha256 == file_sha256(Path("weights/my.safetensors"))
    assert found.files == (Path("weights/my.safetensors"),)


def test_batch_norm_statistics_are_loaded_too(whole: State) -> None:
    changed = {name: tensor + 2 if name.endswith("running_mean") else tensor for name, tensor in whole.items()}
    save_file(changed, "my.safetensors")
    means = {name.partition("graph.")[2]: one for name, one in opened("my.safetensors").stages.named_buffers()}
    assert torch.equal(means["bn1.running_mean"], whole["bn1.running_mean"] + 2)


def test_old_names_in_published_densenets_are_understood() -> None:
    rename = torchvision_design("densenet121").rename
    assert rename("features.denseblock1.denselayer2.norm.1.weight") == "features.denseblock1.denselayer2.norm1.weight"
    assert rename("features.denseblock1.denselayer2.conv2.weight") == "features.denseblock1.denselayer2.conv2.weight"


def test_what_does_not_fit_is_listed_and_counted(whole: State) -> None:
    state = dict(whole)
    state["conv1.0.weight"] = torch.zeros(8, 1, 7, 7)
    state["neck.weight"] = torch.zeros(1)
    for name in [name for name in state if name.startswith("layer4")]:
        del state[name]
    save_file(state, "other.safetensors")
    with pytest.raises(WeightsError) as caught:
        opened("other.safetensors")
    said = str(caught.value)
    assert "other.safetensors does not fit test_resnet: " in said
    assert f"{sum(name.startswith('layer4') and 'num_batches' not in name for name in whole)} (layer4." in said
    assert ", …) missing, 1 (neck.weight) unexpected, 1 (conv1.0.weight is [8, 1, 7, 7] instead of [" in said
    assert "name the architecture that it was saved from" in said


class Malicious:
    """A pickle that would write a file when it is opened."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path("ran").write_text, ("it ran",)


@pytest.mark.parametrize(
    "save", [torch.save, lambda what, path: Path(path).write_bytes(pickle.dumps(what, protocol=2))]
)
def test_a_pickle_that_would_run_code_is_refused_and_not_run(save: Callable[[object, str], object]) -> None:
    save({"state_dict": Malicious()}, "bad.pth")
    with pytest.raises(
        WeightsError, match=r"bad.pth is damaged, or a pickle that .* can run code: save `model.state_dict"
    ):
        opened("bad.pth")
    assert not Path("ran").exists()


@pytest.mark.parametrize("name", ["my.pth", "my.safetensors"])
def test_a_truncated_file_is_told(whole: State, name: str) -> None:
    save_file(whole, name) if name.endswith("safetensors") else torch.save(whole, name)
    content = Path(name).read_bytes()
    for length in (0, 7, len(content) // 2, len(content) - 9):
        Path(name).write_bytes(content[:length])
        with pytest.raises(WeightsError, match=name):
            opened(name)


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 1}, torch.zeros(3)])
def test_a_file_without_named_tensors_is_told(content: object) -> None:
    torch.save(content, "my.pth")
    with pytest.raises(WeightsError, match=r"my\.pth holds no tensors by name"):
        opened("my.pth")


def test_a_missing_file_is_told_with_the_folder_it_was_looked_for_in(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=f"there is no checkpoint none.pth in {tmp_path}"):
        opened("none.pth")


def test_a_name_without_a_file_is_told_how_to_write_it() -> None:
    with pytest.raises(WeightsError, match="names no file: write file:LIBRARY/ARCHITECTURE:PATH"):
        open_file(read_reference("file:timm/test_resnet"))
