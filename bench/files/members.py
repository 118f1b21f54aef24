"""Members of zip and tar archives, and which of them are refused.

Archives may come from anybody. Regular files and folders alone are accepted, under paths that stay inside and mean
the same on every system, so that an archive is the same data set everywhere.
"""

import os
import re
import stat
import tarfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Final, NamedTuple

from bench.errors import DataError

NAME_BYTES: Final = 255
"""What file systems take for the name of one file or folder."""

PATH_BYTES: Final = 4_095
"""PATH_MAX of Linux without the zero at the end."""

DRIVE: Final = re.compile(r"[A-Za-z]:")

REPARSE_POINT: Final = 0x400
"""FILE_ATTRIBUTE_REPARSE_POINT of Windows, in the low half of a zip member's attributes: a link."""

ENCRYPTED: Final = 0x1
"""Bit of the flags of a zip member."""


class Member(NamedTuple):
    """A member of an archive: its path as written there, and what is wrong with its kind, if anything."""

    name: str
    fault: str
    is_folder: bool
    size_bytes: int
    open: Callable[[], IO[bytes]]


@contextmanager
def open_members(path: Path) -> Iterator[list[Member]]:
    """Open an archive and yield all its members, whose files can be read within the block.

    A damaged archive raises whatever the libraries raise.
    """
    if path.name.casefold().endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            yield [_zip_member(archive, info) for info in archive.infolist()]
    else:
        with tarfile.open(path) as tape:
            yield list(_tar_members(tape))


def check_members(path: Path, members: Sequence[Member], folder: Path) -> list[Path]:
    """Return the path in `folder` of each member of the archive `path`. Raises `DataError` if one is refused."""
    places: list[Path] = []
    seen: dict[str, tuple[str, bool]] = {}
    for member in members:
        fault = member.fault or _fault_of_path(member, folder)
        if fault:
            raise DataError(
                f"{path} holds {fault}, {member.name!r}: nothing was unpacked; pack plain files and folders alone, or "
                "unpack it yourself and name the folder"
            )
        _refuse_clash(path, member, seen)
        places.append(folder.joinpath(*_parts(member.name)))
    return places


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    """Return a member of a zip. What kind of file it is stands in its attributes, where Unix or Windows wrote them."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    fault = ""
    if stat.S_ISLNK(kind) or info.external_attr & REPARSE_POINT:
        fault = "a link"
    elif kind and not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
        fault = "a device or pipe"
    elif info.flag_bits & ENCRYPTED:
        fault = "an encrypted file"
    # `filename` is not what is written there: zipfile cuts it at a zero, and turns backslashes round on Windows.
    name = info.orig_filename
    is_folder = name.endswith("/") or stat.S_ISDIR(kind)
    return Member(name, fault, is_folder, info.file_size, partial(archive.open, info))


def _tar_members(tape: tarfile.TarFile) -> Iterator[Member]:
    """Yield the members of a tar.

    Raises `tarfile.ReadError` for one that does not stand behind the one before: with a size below zero, tarfile reads
    the same header for ever (CVE-2025-8194).
    """
    before = -1
    for info in tape:
        if info.offset <= before or info.size < 0:
            raise tarfile.ReadError(f"the header of {info.name!r} is damaged")
        before = info.offset
        fault = ""
        if info.issym() or info.islnk():
            fault = "a link"
        elif info.issparse():
            fault = "a sparse file"
        elif not info.isreg() and not info.isdir():
            fault = "a device or pipe" if info.isdev() else "a member of an unknown kind"
        yield Member(info.name, fault, info.isdir(), info.size, partial(_open_tar, tape, info))


def _open_tar(tape: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    file = tape.extractfile(info)
    assert file is not None, "only regular files are opened"
    return file


def _parts(name: str) -> list[str]:
    return [part for part in name.split("/") if part not in {"", "."}]


def _fault_of_path(member: Member, folder: Path) -> str:
    """Return what is wrong with the path of a member that is to be written into `folder`, or nothing."""
    steps = re.split(r"[/\\]", member.name)  # Windows takes both for separators
    if (not steps[0] and len(steps) > 1) or ".." in steps or any(DRIVE.match(step) for step in steps):
        return "a path that leaves it"
    if "\0" in member.name or "\\" in member.name:
        return "a path with a zero or a backslash"
    parts = _parts(member.name)
    if not parts and not member.is_folder:
        return "a file without a name"
    try:
        lengths = [len(os.fsencode(part)) for part in parts]
    except UnicodeEncodeError:
        return "a path that is no text"
    if max(lengths, default=0) > NAME_BYTES or len(os.fsencode(folder)) + len(lengths) + sum(lengths) > PATH_BYTES:
        return "a path that is too long"
    return ""


def _refuse_clash(path: Path, member: Member, seen: dict[str, tuple[str, bool]]) -> None:
    """Raise `DataError` if a member would be written over one that was seen, and add it to those.

    `seen` has each path and whether it is a folder, by what is left of the path on systems for which neither case nor
    the way of writing accents makes a difference.
    """
    parts = _parts(member.name)
    for length in range(1, len(parts) + 1):
        written = "/".join(parts[:length])
        is_folder = length < len(parts) or member.is_folder
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", written).casefold())
        if folded not in seen:
            seen[folded] = (written, is_folder)
        elif not is_folder or seen[folded] != (written, True):
            raise DataError(
                f"{path} holds {seen[folded][0]!r} and {written!r}, which on some systems are one and the same: "
                "nothing was unpacked; unpack it yourself and name the folder"
            )
