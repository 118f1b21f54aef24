"""Tasks on texts with a tag for each word: CoNLL files, and lines of JSON with `tokens` and `tags`."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from bench.config.data import DataSpec
from bench.domains.registered import domain_of, families
from bench.domains.text.raw import Texts
from bench.errors import DataError
from bench.files.rows import read_text
from bench.runtime.cache import Cache
from bench.target import uncombined
from bench.targets.tags import OUTSIDE, Tags
from bench_tasks.files.found import TAGS, TOKENS, Found, labelled_files, refuse_groups, refuse_or_skip, refuse_unused
from bench_tasks.files.labelled import LabelledTask, labelled_task
from bench_tasks.files.labelling import reader_of
from bench_tasks.files.splitting import shown

DOCUMENT: Final = "-DOCSTART-"  # in the place of a word: a document begins
FIELDS: Final = 2  # at least, of a line: a word, and last its tag


class Sentence(NamedTuple):
    """Words with their tags and the `lines` of their file that they are in; `document` counts from 1, 0 is none."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    lines: tuple[int, ...]
    document: int = 0


class Part(NamedTuple):
    """The sentences of a file, and by the line where each begins why others cannot be used."""

    path: Path
    side: str
    sentences: list[Sentence]
    bad: dict[int, str]


def open_tags(name: str, spec: DataSpec, cache: Cache) -> LabelledTask:
    """Return the task on a file of tagged words, or on two: to learn from and to test on, `conll:train.txt,test.txt`.

    A file with documents in it is split by these. Tags are in BIO; those of a file in IOB1, where B- only parts
    neighbours of one kind, are rewritten. Raises `DataError` for a file that is missing or cannot be read, and for tags
    that are neither.
    """
    cells, target = domain_of(spec.family).cells, spec.options.target
    if not (cells and cells.tagged) or (target and not reader_of(target).in_words):
        tagged = " or ".join(families("conll"))
        raise DataError(f"{spec.address} holds tags of words: it is read for {tagged}, and no other target")
    refuse_unused(spec, frozenset({"target", "encoding"}))
    if spec.options.score_by:
        raise uncombined(Tags.name)
    refuse_groups(spec)
    parts = [_read(path, side, spec.options.encoding) for path, side in labelled_files(spec, "file").items()]
    prefix = {part.path: f"{part.path.name} " if part.side else "" for part in parts}
    bad = {f"{prefix[part.path]}line {line}": why for part in parts for line, why in part.bad.items()}
    remarks = [*refuse_or_skip(spec, bad, noun="sentence"), *_rewrite(parts)]
    sentences = [(part, sentence) for part in parts for sentence in part.sentences]
    strings = tuple(" ".join(sentence.words) for _, sentence in sentences)
    found = Found(
        raw=Texts(strings, tuple(sentence.words for _, sentence in sentences)),
        labels=[sentence.tags for _, sentence in sentences],
        contents=["\x01".join(sentence.words) for _, sentence in sentences],
        names=[f"{prefix[part.path]}line {sentence.lines[0]}" for part, sentence in sentences],
        groups=_documents(parts),
        parts=[part.side for part, _ in sentences if part.side],
        split_as="as its two files say",
        remarks=tuple(remarks),
        target=Tags.name,
    )
    return labelled_task(name, spec, found)


def _read(path: Path, side: str, encoding: str) -> Part:
    text = read_text(path, encoding)
    sentences, bad = [], {}
    reads = _json_lines if path.suffix.casefold() == ".jsonl" else _conll
    for line, found in reads(text.split("\n")):
        if isinstance(found, str):
            bad[line] = found
        else:
            sentences.append(found)
    return Part(path, side, sentences, bad)


def _conll(lines: Iterable[str]) -> Iterator[tuple[int, Sentence | str]]:
    """Yield each sentence of a CoNLL file, or why it cannot be used, with the line where it begins.

    A line has a word, other columns and last a tag; a line without any ends a sentence.
    """
    document = 0
    rows: list[tuple[int, list[str]]] = []
    for number, line in enumerate([*lines, ""], start=1):
        fields = line.split()
        if fields and fields[0] == DOCUMENT:
            document += 1
        elif fields:
            rows.append((number, fields))
        if rows and (not fields or fields[0] == DOCUMENT):
            yield rows[0][0], _sentence(rows, document - (1 if fields else 0))
            rows = []


def _sentence(rows: Sequence[tuple[int, list[str]]], document: int) -> Sentence | str:
    short = [number for number, fields in rows if len(fields) < FIELDS]
    if short:
        return f"has a word without a tag in line {short[0]}"
    numbers, words, tags = zip(*((number, fields[0], fields[-1]) for number, fields in rows), strict=True)
    wrong = [f"{tag!r} in line {number}" for tag, number in zip(tags, numbers, strict=True) if not _is_tag(tag)]
    if wrong:
        return f"has the tag {wrong[0]}: expected {OUTSIDE}, B-KIND or I-KIND"
    return Sentence(words, tags, numbers, document)


def _json_lines(lines: Iterable[str]) -> Iterator[tuple[int, Sentence | str]]:
    """Yield the sentence of each line of JSON, or why it cannot be used."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, _record(line, number)


def _record(line: str, number: int) -> Sentence | str:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        return f"is not JSON: {error}"
    if not isinstance(record, dict):
        return "is no JSON object"
    words, tags = _strings(record, TOKENS), _strings(record, TAGS)
    lacking = [column for column, cells in ((TOKENS, words), (TAGS, tags)) if not cells]
    if lacking:
        return f"has no list of strings as its {' and its '.join(lacking)}"
    if len(words) != len(tags):
        return f"has {len(words)} {TOKENS} but {len(tags)} {TAGS}"
    if not all(word.strip() for word in words):
        return "has a word of nothing but spaces"
    wrong = [tag for tag in tags if not _is_tag(tag)]
    if wrong:
        return f"has the tag {wrong[0]!r}: expected {OUTSIDE}, B-KIND or I-KIND"
    return Sentence(words, tags, (number,) * len(words))


def _strings(record: Mapping[str, object], column: str) -> tuple[str, ...]:
    """Return the strings of a list, none of what is no list of strings."""
    cells = record.get(column)
    strings = tuple(cell for cell in cells if isinstance(cell, str)) if isinstance(cells, list) else ()
    return strings if isinstance(cells, list) and len(strings) == len(cells) else ()


def _is_tag(tag: str) -> bool:
    return tag == OUTSIDE or (tag[:2] in {"B-", "I-"} and len(tag) > len("B-"))


def _rewrite(parts: Sequence[Part]) -> list[str]:
    """Put tags in IOB1 into BIO, and return a remark if there were any.

    In IOB1 an entity begins with I-, but with B- where it follows another of its kind. Raises `DataError`, with the
    line, for an I- that begins an entity among tags that are not in IOB1.
    """
    begins = [
        (part, sentence.lines[place], tag, before)
        for part in parts
        for sentence in part.sentences
        for place, (before, tag) in enumerate(_pairs(sentence.tags))
        if tag.startswith("I-") and before[2:] != tag[2:]
    ]
    if not begins:
        return []
    apart = any(
        tag.startswith("B-") and before[2:] != tag[2:]
        for part in parts
        for sentence in part.sentences
        for before, tag in _pairs(sentence.tags)
    )
    if apart:
        told = [f"{part.path.name} line {line}: {tag} after {before}" for part, line, tag, before in begins]
        raise DataError(
            f"tags are to be in BIO, where B- begins an entity and I- continues it: {shown(told, at_most=3)}; write B- "
            "there"
        )
    for part in parts:
        part.sentences[:] = [sentence._replace(tags=_in_bio(sentence.tags)) for sentence in part.sentences]
    return [f"tags were in IOB1, and are read as BIO: {len(begins):,} entities began with I-"]


def _in_bio(tags: Sequence[str]) -> tuple[str, ...]:
    """Return tags in IOB1 as BIO: what begins an entity begins with B-."""
    return tuple(
        f"B-{tag[2:]}" if tag.startswith("I-") and before[2:] != tag[2:] else tag for before, tag in _pairs(tags)
    )


def _pairs(tags: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each tag with the one before it in its sentence."""
    return zip((OUTSIDE, *tags), tags, strict=False)


def _documents(parts: Sequence[Part]) -> list[str]:
    """Return the document of each sentence, or nothing where there are fewer than two."""
    groups = [
        f"{part.path.name} document {sentence.document}"
        if sentence.document
        else f"{part.path.name} {sentence.lines[0]}"
        for part in parts
        for sentence in part.sentences
    ]
    several = {(part.path, sentence.document) for part in parts for sentence in part.sentences if sentence.document}
    return groups if len(several) > 1 else []
