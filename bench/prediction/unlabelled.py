"""Owns examples without labels: what a model is asked about, read from files, tables, lines and sentences."""

import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from bench.config.data import PICTURE_SUFFIXES, RECORDING_SUFFIXES, TABLE_SUFFIXES
from bench.domain import Domain, Raw, Texts, Windows
from bench.errors import DataError
from bench.files.media import Pictures, Recordings, decode_picture, decode_recording, read_stored
from bench.files.rows import read_rows
from bench.prediction.exported import Exported
from bench.prediction.histories import last_values, read_histories, times_to_come

STANDARD_INPUT: Final = "-"

KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(PICTURE_SUFFIXES, "picture"),
    **dict.fromkeys(RECORDING_SUFFIXES, "recording"),
    **dict.fromkeys(TABLE_SUFFIXES, "table"),
    ".txt": "text",
}
"""What files are, by their suffix; others are what the model reads, if they can be read as that."""

READS: Final[Mapping[Domain, tuple[str, ...]]] = {
    "vision": ("picture",),
    "text": ("text", "table"),
    "audio": ("recording",),
    "series": ("table",),
}

Example = TypeVar("Example")


@dataclass(frozen=True, slots=True)
class Source:
    """Where an example comes from; what does not apply is empty.

    `row` is the line of a text in its file, or its row as `bench.files.rows` counts those of a table. `times` are those
    of the steps to be forecast.
    """

    file: str = ""
    row: int = 0
    text: str = ""
    series: str = ""
    times: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Unlabelled:
    """Examples with their sources, both [n], and a line for everything that could not be read."""

    raw: Raw
    sources: tuple[Source, ...]
    problems: tuple[str, ...]


def gather(
    exported: Exported, files: Sequence[str], *, texts: Sequence[str] = (), columns: Sequence[str] = ()
) -> Unlabelled:
    """Return what a model is asked about: files, folders of them or - for standard input, and sentences.

    `columns` are those of tables to look into: one of texts, or those of series.
    """
    match exported.task.domain:
        case "vision":
            return _pictures(files)
        case "audio":
            return _recordings(exported, files)
        case "text":
            return _texts(exported, files, texts, columns[0] if columns else exported.data.options.text)
        case "series":
            return _windows(exported, files, columns)


def _pictures(files: Sequence[str]) -> Unlabelled:
    def read(path: Path) -> Iterator[tuple[Source, tuple[Path, str]]]:
        content = read_stored(path, "picture")
        decode_picture(content, path)  # to its end, so that a damaged one costs itself alone
        yield Source(str(path)), (path, hashlib.sha256(content).hexdigest())

    found, problems = _each(files, "vision", read)
    paths, hashes = [path for _, (path, _) in found], [sha256 for _, (_, sha256) in found]
    return Unlabelled(Pictures(tuple(paths), tuple(hashes)), _sources(found), problems)


def _recordings(exported: Exported, files: Sequence[str]) -> Unlabelled:
    hearing = exported.hearing
    assert hearing is not None, "a model of recordings says how they are heard"

    def read(path: Path) -> Iterator[tuple[Source, tuple[Path, str]]]:
        content = read_stored(path, "recording")
        decode_recording(content, path, hearing.rate_hz)
        yield Source(str(path)), (path, hashlib.sha256(content).hexdigest())

    found, problems = _each(files, "audio", read)
    paths, hashes = [path for _, (path, _) in found], [sha256 for _, (_, sha256) in found]
    raw = Recordings(tuple(paths), tuple(hashes), rate_hz=hearing.rate_hz, length=hearing.length)
    return Unlabelled(raw, _sources(found), problems)


def _texts(exported: Exported, files: Sequence[str], texts: Sequence[str], column: str) -> Unlabelled:
    def read(path: Path) -> Iterator[tuple[Source, str] | DataError]:
        if KINDS.get(path.suffix.lower()) == "table":
            rows = read_rows(path, [column], exported.data.options.encoding)
            yield from (DataError(f"{path}, row {number}: {why}") for number, why in rows.bad.items())
            numbered = list(zip(rows.numbers, rows.values[column], strict=True))
        else:
            numbered = list(enumerate(_lines(path), start=1))
        for row, text in numbered:
            if text.strip():
                yield Source(str(path), row=row, text=text), text
            else:
                yield DataError(f"{path}, row {row}: an empty text")

    found, problems = _each(files, "text", read)
    given = [text for text in texts if text.strip()]
    problems += ("--text: an empty text",) * (len(texts) - len(given))
    sources = (*_sources(found), *(Source(text=text) for text in given))
    return Unlabelled(Texts(tuple(source.text for source in sources)), sources, problems)


def _windows(exported: Exported, files: Sequence[str], columns: Sequence[str]) -> Unlabelled:
    past, steps = exported.past, exported.target.width
    assert past is not None, "a model of series says what it sees of them"

    def read(path: Path) -> Iterator[tuple[Source, np.ndarray] | DataError]:
        for history in read_histories(path, columns, exported.data.options):
            try:
                values = last_values(history, past.context)
            except DataError as error:
                yield DataError(f"{path}: {error}")
            else:
                times = times_to_come(history, steps)
                yield Source(str(path), series=history.name, times=times), values

    found, problems = _each(files, "series", read)
    pasts = np.array([values for _, values in found], dtype=np.float32).reshape(-1, past.context)  # [n, context]
    return Unlabelled(
        Windows(pasts, season=past.season, unit=np.full(len(pasts), past.unit)), _sources(found), problems
    )


def _each(
    files: Iterable[str], domain: Domain, read: Callable[[Path], Iterable[tuple[Source, Example] | DataError]]
) -> tuple[list[tuple[Source, Example]], tuple[str, ...]]:
    """Return what `read` finds in each file, and what is wrong with those in which it finds nothing."""
    found: list[tuple[Source, Example]] = []
    problems: list[str] = []
    for one in _all(files, domain, read):
        if isinstance(one, DataError):
            problems.append(str(one))
        else:
            found.append(one)
    return found, tuple(problems)


def _all(
    files: Iterable[str], domain: Domain, read: Callable[[Path], Iterable[tuple[Source, Example] | DataError]]
) -> Iterator[tuple[Source, Example] | DataError]:
    for file in files:
        try:
            paths = _paths(file, domain)
        except DataError as error:
            yield error
            continue
        for path in paths:
            try:
                yield from read(path)
            except DataError as error:
                yield error


def _paths(file: str, domain: Domain) -> list[Path]:
    """Return a file, or all files in a folder that a model of this domain reads.

    Raises `DataError` if there are none, or if it reads others.
    """
    path, wanted = Path(file), READS[domain]
    if file == STANDARD_INPUT:
        if domain != "text":
            raise DataError(f"standard input holds texts, but this model reads {wanted[0]}s: name files of these")
        return [path]
    if path.is_dir():
        inside = sorted(one for one in path.rglob("*") if KINDS.get(one.suffix.lower()) in wanted and one.is_file())
        if not inside:
            raise DataError(f"there are no {' or '.join(f'{kind}s' for kind in wanted)} in the folder {path}")
        return inside
    if not path.exists():
        raise DataError(f"there is no file {path}")
    kind = KINDS.get(path.suffix.lower())
    if kind and kind not in wanted:
        raise DataError(f"{path} is a {kind}, but this model reads {' and '.join(f'{one}s' for one in wanted)}")
    return [path]


def _sources(found: Iterable[tuple[Source, object]]) -> tuple[Source, ...]:
    return tuple(source for source, _ in found)


def _lines(path: Path) -> list[str]:
    try:
        if str(path) == STANDARD_INPUT:
            return [line.rstrip("\r\n") for line in sys.stdin]
        with path.open(encoding="utf-8-sig") as opened:
            return [line.rstrip("\r\n") for line in opened]
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({error}): save it as that") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
