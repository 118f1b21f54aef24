"""Bundled weights come back as they were saved, and damaged ones are refused with how to mend them."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.backbones import catalog
from bench.backbones.bundled import opening
from bench.backbones.bundled.opening import load_bundled, save_bundled
from bench.errors import UnknownNameError, WeightsError
from bench.runtime.cache import Cache


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in catalog.WEIGHTS.iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", catalog.BUNDLED)
def test_what_is_saved_is_what_is_loaded_to_half_precision(name: str, tmp_path: Path) -> None:
    backbone = load_bundled(name)
    save_bundled(backbone, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (catalog.WEIGHTS / f"{name}.safetensors").read_bytes()
    assert all(parameter.dtype == torch.float32 for parameter in backbone.parameters())


@pytest.mark.parametrize("name", catalog.BUNDLED)
def test_a_card_says_how_its_backbone_was_made(name: str) -> None:
    said = catalog.bundled_card(name).pretraining
    assert said["seed"] == 0
    assert said["steps"] > 0
    assert said["recipe"]["learning_rate"] > 0
    assert any(key.startswith("held_out_") for key in said)


@settings(max_examples=10)
@given(where=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_one_changed_byte_is_noticed(tmp_path_factory: pytest.TempPathFactory, where: float, flip: int) -> None:
    folder = tmp_path_factory.mktemp("weights")
    content = bytearray((catalog.WEIGHTS / "series.safetensors").read_bytes())
    content[int(where * len(content))] ^= flip
    (folder / "series.safetensors").write_bytes(content)
    with pytest.raises(WeightsError, match=r"is not the file its card names.*`python -m bench pretrain series`"):
        load_bundled("series", folder)


def test_missing_weights_say_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"cannot read the weights .*`python -m bench pretrain glyphs`"):
        load_bundled("glyphs", tmp_path)


def test_a_damaged_card_is_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "WEIGHTS", folder)
    (folder / "glyphs.json").write_text(json.dumps({"name": "bundled:glyphs"}))
    with pytest.raises(WeightsError, match="cannot read the card"):
        catalog.describe("bundled:glyphs", Cache(tmp_path))


def test_an_unknown_backbone_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown backbone 'bundled:glyph'; did you mean 'bundled:glyphs'"):
        catalog.describe("bundled:glyph", Cache(tmp_path))


def test_only_a_forecaster_keeps_the_head_it_was_pretrained_with() -> None:
    kept = {name: load_bundled(name).pretrained is not None for name in opening.ARCHITECTURES}
    assert kept == {"glyphs": False, "spoken-words": False, "series": True}
