"""Speech Commands is read from its folder tree, with the split that its lists make."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from bench_tasks.opening import guess_family, open_task

from bench.config.data import DataSpec
from bench.domains.audio.files import AudioFiles
from bench.domains.audio.raw import from_16_bits
from bench.domains.options import DataOptions
from bench.errors import DataError, UnknownNameError
from bench.runtime.cache import Cache
from bench.targets.classes import Classes
from bench.task import Task
from tests.formats import RATE_HZ, SPEAKERS, tone, write_speech_commands
from tests.offline import cut_network
from tests.toys import classes_of


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home for torch's downloads, without a network."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    cut_network(monkeypatch)
    return tmp_path / "torch" / "datasets" / "SPEECHCOMMANDS"


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def commands(home: Path) -> Path:
    return write_speech_commands(home.parent)


def open_commands(cache: Cache, **options: object) -> Task:
    spec = DataSpec("audio_classification", "torchaudio:SPEECHCOMMANDS", DataOptions.model_validate(options))
    return open_task("words", spec, cache)


def test_the_split_is_that_of_its_lists_and_the_validation_list_is_left_alone(commands: Path, cache: Cache) -> None:
    task = open_commands(cache)
    split = task.split(0, cache)
    assert isinstance(task.target, Classes)
    assert task.target.names == ("left", "right")
    assert isinstance(split.train.raw, AudioFiles)
    assert isinstance(split.test.raw, AudioFiles)
    heard = [Path(str(path)).name for path in (*split.train.raw.paths, *split.test.raw.paths)]
    speakers = [name.partition("_")[0] for name in heard]
    assert speakers == [SPEAKERS[0], SPEAKERS[1], SPEAKERS[0], SPEAKERS[1], SPEAKERS[3], SPEAKERS[3]]
    assert classes_of(split.train).tolist() == [0, 0, 1, 1]
    assert any("validation_list.txt are not used" in remark for remark in task.card.remarks)
    assert (task.card.licence, task.card.title) == ("CC-BY-4.0", "Speech Commands")


def test_recordings_last_a_second_at_16_khz_whatever_the_longest_lasts(commands: Path, cache: Cache) -> None:
    split = open_commands(cache).split(0, cache)
    assert isinstance(split.train.raw, AudioFiles)
    waveforms = split.train.raw.waveforms()
    assert (waveforms.rate_hz, waveforms.samples.shape) == (RATE_HZ, (4, RATE_HZ))
    np.testing.assert_array_equal(waveforms.samples[1], from_16_bits(tone(1, RATE_HZ)))
    shorter = open_commands(cache, seconds=0.5, rate_hz=8_000).split(0, cache)
    assert isinstance(shorter.train.raw, AudioFiles)
    assert shorter.train.raw.waveforms().samples.shape == (4, 4_000)


def test_the_second_time_it_is_the_same_task_and_a_changed_file_makes_it_another(commands: Path, cache: Cache) -> None:
    first, again = open_commands(cache), open_commands(cache)
    assert again is not first
    assert again.card == first.card
    soundfile.write(commands / "left" / f"{SPEAKERS[0]}_nohash_0.wav", tone(77, RATE_HZ), RATE_HZ)
    assert open_commands(cache).card.sha256 != first.card.sha256


def test_a_recording_that_a_list_names_and_that_is_missing_is_told(commands: Path, cache: Cache) -> None:
    (commands / "right" / f"{SPEAKERS[3]}_nohash_0.wav").unlink()
    with pytest.raises(DataError, match=r"1 of 6 files .* are missing .*right/3b4f8f24_nohash_0.wav"):
        open_commands(cache)


def test_a_truncated_recording_is_named_and_left_out_if_asked_to(commands: Path, cache: Cache) -> None:
    path = commands / "left" / f"{SPEAKERS[0]}_nohash_0.wav"
    path.write_bytes(path.read_bytes()[:1_000])
    with pytest.raises(DataError, match=r"left/0a7c2a8d_nohash_0.wav is truncated"):
        open_commands(cache)
    assert open_commands(cache, skip_bad=True).card.n_train == 3


def test_it_is_too_large_to_be_fetched_unasked(cache: Cache) -> None:
    with pytest.raises(DataError, match=r"2,316 MiB are too much to fetch unasked \(licence: CC-BY-4.0\): run `bench"):
        open_commands(cache)


def test_a_damaged_archive_is_told_and_what_to_delete(
    home: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir(parents=True)
    (home / "speech_commands_v0.02.tar.gz").write_bytes(b"\x1f\x8b\x08 half an archive")
    monkeypatch.setattr("bench.files.downloads.LARGE_BYTES", 2**40)
    with pytest.raises(DataError, match=f"could not be unpacked in {home} .*delete that folder"):
        open_commands(cache)


def test_other_data_sets_are_unknown_and_the_family_is_plain(cache: Cache) -> None:
    spec = DataSpec("audio_classification", "torchaudio:SPEECHCOMMAND")
    with pytest.raises(UnknownNameError, match="did you mean 'SPEECHCOMMANDS'"):
        open_task("words", spec, cache)
    assert guess_family("torchaudio:SPEECHCOMMANDS", {}, cache) == "audio_classification"
