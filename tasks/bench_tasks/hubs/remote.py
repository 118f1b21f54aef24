"""Owns data at an address of the web: fetched once into the cache, and from then on a file like any other."""

import shutil
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from tqdm import tqdm

from bench.config.data import DataSpec
from bench.errors import DataError
from bench.files.downloads import PATIENCE_SECONDS, announce, not_to_be_had, offline_switch
from bench.runtime.atomic import replacing
from bench.runtime.cache import Cache, content_key
from bench.runtime.cache_folder import FETCHED

SCHEMES: Final = ("https://", "http://")
KINDS: Final = ("csv", "folder")
"""Kinds of address whose place may be on the web: a table, or the archive of a folder."""

CHUNK_BYTES: Final = 2**16


def is_remote(place: str) -> bool:
    """Whether data are on the web."""
    return place.startswith(SCHEMES)


def brought_here(spec: DataSpec, cache: Cache, *, large: bool) -> DataSpec:
    """Return the description of data with the file that was fetched in place of an address of the web.

    What is large is fetched only if that is wanted. The file stays until its folder is removed: data do not change
    from one run to the next. Raises `DataError` if it cannot be had.
    """
    if spec.kind not in KINDS or not is_remote(spec.place):
        return spec
    name = PurePosixPath(urlsplit(spec.place).path).name
    if not name:
        raise DataError(f"{spec.address} names no file: its last part has to be one, such as tickets.csv")
    path = cache.root / FETCHED / content_key(spec.place)[:12] / name
    if not path.exists():
        _fetch(spec, path, cache, large=large)
    source = {} if spec.options.source else {"source": spec.place}
    return spec._replace(address=f"{spec.kind}:{path}", options=spec.options.model_copy(update=source))


def _fetch(spec: DataSpec, path: Path, cache: Cache, *, large: bool) -> None:
    switch = offline_switch()
    if switch:
        raise not_to_be_had(spec.address, path.parent, f"{switch} is set")
    try:
        with urlopen(Request(spec.place), timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 (of the two schemes above)
            size = int(answer.headers.get("Content-Length") or 0)
            announce(spec.address, size, spec.options.licence, path.parent, large=large)
            cache.claim()
            path.parent.mkdir(parents=True, exist_ok=True)
            bar = tqdm.wrapattr(answer, "read", total=size, desc=path.name, disable=None)
            with replacing(path) as temporary:
                with bar as chunks, temporary.open("wb") as file:
                    shutil.copyfileobj(chunks, file, CHUNK_BYTES)
                got = temporary.stat().st_size
                if size and got != size:
                    raise TimeoutError(f"got {got} of {size} bytes")
    except (OSError, HTTPException) as error:
        raise not_to_be_had(spec.address, path.parent, f"could not be fetched ({error})") from error
