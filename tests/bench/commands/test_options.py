"""Every argument of every command lands in a field of its options, with the type that the field says."""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter

from bench.budget import ALL, Count, Share
from bench.cli import main
from bench.commands.options import (
    CacheOptions,
    ComputeOptions,
    FetchOptions,
    ListOptions,
    Options,
    OwnDataOptions,
    PredictOptions,
    RankOptions,
    RunOptions,
    SelectionOptions,
    SuiteOptions,
)
from bench.commands.parser import make_parser, parse


def _subparsers() -> dict[str, argparse.ArgumentParser]:
    [commands] = [one for one in make_parser()._actions if isinstance(one, argparse._SubParsersAction)]
    return dict(commands.choices)


def _actions(command: str) -> list[argparse.Action]:
    return [one for one in _subparsers()[command]._actions if not isinstance(one, argparse._HelpAction)]


COMMANDS = tuple(_subparsers())
ARGUMENTS = [(command, action.dest) for command in COMMANDS for action in _actions(command)]


def _line(command: str, dest: str | None = None) -> list[str]:
    """Return a command line with all that a command cannot do without, and the argument `dest` with a value."""
    line = [command]
    for action in _actions(command):
        if action.dest == dest:
            line += [*action.option_strings[:1], *_value(action)]
        elif action.required:
            line.append(next(iter(action.choices or ["place"])))
    return line


def _value(action: argparse.Action) -> list[str]:
    """Return a value of an argument that is not its default; none for a switch."""
    if action.nargs == 0:
        return []
    if action.choices:
        return [list(action.choices)[-1]]
    return ["0.5" if action.dest == "tolerance" else "3"]


def _values(options: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 (any dataclass of options)
    """Yield names and values of the fields, those of groups in place of the groups."""
    for field in fields(options):
        value = getattr(options, field.name)
        yield from _values(value) if is_dataclass(value) else [(field.name, value)]


def _types(kind: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 (any class of options)
    for field in fields(kind):
        yield from _types(field.type) if is_dataclass(field.type) else [(field.name, field.type)]


@pytest.mark.parametrize(("command", "dest"), ARGUMENTS)
def test_an_argument_changes_the_field_of_its_name_and_no_other(command: str, dest: str) -> None:
    without, given = (dict(_values(parse(_line(command, one)))) for one in (None, dest))
    assert [name for name, value in given.items() if value != without[name]] == [dest]


@pytest.mark.parametrize(("command", "dest"), ARGUMENTS)
def test_a_value_is_of_the_type_of_its_field(command: str, dest: str) -> None:
    options = parse(_line(command, dest))
    for name, kind in _types(type(options)):
        TypeAdapter(kind).validate_python(dict(_values(options))[name], strict=True)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_field_has_an_argument_and_no_two_groups_share_a_name(command: str) -> None:
    names = [name for name, _ in _values(parse(_line(command)))]
    assert sorted(names) == sorted(action.dest for action in _actions(command))


def test_every_class_of_options_belongs_to_one_command() -> None:
    assert [type(parse(_line(command))) for command in COMMANDS] == list(get_args(Options))


@pytest.mark.parametrize(
    ("line", "options"),
    [
        (["run"], RunOptions()),
        (["rank"], RankOptions()),
        (["fetch"], FetchOptions()),
        (["list"], ListOptions()),
        (["cache"], CacheOptions()),
        (["predict", "model"], PredictOptions(folder=Path("model"))),
    ],
)
def test_what_is_not_given_has_the_default_of_its_class(line: list[str], options: Options) -> None:
    assert parse(line) == options


def test_groups_are_filled_wherever_their_arguments_stand() -> None:
    line = "run --budget 0.1 --data csv:a.csv --memory 0.5 --option a=1 --budget 30 all --option b=2 --no-shifts"
    assert parse([*line.split(), "--backbones", "timm:a", "hf:b", "--seeds", "2"]) == RunOptions(
        selection=SelectionOptions(
            suite=SuiteOptions(
                backbones=("timm:a", "hf:b"), own_data=OwnDataOptions(address="csv:a.csv", settings=("a=1", "b=2"))
            ),
            budgets=(Share(0.1), Count(30), ALL),
            seeds=2,
        ),
        compute=ComputeOptions(memory_bytes=2**29),
        shifts=False,
    )


def test_the_command_is_called_bench_however_it_is_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as left:
        main(["run", "--help"])
    assert left.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith("usage: bench run [-h] ")
    done = subprocess.run([sys.executable, "-m", "bench", "run", "--help"], capture_output=True, text=True, check=True)
    assert done.stdout == said
