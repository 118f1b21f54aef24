"""Tasks on a table with a label in every row: of texts, or of pictures or recordings whose paths it names."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from bench.config.data import DataSpec
from bench.domains.options import DataOptions
from bench.domains.registered import all_domains, domain_of
from bench.errors import DataError
from bench.files.folders import File
from bench.files.rows import read_rows
from bench.runtime.cache import Cache
from bench.target import Target
from bench.written import Label, Written
from bench_tasks.files.found import PARTS, Found, labelled_files, refuse_or_skip, refuse_unused
from bench_tasks.files.labelled import LabelledTask, labelled_task
from bench_tasks.files.labelling import Guess, guess_target, reader_of, target_in_columns
from bench_tasks.files.media import Checked, FileDomain, check, in_files, perceive
from bench_tasks.files.splitting import shown

COLUMNS: Final = frozenset({"target", "label", "labels", "separator", "split", "encoding"})
ROOT: Final = Path("/")  # of files that are named by absolute paths

YES: Final = frozenset({"1", "1.0", "true", "yes"})
NO: Final = frozenset({"0", "0.0", "false", "no", ""})
"""What cells of a column of yes and no say, in any case."""


class WrittenRow(NamedTuple):
    """A row as it is written: its cells by column, the folder of its table, and the part that this table is."""

    cells: Mapping[str, str]
    folder: Path
    part: str


class Row(NamedTuple):
    """A row: its text or path, its label, and its part, group and unit, "" where no column says."""

    value: str
    label: Label
    part: str
    group: str
    unit: str


def open_table(name: str, spec: DataSpec, cache: Cache) -> LabelledTask:
    """Return the task on a table, or on two: one to learn from and one to test on, as in `csv:train.csv,test.csv`.

    Paths of pictures and recordings are those from the folder of their table. Raises `DataError` for a table that is
    missing or cannot be read, an unknown column, and rows that cannot be used.
    """
    domain, files = domain_of(spec.family), in_files(spec)
    if not domain.column:
        labelled = [one.family for one in all_domains().values() if one.column]
        raise DataError(f"{spec.address}: a table of labels is read for {', '.join(labelled)}, not for {spec.family}")
    refuse_unused(spec, COLUMNS | {domain.column} | (files.reader.options if files else frozenset()))
    written: dict[str, WrittenRow] = {}
    bad: dict[str, str] = {}
    for path, part in labelled_files(spec, "table").items():
        _read(spec, path, part, written=written, bad=bad)
    guess = _target(spec, written.values())
    rows = _rows(spec, reader_of(guess.target), written, bad)
    remarks = _tell_parts(spec, rows)
    contents: Sequence[str]
    if files:
        checked = _check(rows, bad, files, cache)
        perceived = perceive(ROOT, checked, files.reader, spec.options)
        contents = [finding.sha256 for finding in checked.findings]
    else:
        assert domain.cells is not None, "what is in a column is read from files or from cells"
        contents = [row.value for row in rows.values()]
        perceived = domain.cells.read(contents)
    left_out = refuse_or_skip(spec, bad, noun="row")
    found = Found(
        raw=perceived.raw,
        labels=[row.label for row in rows.values()],
        contents=contents,
        names=list(rows),
        groups=[row.group for row in rows.values()] if spec.options.group else [],
        units=[row.unit for row in rows.values()] if spec.options.score_by else [],
        unit=spec.options.score_by or "",
        parts=[row.part for row in rows.values() if row.part],
        split_as=f"as its column {spec.options.split!r} says" if spec.options.split else "as its two files say",
        remarks=(*guess.remarks, *left_out, *remarks),
        settings=perceived.settings,
        said=perceived.said,
        target=guess.target,
    )
    return labelled_task(name, spec, found)


def _read(spec: DataSpec, path: Path, part: str, *, written: dict[str, WrittenRow], bad: dict[str, str]) -> None:
    """Add the rows of one table by name, and by name why others cannot be used."""
    options, prefix = spec.options, f"{path.name} " if part else ""
    labels = options.labels or (options.label,)
    named = (_source(spec), *labels, options.split, options.group, options.score_by)
    columns = list(dict.fromkeys(filter(None, named)))
    table = read_rows(path, columns, options.encoding)
    bad.update({f"{prefix}row {number}": why for number, why in table.bad.items()})
    for number, *cells in zip(table.numbers, *(table.values[column] for column in columns), strict=True):
        said = dict(zip(columns, cells, strict=True))
        written[f"{prefix}row {number}"] = WrittenRow(said, path.parent, part)


def _source(spec: DataSpec) -> str:
    """Return the column of texts or paths."""
    return str(getattr(spec.options, domain_of(spec.family).column))


def _target(spec: DataSpec, written: Iterable[WrittenRow]) -> Guess:
    """Return what the labels are, as it is said or as it can be guessed."""
    options = spec.options
    if options.target and reader_of(options.target).in_words:
        raise DataError(
            f"{spec.address}: {options.target} of words are read from conll:PATH, or from lines of JSON (.jsonl)"
        )
    if options.labels:
        return Guess(target_in_columns())
    if options.target:
        return Guess(options.target)
    return guess_target([row.cells[options.label] for row in written], options.separator)


def _rows(
    spec: DataSpec, reader: Written[Target], written: Mapping[str, WrittenRow], bad: dict[str, str]
) -> dict[str, Row]:
    """Return the rows that can be used by name, and add by name why others cannot."""
    options, source, files = spec.options, _source(spec), in_files(spec)
    rows = {}
    for name, (cells, folder, part) in written.items():
        optional = options.labels or ((options.label,) if reader.several else ())
        blank = [column for column, cell in cells.items() if not cell.strip() and column not in optional]
        problem = f"has no {' and no '.join(blank)}" if blank else _problem(options, reader, cells)
        if problem:
            bad[name] = problem
            continue
        value = str((folder / cells[source]).absolute()) if files else cells[source]
        said_part = cells[options.split].strip().casefold() if options.split else part
        group = cells[options.group] if options.group else ""
        unit = cells[options.score_by] if options.score_by else ""
        rows[name] = Row(value, _label(options, reader, cells), said_part, group, unit)
    return rows


def _label(options: DataOptions, reader: Written[Target], cells: Mapping[str, str]) -> Label:
    """Return the label that cells say."""
    if options.labels:
        return tuple(sorted(column for column in options.labels if cells[column].strip().casefold() in YES))
    return reader.parse(cells[options.label], options.separator)


def _problem(options: DataOptions, reader: Written[Target], cells: Mapping[str, str]) -> str:
    """Return what is wrong with the cells of a label, or nothing."""
    neither = [column for column in options.labels if cells[column].strip().casefold() not in YES | NO]
    if neither:
        return f"has neither yes nor no as its {' and its '.join(neither)}"
    return "" if options.labels else reader.problem(cells[options.label], options.label)


def _tell_parts(spec: DataSpec, rows: dict[str, Row]) -> list[str]:
    """Replace what the rows call their parts by "train" and "test", leave out those of no use, and return remarks."""
    if not spec.options.split:
        return []
    unknown = sorted({row.part for row in rows.values()} - set(PARTS))
    if unknown:
        raise DataError(
            f"{spec.address}: column {spec.options.split!r} says {shown(map(repr, unknown))}; expected "
            f"{', '.join(sorted(PARTS))}"
        )
    parts = {PARTS[row.part] for row in rows.values()}
    tested = "test" if "test" in parts else "val"
    unused = 0
    for name, row in list(rows.items()):
        part = PARTS[row.part]
        if part in {"train", tested}:
            rows[name] = row._replace(part="train" if part == "train" else "test")
        else:
            del rows[name]
            unused += 1
    return [f"{unused:,} rows of the validation split are not used"] if unused else []


def _check(rows: dict[str, Row], bad: dict[str, str], kind: FileDomain, cache: Cache) -> Checked:
    """Return what is found in the file of each row, taking out rows whose files are bad."""
    files: dict[str, File] = {}
    wrong: dict[str, str] = {}
    for path in {row.value for row in rows.values()}:
        try:
            status = Path(path).stat()
        except OSError as error:
            wrong[path] = f"cannot be read: {error.strerror}"
        else:
            files[path] = File(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    checked = check(ROOT, sorted(files.values()), kind, cache)
    wrong |= checked.bad
    for name, row in list(rows.items()):
        if row.value in wrong:
            bad[name] = f"names {Path(row.value).name}, which {wrong[row.value]}"
            del rows[name]
    found = {file.path: finding for file, finding in zip(checked.files, checked.findings, strict=True)}
    kept = [row.value for row in rows.values()]
    return Checked([files[path] for path in kept], [found[path] for path in kept], wrong)
