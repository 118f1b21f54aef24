"""The trackers of a run: started before it, told of every cell, and left behind where they fail."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.cell import Outcome
from bench.errors import TrackerError
from bench.planning.plan import PlannedCell
from bench.registry import TRACKERS, load_class
from bench.results.manifest import Manifest
from bench.tracking.described import describe
from bench.tracking.tracker import Tracker

log = logging.getLogger(__name__)


class Tracking:
    """The trackers that follow a run. One that fails is told of once and followed no more: results come first."""

    def __init__(self, trackers: Mapping[str, Tracker], manifest: Manifest, plan: Sequence[PlannedCell]) -> None:
        self._trackers = dict(trackers)
        self._manifest = manifest
        self._plan = {planned.key: planned for planned in plan}

    def follow(self, outcome: Outcome) -> None:
        """Log an outcome, which is on disk already, with every tracker that has not failed yet."""
        for name, tracker in list(self._trackers.items()):
            try:
                tracker.log(describe(outcome, self._plan[outcome.key], self._manifest))
            except tracker.ERRORS as error:
                del self._trackers[name]
                log.warning(
                    "%s: could not be logged with %s (%s), nor is what follows; the run goes on and keeps all results",
                    outcome.cell,
                    name,
                    error,
                )


def start_tracking(names: Sequence[str], folder: Path, manifest: Manifest, plan: Sequence[PlannedCell]) -> Tracking:
    """Start trackers by name; `folder` is that of the results.

    Raises `TrackerError` if the library of one is not installed, or if it cannot be started.
    """
    return Tracking({name: _start(name, manifest.suite, folder) for name in dict.fromkeys(names)}, manifest, plan)


def _start(name: str, suite: str, folder: Path) -> Tracker:
    try:
        return _start_installed(name, suite, folder)
    except ModuleNotFoundError as error:
        raise TrackerError(
            f"--track {name} needs the module {error.name!r}, which is not installed: "
            f"run pip install '.[{name}]' in the checkout"
        ) from error


def _start_installed(name: str, suite: str, folder: Path) -> Tracker:
    kind = load_class(TRACKERS, name, Tracker)  # type: ignore[type-abstract]  # what it finds is concrete
    try:
        return kind(suite, folder)
    except kind.ERRORS as error:
        raise TrackerError(f"--track {name} cannot start: {error}; mend that, or run without it") from error
