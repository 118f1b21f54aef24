"""Owns the one file in which a published results folder holds its cells: fit for git, and the same bytes every time.

    cells.jsonl                 a Result or Failure on each line, sorted by key

A run keeps a file per cell, so that an interrupt costs none; hundreds of files with their predictions are no good to
look through, to compare and to keep for years.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench.cell import Failure, Outcome, from_record, to_record

CELLS: Final = "cells.jsonl"

QUOTED_PATH: Final = re.compile(r"""(?P<quote>['"])(?:/|[A-Za-z]:\\)[^'"]*[/\\](?P<name>[^'"/\\]+)(?P=quote)""")
BARE_PATH: Final = re.compile(r"""(?<![\w/\\:.~…])(?:/|[A-Za-z]:\\)(?:[^\s/\\'"]+[/\\])+(?P<name>[^\s/\\'"]*)""")


def read_published(root: Path) -> Mapping[str, Outcome]:
    """Return the published outcomes of a folder by key: none if it is no published one. A damaged line is left out."""
    try:
        lines = (root / CELLS).read_bytes().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    found = {}
    for line in lines:
        try:
            outcome = from_record(json.loads(line))
        except (ValueError, KeyError, TypeError):
            continue
        found[outcome.key] = outcome
    return found


def to_published(outcomes: Iterable[Outcome]) -> bytes:
    """Return the file for outcomes, of which those of one key are one; failures lose what is of one machine only."""
    by_key = {outcome.key: outcome for outcome in outcomes}
    records = (to_record(_anonymous(by_key[key])) for key in sorted(by_key))
    return "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records).encode("utf-8")


def without_folders(text: str) -> str:
    """Return the text with every absolute path cut down to its last part: `/home/me/photos/a.png` is `…/a.png`."""
    quoted = QUOTED_PATH.sub(r"\g<quote>…/\g<name>\g<quote>", text)
    return BARE_PATH.sub(r"…/\g<name>", quoted)


def _anonymous(outcome: Outcome) -> Outcome:
    """Return the outcome without the paths and the traceback of a failure, which show whose machine it was."""
    if isinstance(outcome, Failure):
        return replace(outcome, reason=without_folders(outcome.reason), traceback="")
    return outcome
