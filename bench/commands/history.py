"""Owns `history`: many runs side by side, and since when something changed."""

import argparse
import importlib

from bench.commands.compare import write_output
from bench.gate.history import History, find_nights, read_history
from bench.gate.nights import to_json, to_markdown, to_text


def answer(options: argparse.Namespace) -> int:
    """Print the history of results folders, draw it if asked to, and return the exit code."""
    history = read_history(find_nights(options.folders))
    if options.chart is not None:
        drawing = importlib.import_module("bench.gate.chart")  # what draws takes a second to load
        write_output(options.chart, drawing.chart(history))
    if options.out is None:
        print(_written(history, options.format), end="")
    else:
        write_output(options.out, _written(history, options.format))
        print(to_text(history), end="")
    return 0


def _written(history: History, name: str) -> str:
    if name == "csv":
        written: str = importlib.import_module("bench.gate.spreadsheet").to_csv(history)  # loads pandas
        return written
    return {"text": to_text, "markdown": to_markdown, "json": to_json}[name](history)
