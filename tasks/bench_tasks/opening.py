"""Opening a task by the description of its data, bundled or named."""

import copy
import os
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.config.data import DataSpec
from bench.domains.registered import all_domains, domain_named, domain_of, families
from bench.errors import DataError
from bench.runtime.cache import Cache
from bench.target import rank_by
from bench.task import Task
from bench_tasks import load_family
from bench_tasks.files.found import TAGS, TOKENS
from bench_tasks.files.labelling import reader_of
from bench_tasks.hubs.kept import LIBRARY_KINDS, fetch_kept, open_kept
from bench_tasks.hubs.remote import brought_here, is_remote
from bench_tasks.own import open_own

Open = Callable[[str, DataSpec, Cache], Task]


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
    domain = domain_of(spec.family)
    match spec.kind:
        case "folder":
            from bench_tasks.files.folder import open_folder  # noqa: PLC0415 (for folders only)

            return open_folder
        case "csv" if domain.series:
            from bench_tasks.forecasts.forecasting import open_forecasting  # noqa: PLC0415 (for series only)

            return open_forecasting
        case "conll":
            from bench_tasks.files.conll import open_tags  # noqa: PLC0415 (for tagged words only)

            return open_tags
        case "csv" if domain.cells and domain.cells.tagged and _is_tagged(spec):
            from bench_tasks.files.conll import open_tags  # noqa: PLC0415 (for tagged words only)

            return open_tags
        case "csv":
            from bench_tasks.files.table import open_table  # noqa: PLC0415 (for tables only)

            return open_table
        case "python":
            return open_own
        case _:
            return open_kept


def _is_tagged(spec: DataSpec) -> bool:
    """Return whether a table is lines of JSON with words and their tags, and nothing says otherwise."""
    from bench.files.rows import read_names  # noqa: PLC0415 (takes a while, and is for tables only)

    first = Path(spec.place.split(",")[0]).expanduser()
    target = spec.options.target
    if first.suffix.casefold() != ".jsonl" or (target and not reader_of(target).in_words):
        return False
    return target is not None or {TOKENS, TAGS} <= set(read_names(first, spec.options.encoding))


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
    fitting = families(kind) or families()
    if len(fitting) == 1:
        return fitting[0]
    if kind == "python":
        return domain_named(open_own("own", DataSpec("", address), cache).card.domain).family
    if is_remote(place):
        raise DataError(f"{address} is not here yet: say with --family what it is: {', '.join(fitting)}")
    if kind == "folder":
        return _family_of_files(Path(place).expanduser())
    if kind == "csv":
        return _family_of_table(Path(place.split(",")[0]).expanduser(), said)
    raise DataError(f"{address}: say with --family what this is: {', '.join(fitting)}")


def _family_of_files(folder: Path) -> str:
    """Return the family of most files in the first folder with any that have a suffix of a family."""
    if folder.is_file():
        raise DataError(f"{folder} is a file: say with --family what is in it: {', '.join(families('folder'))}")
    domains = [domain for domain in all_domains().values() if domain.files]
    for _, _, files in os.walk(folder):
        counts = Counter(domain.family for name in files for domain in domains if domain.is_example(name))
        if counts:
            return counts.most_common(1)[0][0]
    raise DataError(
        f"there is neither {' nor '.join(f'a {domain.noun.one}' for domain in domains)} in {folder}: is this the right "
        "folder?"
    )


def _family_of_table(path: Path, said: Mapping[str, object]) -> str:
    """Return the family of a table, by the columns that are named and then by those it has: a series if by none.

    With labels of what no column names it is that of texts, or whatever else is written in cells.
    """
    from bench.files.rows import read_names  # noqa: PLC0415 (takes a while, and is for tables only)

    names = read_names(path, str(said.get("encoding", "utf-8")))
    domains = all_domains().values()
    columns = {domain.column: domain.family for domain in domains if domain.column}
    columns[TOKENS] = next(domain.family for domain in domains if domain.cells and domain.cells.tagged)
    for column in (*said, *names):
        if column in columns:
            return columns[column]
    has_labels = "label" in {*said, *names}
    return next(domain.family for domain in domains if (domain.cells if has_labels else domain.series))
