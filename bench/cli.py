"""Owns the command line: its arguments and its errors. A user's mistake becomes one line and exit code 2.

Each command is a module of `bench.commands`, imported when it is asked for: no command waits for what another needs.
"""

import argparse
import importlib
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bench import __version__
from bench.errors import BenchError
from bench.runtime.arithmetic import WANTED
from bench.runtime.interrupts import interrupt_on_sigterm
from bench.tracking import TRACKERS

RUN: Final = "bench.commands.run"
USERS_MISTAKE: Final = 2
INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 fine, 1 some cell failed or got worse, 2 the user's mistake, 130 interrupted.
    """
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    interrupt_on_sigterm()
    try:
        answer: Callable[[argparse.Namespace], int] = importlib.import_module(options.command).answer
        return answer(options)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return USERS_MISTAKE
    except KeyboardInterrupt:
        kept = "; what was finished is kept, the same command goes on from there" if options.command == RUN else ""
        print(f"bench: interrupted{kept}", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="What is a pretrained backbone worth, at your number of labels?"
    )
    parser.add_argument("--version", action="version", version=f"bench {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    _add_run(commands.add_parser("run", help="measure a suite; the same command again finishes what is missing"))
    _add_predict(commands.add_parser("predict", help="use a model that run --export kept"))
    _add_rank(commands.add_parser("rank", help="order backbones before any training, by LogME of frozen features"))
    _add_fetch(commands.add_parser("fetch", help="get all that a suite needs, for later use without a network"))
    _add_report(commands.add_parser("report", help="rebuild tables and charts from the cells of a results folder"))
    _add_compare(commands.add_parser("compare", help="say whether a run is worse than an earlier one; 1 if it is"))
    _add_history(commands.add_parser("history", help="show many runs side by side, and since when something changed"))
    _add_publish(commands.add_parser("publish", help="keep of a results folder what is fit for git"))
    _add_list(commands.add_parser("list", help="show what there is"))
    _add_pretrain(commands.add_parser("pretrain", help="remake a bundled backbone"))
    _add_cache(commands.add_parser("cache", help="show what is kept between runs, and clear it"))
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    _add_selection(parser)
    _add_device(parser)
    parser.add_argument(
        "--workers",
        type=_positive,
        default=0,
        metavar="N",
        help="processes (default: one per core, or what a GPU takes)",
    )
    _add_memory(parser)
    parser.add_argument(
        "--precision", choices=WANTED, default=WANTED[0], help="of gradient steps (default: auto, the faster as timed)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="results folder (default: results/SUITE)")
    parser.add_argument(
        "--export", type=Path, metavar="DIR", help="keep the adapted models: of the largest budget, by seed 0"
    )
    parser.add_argument(
        "--variance", action="store_true", help="also tell apart what subset, initialisation and order make vary"
    )
    parser.add_argument(
        "--no-shifts", dest="shifts", action="store_false", help="score on plain test data only, not also under shifts"
    )
    parser.add_argument(
        "--track",
        action="append",
        default=[],
        choices=TRACKERS,
        metavar="TRACKER",
        help=f"log each cell that is scored now, with {', '.join(TRACKERS)}; may be repeated",
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be run")
    parser.set_defaults(command=RUN)


def _add_rank(parser: argparse.ArgumentParser) -> None:
    _add_selection(parser)
    _add_device(parser)
    _add_memory(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="results to hold the order against (as of `run`)")
    parser.set_defaults(command="bench.commands.rank", variance=False, shifts=False)


def _add_fetch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("suite", nargs="?", metavar="SUITE", help="which suite of the config (default: all)")
    _add_config(parser)
    _add_repeated(parser, "--task", "T", "only this task")
    _add_data(parser)
    parser.set_defaults(command="bench.commands.fetch", strategy=[], fraction=[], seeds=0, shifts=False)


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.set_defaults(command="bench.commands.report")


def _add_compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("baseline", type=Path, metavar="BASELINE", help="results folder of the earlier run")
    parser.add_argument("current", type=Path, metavar="CURRENT", help="results folder of the run in question")
    _add_repeated(parser, "--task", "T", "only this task; may be repeated (default: all of the baseline)")
    parser.add_argument(
        "--tolerance",
        type=_share,
        default=0.01,
        metavar="SKILL",
        help="what does not matter, as a share of the way from chance to perfect (default: 0.01)",
    )
    parser.add_argument("--fail-on-cost", action="store_true", help="fail a run that is slower or larger, too")
    _add_output(parser, ("text", "markdown", "json", "junit"))
    parser.set_defaults(command="bench.commands.compare")


def _add_history(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="DIR",
        help="results folders, oldest first; or one that holds such folders, taken by name",
    )
    _add_output(parser, ("text", "markdown", "json", "csv"))
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw it, as SVG")
    parser.set_defaults(command="bench.commands.history")


def _add_output(parser: argparse.ArgumentParser, formats: Sequence[str]) -> None:
    parser.add_argument("--format", choices=formats, default=formats[0], help=f"default: {formats[0]}")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it there; the terminal shows the text")


def _add_publish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="the results")
    parser.add_argument("target", type=Path, metavar="TARGET", help="a new folder, or one published before: replaced")
    parser.set_defaults(command="bench.commands.publish")


def _add_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", choices=("suites", "tasks", "backbones", "strategies"))
    _add_config(parser)
    parser.set_defaults(command="bench.commands.listing")


def _add_pretrain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="as `list backbones` shows it, without `bundled:`")
    _add_device(parser)
    parser.set_defaults(command="bench.commands.pretrain")


def _add_cache(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clear", action="store_true", help="remove all entries and unpacked archives; downloads stay")
    parser.set_defaults(command="bench.commands.cache")


def _add_predict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="of the model")
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="or a folder of them, or - for lines of standard input"
    )
    _add_repeated(parser, "--text", "TEXT", "a text itself; may be repeated, as --column")
    _add_repeated(
        parser, "--column", "C", "of a table: the one of the texts, or those of the series (default: as in training)"
    )
    parser.add_argument("--top", type=_positive, default=1, metavar="N", help="classes to show (default: 1)")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="json: an object on each line")
    parser.add_argument("--trust-remote-code", action="store_true", help="let a model of a hub bring code of its own")
    _add_device(parser)
    parser.set_defaults(command="bench.commands.predict")


def _add_selection(parser: argparse.ArgumentParser) -> None:
    """Add what says which cells are meant."""
    parser.add_argument("--suite", metavar="S", help="which suite of the config (default: all)")
    _add_config(parser)
    _add_repeated(parser, "--task", "T", "only this task; may be repeated, as all of these")
    _add_repeated(parser, "--strategy", "S", "only this strategy")
    parser.add_argument(
        "--fraction", action="append", default=[], type=float, metavar="F", help="only this share of labels, in (0, 1]"
    )
    parser.add_argument(
        "--seeds", type=_positive, default=0, metavar="N", help="number of seeds (default: the suite's)"
    )
    _add_data(parser)


def _add_data(parser: argparse.ArgumentParser) -> None:
    """Add what names data and backbones without a config."""
    parser.add_argument("--data", metavar="KIND:PLACE", help="your data, such as folder:photos or csv:tickets.csv")
    parser.add_argument(
        *("--backbone", "--backbones"),
        action="extend",
        nargs="+",
        default=[],
        metavar="B",
        help="with --data: what to see them through; else only these of the suite",
    )
    parser.add_argument("--family", metavar="F", help="what --data is, such as image_classification, if not plain")
    _add_repeated(parser, "--option", "KEY=VALUE", "what else there is to say of --data, such as label=queue")
    parser.add_argument("--skip-bad", action="store_true", help="leave out files of --data that cannot be read")
    parser.add_argument("--fill", action="store_true", help="interpolate what a series of --data lacks")
    parser.add_argument("--trust-remote-code", action="store_true", help="let models of a hub bring code of their own")


def _add_repeated(parser: argparse.ArgumentParser, flag: str, metavar: str, about: str) -> None:
    parser.add_argument(flag, action="append", default=[], metavar=metavar, help=about)


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="default: bench.toml")


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto, a GPU if any")


def _gibibytes(text: str) -> int:
    """Return a number of bytes."""
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"must be above 0, got {value:g}")
    return int(value * 2**30)


def _add_memory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--memory", type=_gibibytes, default=2**30, metavar="GIB", help="of examples that a process holds (default: 1)"
    )


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 0 and below 1, got {value:g}")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value
