"""Labelled examples as the readers of files find them, and what they refuse alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.config.data import OWN, DataSpec
from bench.domain import Raw
from bench.domains.contract import SPLITTING
from bench.domains.options import DataOptions
from bench.errors import DataError
from bench.written import Label
from bench_tasks.files.labelling import USUAL
from bench_tasks.files.splitting import shown

# What folders and columns call the parts of a data set.
PARTS: Final = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
}

TOKENS: Final = "tokens"
TAGS: Final = "tags"
"""The columns of words and of their tags in lines of JSON."""

EXAMPLES: Final = 3  # shown of what a remark is about

ALWAYS_USED: Final = SPLITTING | {"title", "licence", "citation", "source", "skip_bad", "metric", "test_share"}


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Labelled examples as they were found. All columns are [n].

    `contents` are equal for examples that are copies of each other, `names` tell people which one is meant (a path, a
    row). `groups`, `parts` ("train" or "test") and `units`, which are scored as one and are called a `unit`, are empty
    where the data do not say; `split_as` is how they say which part.
    `settings` is what else decides what a backbone gets to see, `said` how that is told. `target` is what labels are.
    """

    raw: Raw
    labels: Sequence[Label]
    contents: Sequence[str]
    names: Sequence[str]
    groups: Sequence[str] = ()
    parts: Sequence[str] = ()
    units: Sequence[str] = ()
    unit: str = ""
    split_as: str = ""
    remarks: tuple[str, ...] = ()
    settings: tuple[object, ...] = ()
    said: str = ""
    target: str = USUAL


def labelled_files(spec: DataSpec, noun: str) -> dict[Path, str]:
    """Return the files of data in one file or two, each with the part that it is, "" if it holds all; `noun` is what.

    Raises `DataError` if none or more are named, or two of data that a column splits.
    """
    if not spec.place:
        raise DataError(f"{spec.address!r} names no {noun}: write {spec.kind}:PATH")
    whole = Path(spec.place).expanduser()
    places = [Path(place.strip()).expanduser() for place in spec.place.split(",")]
    if whole.exists() or len(places) == 1:
        return {whole: ""}
    if len(places) != 2 or len(set(places)) != 2 or spec.options.split:
        unsplit = ", and no split" if spec.options.split else ""
        raise DataError(f"{spec.address}: expected one {noun}; or two, to learn from and to test on{unsplit}")
    return {places[0]: "train", places[1]: "test"}


def refuse_unused(spec: DataSpec, used: frozenset[str]) -> None:
    """Raise `DataError` for options that say something which does not apply to such labelled data."""
    refuse_others(spec, used | ALWAYS_USED)


def refuse_others(spec: DataSpec, applying: frozenset[str]) -> None:
    """Raise `DataError` for options that say something but are not among those `applying`."""
    defaults = DataOptions()
    idle = [
        option
        for option in DataOptions.model_fields
        if option not in applying | {OWN} and getattr(spec.options, option) != getattr(defaults, option)
    ]
    if idle:
        raise DataError(
            f"{spec.address}: {', '.join(idle)} does not apply to {spec.family} from {spec.kind}: leave it out "
            f"(what applies: {', '.join(sorted(applying))})"
        )


def refuse_groups(spec: DataSpec) -> None:
    """Raise `DataError` for groups, or what is scored as one, asked of data that say nothing of them."""
    asked = {"group": spec.options.group, "score_by": spec.options.score_by}
    for option, said in asked.items():
        if said:
            raise DataError(f"{spec.address} says nothing of groups: leave {option} = {said!r} out")


def refuse_or_skip(spec: DataSpec, bad: Mapping[str, str], *, noun: str) -> tuple[str, ...]:
    """Return a remark on what was left out, `bad` saying what is wrong with each file or row (`noun`).

    Raises `DataError` with a list of them unless they may be left out (`skip_bad`).
    """
    if not bad:
        return ()
    wrong = [f"{name} {why}" for name, why in bad.items()]
    count = f"{len(bad):,} {noun}s" if len(bad) > 1 else f"one {noun}"
    if not spec.options.skip_bad:
        raise DataError(
            f"{spec.address} has {count} that cannot be used: {shown(wrong)}. Mend or remove what is bad, or leave it "
            "out with --skip-bad (skip_bad = true)"
        )
    return (f"{count} left out: {shown(wrong, at_most=EXAMPLES)}",)
