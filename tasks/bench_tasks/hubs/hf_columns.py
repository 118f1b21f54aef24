"""Owns what is in the columns of a data set of Hugging Face: texts, pictures or recordings, and their labels."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import datasets
import soundfile

from bench.config.data import DOMAINS, DataSpec
from bench.domain import Domain, Texts
from bench.errors import DataError, nearest
from bench.files.chunks import missing_bytes
from bench.files.embedded import Embedded
from bench.files.folders import Finding
from bench.files.soundness import TRUNCATED, picture_problem
from bench.runtime.cache import Cache, content_key
from bench_tasks.files import media
from bench_tasks.files.labelled import NOUNS, Found, refuse_or_skip

CHECKS: Final = 2  # raise it when the same cells would be judged otherwise

KINDS: Final[Mapping[Domain, tuple[type, str]]] = {
    "text": (datasets.Value, "string"),
    "vision": (datasets.Image, "binary"),
    "audio": (datasets.Audio, "binary"),
}
"""The feature that holds examples of a domain, and the kind of plain value that may as well."""


def found_in_columns(
    spec: DataSpec, parts: Mapping[str, Any], remarks: Sequence[str], *, identity: str | None, cache: Cache
) -> Found:
    """Return what is in the rows of all parts, "train" and "test" or one that is to be split.

    `identity` names the files they are in, as they are now, None if they changed a moment ago. Raises `DataError` for
    columns that are missing or of the wrong kind, and for examples that are of no use.
    """
    cells = [cell for part, rows in parts.items() for cell in _cells(spec, part, rows)]
    labels = [label for rows in parts.values() for label in label_names(spec, rows)]
    groups = [group for rows in parts.values() for group in _groups(spec, rows)]
    sides = [part for part, rows in parts.items() for _ in range(len(rows))]
    texts = None if spec.family in media.KINDS else [cell.read_text() for cell in cells]
    findings = _examine(spec, cells, identity, cache) if texts is None else [_look_at_text(text) for text in texts]
    bad = {str(cell): found.problem for cell, found in zip(cells, findings, strict=True) if found.problem}
    left_out = refuse_or_skip(spec, bad, noun="row")
    used = [row for row, label in enumerate(labels) if label and not findings[row].problem]
    unlabelled = labels.count("")
    found = Found(
        raw=Texts(()),
        labels=[labels[row] for row in used],
        contents=[findings[row].sha256 for row in used],
        names=[str(cells[row]) for row in used],
        groups=[groups[row] for row in used] if groups else (),
        parts=[sides[row] for row in used] if len(parts) > 1 else (),
        split_as="as it comes" if len(parts) > 1 else "",
        remarks=(
            *remarks,
            *left_out,
            *((f"{unlabelled:,} {NOUNS[spec.family]} without a label left out",) if unlabelled else ()),
        ),
    )
    if texts is not None:
        return replace(found, raw=Texts(tuple(texts[row] for row in used)))
    sound, sound_findings = [cells[row] for row in used], [findings[row] for row in used]
    perceived = media.perceive_stored(sound, sound_findings, media.KINDS[spec.family], spec.options)
    return replace(found, raw=perceived.raw, settings=perceived.settings, said=perceived.said)


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


def _groups(spec: DataSpec, rows: Any) -> list[str]:  # noqa: ANN401
    """Return the group of each row, or nothing if none are asked for."""
    column = spec.options.group
    if not column:
        return []
    _refuse_missing(spec, "group", column, rows)
    return [str(value) for value in rows.data.column(column).to_pylist()]


def _refuse_missing(spec: DataSpec, option: str, column: str, rows: Any) -> None:  # noqa: ANN401
    if column not in rows.column_names:
        columns = rows.column_names
        raise DataError(
            f"{spec.address} has no column {column!r}{nearest(column, columns)} (there are: {', '.join(columns)}): say "
            f"which is meant with {option}"
        )


def _cells(spec: DataSpec, part: str, rows: Any) -> list[Embedded]:  # noqa: ANN401
    """Return the cells that hold the examples."""
    domain = DOMAINS[spec.family]
    option = "image" if domain == "vision" else domain
    column = str(getattr(spec.options, option))
    _refuse_missing(spec, option, column, rows)
    feature, (wanted, plain) = rows.features[column], KINDS[domain]
    is_plain = isinstance(feature, datasets.Value) and feature.dtype.removeprefix("large_") == plain
    if not is_plain and (domain == "text" or not isinstance(feature, wanted)):
        raise DataError(
            f"{spec.address}: column {column!r} holds {feature}, not {NOUNS[spec.family]}: say with {option} which does"
        )
    table = rows.data.column(column)
    return [Embedded(table, row, f"row {row} of {part}") for row in range(len(rows))]


def _look_at_text(text: str) -> Finding:
    return Finding(hashlib.sha256(text.encode()).hexdigest(), "" if text.strip() else "is empty")


def _examine(spec: DataSpec, cells: Sequence[Embedded], identity: str | None, cache: Cache) -> list[Finding]:
    """Return what is found in the file in each cell, which is kept for as long as the table's files are the same."""
    if identity is None:
        return [_look(spec, cell) for cell in cells]
    key = content_key("cells", CHECKS, spec.family, spec.options.image, spec.options.audio, identity)

    def make(path: Path) -> None:
        path.write_text(json.dumps([_look(spec, cell) for cell in cells]), encoding="utf-8")

    kept = cache.fetch(key, f"what is in the rows of {spec.address}", make)
    return [Finding(*row) for row in json.loads(kept.read_bytes())]


def _look(spec: DataSpec, cell: Embedded) -> Finding:
    try:
        data = cell.read_bytes()
    except OSError as error:
        return Finding("", f"cannot be read: {error}")
    sha256 = hashlib.sha256(data).hexdigest()
    if DOMAINS[spec.family] == "vision":
        return Finding(sha256, picture_problem(data))
    try:
        heard = soundfile.info(BytesIO(data))
    except soundfile.SoundFileError as error:
        return Finding(sha256, f"is no recording that can be read: {error}")
    if missing_bytes(BytesIO(data)):
        return Finding(sha256, TRUNCATED)
    return Finding(sha256, "" if heard.frames else "has no sound in it", heard.frames / heard.samplerate)
