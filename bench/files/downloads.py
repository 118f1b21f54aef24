"""How downloads behave: told before they begin, short of patience with a network, and never left half unpacked."""

import logging
import os
import socket
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from bench.errors import DataError

log = logging.getLogger(__name__)

LARGE_BYTES: Final = 2**30
"""What is larger is fetched when that is asked for, not on the way to something else."""

PATIENCE_SECONDS: Final = 10.0
"""How long a server may say nothing."""

SWITCHES: Final = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")
"""Variables by which a user says that nothing is to be fetched, whatever it comes from."""

UNFINISHED: Final = ".unfinished"
"""A file that lies in a folder while a data set is fetched into it: some libraries take half of one for the whole."""

UNREACHABLE: Final = (URLError, ConnectionError, TimeoutError, HTTPException, RuntimeError)
"""What libraries raise before anything is unpacked; `RuntimeError` is torchvision's and torch's for a wrong hash."""

DAMAGED: Final = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, OSError)


def offline_switch() -> str:
    """Return the variable that forbids all downloads, or nothing if none does."""
    return next((name for name in SWITCHES if os.environ.get(name, "").upper() in {"1", "ON", "YES", "TRUE"}), "")


def hub_answers() -> bool:
    """Whether the Hugging Face hub can be reached. Its library would try again for half a minute to find that out."""
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    try:
        request = Request(endpoint, method="HEAD")  # noqa: S310 (the user's own setting)
        with urlopen(request, timeout=PATIENCE_SECONDS):  # noqa: S310
            return True
    except HTTPError:  # an answer all the same
        return True
    except (OSError, HTTPException, ValueError):
        return False


def announce(address: str, size_bytes: int, licence: str, folder: Path, *, large: bool, flag: str = "--data") -> None:
    """Say what is about to be fetched. Raises `DataError` if it must not be, or is large and that is not wanted.

    `size_bytes` is 0 where it is not known; `flag` is the one of `fetch` that takes the address.
    """
    switch = offline_switch()
    if switch:
        raise not_to_be_had(address, folder, f"{switch} is set")
    size = f"{size_bytes / 2**20:,.0f} MiB" if size_bytes else "of unknown size"
    if size_bytes > LARGE_BYTES and not large:
        raise DataError(
            f"{address} is not in {folder}, and {size} are too much to fetch unasked (licence: {licence}): run "
            f"`bench fetch {flag} {address}` first"
        )
    log.info("fetching %s (%s; licence: %s) into %s", address, size, licence, folder)


def not_to_be_had(address: str, folder: Path, why: str) -> DataError:
    """Return the error for data that are not here and cannot be fetched."""
    found = folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir())
    here = f"is not whole or has been changed in {folder}" if found else f"is not in {folder}"
    return DataError(
        f"{address} {here}, and {' '.join(why.split())}: run `bench fetch --data {address}` where there is a "
        "network, and bring the folder here"
    )


def refuse_unfinished(address: str, folder: Path) -> None:
    """Raise `DataError` for a folder that something was fetched into and not to its end."""
    if (folder / UNFINISHED).exists():
        raise DataError(
            f"{address} was not fetched to its end: delete {folder}, and run `bench fetch --data {address}`"
        )


@contextmanager
def fetching(address: str, folder: Path) -> Iterator[None]:
    """Let a library fetch a data set into a folder, which is made. Raises `DataError` if it does not come to an end.

    While it does, connections time out, and members of archives that would leave the folder are refused.
    """
    marker = folder / UNFINISHED
    try:
        folder.mkdir(parents=True, exist_ok=True)
        marker.touch()
    except OSError as error:
        raise DataError(f"cannot write {folder}, where {address} belongs: {error.strerror}; set TORCH_HOME") from error
    try:
        with patience(), _members_stay_inside():
            yield
    except UNREACHABLE as error:
        marker.unlink()
        raise not_to_be_had(address, folder, f"could not be fetched ({error})") from error
    except DAMAGED as error:
        said = " ".join(str(error).split())
        raise DataError(
            f"{address} could not be unpacked in {folder} ({said}): delete that folder, and run `bench fetch "
            f"--data {address}` once more"
        ) from error
    marker.unlink()


@contextmanager
def patience() -> Iterator[None]:
    """Have connections time out that are made by libraries which would wait for a silent server without end."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@contextmanager
def _members_stay_inside() -> Iterator[None]:
    """Have `tarfile` refuse what leaves the folder: not every Python does by itself. `zipfile` always does."""
    before = tarfile.TarFile.extraction_filter
    tarfile.TarFile.extraction_filter = staticmethod(_refuse_leaving)
    try:
        yield
    finally:
        tarfile.TarFile.extraction_filter = before


def _refuse_leaving(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo:
    """Refuse a member by the rules of `tarfile.data_filter`, and a link that goes up or stands for the folder itself.

    Those rules follow links, and lose the way in a long chain of them (CVE-2025-4517). A link that only goes down leads
    nowhere else.
    """
    is_link = member.issym() or member.islnk()
    name, target = PurePosixPath(member.name).parts, PurePosixPath(member.linkname).parts
    if ".." in name or (is_link and (not name or ".." in target)):
        raise tarfile.OutsideDestinationError(member, folder)
    return tarfile.data_filter(member, folder)


def torch_home() -> Path:
    """Return the folder of torch's downloads: `TORCH_HOME`, by the rule of `torch.hub`, without loading torch."""
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("TORCH_HOME") or Path(caches) / "torch").expanduser()


def size_on_disk(folder: Path) -> int:
    """Return the bytes of all files under a folder, or of a file; 0 if there is neither."""
    if folder.is_file():
        return folder.stat().st_size
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
