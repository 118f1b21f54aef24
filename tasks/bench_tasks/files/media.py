"""Owns examples that are pictures or recordings in files: found whole, and ready to be looked at."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from bench.config.data import PICTURE_SUFFIXES, RECORDING_SUFFIXES, DataOptions
from bench.domain import Raw
from bench.files.folders import File, Finding, Kind, examine
from bench.files.media import Pictures, Recordings, Stored
from bench.runtime.cache import Cache

KINDS: Final[Mapping[str, Kind]] = {"image_classification": "picture", "audio_classification": "recording"}
SUFFIXES: Final[Mapping[Kind, tuple[str, ...]]] = {"picture": PICTURE_SUFFIXES, "recording": RECORDING_SUFFIXES}

LONGEST_SECONDS: Final = 10.0


class Checked(NamedTuple):
    """The files that are whole, with what was found in each, and by path what is wrong with the others."""

    files: list[File]
    findings: list[Finding]
    bad: dict[str, str]


class Perceived(NamedTuple):
    """Raw examples, the settings they are perceived with, and how those are told."""

    raw: Raw
    settings: tuple[object, ...]
    said: str


def has_suffix(path: str, kind: Kind) -> bool:
    """Whether a path ends as files of this kind do."""
    return path.casefold().endswith(SUFFIXES[kind])


def check(root: Path, files: Sequence[File], kind: Kind, cache: Cache) -> Checked:
    """Return which files are whole, in their order."""
    bad = {file.path: f"is no {kind} by its name" for file in files if not has_suffix(file.path, kind)}
    named = [file for file in files if file.path not in bad]
    findings = examine(root, named, kind, cache)
    bad |= {file.path: found.problem for file, found in zip(named, findings, strict=True) if found.problem}
    sound = [(file, found) for file, found in zip(named, findings, strict=True) if not found.problem]
    return Checked([file for file, _ in sound], [found for _, found in sound], bad)


def perceive(root: Path, checked: Checked, kind: Kind, options: DataOptions) -> Perceived:
    """Return the files as raw examples, to be read when they are looked at."""
    return perceive_stored([root / file.path for file in checked.files], checked.findings, kind, options)


def perceive_stored(
    stored: Sequence[Stored], findings: Sequence[Finding], kind: Kind, options: DataOptions
) -> Perceived:
    """Return what is stored, in files or in cells of a table, as raw examples, to be read when they are looked at."""
    hashes = tuple(found.sha256 for found in findings)
    if kind == "picture":
        return Perceived(Pictures(tuple(stored), hashes), (), "")
    longest = max((found.seconds for found in findings), default=0.0)
    seconds = options.seconds or min(longest, LONGEST_SECONDS)
    length = max(1, round(seconds * options.rate_hz))
    said = f" Heard at {options.rate_hz} Hz, cut or padded to {seconds:.3g} s; the longest lasts {longest:.3g} s."
    return Perceived(Recordings(tuple(stored), hashes, options.rate_hz, length), (options.rate_hz, length), said)
