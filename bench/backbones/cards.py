"""Cards kept in the cache: opening a backbone to see what it is takes seconds, and it is the same tomorrow."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from bench.card import BackboneCard, read_card
from bench.runtime.cache import Cache, content_key
from bench.versions import VERSION

LIBRARIES: Final = ("torch", "torchvision", "torchaudio", "timm", "transformers")
"""Another version of one of these may build another network for the same name."""


def kept_card(name: str, cache: Cache) -> BackboneCard | None:
    """Return the card kept of the backbone `name`, or None if there is none or a file it was read from has changed."""
    key = _key(name)
    content = cache.read(key)
    if content is None:
        return None
    said: dict[str, Any] = json.loads(content)
    if said["files"] != [_stamp(Path(path)) for path, *_ in said["files"]]:
        cache.discard(key)
        return None
    return read_card(BackboneCard, said["card"])


def kept_files(name: str, cache: Cache) -> tuple[Path, ...]:
    """Return the files that the backbone `name` was read from, none if no card of it is kept."""
    content = cache.read(_key(name))
    if content is None:
        return ()
    said: dict[str, Any] = json.loads(content)
    return tuple(Path(path) for path, *_ in said["files"])


def keep_card(card: BackboneCard, files: Iterable[Path], cache: Cache) -> None:
    """Keep a card for as long as the files it was read from stay as they are."""
    said = json.dumps({"card": asdict(card), "files": [_stamp(path.resolve()) for path in files]})
    cache.fetch(_key(card.name), f"the card of {card.name}", lambda path: _write(path, said))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _key(name: str) -> str:
    # With the working folder, because a name may hold a relative path.
    return content_key("backbone card", VERSION, name, Path.cwd(), *map(_version, LIBRARIES))


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "none"


def _stamp(path: Path) -> list[str | int]:
    """Return what changes when a file does: its path, size and time of writing in nanoseconds."""
    try:
        found = path.stat()
    except OSError:
        return [str(path), -1, -1]
    return [str(path), found.st_size, found.st_mtime_ns]
