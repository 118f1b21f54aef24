"""The arguments of the command line, and how they become the options of a command."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

from bench.commands.arguments import (
    add_choice,
    add_config,
    add_data,
    add_device,
    add_memory,
    add_output,
    add_selection,
    positive,
    share,
)
from bench.commands.options import (
    CacheOptions,
    CompareFormat,
    CompareOptions,
    FetchOptions,
    Heading,
    HistoryFormat,
    HistoryOptions,
    ListOptions,
    NewOptions,
    Options,
    PredictFormat,
    PredictOptions,
    PretrainOptions,
    PublishOptions,
    RankOptions,
    ReportOptions,
    RunOptions,
    TuneOptions,
)
from bench.registry import BUILT_IN, EXECUTORS, TRACKERS
from bench.runtime.arithmetic import WANTED
from bench.skeletons.writing import Skeleton
from bench.versions import VERSION


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Return the options of the command that the arguments name; those of this process if none are given.

    Prints the usage and exits with code 2 for arguments that make no sense, with 0 for `--help` and `--version`.
    """
    given = vars(make_parser().parse_args(arguments))
    kind = given.pop("kind")
    options: Options = _build(kind, given)
    return options


def _build(kind: type[Any], given: Mapping[str, Any]) -> Any:  # noqa: ANN401 (an instance of `kind`)
    """Return a dataclass of options from the values of its fields, and of those of its groups, by name."""
    values = {}
    for field in fields(kind):
        if isinstance(field.type, type) and is_dataclass(field.type):
            values[field.name] = _build(field.type, given)
        elif field.name in given:
            value = given[field.name]
            values[field.name] = tuple(value) if isinstance(value, list) else value
    return kind(**values)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands. Each subparser names the class of its options as `kind`."""
    parser = argparse.ArgumentParser(
        prog="bench", description="What is a pretrained backbone worth, at your number of labels?"
    )
    parser.add_argument("--version", action="version", version=f"bench {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    # An option that is not given is left out of the namespace: its default is that of the dataclass.
    add = partial(commands.add_parser, argument_default=argparse.SUPPRESS)

    _add_run(add("run", help="measure a suite; the same command again finishes what is missing"))
    _add_predict(add("predict", help="use a model that run --export kept"))
    _add_rank(add("rank", help="order backbones before any training, by LogME of frozen features"))
    _add_fetch(add("fetch", help="get all that a suite needs, for later use without a network"))
    _add_report(add("report", help="rebuild tables and charts from the cells of a results folder"))
    _add_compare(add("compare", help="say whether a run is worse than an earlier one; 1 if it is"))
    _add_history(add("history", help="show many runs side by side, and since when something changed"))
    _add_publish(add("publish", help="copy the parts of a results folder that belong in git"))
    _add_list(add("list", help="show what there is"))
    _add_new(add("new", help="write a package for a task, target, strategy or backbone of your own"))
    _add_pretrain(add("pretrain", help="remake a bundled backbone"))
    _add_tune(add("tune", help="make default recipes for all strategies, on other tasks than those they are for"))
    _add_cache(add("cache", help="show what is kept between runs, and clear it"))
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    add_selection(parser)
    add_device(parser)
    parser.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        help="processes (default: one per core, or what a GPU takes)",
    )
    parser.add_argument(
        "--executor",
        metavar="NAME",
        help=f"where cells run: {', '.join(BUILT_IN[EXECUTORS])} (default: here if there is one worker)",
    )
    add_memory(parser)
    parser.add_argument(
        "--precision", choices=WANTED, help=f"of gradient steps (default: {WANTED[0]}, the faster as timed)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="results folder (default: results/SUITE)")
    parser.add_argument(
        "--export", type=Path, metavar="DIR", help="keep the adapted models: of the largest budget, by seed 0"
    )
    parser.add_argument(
        "--refit", choices=("all",), help="with --export: train the kept models on all labels, the tested ones too"
    )
    parser.add_argument(
        "--variance", action="store_true", help="also tell apart what subset, initialisation and order make vary"
    )
    parser.add_argument(
        "--no-shifts", dest="shifts", action="store_false", help="score on plain test data only, not also under shifts"
    )
    parser.add_argument(
        "--track",
        dest="trackers",
        action="append",
        metavar="TRACKER",
        help=f"log each cell that is scored now, with {', '.join(BUILT_IN[TRACKERS])}; may be repeated",
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be run")
    parser.set_defaults(kind=RunOptions)


def _add_rank(parser: argparse.ArgumentParser) -> None:
    add_selection(parser)
    add_device(parser)
    add_memory(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="results to hold the order against (as of `run`)")
    parser.set_defaults(kind=RankOptions)


def _add_fetch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="SUITE", help="which suite of the config (default: all)")
    add_config(parser)
    parser.add_argument("--task", dest="tasks", action="append", metavar="T", help="only this task")
    add_data(parser)
    parser.set_defaults(kind=FetchOptions)


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.set_defaults(kind=ReportOptions)


def _add_compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("baseline", type=Path, metavar="BASELINE", help="results folder of the earlier run")
    parser.add_argument("current", type=Path, metavar="CURRENT", help="results folder of the run in question")
    parser.add_argument(
        "--task",
        dest="tasks",
        action="append",
        metavar="T",
        help="only this task; may be repeated (default: all of the baseline)",
    )
    parser.add_argument(
        "--tolerance",
        type=share,
        metavar="SKILL",
        help="what does not matter, as a share of the way from chance to perfect (default: 0.01)",
    )
    parser.add_argument("--fail-on-cost", action="store_true", help="fail a run that is slower or larger, too")
    add_output(parser, get_args(CompareFormat))
    parser.set_defaults(kind=CompareOptions)


def _add_history(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="DIR",
        help="results folders, oldest first; or one that holds such folders, taken by name",
    )
    add_output(parser, get_args(HistoryFormat))
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw it, as SVG")
    parser.set_defaults(kind=HistoryOptions)


def _add_publish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="the results")
    parser.add_argument("target", type=Path, metavar="TARGET", help="a new folder, or one published before: replaced")
    parser.set_defaults(kind=PublishOptions)


def _add_list(parser: argparse.ArgumentParser) -> None:
    # Of a positional, argparse would look for the mark of a left-out value among the choices: so None, as in its class.
    parser.add_argument("what", nargs="?", default=None, choices=get_args(Heading))
    add_config(parser)
    parser.set_defaults(kind=ListOptions)


def _add_new(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=get_args(Skeleton))
    parser.add_argument("name", metavar="NAME", help="as a config will use it")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where to write it (default: here)")
    parser.set_defaults(kind=NewOptions)


def _add_pretrain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="as `list backbones` shows it, without `bundled:`")
    add_device(parser)
    parser.set_defaults(kind=PretrainOptions)


def _add_tune(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    add_choice(
        parser,
        tasks="recipes for this task; may be repeated",
        budgets="labels of each trial (default: 40 160)",
        seeds="seeds of each trial (default: 2)",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write (default: tuned.toml)")
    parser.set_defaults(kind=TuneOptions)


def _add_cache(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clear", action="store_true", help="remove all entries and unpacked archives; downloads stay")
    parser.set_defaults(kind=CacheOptions)


def _add_predict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="of the model")
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="or a folder of them, or - for lines of standard input"
    )
    parser.add_argument(
        "--text", dest="texts", action="append", metavar="TEXT", help="a text itself; may be repeated, as --column"
    )
    parser.add_argument(
        "--column",
        dest="columns",
        action="append",
        metavar="C",
        help="of a table: the one of the texts, or those of the series (default: as in training)",
    )
    parser.add_argument("--top", type=positive, metavar="N", help="classes to show (default: 1)")
    parser.add_argument("--format", choices=get_args(PredictFormat), help="json: an object on each line")
    parser.add_argument("--trust-remote-code", action="store_true", help="let a model of a hub bring code of its own")
    add_device(parser)
    add_memory(parser)
    parser.set_defaults(kind=PredictOptions)
