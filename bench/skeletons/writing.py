"""Writing a package for a plug-in: a skeleton under another name."""

import keyword
import re
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from bench.errors import ConfigError, StoreError
from bench.registry import BACKBONES, NOUNS, STRATEGIES, TARGETS, TASKS, names

Skeleton = Literal["task", "target", "strategy", "backbone"]

POINTS: Final[dict[Skeleton, str]] = {
    "task": TASKS,
    "target": TARGETS,
    "strategy": STRATEGIES,
    "backbone": BACKBONES,
}
"""The kinds of plug-ins there are skeletons for, and the extension point of each."""

SKELETONS: Final = Path(__file__).parent
PLACEHOLDER: Final = "newcomer"
NAME: Final = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")


def write_package(kind: Skeleton, name: str, parent: Path, *, taken: Collection[str] = ()) -> Path:
    """Write a package that offers `name` into a new folder, and return that folder, `bench-NAME`.

    `taken` are names that mean something else already. Raises `ConfigError` for a name that cannot be one, and
    `StoreError` if the folder cannot be made.
    """
    _refuse(kind, name, taken)
    folder = parent / f"bench-{name.replace('_', '-')}"
    try:
        folder.mkdir(parents=True)
        for source in sorted((SKELETONS / kind).iterdir()):
            if source.is_file():
                written = folder / renamed(source.name, name)
                written.write_text(renamed(source.read_text(encoding="utf-8"), name), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"cannot write {folder}: {error.strerror}; choose another name or folder") from error
    return folder


def _refuse(kind: Skeleton, name: str, taken: Collection[str]) -> None:
    """Raise `ConfigError` for a name that would make no package, or one that hides something else."""
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"a name begins with a small letter and goes on in small letters and digits, with - or _ between them: got "
            f"{name!r}"
        )
    if keyword.iskeyword(name):
        raise ConfigError(f"{name!r} is a word of Python's own: choose another name")
    if name in (*names(POINTS[kind]), *taken):
        raise ConfigError(f"there is a {NOUNS[POINTS[kind]]} {name!r} already: choose another name")
    module = renamed(f"bench_{PLACEHOLDER}", name)
    if find_spec(module) is not None:
        raise ConfigError(f"there is a module {module} here already, which the package would hide: choose another name")
    if name.startswith("test"):
        raise ConfigError(f"pytest would take the classes of {name!r} for tests: choose another name")


def renamed(text: str, name: str) -> str:
    """Return the text of a skeleton with a name in the place of its own, as each of its spellings is written."""
    words = re.split("[-_]", name)
    spellings = {
        f"bench-{PLACEHOLDER}": f"bench-{'-'.join(words)}",
        f"bench_{PLACEHOLDER}": f"bench_{'_'.join(words)}",
        f"test_{PLACEHOLDER}": f"test_{'_'.join(words)}",
        f"open_{PLACEHOLDER}": f"open_{'_'.join(words)}",
        PLACEHOLDER.title(): "".join(word.title() for word in words),
        PLACEHOLDER: name,
    }
    for own, theirs in spellings.items():
        text = text.replace(own, theirs)
    return text
