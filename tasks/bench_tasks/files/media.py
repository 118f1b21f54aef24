"""Examples that lie in a file each: found whole, and ready to be looked at."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.config.data import DataSpec
from bench.domains.contract import Domain, FileReader, Perceived
from bench.domains.options import DataOptions
from bench.domains.registered import domain_of
from bench.files.folders import File, examine
from bench.files.stored import Finding
from bench.runtime.cache import Cache


class FileDomain(NamedTuple):
    """A domain whose examples lie in files, and what reads these."""

    domain: Domain
    reader: FileReader


class Checked(NamedTuple):
    """The files that are whole, with what was found in each, and by path what is wrong with the others."""

    files: list[File]
    findings: list[Finding]
    bad: dict[str, str]


def in_files(spec: DataSpec) -> FileDomain | None:
    """Return the domain of data whose examples lie in files, None if they do not."""
    domain = domain_of(spec.family)
    return FileDomain(domain, domain.files) if domain.files else None


def check(root: Path, files: Sequence[File], kind: FileDomain, cache: Cache) -> Checked:
    """Return which files are whole, in their order."""
    noun = kind.domain.noun.one
    bad = {file.path: f"is no {noun} by its name" for file in files if not kind.domain.is_example(file.path)}
    named = [file for file in files if file.path not in bad]
    findings = examine(root, named, noun, kind.reader.look, cache)
    bad |= {file.path: found.problem for file, found in zip(named, findings, strict=True) if found.problem}
    sound = [(file, found) for file, found in zip(named, findings, strict=True) if not found.problem]
    return Checked([file for file, _ in sound], [found for _, found in sound], bad)


def perceive(root: Path, checked: Checked, reader: FileReader, options: DataOptions) -> Perceived:
    """Return the files as raw examples, to be read when they are looked at."""
    return reader.read([root / file.path for file in checked.files], checked.findings, options)
