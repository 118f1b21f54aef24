"""Writing a package for a plug-in: a skeleton under another name."""

import keyword
import re
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


def write_package(kind: Skeleton, name: str, parent: Path) -> Path:
    """Write a package that offers `name` into a new folder, and return that folder, `bench-NAME`.

    Raises `ConfigError` for a name that cannot be one or is taken, and `StoreError` if the folder cannot be made.
    """
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise ConfigError(f"a name is of small letters and digits, with - or _ between them: got {name!r}")
    if name in names(POINTS[kind]):
        raise ConfigError(f"there is a {NOUNS[POINTS[kind]]} {name!r} already: choose another name")
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
