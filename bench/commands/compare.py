"""`compare`: whether a run is worse than an earlier one."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from bench.commands.options import CompareFormat, CompareOptions
from bench.errors import StoreError, unknown_name
from bench.gate.comparison import Comparison, compare
from bench.gate.junit import to_junit
from bench.gate.markdown import to_markdown
from bench.gate.matching import read_run
from bench.gate.records import to_json
from bench.gate.text import to_text
from bench.results.store import Store

FORMATS: Final[Mapping[CompareFormat, Callable[[Comparison], str]]] = {
    "text": to_text,
    "markdown": to_markdown,
    "json": to_json,
    "junit": to_junit,
}


def main(options: CompareOptions) -> int:
    """Compare two results folders, print what is said of them, and return 1 if the current one does not pass.

    Raises `UnknownNameError` for a task that the baseline does not have.
    """
    baseline, current = (read_run(Store(folder)) for folder in (options.baseline, options.current))
    for task in options.tasks:
        if task not in baseline.manifest.tasks:
            raise unknown_name("task", task, baseline.manifest.tasks)
    comparison = compare(
        baseline.narrowed(options.tasks),
        current.narrowed(options.tasks),
        tolerance=options.tolerance,
        fail_on_cost=options.fail_on_cost,
    )
    said = FORMATS[options.format](comparison)
    if options.out is None:
        print(said, end="")
    else:
        write_output(options.out, said)
        print(to_text(comparison), end="")
    return 1 if comparison.reasons else 0


def write_output(path: Path, said: str) -> None:
    """Write what a command says into a file. Raises `StoreError` where that is not possible."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(said, encoding="utf-8", newline="")
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}; name another file") from error
