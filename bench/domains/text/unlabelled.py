"""Texts without labels: in files, a line each, in a column of a table, or given as they are."""

import sys
from collections.abc import Iterator
from pathlib import Path

from bench.domains.contract import Request, Source, Unlabelled
from bench.domains.text.raw import Texts
from bench.domains.unlabelled import STANDARD_INPUT, read_each
from bench.errors import DataError
from bench.files.rows import read_rows
from bench.files.suffixes import TABLE_SUFFIXES
from bench.readout import Kind


def read(request: Request) -> Unlabelled:
    """Return the texts that a model is asked about, in words if it has an answer for each of these."""
    column = request.columns[0] if request.columns else request.options.text

    def read_file(path: Path) -> Iterator[tuple[Source, str] | DataError]:
        if path.suffix.lower() in TABLE_SUFFIXES:
            rows = read_rows(path, [column], request.options.encoding)
            yield from (DataError(f"{path}, row {number}: {why}") for number, why in rows.bad.items())
            numbered = list(zip(rows.numbers, rows.values[column], strict=True))
        else:
            numbered = list(enumerate(_lines(path), start=1))
        for row, text in numbered:
            if text.strip():
                yield Source(str(path), row=row, text=text), text
            else:
                yield DataError(f"{path}, row {row}: an empty text")

    found, problems = read_each(request, read_file)
    given = [text for text in request.texts if text.strip()]
    problems += ("--text: an empty text",) * (len(request.texts) - len(given))
    sources = (*(source for source, _ in found), *(Source(text=text) for text in given))
    strings = tuple(source.text for source in sources)
    in_words = request.target.readout.kind is Kind.SEQUENCE
    words = tuple(tuple(text.split()) for text in strings) if in_words else None
    return Unlabelled(Texts(strings, words), sources, problems)


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
