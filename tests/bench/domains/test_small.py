"""The small networks of the domains keep the contract of backbones, and read what examples there are."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.backbone import Backbone, run_stages
from bench.domain import Raw
from bench.domains.audio.raw import AudioArray
from bench.domains.registered import domain_named
from bench.domains.series.raw import Windows
from bench.domains.text.raw import Texts
from bench.domains.text.small import parts
from bench.domains.vision.files import ImageFiles
from bench.domains.vision.raw import ImageArray
from bench.runtime.cache import file_sha256
from bench.testing import BACKBONE_CHECKS, BackboneCheck

RANDOM = np.random.default_rng(0)
EXAMPLES: dict[str, Raw] = {
    "vision": ImageArray(RANDOM.integers(0, 256, (6, 8, 11, 1)).astype(np.uint8)),
    "text": Texts(("good", "not good at all", "", "!", "the end", "a b")),
    "audio": AudioArray(RANDOM.uniform(-1, 1, (6, 4000)).astype(np.float32), 8_000),
    "series": Windows(RANDOM.standard_normal((6, 40)).cumsum(1), 12, np.ones(6)),
}
CUT_IN_TWO = ("steps_move_exactly", "training_leaves")
NEEDLESS = {"text": CUT_IN_TWO, "series": (*CUT_IN_TWO, "initialising_forgets", "every_parameter_matters")}
"""Checks of what a network does not have: a second stage, or any weight below its head."""


def small_of(domain: str, raw: Raw | None = None) -> Backbone:
    make = domain_named(domain).small
    assert make is not None
    return make(raw or EXAMPLES[domain])


@pytest.mark.parametrize("check", BACKBONE_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("domain", EXAMPLES)
def test_the_contract_of_backbones_is_kept(domain: str, check: BackboneCheck) -> None:
    if not check.__name__.startswith(NEEDLESS.get(domain, "-")):
        check(small_of(domain), EXAMPLES[domain])


@pytest.mark.parametrize("domain", EXAMPLES)
def test_they_are_small_and_said_to_be_untrained(domain: str) -> None:
    card = small_of(domain).card
    assert card.domain == domain
    assert card.parameters < 1_000_000
    assert "never trained" in card.source


def test_pictures_in_files_are_seen_as_those_in_memory(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 256, (2, 9, 14, 3)).astype(np.uint8)
    paths = tuple(tmp_path / f"{number}.png" for number in range(2))
    for path, picture in zip(paths, pixels, strict=True):
        Image.fromarray(picture).save(path)
    files = ImageFiles(paths, tuple(map(file_sha256, paths)))
    network = small_of("vision")
    assert torch.equal(network.prepare(files).values, network.prepare(ImageArray(pixels)).values)
    assert network.prepare(files).values.shape == (2, 3, 32, 32)


def test_a_text_is_its_words_and_their_parts() -> None:
    assert list(parts("Ab c!")) == ["<ab>", "<ab", "ab>", "<ab>", "<c>", "<c>", "<!>", "<!>"]
    assert list(parts("")) == ["<>"]


def test_a_short_recording_is_read() -> None:
    short = AudioArray(np.zeros((2, 10), dtype=np.float32), 8_000)
    network = small_of("audio")
    assert run_stages(network.stages, network.prepare(short)).values.shape == (2, 64)


@pytest.mark.parametrize(("season", "context", "steps"), [(12, 40, 12), (1, 40, 8), (52, 40, 40)])
def test_a_series_is_its_last_season_or_a_few_steps(season: int, context: int, steps: int) -> None:
    past = np.arange(3 * context, dtype=np.float64).reshape(3, context)
    windows = Windows(past, season, np.ones(3))
    network = small_of("series", windows)
    expected = (past - past.mean(1, keepdims=True)) / past.std(1, keepdims=True)
    np.testing.assert_allclose(network.prepare(windows).values, expected[:, -steps:], rtol=1e-5, atol=1e-6)
    assert (network.card.width, network.card.parameters) == (steps, 0)
