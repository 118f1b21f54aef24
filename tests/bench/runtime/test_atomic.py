"""A file is whole or as it was, whoever writes it, and nothing temporary stays behind."""

import errno
import os
import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from bench.runtime.atomic import replaced_name, replacing, write_whole


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        write_whole(tmp_path / "file", content)
        assert (tmp_path / "file").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, OSError])
def test_a_writer_that_fails_leaves_the_file_as_it_was(tmp_path: Path, failure: type[BaseException]) -> None:
    def fail() -> None:
        with replacing(tmp_path / "file") as temporary:
            temporary.write_bytes(b"ha")
            raise failure

    write_whole(tmp_path / "file", b"whole")
    with pytest.raises(failure):
        fail()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"whole")]


def test_the_content_is_flushed_before_the_file_has_its_name_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, bool]] = []

    def fsync(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        seen.append((kind, (tmp_path / "file").exists()))

    monkeypatch.setattr("os.fsync", fsync)
    write_whole(tmp_path / "file", b"whole")
    assert seen == [("file", False), ("folder", True)]


def test_what_need_not_outlive_a_power_failure_is_not_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _: pytest.fail("flushed"))
    with replacing(tmp_path / "file", durable=False) as temporary:
        temporary.write_bytes(b"whole")
    assert (tmp_path / "file").read_bytes() == b"whole"


@pytest.mark.parametrize(
    ("number", "raised"),
    [(errno.EINVAL, nullcontext()), (errno.EIO, pytest.raises(OSError, match=os.strerror(errno.EIO)))],
)
def test_a_folder_that_cannot_be_flushed_is_no_failure_but_a_failing_disk_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, raised: AbstractContextManager[object]
) -> None:
    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.fsync", fsync)
    with raised:
        write_whole(tmp_path / "file", b"whole")
    assert (tmp_path / "file").read_bytes() == b"whole"


def test_an_interrupt_while_a_file_takes_its_place_comes_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", lambda _: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "file") as temporary:
        temporary.write_bytes(b"whole")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"whole")]


def test_an_interrupt_while_a_whole_file_is_written_comes_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def interrupted(path: Path, content: bytes) -> int:
        signal.raise_signal(signal.SIGINT)
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "file", b"whole")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"whole")]


def test_threads_that_write_one_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    contents = [bytes([number]) * 200_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_whole(tmp_path / "file", content), contents * 4))
    assert (tmp_path / "file").read_bytes() in contents
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_has_the_usual_permissions_whatever_its_writer_gave_it(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    with replacing(tmp_path / "file") as temporary:
        temporary.write_bytes(b"whole")
        temporary.chmod(0o600)
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("letter", ["a", "ä", "🐜"])
def test_a_name_as_long_as_names_may_be_can_be_written(tmp_path: Path, letter: str) -> None:
    path = tmp_path / (letter * (255 // len(letter.encode())))
    write_whole(path, b"whole")
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_a_temporary_name_tells_which_file_it_is_of(tmp_path: Path) -> None:
    with replacing(tmp_path / "notes.json") as temporary:
        assert replaced_name(temporary.name) == "notes.json"
    for other in ("notes.json", "notes.partial", ".notes.json.partial", ".notes.json.1-x.partial"):
        assert replaced_name(other) is None
