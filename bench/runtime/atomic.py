"""Write files that are whole or not there: under a temporary name, flushed to the disk, then renamed."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import Final

from bench.runtime.interrupts import interrupts_held

NAME_CHARACTERS: Final = 50
"""How much of a file's name its temporary name repeats: file systems take 255 bytes, and a character may need four."""

TEMPORARY: Final = re.compile(r"\.(?P<name>.+)\.\d+-\d+\.partial", re.DOTALL)

NO_FOLDER_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP})
"""What file systems answer, some of networks among them, that cannot flush a folder."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, or replace it. An interrupt meanwhile comes when the file is whole.

    Raises `OSError` if the file cannot be written; then an earlier one is as it was.
    """
    with interrupts_held(), replacing(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`, whose file takes the place of `path` at the end of the block.

    If the block raises, or is interrupted, the temporary file is removed and `path` stays as it was. Interrupts wait
    while the file takes its place. Writers of one path, in threads or processes, do not disturb each other: the last
    one wins. Without `durable` nothing is flushed to the disk: for files of which a damaged one is noticed when it is
    read.
    """
    # Two threads of a process have the same process id, and the names of two processes' threads may be the same.
    temporary = path.with_name(f".{path.name[:NAME_CHARACTERS]}.{os.getpid()}-{get_ident()}.partial")
    try:
        temporary.touch()
        usual_mode = temporary.stat().st_mode
        yield temporary
        with interrupts_held():
            temporary.chmod(usual_mode)  # safetensors makes files that their owner alone may read
            if durable:
                _sync_file(temporary)
            temporary.replace(path)
            if durable:
                _sync_folder(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def replaced_name(name: str) -> str | None:
    """Return the name of the file, or its beginning, that a temporary file was to replace; None for other files."""
    found = TEMPORARY.fullmatch(name)
    return found and found["name"]


def _sync_file(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Flush the names in a folder: without that a renamed file may have its old name after a power failure."""
    if os.name == "nt":  # has no way to open a folder
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)
