"""A tar whose members write outside the folder that it is unpacked into, past the filter of some Pythons."""

import io
import os
import shutil
import tarfile
from pathlib import Path

import pytest

LONGEST_PATH = (
    4_000  # that a folder can be made at, on Linux; with a name of 254 letters behind it none can be looked at
)


def member(name: str, *, link: str = "", kind: bytes = tarfile.SYMTYPE, size: int = 3) -> tarfile.TarInfo:
    """Return the header of a file, or of a link or another kind of member if `link` says what it points to."""
    info = tarfile.TarInfo(name)
    if link:
        info.type, info.linkname = kind, link
    else:
        info.size = size
    return info


def write_tar(path: Path, members: list[tarfile.TarInfo]) -> Path:
    """Write a tar of headers, each file full of x."""
    with tarfile.open(path, "w:gz") as archive:
        for info in members:
            archive.addfile(info, io.BytesIO(b"x" * info.size))
    return path


def write_escape(path: Path, folder: Path, outside: Path) -> Path:
    """Write a tar whose last member lands in `outside` when it is unpacked into `folder` (CVE-2025-4517).

    Sixteen folders within each other have names so long that their path is longer than a path may be; beside each lies
    a link to it with a name of one letter. The path along the links is short enough to be opened, but what follows
    links to find out where it leads has to give up on the way, and takes the `..` behind it for steps within.
    """
    steps = "abcdefghijklmnop"
    name = "d" * ((LONGEST_PATH - len(str(folder))) // len(steps) - 1)
    members = []
    for depth, letter in enumerate(steps):
        way = f"{name}/" * depth
        made = tarfile.TarInfo(way + name)
        made.type, made.mode = tarfile.DIRTYPE, 0o755
        members += [made, member(way + letter, link=name)]
    long_way = "/".join([*steps, "l" * 254])
    members += [
        member(long_way, link="/".join([".."] * len(steps))),
        member("escape", link=f"{long_way}/{os.path.relpath(outside, folder)}"),
        member("escape/written.txt"),
    ]
    return write_tar(path, members)


def must_escape(archive: Path, folder: Path, outside: Path) -> None:
    """Skip the test if this Python's own filter refuses the archive, so that it would show nothing."""
    folder.mkdir(parents=True)
    with tarfile.open(archive) as tape:
        try:
            tape.extractall(folder, filter="data")
        except (tarfile.FilterError, OSError):
            pytest.skip("this Python refuses the archive by itself")
    (outside / "written.txt").unlink()
    shutil.rmtree(folder)
