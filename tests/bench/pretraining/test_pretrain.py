"""Pretraining writes weights that load, with a card that tells the truth about them."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from bench_tasks.bundled.spoken_digits import DIGITS, TEST_VARIANTS, TRAIN_VARIANTS

from bench.backbones.bundled import opening
from bench.backbones.bundled.opening import load_bundled
from bench.card import BackboneCard
from bench.pretraining import pretrain as pretraining
from bench.pretraining.letters import CLASSES, FONTS, HELD_OUT_FONTS, Letters
from bench.pretraining.words import HELD_OUT_VARIANTS, VARIANTS, WORDS
from bench.task import Splits


class FewLetters(Letters):
    """Some of the letters."""

    def load(self) -> Splits:
        splits = super().load()
        keep = torch.arange(0, len(splits.train), 16).numpy()
        return Splits(splits.train.take(keep), splits.test.take(keep[keep < len(splits.test)]))


def quickly(folder: Path, monkeypatch: pytest.MonkeyPatch) -> BackboneCard:
    made = pretraining.PRETRAININGS["glyphs"]
    quick = replace(made, source=FewLetters(), steps=3, recipe=made.recipe.model_copy(update={"batch_size": 16}))
    monkeypatch.setattr(pretraining, "PRETRAININGS", {"glyphs": quick})
    return pretraining.pretrain("glyphs", "cpu", folder)


def test_the_same_seed_makes_the_same_bytes_and_they_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "again").mkdir()
    card, again = quickly(tmp_path, monkeypatch), quickly(tmp_path / "again", monkeypatch)
    assert card == again
    monkeypatch.setattr(opening, "bundled_card", lambda name: card)
    backbone = load_bundled("glyphs", tmp_path)
    assert sum(parameter.numel() for parameter in backbone.parameters()) == card.parameters
    assert card.pretraining["steps"] == 3
    assert 0 <= card.pretraining["held_out_accuracy"] <= 1


def test_no_target_class_is_among_what_is_pretrained_on() -> None:
    assert not any(letter.isdigit() for letter in "".join(CLASSES))
    alike = {"for", "fore", "to", "too", "won", "ate", "oh", "sicks", "nein"}
    assert not (set(DIGITS) | alike) & set(WORDS)


def test_no_voice_of_the_task_is_pretrained_on() -> None:
    assert not (set(VARIANTS) | set(HELD_OUT_VARIANTS)) & (set(TRAIN_VARIANTS) | set(TEST_VARIANTS))


def test_letters_are_held_out_by_whole_fonts() -> None:
    assert not set(FONTS) & set(HELD_OUT_FONTS)
    splits = Letters().load()
    assert set(splits.test.labels.tolist()) <= set(splits.train.labels.tolist())


@pytest.mark.parametrize("n", [1, 3])
def test_letters_seen_anew_keep_their_shape_and_follow_their_generator(n: int) -> None:
    values = torch.rand(n, 1, 32, 32)
    one, same, other = (Letters().augment(values, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert one.shape == values.shape
    assert one.isfinite().all()
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
