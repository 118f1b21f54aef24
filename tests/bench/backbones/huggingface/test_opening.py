"""A model of the hub is found where it lies and opened without a network; what cannot be opened says why."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from huggingface_hub import constants
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError
from safetensors.torch import load_file, save_file

from bench.backbone import Backbone, state_hash
from bench.backbones.huggingface import files
from bench.backbones.huggingface.opening import build_untrained, open_huggingface
from bench.backbones.opened import Opened, read_reference
from bench.domains.text.raw import Texts
from bench.errors import UnknownNameError, WeightsError
from bench.runtime.cache import file_sha256
from tests.bench.backbones.huggingface.snapshots import write_image_model, write_text_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bert").mkdir()
    return write_text_model(tmp_path / "bert", "bert")


@pytest.fixture(autouse=True)
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache of the hub's library, which is told that there is no network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def opened(place: object, query: str = "") -> Opened:
    return open_huggingface(read_reference(f"hf:{place}{query}"))


def features(backbone: Backbone) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = backbone(backbone.prepare(Texts(("w1 w2 w3", "w4"))))
    return found


def put_in_cache(folder: Path, cache: Path, branch: str = "main") -> None:
    """Put a snapshot where the hub's library keeps that of `org/tiny`."""
    kept = cache / "models--org--tiny"
    shutil.copytree(folder, kept / "snapshots" / COMMIT)
    (kept / "refs").mkdir()
    (kept / "refs" / branch).write_text(COMMIT)


def test_a_cached_snapshot_is_opened_without_a_network(folder: Path, hub_cache: Path) -> None:
    put_in_cache(folder, hub_cache)
    found = opened("org/tiny")
    assert found.backbone.card.name == "hf:org/tiny"
    assert found.backbone.card.source == "https://huggingface.co/org/tiny"
    assert found.backbone.card.sha256 == file_sha256(folder / "model.safetensors")
    assert found.backbone.card.stages == ("embeddings", "layer1", "layer2", "layer3")
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {path.name for path in found.files}
    assert torch.equal(features(found.backbone), features(opened(folder).backbone))


def test_the_revision_that_is_asked_for_is_the_one_that_is_opened(folder: Path, hub_cache: Path) -> None:
    put_in_cache(folder, hub_cache, branch="v2")
    assert opened("org/tiny", "?revision=v2").backbone.card.sha256 == file_sha256(folder / "model.safetensors")
    with pytest.raises(WeightsError, match="neither in the local Hugging Face cache"):
        opened("org/tiny")


def test_a_model_that_is_not_there_says_where_it_was_looked_for_and_what_to_run(hub_cache: Path) -> None:
    with pytest.raises(
        WeightsError,
        match=rf"org/tiny is neither .*{hub_cache}.*HF_HUB_OFFLINE is set.*bench fetch --backbone hf:org/tiny",
    ):
        opened("org/tiny")


def test_a_snapshot_that_was_fetched_in_part_is_not_taken_for_whole(folder: Path, hub_cache: Path) -> None:
    (folder / "model.safetensors").unlink()
    put_in_cache(folder, hub_cache)
    with pytest.raises(WeightsError, match="bench fetch --backbone hf:org/tiny"):
        opened("org/tiny")


@pytest.mark.parametrize(
    ("refusal", "kind", "said"),
    [
        (GatedRepoError, WeightsError, "is gated: accept its terms"),
        (RepositoryNotFoundError, UnknownNameError, "the hub has no such model, or it is private"),
        (RevisionNotFoundError, UnknownNameError, "has no revision 'v3'"),
    ],
)
def test_what_the_hub_refuses_is_told_apart(
    refusal: type[HfHubHTTPError], kind: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(hub_id: str, **settings: object) -> None:
        raise refusal("no", response=SimpleNamespace(headers={}, request=None, status_code=404))  # type: ignore[arg-type]

    monkeypatch.setattr(files, "model_info", refuse)
    with pytest.raises(kind, match=said):
        opened("org/tiny", "?revision=v3")


def test_what_is_neither_a_folder_nor_an_id_is_an_unknown_name() -> None:
    with pytest.raises(UnknownNameError, match="there is no such folder, and a model on the hub is called ORG/MODEL"):
        opened("models/that/are/not/there")


def test_weights_in_several_files_are_one_model(tmp_path: Path) -> None:
    one, several = tmp_path / "one", tmp_path / "several"
    one.mkdir()
    several.mkdir()
    write_text_model(one, "bert")
    write_text_model(several, "bert", max_shard_size="10KB")
    assert len(list(several.glob("model-*-of-*.safetensors"))) > 1
    found = opened(several).backbone
    assert torch.equal(features(found), features(opened(one).backbone))
    assert found.card.sha256 != opened(one).backbone.card.sha256


def test_the_older_format_is_read_unless_it_would_run_code(folder: Path) -> None:
    expected = features(opened(folder).backbone)
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin")
    assert torch.equal(features(opened(folder).backbone), expected)
    torch.save({**state, "trap": shutil.rmtree}, folder / "pytorch_model.bin")
    with pytest.raises(WeightsError, match="cannot read the weights"):
        opened(folder)


@pytest.mark.parametrize(
    "damage", [lambda content: content[: len(content) // 2], lambda content: b"", lambda content: b"\xff" * 100]
)
def test_damaged_weights_are_refused(damage: Callable[[bytes], bytes], folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(WeightsError, match="cannot read the weights"):
        opened(folder)


def test_weights_that_lack_a_layer_are_refused(folder: Path) -> None:
    state = load_file(folder / "model.safetensors")
    kept = {key: tensor for key, tensor in state.items() if "layer.1" not in key}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsError, match=r"not for its architecture: 16 of its parameters.*encoder.layer.1"):
        opened(folder)


def test_a_model_with_code_of_its_own_is_refused(folder: Path) -> None:
    said = json.loads((folder / "config.json").read_text())
    said |= {"model_type": "strange", "auto_map": {"AutoModel": "modeling.Strange"}}
    (folder / "config.json").write_text(json.dumps(said))
    (folder / "modeling.py").write_text("raise SystemExit('this ran')")
    with pytest.raises(WeightsError, match=r"'strange', which .* does not know: it brings code of its own"):
        opened(folder)
    del said["auto_map"]
    (folder / "config.json").write_text(json.dumps(said))
    with pytest.raises(WeightsError, match=r"'strange', which transformers .* does not know: a newer"):
        opened(folder)


def test_a_folder_without_weights_says_how_to_do_without(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=f"there are no weights in {folder}.*say 'untrained:hf/{folder}'"):
        opened(folder)


def test_untrained_weights_are_always_the_same(folder: Path, tmp_path: Path) -> None:
    trained = opened(folder).backbone
    (folder / "model.safetensors").unlink()
    one, other = (build_untrained(read_reference(f"untrained:hf/{folder}")) for _ in range(2))
    assert state_hash(one) == state_hash(other) == one.card.sha256 != state_hash(trained)
    assert not torch.equal(features(one), features(trained))
    (tmp_path / "vit").mkdir()
    images = build_untrained(read_reference(f"untrained:hf/{write_image_model(tmp_path / 'vit', 'vit')}"))
    assert images.card.domain == "vision"


def test_the_licence_is_the_one_the_readme_gives(folder: Path) -> None:
    assert opened(folder).backbone.card.licence == "not said: see the source"
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Tiny\n")
    assert opened(folder).backbone.card.licence == "apache-2.0"


def test_a_setting_that_does_not_exist_is_told_with_the_nearest(folder: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'longest'"):
        opened(folder, "?longst=3")


def test_a_text_model_without_a_tokenizer_is_refused(folder: Path) -> None:
    for path in folder.glob("token*"):
        path.unlink()
    with pytest.raises(WeightsError, match="is taken for a text model, but no tokenizer can be read"):
        opened(folder)
