"""What reading examples without labels has in common in all domains: files one by one, each with its own fate."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from bench.domains.contract import Domain, Request, Source
from bench.domains.registered import all_domains
from bench.errors import DataError
from bench.files.stored import read_stored

STANDARD_INPUT: Final = "-"

Example = TypeVar("Example")


def read_each(
    request: Request, read: Callable[[Path], Iterable[tuple[Source, Example] | DataError]]
) -> tuple[list[tuple[Source, Example]], tuple[str, ...]]:
    """Return what `read` finds in each file, and what is wrong with those in which it finds nothing."""
    found: list[tuple[Source, Example]] = []
    problems: list[str] = []
    for one in _all(request, read):
        if isinstance(one, DataError):
            problems.append(str(one))
        else:
            found.append(one)
    return found, tuple(problems)


class Files(NamedTuple):
    """Files that hold an example each: their `paths`, `hashes` and `sources`, and what is wrong with others."""

    paths: tuple[Path, ...]
    hashes: tuple[str, ...]
    sources: tuple[Source, ...]
    problems: tuple[str, ...]


def read_files(request: Request, decode: Callable[[bytes, Path], object]) -> Files:
    """Return what was asked about, in files that hold an example each.

    They are decoded to their end, so that a damaged one costs itself alone.
    """

    def read(path: Path) -> Iterator[tuple[Source, str]]:
        content = read_stored(path, request.domain.noun.one)
        decode(content, path)
        yield Source(str(path)), hashlib.sha256(content).hexdigest()

    found, problems = read_each(request, read)
    sources = tuple(source for source, _ in found)
    paths = tuple(Path(source.file) for source in sources)
    return Files(paths, tuple(sha256 for _, sha256 in found), sources, problems)


def kind_of_file(path: Path, domains: Iterable[Domain]) -> str:
    """Return what a file is by its suffix, such as "table", or nothing if no domain knows it."""
    suffix = path.suffix.lower()
    kinds = (kind for domain in domains for kind, suffixes in domain.suffixes.items() if suffix in suffixes)
    return next(kinds, "")


def _all(
    request: Request, read: Callable[[Path], Iterable[tuple[Source, Example] | DataError]]
) -> Iterator[tuple[Source, Example] | DataError]:
    for file in request.files:
        try:
            paths = _paths(file, request.domain)
        except DataError as error:
            yield error
            continue
        for path in paths:
            try:
                yield from read(path)
            except DataError as error:
                yield error


def _paths(file: str, domain: Domain) -> Sequence[Path]:
    """Return a file, or all files in a folder that a model of this domain reads.

    Raises `DataError` if there are none, or if it reads others.
    """
    path, wanted = Path(file), tuple(domain.suffixes)
    if file == STANDARD_INPUT:
        if not domain.unlabelled.texts:
            raise DataError(f"standard input holds texts, but this model reads {wanted[0]}s: name files of these")
        return [path]
    if path.is_dir():
        inside = sorted(one for one in path.rglob("*") if kind_of_file(one, [domain]) and one.is_file())
        if not inside:
            raise DataError(f"there are no {' or '.join(f'{kind}s' for kind in wanted)} in the folder {path}")
        return inside
    if not path.exists():
        raise DataError(f"there is no file {path}")
    kind = kind_of_file(path, [domain, *all_domains().values()])
    if kind and kind not in wanted:
        raise DataError(f"{path} is a {kind}, but this model reads {' and '.join(f'{one}s' for one in wanted)}")
    return [path]
