"""Tasks: labelled data, split, with the target that is to be predicted. `FAMILIES` is the table of those bundled.

`opening` finds a task by the description of its data; `own` runs a file in which somebody wrote one. The packages hold
tasks by where data are from: `bundled`, `files` and `hubs`; `forecasts` are those of series.
"""

from collections.abc import Mapping
from typing import Final

from bench.registry import BUILT_IN, TASKS, load_class
from bench.task import Task


def load_family(name: str) -> Task:
    """Return the task of a family that brings its data, bundled or of an installed package.

    Raises `UnknownNameError` if there is none of this name, and `PluginError` for one that cannot be loaded.
    """
    return load_class(TASKS, name, Task)()  # type: ignore[type-abstract]  # what it finds is concrete


FAMILIES: Final[Mapping[str, Task]] = {name: load_family(name) for name in BUILT_IN[TASKS]}
