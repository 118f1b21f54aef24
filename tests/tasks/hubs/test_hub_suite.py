"""The suite `hub` reads what it names, once that is there: here it is, made as small as it goes."""

import shutil
from pathlib import Path

import datasets
import pytest
from bench_tasks import FAMILIES
from bench_tasks.hubs.remote import brought_here
from bench_tasks.opening import open_task

from bench.config.data import DataSpec
from bench.config.reading import read_config
from bench.config.suite import Suite
from bench.runtime.cache import Cache
from bench.task import Task
from tests.formats import put_in_hub_cache, write_cifar10, write_speech_commands, write_sst2
from tests.offline import cut_network

CONFIG = Path(__file__).parents[3] / "bench.toml"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make empty caches for all libraries, without a network; return that of torch's data sets."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets.disable_progress_bars()
    cut_network(monkeypatch)
    return tmp_path / "torch" / "datasets"


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture(scope="module")
def suite() -> Suite:
    return read_config(CONFIG, FAMILIES).suite("hub")


def spec_of(suite: Suite, name: str) -> DataSpec:
    return next(entry.spec for entry in suite.entries if entry.task == name)


def opened(suite: Suite, name: str, cache: Cache) -> Task:
    return open_task(name, spec_of(suite, name), cache)


def test_it_compares_two_backbones_on_each_task(suite: Suite) -> None:
    backbones: dict[str, list[str]] = {}
    for entry in suite.entries:
        backbones.setdefault(entry.task, []).append(entry.backbone)
    assert list(backbones) == ["cifar10", "sst2", "speech-commands", "etth1"]
    assert {len(several) for several in backbones.values()} == {2}


def test_it_is_no_part_of_the_suite_of_what_comes_with_the_project() -> None:
    config = read_config(CONFIG, FAMILIES)
    assert not {entry.task for entry in config.suite("all").entries} & set(config.suites["hub"].tasks)


def test_cifar10_is_read(suite: Suite, home: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cifar10(home, monkeypatch)
    assert opened(suite, "cifar10", cache).card.n_train == 30


def test_sst2_is_read(suite: Suite, tmp_path: Path, cache: Cache) -> None:
    folder = write_sst2(tmp_path / "sst2")
    put_in_hub_cache(folder, "stanfordnlp/sst2")
    shutil.rmtree(folder)
    assert opened(suite, "sst2", cache).card.n_train == 20


def test_speech_commands_are_read(suite: Suite, home: Path, cache: Cache) -> None:
    write_speech_commands(home)
    assert opened(suite, "speech-commands", cache).card.n_train == 4


def test_etth1_is_a_table_that_is_fetched_once(suite: Suite, tmp_path: Path, cache: Cache) -> None:
    spec = spec_of(suite, "etth1")
    with pytest.raises(Exception, match="HF_HUB_OFFLINE is set") as caught:
        brought_here(spec, cache, large=False)
    folder = Path(str(caught.value).partition("is not in ")[2].partition(",")[0])
    folder.mkdir(parents=True)
    (folder / "ETTh1.csv").write_text("date,HUFL,HULL,MUFL,MULL,LUFL,LULL,OT\n")
    here = brought_here(spec, cache, large=False)
    assert here.address == f"csv:{folder / 'ETTh1.csv'}"
    assert here.options.source == spec.place
