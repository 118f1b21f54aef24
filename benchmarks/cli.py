"""The command line: which rows are measured, and where the table goes."""

import argparse
import dataclasses
import importlib
import logging
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks import ours
from benchmarks.harness import THREADS, Settings, pin_threads
from benchmarks.table import Row, render

FINE: Final = 0
USERS_MISTAKE: Final = 2

README: Final = Path(__file__).with_name("README.md")
BEGIN: Final = "<!-- measured: begin -->"
END: Final = "<!-- measured: end -->"
PEERS: Final = ("torch", "transformers", "accelerate", "timm")


class Subject(NamedTuple):
    """What a row is about, in the module of its name. `needs` are packages that only the benchmarks' extra brings."""

    name: str
    about: str
    needs: tuple[str, ...] = ()
    long: bool = False
    gpu: bool = False


SUBJECTS: Final = (
    Subject("probe_sweep", "all linear probes of a task, over one forward pass"),
    Subject("probe_sweep_peer", "the same probes by a loop over a frozen backbone"),
    Subject("partial_step", "a step of partial fine-tuning, over a bare one"),
    Subject("trainer", "full fine-tuning of MiniLM by transformers' Trainer", needs=("accelerate",)),
    Subject("dataloader", "full fine-tuning of a small ResNet by a plain DataLoader loop"),
    Subject("startup", "how long the command line takes to answer"),
    Subject("report", "a report of 20,000 cells", needs=("psutil",)),
    Subject("suite", "the suite `all`, cold", needs=("psutil",), long=True),
    Subject("nothing_shared", "the suite `all` with every cell alone", needs=("psutil",), long=True),
    Subject("trainer_throughput", "MiniLM on sentences by Trainer", needs=("accelerate",), gpu=True),
    Subject("vit", "share of the matmul ceiling that a ViT-B/16 reaches", gpu=True),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure rows, print their table and return the exit code: 0 fine, 2 the user's mistake."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        subjects = choose(options.name)
        refuse_missing(subjects)
        settings = Settings(device=ours.device_named(options.device), quick=options.quick)
        pin_threads()
        rows = list(_measure(subjects, settings, long=options.long or bool(options.name)))
    except ours.BenchError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return USERS_MISTAKE
    table = render(rows, caption=caption(settings))
    print(f"\n{table}", end="")
    if options.write:
        README.write_text(with_table(README.read_text(encoding="utf-8"), table), encoding="utf-8")
    return FINE


def choose(names: Sequence[str]) -> Sequence[Subject]:
    """Return the subjects named, in the order of the table; all if none is. Raises `UnknownNameError`."""
    known = [subject.name for subject in SUBJECTS]
    for name in names:
        if name not in known:
            raise ours.unknown_name("row", name, known)
    return [subject for subject in SUBJECTS if not names or subject.name in names]


def refuse_missing(subjects: Sequence[Subject]) -> None:
    """Raise `BenchError` if a package that a subject needs is not installed."""
    missing = sorted({package for subject in subjects for package in subject.needs if find_spec(package) is None})
    if missing:
        raise ours.BenchError(
            f"{' and '.join(missing)} not installed, which the rows are measured with or beside: "
            "`make benchmark` installs the extra `benchmarks`, or name rows that do without"
        )


def caption(settings: Settings) -> str:
    """Return under what the table was measured."""
    under = ours.provenance(settings.device)
    versions = ", ".join(f"{package} {version(package)}" for package in PEERS if find_spec(package))
    sample = "A QUICK SAMPLE, which shows that everything runs and measures nothing. " if settings.quick else ""
    machine = f"{under.processor}, {ours.workers('cpu')} cores, {under.platform}"
    return (
        f"{sample}Ratios are of pairs measured turn by turn in one process, {THREADS} thread on each side; whole "
        f"commands run as their user runs them. {machine}; bench {under.bench}, Python {under.python}, {versions}."
    )


def with_table(text: str, table: str) -> str:
    """Return the text of a README with what stands between its marks replaced by the table."""
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    assert found, f"{README.name} has no marks for the table"
    return f"{before}{BEGIN}\n\n{table}\n{END}{after}"


def _measure(subjects: Sequence[Subject], settings: Settings, *, long: bool) -> Iterator[Row]:
    for subject in subjects:
        reason = _left_out(subject, settings, long=long)
        if reason:
            yield Row(name=subject.name, compares="", value=None, note=reason)
            continue
        print(f"{subject.name}: {subject.about} …", file=sys.stderr)
        for row in importlib.import_module(f"benchmarks.{subject.name}").measure(settings):
            print("  ".join(filter(None, row.cells())), file=sys.stderr)
            yield dataclasses.replace(row, target=None) if settings.quick else row


def _left_out(subject: Subject, settings: Settings, *, long: bool) -> str:
    """Return why a subject is not measured, or nothing."""
    if subject.gpu and settings.device != "cuda":
        return "needs a GPU (`--device cuda`)."
    if subject.long and not long:
        return "takes more than ten minutes: name it, or `--long`."
    return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="What does the benchmark cost beside its peers, and beside the least that could be done?",
        epilog="\n".join(["rows:", *(f"  {subject.name:<20} {subject.about}" for subject in SUBJECTS)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="*", metavar="NAME", help="only this row (default: all that are not long)")
    parser.add_argument("--long", action="store_true", help="those of more than ten minutes too")
    parser.add_argument("--quick", action="store_true", help="a small sample, to see that everything runs")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="default: cpu")
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md")
    return parser
