"""The command line: starts a command and reports its errors. A user's mistake becomes one line and exit code 2."""

import logging
import sys
from collections.abc import Sequence
from typing import Final, assert_never

from bench.commands.options import (
    CacheOptions,
    CompareOptions,
    FetchOptions,
    HistoryOptions,
    ListOptions,
    NewOptions,
    Options,
    PredictOptions,
    PretrainOptions,
    PublishOptions,
    RankOptions,
    ReportOptions,
    RunOptions,
    TuneOptions,
)
from bench.commands.parser import parse
from bench.errors import BenchError
from bench.runtime.interrupts import interrupt_on_sigterm

USERS_MISTAKE: Final = 2
INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 fine, 1 some cell failed or got worse, 2 the user's mistake, 130 interrupted.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    interrupt_on_sigterm()
    options: Options | None = None
    try:
        options = parse(arguments)
        return _run_command(options)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return USERS_MISTAKE
    except KeyboardInterrupt:
        resumable = isinstance(options, RunOptions)
        kept = "; what was finished is kept, the same command goes on from there" if resumable else ""
        print(f"bench: interrupted{kept}", file=sys.stderr)
        return INTERRUPTED


def _run_command(options: Options) -> int:  # noqa: C901 (a case for each command)
    """Run the command that the options belong to and return its exit code.

    Each command is imported when it is asked for: no command waits for the libraries of another, `--help` for none.
    """
    match options:
        case RunOptions():
            from bench.commands import run

            return run.main(options)
        case PredictOptions():
            from bench.commands import predict

            return predict.main(options)
        case RankOptions():
            from bench.commands import rank

            return rank.main(options)
        case FetchOptions():
            from bench.commands import fetch

            return fetch.main(options)
        case ReportOptions():
            from bench.commands import report

            return report.main(options)
        case CompareOptions():
            from bench.commands import compare

            return compare.main(options)
        case HistoryOptions():
            from bench.commands import history

            return history.main(options)
        case PublishOptions():
            from bench.commands import publish

            return publish.main(options)
        case ListOptions():
            from bench.commands import listing

            return listing.main(options)
        case NewOptions():
            from bench.commands import new

            return new.main(options)
        case PretrainOptions():
            from bench.commands import pretrain

            return pretrain.main(options)
        case TuneOptions():
            from bench.commands import tune

            return tune.main(options)
        case CacheOptions():
            from bench.commands import cache

            return cache.main(options)
        case _:
            assert_never(options)
