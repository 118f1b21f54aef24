"""The stamp of a report: what it was made from and by, so that a run with nothing to do leaves it as it is.

stamp.json    the hash of what the report was made from and by, that of each of its files, and the leaderboard
"""

import hashlib
import json
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Final

import bench
from bench.results.store import Store

STAMP: Final = "stamp.json"
CODE: Final = ("*.py", "*.html", "*.svg", "*.css", "*.js")
DRAWN_BY: Final = ("jinja2", "numpy", "pandas")


def origin(store: Store) -> str:
    """Return the hash of all that the report of a folder depends on: manifest, cells, our own code, and libraries."""
    digest = hashlib.sha256(store.fingerprint().encode())
    package = Path(bench.__file__).parent
    for path in sorted(path for kind in CODE for path in package.rglob(kind)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(package).as_posix()} {len(content)}\n".encode() + content)
    digest.update(json.dumps({name: version(name) for name in DRAWN_BY}).encode())
    return digest.hexdigest()


def write_stamp(store: Store, *, made_from: str, files: Iterable[str], leaderboard: str) -> None:
    """Stamp the report whose `files` were just written; `made_from` is the `origin` as it was before they were made."""
    said = {"origin": made_from, "files": {name: _sha256(store, name) for name in files}, "leaderboard": leaderboard}
    store.write_text(STAMP, json.dumps(said, indent=1, ensure_ascii=False) + "\n")


def kept_leaderboard(store: Store) -> str | None:
    """Return the leaderboard of the report on disk, or None if that is not whole or not that of the present cells."""
    try:
        said = json.loads(store.read_bytes(STAMP) or b"")
        files, leaderboard = dict(said["files"]), str(said["leaderboard"])
        whole = said["origin"] == origin(store) and all(_sha256(store, name) == files[name] for name in files)
    except (ValueError, KeyError, TypeError):
        return None
    return leaderboard if whole else None


def _sha256(store: Store, name: str) -> str | None:
    content = store.read_bytes(name)
    return None if content is None else hashlib.sha256(content).hexdigest()
