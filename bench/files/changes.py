"""When a file counts as unchanged: what is remembered of it under its times has to be what it holds."""

from pathlib import Path
from time import time_ns
from typing import Final

from bench.runtime.cache import Cache, content_key, file_sha256

TICK_NS: Final = 2 * 10**9
"""The coarsest clock of a usual file system, that of FAT: a file that changes twice within a tick keeps its times."""


def is_settled(changed_ns: int) -> bool:
    """Whether a file that last changed at `changed_ns` gets another time if it changes from now on.

    What is read of one that is not settled must not be remembered under its times.
    """
    return changed_ns + TICK_NS < time_ns()


def known_sha256(path: Path, cache: Cache) -> str:
    """Return the sha256 of a file, which is read again only after its size or its times have changed.

    Raises `OSError` if it cannot be read.
    """
    status = path.stat()  # before it is read: of what changes meanwhile, nothing is kept that could be found again
    if not is_settled(status.st_ctime_ns):
        return file_sha256(path)
    key = content_key("sha256", path.resolve(), status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def make(kept: Path) -> None:
        kept.write_text(file_sha256(path), encoding="utf-8")

    return cache.fetch(key, f"the sha256 of {path}", make).read_text(encoding="utf-8")
