"""Owns opening a task by the description of its data, bundled or named."""

import importlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from bench.config.data import DOMAINS, KINDS, PICTURE_SUFFIXES, RECORDING_SUFFIXES, DataSpec
from bench.errors import DataError, unknown_name
from bench.runtime.cache import Cache
from bench.task import Task
from bench_tasks import FAMILIES
from bench_tasks.hubs.kept import READERS, fetch_kept
from bench_tasks.hubs.remote import brought_here, is_remote
from bench_tasks.own import open_own

Open = Callable[[str, DataSpec, Cache], Task]

OPENERS: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("folder", "image_classification"): ("bench_tasks.files.folder", "open_folder"),
    ("folder", "audio_classification"): ("bench_tasks.files.folder", "open_folder"),
    ("csv", "image_classification"): ("bench_tasks.files.table", "open_table"),
    ("csv", "text_classification"): ("bench_tasks.files.table", "open_table"),
    ("csv", "audio_classification"): ("bench_tasks.files.table", "open_table"),
    ("csv", "forecasting"): ("bench_tasks.forecasts.forecasting", "open_forecasting"),
    **{("python", family): ("bench_tasks.own", "open_own") for family in DOMAINS},
    ("torchvision", "image_classification"): ("bench_tasks.hubs.kept", "open_kept"),
    ("torchaudio", "audio_classification"): ("bench_tasks.hubs.kept", "open_kept"),
    ("hf", "image_classification"): ("bench_tasks.hubs.kept", "open_kept"),
    ("hf", "text_classification"): ("bench_tasks.hubs.kept", "open_kept"),
    ("hf", "audio_classification"): ("bench_tasks.hubs.kept", "open_kept"),
}
"""Module and function for each kind of address and family: what reads tables need not wait for what reads folders."""

COLUMNS: Final[Mapping[str, str]] = {
    "text": "text_classification",
    "image": "image_classification",
    "audio": "audio_classification",
}
"""Families of tables by the column of their examples: the option that names it, and its name unless one does."""


def open_task(name: str, spec: DataSpec, cache: Cache) -> Task:
    """Return the task `name` on the data described, looked through as far as its card needs.

    Raises `UnknownNameError` for a family that does not exist and `DataError` for data that cannot be used.
    """
    if not spec.address:
        if spec.family not in FAMILIES:
            raise unknown_name("task family", spec.family, FAMILIES)
        return FAMILIES[spec.family]
    return _open_local(name, brought_here(spec, cache, large=False), cache)


def _open_local(name: str, spec: DataSpec, cache: Cache) -> Task:
    module, function = OPENERS[spec.kind, spec.family]
    opener: Open = getattr(importlib.import_module(module), function)
    return opener(name, spec, cache)


def fetch_task(name: str, spec: DataSpec, cache: Cache) -> tuple[Task, tuple[Path, ...]]:
    """Return the task `name` with all it needs fetched, however large, and the files and folders that its data are in.

    Raises like `open_task`.
    """
    if spec.kind in READERS:
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
    rows: Any = importlib.import_module("bench.files.rows")  # takes a while, and is for tables only
    names: list[str] = rows.read_names(path, str(said.get("encoding", "utf-8")))
    for columns in (said, names):
        for column, family in COLUMNS.items():
            if column in columns:
                return family
    return "text_classification" if "label" in {*said, *names} else "forecasting"
