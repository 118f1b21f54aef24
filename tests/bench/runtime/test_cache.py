"""A cache entry is whole or made anew, made once however many want it, and the least used go first."""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from bench.errors import BenchError
from bench.runtime.cache import Cache, content_key, default_cache
from bench.runtime.cache_folder import TAG

KEY = content_key("key")


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
            assert cache.fetch(KEY, "an entry", make).read_bytes() == b"content"
    assert make.calls == 1


@pytest.mark.parametrize("damage", [b"", b"conten", b"contenT", b"content and more"])
def test_a_damaged_entry_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    make = Maker()
    Cache(tmp_path).fetch(KEY, "an entry", make).write_bytes(damage)
    assert Cache(tmp_path).fetch(KEY, "an entry", make).read_bytes() == b"content"
    assert make.calls == 2


def test_an_entry_without_its_note_was_never_finished(tmp_path: Path) -> None:
    make = Maker()
    Cache(tmp_path).fetch(KEY, "an entry", make)
    (tmp_path / f"{KEY}.json").unlink()
    Cache(tmp_path).fetch(KEY, "an entry", make)
    assert make.calls == 2


def test_a_maker_that_fails_leaves_no_entry(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("out of paper")

    cache = Cache(tmp_path)
    with pytest.raises(RuntimeError, match="out of paper"):
        cache.fetch(KEY, "an entry", fail)
    assert not list(cache.entries())
    assert cache.fetch(KEY, "an entry", Maker()).read_bytes() == b"content"


def make_slowly(folder: Path) -> None:
    def make(path: Path) -> None:
        with (folder / "calls").open("a") as calls:
            calls.write("x")
        time.sleep(0.2)
        path.write_bytes(b"content")

    assert Cache(folder / "cache").fetch(KEY, "an entry", make).read_bytes() == b"content"


def test_processes_that_want_the_same_entry_make_it_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=make_slowly, args=(tmp_path,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert (tmp_path / "calls").read_text() == "x"


def test_the_least_recently_used_go_when_the_folder_is_full(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit_bytes=25)
    for age, name in ((30, "old"), (20, "older in use"), (10, "newer")):
        cache.fetch(content_key(name), name, Maker(b"0123456789"))
        os.utime(tmp_path / f"{content_key(name)}.json", (time.time() - age, time.time() - age))
    assert {entry.description for entry in cache.entries()} == {"older in use", "newer"}
    assert cache.get(content_key("older in use")) is not None
    cache.fetch(content_key("newest"), "newest", Maker(b"0123456789"))
    assert {entry.description for entry in cache.entries()} == {"older in use", "newest"}


def test_only_entries_are_evicted_and_counted(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit_bytes=25)
    cache.claim()
    others = foreign_files(tmp_path)
    for name in ("first", "second", "third"):
        cache.fetch(content_key(name), name, Maker(b"0123456789"))
    assert {entry.description for entry in cache.entries()} == {"second", "third"}
    assert contents(others) == contents(others, anew=True)


def test_there_is_an_entry_or_none(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    assert cache.get(KEY) is None
    assert cache.read(KEY) is None
    assert not (tmp_path / "cache").exists()
    path = cache.fetch(KEY, "an entry", Maker())
    assert cache.get(KEY) == path
    assert cache.read(KEY) == b"content"
    cache.discard(KEY)
    assert cache.get(KEY) is None


def test_an_entry_that_is_removed_before_it_is_opened_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(tmp_path)
    path = cache.fetch(KEY, "an entry", Maker())
    monkeypatch.setattr(cache, "get", lambda _: path)
    path.unlink()
    assert cache.read(KEY) is None


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"description": "", "size_bytes": "many", "sha256": ""}'])
def test_what_is_no_note_is_no_entry(tmp_path: Path, content: str | None) -> None:
    cache = Cache(tmp_path)
    cache.fetch(KEY, "an entry", Maker())
    note = tmp_path / f"{KEY}.json"
    if content is None:  # removed since the folder was listed
        note.unlink()
        note.symlink_to("nowhere")
    else:
        note.write_text(content)
    assert cache.get(KEY) is None
    assert cache.entries() == []


def test_threads_that_read_what_others_discard_and_clear_find_it_or_miss_it(tmp_path: Path) -> None:
    """Every thread does the same number of steps, each at once with whatever the others do."""
    keys = [content_key(number) for number in range(3)]
    shared, together = Cache(tmp_path), Barrier(6)

    def make(path: Path) -> None:
        path.write_bytes(b"content")

    def make_all(paths: Mapping[str, Path]) -> None:
        for path in paths.values():
            make(path)

    def use(number: int) -> set[bytes | None]:
        cache = shared if number % 2 else Cache(tmp_path)  # as a thread, and as another process, would
        found = set()
        together.wait()
        for step in range(150):
            key = keys[(number + step) % len(keys)]
            match number // 2:
                case 0:
                    cache.fetch(key, "an entry", make)
                    found.add(cache.read(key))
                case 1:
                    cache.fetch_all(dict.fromkeys(keys, "an entry"), make_all)
                    list(cache.entries())
                    found.add(cache.read(key))
                case _:
                    cache.clear() if step % 10 == 0 else cache.discard(key)
        return found

    with ThreadPoolExecutor(6) as pool:
        found = set().union(*pool.map(use, range(6)))
    assert found <= {b"content", None}
    assert b"content" in found
    assert {path.name for path in tmp_path.iterdir() if path.name.endswith(".partial")} == set()


def test_what_a_killed_process_left_is_removed_by_the_next_that_makes_the_entry(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.claim()
    for name in (f".{KEY}.bin.17-4.partial", f"{KEY}.partial"):  # of this version and the first
        (tmp_path / name).write_bytes(b"half")
    cache.fetch(KEY, "an entry", Maker())
    assert {path.name for path in tmp_path.iterdir()} == {f"{KEY}{suffix}" for suffix in (".bin", ".json", ".lock")} | {
        TAG
    }


def test_the_folder_is_marked_as_a_cache(tmp_path: Path) -> None:
    Cache(tmp_path / "cache").fetch(KEY, "an entry", Maker())
    assert (tmp_path / "cache" / TAG).read_bytes()[:43] == b"Signature: 8a477f597d28d172789f06886806bc55"


def test_clearing_leaves_the_mark_alone(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.fetch(KEY, "an entry", Maker())
    cache.clear()
    assert [path.name for path in tmp_path.iterdir()] == [TAG]
    assert cache.get(KEY) is None


def test_clearing_what_is_not_there_makes_nothing(tmp_path: Path) -> None:
    Cache(tmp_path / "cache").clear()
    assert not (tmp_path / "cache").exists()


def foreign_files(folder: Path) -> list[Path]:
    """Write files that look a little like those of a cache, and return their paths."""
    names = (
        "notes.json",
        "notes.bin",
        "notes.lock",
        "thesis.partial",
        f"{'g' * 40}.bin",
        f"{'A' * 40}.json",
        f"{'a' * 41}.bin",
        f"{'a' * 40}.txt",
        f"{'a' * 40}/{'b' * 40}.bin",
        "unpacked/photos/ant.png",
        f"unpacked/{'a' * 39}/ant.png",
        f"fetched/{'a' * 12}/table.csv",
    )
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    return paths


def contents(paths: Iterable[Path], *, anew: bool = False) -> dict[Path, str]:
    return {path: path.read_text() if anew else path.name for path in paths}


def test_clearing_removes_nothing_but_what_was_written_here(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.fetch(KEY, "an entry", Maker())
    others = foreign_files(tmp_path)
    for name in (KEY, f"{KEY}.partial"):
        (tmp_path / "unpacked" / name).mkdir()
        (tmp_path / "unpacked" / name / "ant.png").touch()
    (tmp_path / "unpacked" / f"{KEY}.lock").touch()
    (tmp_path / f".{KEY}.bin.17-4.partial").touch()
    cache.clear()
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {*others, tmp_path / TAG}
    assert contents(others, anew=True) == contents(others)
    assert not (tmp_path / "unpacked" / KEY).exists()


def test_clearing_does_not_follow_links(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    cache.fetch(KEY, "an entry", Maker())
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "ant.png").touch()
    (tmp_path / "cache" / "unpacked").mkdir()
    (tmp_path / "cache" / "unpacked" / KEY).symlink_to(tmp_path / "photos")
    (tmp_path / "cache" / f"{content_key('link')}.bin").symlink_to(tmp_path / "photos" / "ant.png")
    cache.clear()
    assert (tmp_path / "photos" / "ant.png").exists()


def test_clearing_leaves_what_is_being_made(tmp_path: Path) -> None:
    cache = Cache(tmp_path)

    def make(path: Path) -> None:
        path.write_bytes(b"con")
        Cache(tmp_path).clear()
        with path.open("ab") as file:
            file.write(b"tent")

    assert cache.fetch(KEY, "an entry", make).read_bytes() == b"content"


@pytest.mark.parametrize(
    "name", ["notes.json", "photos/ant.png", "unpacked/photos/ant.png", f"{'a' * 40}.bin", ".git/x"]
)
@pytest.mark.parametrize(
    "use",
    [
        lambda cache: cache.clear(),
        lambda cache: cache.claim(),
        lambda cache: cache.fetch(KEY, "an entry", Maker()),
    ],
    ids=["clear", "claim", "fetch"],
)
def test_a_folder_that_holds_other_things_is_refused_and_stays_as_it_is(
    tmp_path: Path, name: str, use: Callable[[Cache], object]
) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(
        BenchError, match=r"holds .*not of this program's cache: let BENCH_CACHE name a new or an empty"
    ):
        use(Cache(tmp_path))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("content", ["", "Signature: 8a477f597d28d172789f06886806bc55\n# of another program\n"])
def test_the_mark_of_another_program_is_not_ours(tmp_path: Path, content: str) -> None:
    (tmp_path / TAG).write_text(content)
    with pytest.raises(BenchError, match=rf"holds {TAG}"):
        Cache(tmp_path).clear()
    assert (tmp_path / TAG).read_text() == content


def test_a_link_is_no_mark(tmp_path: Path) -> None:
    Cache(tmp_path / "cache").claim()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / TAG).symlink_to(tmp_path / "cache" / TAG)
    with pytest.raises(BenchError, match=rf"holds {TAG}"):
        Cache(tmp_path / "home").claim()


def test_the_cache_of_an_earlier_version_is_taken_over(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    make = Maker()
    cache.fetch(KEY, "an entry", make)
    (tmp_path / TAG).unlink()  # as the first version left it
    (tmp_path / f"{content_key('half')}.partial").touch()
    (tmp_path / f"{content_key('half')}.lock").touch()
    for name in (f"unpacked/{KEY}/ant.png", f"unpacked/{KEY}.lock", f"fetched/{'a' * 12}/table.csv", ".DS_Store"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    Cache(tmp_path).fetch(content_key("another"), "another entry", Maker())
    assert (tmp_path / TAG).exists()
    assert cache.fetch(KEY, "an entry", make).read_bytes() == b"content"
    assert make.calls == 1
    Cache(tmp_path).clear()
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {TAG, f"fetched/{'a' * 12}/table.csv", ".DS_Store"}


def test_processes_that_mark_a_folder_at_once_do_not_refuse_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        for number in range(20):
            list(pool.map(lambda cache: cache.claim(), [Cache(tmp_path / str(number))] * 8))
            assert [path.name for path in (tmp_path / str(number)).iterdir()] == [TAG]


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
        Cache(tmp_path / "file" / "cache").fetch(KEY, "an entry", Maker())
