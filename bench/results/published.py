"""The one file in which a published results folder holds its cells, for git: the same bytes every time.

    cells.jsonl                 first a line for each set of baseline scores, then one for each Result or Failure

A run keeps a file per cell, so that an interrupt costs none; hundreds of files with their predictions are no good to
look through, to compare and to keep for years.

Lines are sorted by key. Scores come with those without each test block, for every metric and shift: that is most of
what a result holds. To keep the file small,

* baselines, which many cells have in common, trivial ones too, are lines of their own of the kind "baselines", under
  the hash of their content; a result has that key in their place;
* values without a block are rounded to six significant digits. Values on all test examples keep theirs;
* no space stands between what a line holds.

625 cells with 7 or 4 metrics, 20 blocks and 1 to 3 shifts are 3 MB; they were 9 MB without this.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bench.cell import Failure, Outcome, from_record, to_record

CELLS: Final = "cells.jsonl"
BASELINES: Final = "baselines"
TRIVIAL: Final = "trivial"
KEY_DIGITS: Final = 16  # of the hash of baselines
DIGITS: Final = 6  # significant, of a score without a test block

QUOTED_PATH: Final = re.compile(r"""(?P<quote>['"])(?:/|[A-Za-z]:\\)[^'"]*[/\\](?P<name>[^'"/\\]+)(?P=quote)""")
BARE_PATH: Final = re.compile(r"""(?<![\w/\\:.~…])(?:/|[A-Za-z]:\\)(?:[^\s/\\'"]+[/\\])+(?P<name>[^\s/\\'"]*)""")


def read_published(root: Path) -> Mapping[str, Outcome]:
    """Return the published outcomes of a folder by key: none if it is no published one.

    A damaged line is left out, and with one of baselines what refers to it.
    """
    try:
        lines = (root / CELLS).read_bytes().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    baselines: dict[str, Any] = {}
    found = {}
    for line in lines:
        try:
            record = json.loads(line)
            if record["kind"] == BASELINES:
                baselines[record["key"]] = record["scores"]
                continue
            outcome = from_record(_with_baselines(record, lambda key: baselines[key]))
        except (ValueError, KeyError, TypeError):
            continue
        found[outcome.key] = outcome
    return found


def to_published(outcomes: Iterable[Outcome]) -> bytes:
    """Return the file for outcomes, of which those of one key are one; failures lose what is of one machine only."""
    by_key = {outcome.key: outcome for outcome in outcomes}
    baselines: dict[str, Any] = {}

    def named(scores: Any) -> str:  # noqa: ANN401 - a record of scores
        key = hashlib.sha256(json.dumps(scores).encode()).hexdigest()[:KEY_DIGITS]
        baselines[key] = scores
        return key

    cells = [_with_baselines(_rounded(to_record(_anonymous(by_key[key]))), named) for key in sorted(by_key)]
    shared = [{"kind": BASELINES, "key": key, "scores": scores} for key, scores in sorted(baselines.items())]
    return b"".join(map(_line, (*shared, *cells)))


def _line(record: Mapping[str, Any]) -> bytes:
    return (json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n").encode("utf-8")


def _with_baselines(record: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """Return the record of an outcome with its baselines changed, those under shifts too; a failure has none."""
    if BASELINES not in record:
        return record
    shifted = [{**one, BASELINES: change(one[BASELINES])} for one in record["shifted"]]
    trivial = {title: change(one) for title, one in record.get(TRIVIAL, {}).items()}
    return {**record, BASELINES: change(record[BASELINES]), "shifted": shifted, TRIVIAL: trivial}


def _rounded(record: dict[str, Any]) -> dict[str, Any]:
    """Return the record of an outcome with its scores without a block rounded, under shifts and of baselines too."""
    changed: dict[str, Any] = {name: _rounded_scores(record[name]) for name in ("scores", BASELINES) if name in record}
    if "shifted" in record:
        changed["shifted"] = [_rounded(one) for one in record["shifted"]]
        changed[TRIVIAL] = {title: _rounded_scores(one) for title, one in record[TRIVIAL].items()}
    return {**record, **changed}


def _rounded_scores(scores: Mapping[str, Any]) -> dict[str, Any]:
    without = {
        metric: [None if value is None else float(f"{value:.{DIGITS}g}") for value in values]
        for metric, values in scores["without"].items()
    }
    return {"values": scores["values"], "without": without}


def without_folders(text: str) -> str:
    """Return the text with every absolute path cut down to its last part: `/home/me/photos/a.png` is `…/a.png`."""
    quoted = QUOTED_PATH.sub(r"\g<quote>…/\g<name>\g<quote>", text)
    return BARE_PATH.sub(r"…/\g<name>", quoted)


def _anonymous(outcome: Outcome) -> Outcome:
    """Return the outcome without the paths and the traceback of a failure, which show whose machine it was."""
    if isinstance(outcome, Failure):
        return replace(outcome, reason=without_folders(outcome.reason), traceback="")
    return outcome
