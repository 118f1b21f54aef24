"""The table of the task `reviews`, made from the source archive of the package vaderSentiment 3.3.2.

    python -m pip download --no-deps --no-binary :all: vaderSentiment==3.3.2
    python -m bench_tasks.bundled.reviews_table vaderSentiment-3.3.2.tar.gz

It holds every sentence of three of the archive's four collections as it stands there, a row each; which of them are
used is up to the task.
"""

import gzip
import hashlib
import io
import json
import statistics
import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bench.errors import DataError
from bench_tasks.bundled.reviews import TABLE, Rated

ARCHIVE_SHA256: Final = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
INNER: Final = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
FOLDER: Final = "hutto_ICWSM_2014"
COLLECTIONS: Final[Mapping[str, str]] = {
    "movies": "movieReviewSnippets",
    "products": "amazonReviewSnippets",
    "tweets": "tweets",
}
"""The names of collections here and in the archive. Its fourth, of newspapers, is not needed."""


def read_archive(content: bytes) -> list[Rated]:
    """Return all sentences of the source archive, collection by collection, in its order."""
    with tarfile.open(fileobj=io.BytesIO(content)) as outer, tarfile.open(fileobj=outer.extractfile(INNER)) as inner:
        return [
            rated
            for collection, name in COLLECTIONS.items()
            for rated in _join(collection, _rows(inner, f"{name}_GroundTruth"), _rows(inner, f"{name}_anonDataRatings"))
        ]


def _rows(archive: tarfile.TarFile, name: str) -> list[list[str]]:
    file = archive.extractfile(f"{FOLDER}/{name}.txt")
    assert file is not None, "members of the archive are files"
    lines = file.read().decode("utf-8-sig").split("\r\n")
    return [line.split("\t") for line in lines if line]


def _join(collection: str, sentences: list[list[str]], rated: list[list[str]]) -> Iterator[Rated]:
    """Yield sentences (number, mean, text) with their ratings (number, mean, deviation, list), in their order."""
    ratings = {number: json.loads(values) for number, _, _, values in rated}
    for number, stated, text in sentences:
        values = ratings[number]
        yield Rated(collection, number, statistics.fmean(values), float(stated), len(values), text)


def to_table(sentences: list[Rated]) -> bytes:
    """Return sentences as tab-separated values with a header, compressed; means have four decimals."""
    lines = ["\t".join(Rated._fields)]
    for one in sentences:
        assert "\t" not in one.text, "texts hold no tab"
        lines.append(f"{one.collection}\t{one.number}\t{one.mean:.4f}\t{one.stated:.4f}\t{one.raters}\t{one.text}")
    return gzip.compress("".join(f"{line}\n" for line in lines).encode("utf-8"), mtime=0)


def make(archive: Path, table: Path = TABLE) -> None:
    """Write the table. Raises `DataError` for an archive with another hash."""
    content = archive.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != ARCHIVE_SHA256:
        raise DataError(f"{archive} is not the archive: got sha256 {found[:12]}…, expected {ARCHIVE_SHA256[:12]}…")
    table.write_bytes(to_table(read_archive(content)))


if __name__ == "__main__":
    make(Path(sys.argv[1]))
