"""A cache entry is whole or made anew, made once however many want it, and the least used go first."""

import multiprocessing
import os
import time
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.runtime.cache import Cache, content_key, default_cache


class Maker:
    """Writes an entry and counts how often it was asked to."""

    def __init__(self, content: bytes = b"content") -> None:
        self.content = content
        self.calls = 0

    def __call__(self, path: Path) -> None:
        self.calls += 1
        path.write_bytes(self.content)


def test_an_entry_is_made_once_and_outlives_the_process_that_made_it(tmp_path: Path) -> None:
    make = Maker()
    for cache in (Cache(tmp_path), Cache(tmp_path)):
        for _ in range(2):
            assert cache.fetch("key", "an entry", make).read_bytes() == b"content"
    assert make.calls == 1


@pytest.mark.parametrize("damage", [b"", b"conten", b"contenT", b"content and more"])
def test_a_damaged_entry_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    make = Maker()
    Cache(tmp_path).fetch("key", "an entry", make).write_bytes(damage)
    assert Cache(tmp_path).fetch("key", "an entry", make).read_bytes() == b"content"
    assert make.calls == 2


def test_an_entry_without_its_note_was_never_finished(tmp_path: Path) -> None:
    make = Maker()
    Cache(tmp_path).fetch("key", "an entry", make)
    (tmp_path / "key.json").unlink()
    Cache(tmp_path).fetch("key", "an entry", make)
    assert make.calls == 2


def test_a_maker_that_fails_leaves_no_entry(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("out of paper")

    cache = Cache(tmp_path)
    with pytest.raises(RuntimeError, match="out of paper"):
        cache.fetch("key", "an entry", fail)
    assert not list(cache.entries())
    assert cache.fetch("key", "an entry", Maker()).read_bytes() == b"content"


def make_slowly(folder: Path) -> None:
    def make(path: Path) -> None:
        with (folder / "calls").open("a") as calls:
            calls.write("x")
        time.sleep(0.2)
        path.write_bytes(b"content")

    assert Cache(folder / "cache").fetch("key", "an entry", make).read_bytes() == b"content"


def test_processes_that_want_the_same_entry_make_it_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    crew = [context.Process(target=make_slowly, args=(tmp_path,)) for _ in range(3)]
    for process in crew:
        process.start()
    for process in crew:
        process.join()
    assert [process.exitcode for process in crew] == [0, 0, 0]
    assert (tmp_path / "calls").read_text() == "x"


def test_the_least_recently_used_go_when_the_folder_is_full(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit_bytes=25)
    for age, key in ((30, "old"), (20, "older in use"), (10, "newer")):
        cache.fetch(key, key, Maker(b"0123456789"))
        os.utime(tmp_path / f"{key}.json", (time.time() - age, time.time() - age))
    assert {entry.key for entry in cache.entries()} == {"older in use", "newer"}
    cache.fetch("older in use", "", Maker())
    cache.fetch("newest", "newest", Maker(b"0123456789"))
    assert {entry.key for entry in cache.entries()} == {"older in use", "newest"}


def test_clearing_leaves_nothing(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.fetch("key", "an entry", Maker())
    cache.clear()
    assert not list(tmp_path.iterdir())


def test_a_key_changes_with_every_part_and_with_their_order() -> None:
    assert (
        len({content_key("a", 1), content_key("a", 2), content_key(1, "a"), content_key("a1"), content_key("a", 1, "")})
        == 5
    )


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    assert default_cache().root == tmp_path


def test_a_cache_that_cannot_be_written_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BenchError, match=r"cannot write the cache .*set BENCH_CACHE"):
        Cache(tmp_path / "file" / "cache").fetch("key", "an entry", Maker())
