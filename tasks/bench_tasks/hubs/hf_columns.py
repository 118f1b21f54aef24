"""What is in the columns of a data set of Hugging Face: texts, pictures or recordings, and their labels."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any, Final

import datasets

from bench.config.data import DataSpec
from bench.domains.contract import Domain, FileReader, Perceived
from bench.domains.options import DataOptions
from bench.domains.registered import domain_of
from bench.errors import DataError, nearest
from bench.files.embedded import Embedded
from bench.files.stored import Finding
from bench.runtime.cache import Cache, content_key
from bench_tasks.files.found import Found, refuse_or_skip

CHECKS: Final = 2  # raise it when the same cells would be judged otherwise


def found_in_columns(
    spec: DataSpec, parts: Mapping[str, Any], remarks: Sequence[str], *, identity: str | None, cache: Cache
) -> Found:
    """Return what is in the rows of all parts, "train" and "test" or one that is to be split.

    `identity` names the files they are in, as they are now, None if they changed a moment ago. Raises `DataError` for
    columns that are missing or of the wrong kind, and for examples that are of no use.
    """
    cells = [cell for part, rows in parts.items() for cell in _cells(spec, part, rows)]
    labels = [label for rows in parts.values() for label in label_names(spec, rows)]
    options = spec.options
    groups, units = (
        [value for rows in parts.values() for value in _values(spec, option, column, rows)]
        for option, column in (("group", options.group), ("score_by", options.score_by))
    )
    sides = [part for part, rows in parts.items() for _ in range(len(rows))]
    domain = domain_of(spec.family)
    if domain.files:
        findings = _examine(spec, domain.files, cells, identity, cache)
    else:
        findings = [_look_at_text(cell.read_text()) for cell in cells]
    bad = {str(cell): found.problem for cell, found in zip(cells, findings, strict=True) if found.problem}
    for column, values in ((options.group, groups), (options.score_by, units)):
        blank = [row for row, value in enumerate(values) if labels[row] and not value.strip()]
        bad = {str(cells[row]): f"has no {column}" for row in blank} | bad
    left_out = refuse_or_skip(spec, bad, noun="row")
    used = [row for row, label in enumerate(labels) if label and str(cells[row]) not in bad]
    unlabelled = labels.count("")
    perceived = _perceive(domain, [cells[row] for row in used], [findings[row] for row in used], spec.options)
    return Found(
        raw=perceived.raw,
        labels=[labels[row] for row in used],
        contents=[findings[row].sha256 for row in used],
        names=[str(cells[row]) for row in used],
        groups=[groups[row] for row in used] if groups else (),
        units=[units[row] for row in used] if units else (),
        unit=options.score_by or "",
        parts=[sides[row] for row in used] if len(parts) > 1 else (),
        split_as="as it comes" if len(parts) > 1 else "",
        remarks=(
            *remarks,
            *left_out,
            *((f"{unlabelled:,} {domain.noun.many} without a label left out",) if unlabelled else ()),
        ),
        settings=perceived.settings,
        said=perceived.said,
    )


def _perceive(
    domain: Domain, cells: Sequence[Embedded], findings: Sequence[Finding], options: DataOptions
) -> Perceived:
    """Return the examples in sound cells, of which files are read when they are looked at."""
    if domain.files:
        return domain.files.read(cells, findings, options)
    assert domain.cells is not None, "what is in a column is read from files or from cells"
    return domain.cells.read([cell.read_text() for cell in cells])


def label_names(spec: DataSpec, rows: Any) -> list[str]:  # noqa: ANN401 (`datasets` ships no types)
    """Return the class of each row, an empty string where it has none or hides it."""
    column = spec.options.label
    _refuse_missing(spec, "label", column, rows)
    feature, values = rows.features[column], rows.data.column(column).to_pylist()
    if isinstance(feature, datasets.ClassLabel):
        return ["" if value is None or value < 0 else feature.names[value] for value in values]
    if not isinstance(feature, datasets.Value) or feature.dtype.startswith(("float", "double")):
        raise DataError(f"{spec.address}: the column {column!r} holds {feature}, not classes: say which does (label)")
    if set(values) == {-1}:
        return [""] * len(values)
    return ["" if value is None else str(value) for value in values]


def _values(spec: DataSpec, option: str, column: str | None, rows: Any) -> list[str]:  # noqa: ANN401
    """Return what the column that an option names says in each row, "" if nothing; none if the option names none."""
    if not column:
        return []
    _refuse_missing(spec, option, column, rows)
    values = rows.data.column(column).to_pylist()
    return ["" if value is None or (isinstance(value, float) and isnan(value)) else str(value) for value in values]


def _refuse_missing(spec: DataSpec, option: str, column: str, rows: Any) -> None:  # noqa: ANN401
    if column not in rows.column_names:
        columns = rows.column_names
        raise DataError(
            f"{spec.address} has no column {column!r}{nearest(column, columns)} (there are: {', '.join(columns)}): say "
            f"which is meant with {option}"
        )


def _cells(spec: DataSpec, part: str, rows: Any) -> list[Embedded]:  # noqa: ANN401
    """Return the cells that hold the examples."""
    domain = domain_of(spec.family)
    column = str(getattr(spec.options, domain.column))
    _refuse_missing(spec, domain.column, column, rows)
    feature, files = rows.features[column], domain.files
    plain = "binary" if files else "string"
    is_plain = isinstance(feature, datasets.Value) and feature.dtype.removeprefix("large_") == plain
    if not is_plain and not (files and type(feature).__name__ == files.hub_feature):
        raise DataError(
            f"{spec.address}: column {column!r} holds {feature}, not {domain.noun.many}: say with "
            f"{domain.column} which does"
        )
    table = rows.data.column(column)
    return [Embedded(table, row, f"row {row} of {part}") for row in range(len(rows))]


def _look_at_text(text: str) -> Finding:
    return Finding(hashlib.sha256(text.encode()).hexdigest(), "" if text.strip() else "is empty")


def _examine(
    spec: DataSpec, reader: FileReader, cells: Sequence[Embedded], identity: str | None, cache: Cache
) -> list[Finding]:
    """Return what is found in the file in each cell, which is kept for as long as the table's files are the same."""
    if identity is None:
        return [_look(reader, cell) for cell in cells]
    column = getattr(spec.options, domain_of(spec.family).column)
    key = content_key("cells", CHECKS, spec.family, column, identity)

    def make(path: Path) -> None:
        path.write_text(json.dumps([_look(reader, cell) for cell in cells]), encoding="utf-8")

    kept = cache.fetch(key, f"what is in the rows of {spec.address}", make)
    return [Finding(*row) for row in json.loads(kept.read_bytes())]


def _look(reader: FileReader, cell: Embedded) -> Finding:
    try:
        content = cell.read_bytes()
    except OSError as error:
        return Finding("", f"cannot be read: {error}")
    return reader.look_at_bytes(content)
