"""Opening a task by the description of its data, bundled or named."""

import copy
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from bench.config.data import DOMAINS, KINDS, PICTURE_SUFFIXES, RECORDING_SUFFIXES, DataSpec
from bench.errors import DataError
from bench.runtime.cache import Cache
from bench.target import rank_by
from bench.task import Task
from bench_tasks import load_family
from bench_tasks.hubs.kept import LIBRARY_KINDS, fetch_kept, open_kept
from bench_tasks.hubs.remote import brought_here, is_remote
from bench_tasks.own import open_own

Open = Callable[[str, DataSpec, Cache], Task]

COLUMNS: Final[Mapping[str, str]] = {
    "text": "text_classification",
    "image": "image_classification",
    "audio": "audio_classification",
    "tokens": "text_classification",
}
"""Families of tables by the column of their examples: the option that names it, and its name unless one does."""


def open_task(name: str, spec: DataSpec, cache: Cache) -> Task:
    """Return the task `name` on the data described, looked through as far as its card needs.

    Raises `UnknownNameError` for a family that does not exist, or a metric that its target does not have, and
    `DataError` for data that cannot be used.
    """
    if not spec.address:
        return _ranked(load_family(spec.family), spec)
    return _open_local(name, brought_here(spec, cache, large=False), cache)


def _open_local(name: str, spec: DataSpec, cache: Cache) -> Task:
    return _ranked(_opener(spec)(name, spec, cache), spec)


def _ranked(task: Task, spec: DataSpec) -> Task:
    """Return a task whose score is by the metric that is asked for, if any is."""
    if spec.options.metric is None:
        return task
    ranked = copy.copy(task)  # bundled tasks are shared
    ranked.target = rank_by(task.target, spec.options.metric)
    return ranked


def _opener(spec: DataSpec) -> Open:
    """Return what opens data of a kind and family: what reads tables need not wait for what reads folders."""
    match spec.kind, spec.family:
        case "folder", _:
            from bench_tasks.files.folder import open_folder  # noqa: PLC0415 (for folders only)

            return open_folder
        case "csv", "forecasting":
            from bench_tasks.forecasts.forecasting import open_forecasting  # noqa: PLC0415 (for series only)

            return open_forecasting
        case "conll", _:
            from bench_tasks.files.conll import open_tags  # noqa: PLC0415 (for tagged words only)

            return open_tags
        case "csv", "text_classification" if _is_tagged(spec):
            from bench_tasks.files.conll import open_tags  # noqa: PLC0415 (for tagged words only)

            return open_tags
        case "csv", _:
            from bench_tasks.files.table import open_table  # noqa: PLC0415 (for tables only)

            return open_table
        case "python", _:
            return open_own
        case _:
            return open_kept


def _is_tagged(spec: DataSpec) -> bool:
    """Return whether a table is lines of JSON with words and their tags, and nothing says otherwise."""
    from bench.files.rows import read_names  # noqa: PLC0415 (takes a while, and is for tables only)

    first = Path(spec.place.split(",")[0]).expanduser()
    if first.suffix.casefold() != ".jsonl" or spec.options.target not in {None, "tags"}:
        return False
    return spec.options.target == "tags" or {"tokens", "tags"} <= set(read_names(first, spec.options.encoding))


def fetch_task(name: str, spec: DataSpec, cache: Cache) -> tuple[Task, tuple[Path, ...]]:
    """Return the task `name` with all it needs fetched, however large, and the files and folders that its data are in.

    Raises like `open_task`.
    """
    if spec.kind in LIBRARY_KINDS:
        return fetch_kept(name, spec, cache)
    if not spec.address:
        return open_task(name, spec, cache), ()
    local = brought_here(spec, cache, large=True)
    return _open_local(name, local, cache), tuple(Path(place).expanduser() for place in local.place.split(","))


def guess_family(address: str, said: Mapping[str, object], cache: Cache) -> str:
    """Return the family that data are probably of, by what is `said` of them (options by name) and what is in them.

    Raises `DataError` if it cannot be told.
    """
    kind, _, place = address.partition(":")
    families = KINDS.get(kind, ())
    if len(families) == 1:
        return families[0]
    if kind == "python":
        domain = open_own("own", DataSpec("", address), cache).card.domain
        return next(family for family, of_family in DOMAINS.items() if of_family == domain)
    if is_remote(place):
        raise DataError(f"{address} is not here yet: say with --family what it is: {', '.join(families or DOMAINS)}")
    if kind == "folder":
        return _family_of_files(Path(place).expanduser())
    if kind == "csv":
        return _family_of_table(Path(place.split(",")[0]).expanduser(), said)
    raise DataError(f"{address}: say with --family what this is: {', '.join(families or DOMAINS)}")


def _family_of_files(folder: Path) -> str:
    """Return the family of the first file in a folder, or in an archive of one, whose suffix tells it."""
    if folder.is_file():
        raise DataError(f"{folder} is a file: say with --family what is in it: {', '.join(KINDS['folder'])}")
    for _, _, files in os.walk(folder):
        if any(name.casefold().endswith(RECORDING_SUFFIXES) for name in files):
            return "audio_classification"
        if any(name.casefold().endswith(PICTURE_SUFFIXES) for name in files):
            return "image_classification"
    raise DataError(f"there is neither a picture nor a recording in {folder}: is this the right folder?")


def _family_of_table(path: Path, said: Mapping[str, object]) -> str:
    """Return the family of a table, by the columns that are named and then by those it has: a series if by none."""
    from bench.files.rows import read_names  # noqa: PLC0415 (takes a while, and is for tables only)

    names = read_names(path, str(said.get("encoding", "utf-8")))
    for columns in (said, names):
        for column, family in COLUMNS.items():
            if column in columns:
                return family
    return "text_classification" if "label" in {*said, *names} else "forecasting"
