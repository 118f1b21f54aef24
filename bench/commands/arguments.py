"""Arguments that several commands share, and how their values are read."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from bench.budget import parse_asked
from bench.commands.options import DeviceChoice


def add_output(parser: argparse.ArgumentParser, formats: Sequence[str]) -> None:
    """Add the format of what a command prints, the first by default, and the file for it."""
    parser.add_argument("--format", choices=formats, help=f"default: {formats[0]}")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it there; the terminal shows the text")


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add what says which cells are meant."""
    parser.add_argument("--suite", dest="name", metavar="S", help="which suite of the config (default: all)")
    add_config(parser)
    add_choice(
        parser,
        tasks="only this task; may be repeated, as all of these",
        budgets="only these labels: a share such as 0.1, a number such as 30, or all",
        seeds="number of seeds (default: the suite's)",
    )
    add_data(parser)


def add_choice(parser: argparse.ArgumentParser, *, tasks: str, budgets: str, seeds: str) -> None:
    """Add the names of tasks and strategies, label budgets and the number of seeds, with what these are for."""
    parser.add_argument("--task", dest="tasks", action="append", metavar="T", help=tasks)
    parser.add_argument("--strategy", dest="strategies", action="append", metavar="S", help="only this strategy")
    parser.add_argument(
        "--budget", dest="budgets", action="extend", nargs="+", type=parse_asked, metavar="N", help=budgets
    )
    parser.add_argument("--seeds", type=positive, metavar="N", help=seeds)


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add what names data and backbones without a config."""
    parser.add_argument(
        "--data", dest="address", metavar="KIND:PLACE", help="your data, such as folder:photos or csv:tickets.csv"
    )
    parser.add_argument(
        *("--backbone", "--backbones"),
        dest="backbones",
        action="extend",
        nargs="+",
        metavar="B",
        help="with --data: what to see them through; else only these of the suite",
    )
    parser.add_argument("--family", metavar="F", help="what --data is, such as image_classification, if not plain")
    parser.add_argument(
        "--option",
        dest="settings",
        action="append",
        metavar="KEY=VALUE",
        help="more options of the data, e.g. label=queue",
    )
    parser.add_argument("--skip-bad", action="store_true", help="leave out files of --data that cannot be read")
    parser.add_argument("--fill", action="store_true", help="interpolate what a series of --data lacks")
    parser.add_argument("--trust-remote-code", action="store_true", help="let models of a hub bring code of their own")


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the config."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="default: bench.toml")


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the device."""
    parser.add_argument("--device", choices=get_args(DeviceChoice), help="default: auto, a GPU if any")


def _gibibytes(text: str) -> int:
    """Return a number of bytes."""
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"must be above 0, got {value:g}")
    return int(value * 2**30)


def add_memory(parser: argparse.ArgumentParser) -> None:
    """Add the memory for examples."""
    parser.add_argument(
        "--memory",
        dest="memory_bytes",
        type=_gibibytes,
        metavar="GIB",
        help="of examples that a process holds (default: 1)",
    )


def share(text: str) -> float:
    """Return a number from 0 to below 1."""
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 0 and below 1, got {value:g}")
    return value


def positive(text: str) -> int:
    """Return a number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value
