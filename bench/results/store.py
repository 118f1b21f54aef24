"""A results folder: the only reader and writer of what runs leave on disk.

    manifest.json               format, suite, the planned cells with their keys, cards of tasks and backbones
    cells/<key>.json            a Result or Failure; written last, so that it marks a finished cell
    predictions/<key>.npz       the predictions of the test split, a column (see `bench.column`)
    predictions/<key>.<shift>.npz   the same under a shift; where it leaves examples out, of the last of them
    tested/<task>.<fold>.<data>.<name>.labels.npz    the test labels that predictions of a fold belong to, a column;
                               .facts.npz     what else scoring knows of the test examples, if anything;
                               .rows.npz      their test blocks, groups, units and names;
                               .baseline.npz, .baseline.<shift>.npz    the predictions without skill;
                               .labels.<shift>.npz, .facts.<shift>.npz, .rows.<shift>.npz    where the examples of a
                               shift are from elsewhere, what belongs to these;
                               <data> is the beginning of the sha256 of the data, <name> is a hash of all these, which
                               the result has: another label column of the same data has other files. Results of before
                               have none, and files without
    cells.jsonl                 in a published folder, without predictions: all cells (see `bench.results.published`)

A result keeps the values of every metric. Which of them is its score is up to the manifest: results are ranked by it
as they are read. A file is whole or not there (see `bench.runtime.atomic`).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from zipfile import BadZipFile

from bench.cell import Cell, Failure, Outcome, Result, from_record, to_record
from bench.column import Column, from_bytes, to_bytes
from bench.errors import StoreError
from bench.results.manifest import Curve, Manifest, TaskEntry, manifest_of, manifest_record
from bench.results.published import CELLS, read_published
from bench.results.tested import PLAIN, Tested, Truth
from bench.runtime.arithmetic import PrecisionChoice
from bench.runtime.atomic import write_whole

FORMAT: Final = 4
DATA_DIGITS: Final = 12  # of a sha256, enough to tell versions of one task's data apart


class Store:
    """A results folder. Opening one that does not exist yet is fine; it is made by the first write.

    Raises `StoreError` if the folder was written in another format, or is no results folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._manifest = self._read_manifest()
        self._published = read_published(root)

    @property
    def manifest(self) -> Manifest:
        """What the folder was asked for. Raises `StoreError` if nothing was ever run into it."""
        if self._manifest is None:
            raise StoreError(f"there are no results in {self.root}: `bench run` makes some")
        return self._manifest

    def planned_cells(self) -> Mapping[Cell, str]:
        """Return the cells that the folder was asked for, with the keys of their results; none before the first run."""
        return self._manifest.cells if self._manifest else {}

    def outdated(self, newer: Manifest) -> Mapping[Curve, Sequence[Cell]]:
        """Return the cells that leave the folder's tables with a newer plan: their task has other data in it."""
        return self._manifest.outdated(newer) if self._manifest else {}

    def extend(self, manifest: Manifest) -> None:
        """Lay a plan over what the folder was asked for before. Raises `StoreError` if it is a published one."""
        if (self.root / CELLS).exists():
            raise StoreError(
                f"the results in {self.root} are published, no run adds to them: name another folder with --out, and "
                f"`bench publish` it to {self.root}"
            )
        merged = self._manifest.merged(manifest) if self._manifest else manifest
        self._write("manifest.json", _to_json(manifest_record(merged, store_format=FORMAT)))
        self._manifest = merged

    @property
    def choices(self) -> Mapping[str, PrecisionChoice]:
        """The choices of a precision that are kept in the manifest, by their keys; none if nothing was ever run."""
        return self._manifest.choices if self._manifest else {}

    def keep_choice(self, choice: PrecisionChoice) -> None:
        """Keep the choice of a precision in the manifest, if there is one, and no choice of its key in it."""
        if self._manifest and choice.key not in self.choices:
            self.extend(replace(self._manifest, choices={choice.key: choice}))

    def get(self, key: str) -> Result | None:
        """Return the finished result of a key, or None.

        A damaged file counts as not finished, and so does a result that was not scored by the metric that ranks.
        """
        outcome = self.unranked(key)
        if outcome is None or not self._predictions(key).exists():
            return None
        metric = self._metric(outcome.cell.task)
        if metric and metric not in outcome.scores.values:
            return None
        ranked = _ranked(outcome, metric)
        return ranked if isinstance(ranked, Result) else outcome

    def unranked(self, key: str) -> Result | None:
        """Return the result of a key with the score that it was kept with, or None."""
        outcome = self._read_outcome(key)
        return outcome if isinstance(outcome, Result) else None

    def put(
        self,
        outcome: Outcome,
        predictions: Column | None = None,
        shifted: Mapping[str, Column] = MappingProxyType({}),
    ) -> None:
        """Keep an outcome, with a result's predictions and those under its shifts; the latest of a key holds."""
        assert (predictions is not None) == isinstance(outcome, Result), "a result has predictions, a failure has none"
        if predictions is not None:
            self._write_column(self._predictions(outcome.key), predictions)
        for shift, under in shifted.items():
            self._write_column(self._predictions(outcome.key, shift), under)
        self._write_outcome(outcome)

    def rescore(self, result: Result) -> None:
        """Keep other scores of a result whose predictions are kept."""
        assert self._predictions(result.key).exists(), "scores are those of predictions"
        self._write_outcome(result)

    def predictions(self, key: str, shift: str = PLAIN) -> Column:
        """Return the predictions of a finished result, if one is named under a shift. Raises `StoreError` without."""
        return self._read_column(self._predictions(key, shift))

    def put_tested(self, result: Result, tested: Tested) -> None:
        """Keep what the predictions of a result belong to, as far as it is not kept yet."""
        truths = {PLAIN: Truth(tested.labels, tested.facts, tested.rows), **tested.elsewhere}
        columns = {
            _part(part, shift): column for shift, one in truths.items() for part, column in one._asdict().items()
        }
        columns |= {_part("baseline", shift): column for shift, column in tested.baselines.items()}
        for part, column in columns.items():
            path = self._tested(result, part)
            if column is not None and not path.exists():
                self._write_column(path, column)

    def tested(self, result: Result) -> Tested:
        """Return what the predictions of a result belong to. Raises `StoreError` if it is not kept."""
        shifts = (PLAIN, *(one.shift for one in result.shifted))
        baselines = {shift: self._read_column(self._tested(result, _part("baseline", shift))) for shift in shifts}
        elsewhere = {one.shift: self._truth(result, one.shift) for one in result.shifted if one.elsewhere}
        return Tested(*self._truth(result, PLAIN), baselines, elsewhere)

    def _truth(self, result: Result, shift: str) -> Truth:
        labels, facts, rows = (self._tested(result, _part(part, shift)) for part in Truth._fields)
        found = self._read_column(facts) if facts.exists() else None
        return Truth(self._read_column(labels), found, self._read_column(rows))

    def outcomes(self) -> Mapping[Cell, Outcome | None]:
        """Return every planned cell, sorted, with its outcome; None where there is none yet.

        Cells that are the same work have one key and one outcome. Scores are those of the
        metric that ranks.
        """
        return {cell: self.outcome(cell, key) for cell, key in sorted(self.manifest.cells.items())}

    def outcome(self, cell: Cell, key: str) -> Outcome | None:
        """Return the outcome of a cell by its key, its score that of the metric that ranks; None if there is none."""
        found = self._read_outcome(key)
        return found and _as_it_is_now(replace(found, cell=cell), self._entry(cell.task))

    def results(self) -> Iterable[Result]:
        """Return the finished results, sorted by cell."""
        return [outcome for outcome in self.outcomes().values() if isinstance(outcome, Result)]

    def fingerprint(self) -> str:
        """Return the hash of the manifest and of what is on disk of every planned cell, published or not."""
        digest = hashlib.sha256()
        for name in ("manifest.json", CELLS, *(f"cells/{key}.json" for key in sorted(self.manifest.cells.values()))):
            content = self.read_bytes(name)
            digest.update(f"{name} {'missing' if content is None else len(content)}\n".encode() + (content or b""))
        return digest.hexdigest()

    def read_bytes(self, name: str) -> bytes | None:
        """Return a file of the folder, or None if it is not there or cannot be read."""
        try:
            return (self.root / name).read_bytes()
        except OSError:
            return None

    def write_text(self, name: str, text: str) -> Path:
        """Write a report file into the folder and return its path."""
        return self._write(name, text.encode("utf-8"))

    def write_bytes(self, name: str, content: bytes) -> Path:
        """Write a report file into the folder and return its path."""
        return self._write(name, content)

    def _metric(self, task: str) -> str:
        """Return the name of the metric that ranks the results of a task; nothing where that is not known."""
        entry = self._entry(task)
        return entry.metric.name if entry else ""

    def _entry(self, task: str) -> TaskEntry | None:
        """Return what the manifest says of a task; None where it says nothing."""
        return self._manifest.tasks.get(task) if self._manifest else None

    def _predictions(self, key: str, shift: str = PLAIN) -> Path:
        return self.root / "predictions" / (f"{key}.{shift}.npz" if shift else f"{key}.npz")

    def _tested(self, result: Result, part: str) -> Path:
        data = result.data_sha256[:DATA_DIGITS]
        name = f".{result.tested}" if result.tested else ""
        return self.root / "tested" / f"{result.cell.task}.{result.fold}.{data}{name}.{part}.npz"

    def _write_column(self, path: Path, column: Column) -> None:
        self._write(str(path.relative_to(self.root)), to_bytes(column))

    def _read_column(self, path: Path) -> Column:
        try:
            return from_bytes(path.read_bytes())
        except (OSError, ValueError, AssertionError, BadZipFile) as error:
            raise StoreError(f"{path} cannot be read ({error})") from error

    def _write_outcome(self, outcome: Outcome) -> None:
        self._write(f"cells/{outcome.key}.json", _to_json(to_record(outcome)))

    def _read_outcome(self, key: str) -> Outcome | None:
        try:
            return from_record(json.loads((self.root / "cells" / f"{key}.json").read_bytes()))
        except (FileNotFoundError, NotADirectoryError):
            return self._published.get(key)
        except (ValueError, KeyError, TypeError):
            return None

    def _read_manifest(self) -> Manifest | None:
        path = self.root / "manifest.json"
        try:
            record = json.loads(path.read_bytes())
            found = record["format"]
            manifest = manifest_of(record) if found == FORMAT else None
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(
                f"{path} cannot be read ({error}): move the folder away, or name another with --out"
            ) from error
        if found != FORMAT:
            age, advice = ("newer", "update bench") if found > FORMAT else ("older", "run it anew")
            raise StoreError(
                f"the results in {self.root} are of the {age} format {found}, this version reads format {FORMAT}: "
                f"{advice}, or name another folder with --out"
            )
        return manifest

    def _write(self, name: str, content: bytes) -> Path:
        path = self.root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content)
        except OSError as error:
            raise StoreError(
                f"cannot write {path}: {error.strerror}; make the folder writable, or name another with --out"
            ) from error
        return path


def _part(part: str, shift: str) -> str:
    """Return the name of a part of what predictions of a fold belong to, if one is named under a shift."""
    return f"{part}.{shift}" if shift else part


def _as_it_is_now(outcome: Outcome, entry: TaskEntry | None) -> Outcome:
    """Return an outcome ranked by the metric of its task; a result of other data, or of another function, failed.

    Scores by a function of a user's are those of its file, as the manifest has it. Pinned data need not have the hash
    of their card: synthetic ones may differ in their last bits (see `bench.task.verify`).
    """
    if entry is None or isinstance(outcome, Failure):
        return _ranked(outcome, entry.metric.name if entry else "")
    card = entry.metric
    if not entry.card.pinned and outcome.data_sha256 != entry.card.sha256:
        reason = "of other data than the task has now: run the strategy again"
    elif outcome.metric_files.get(card.name, "") != card.sha256:
        reason = f"scored by another version of {card.name}, and not anew yet"
    else:
        return _ranked(outcome, card.name)
    return Failure(cell=outcome.cell, key=outcome.key, reason=reason, traceback="")


def _ranked(outcome: Outcome, metric: str) -> Outcome:
    """Return an outcome ranked by a metric, if one is named; a result that has no value of it counts as failed."""
    if isinstance(outcome, Failure) or not metric:
        return outcome
    try:
        return outcome.ranked_by(metric)
    except KeyError:
        scored = metric in outcome.scores.values
        reason = f"the test split does not define {metric}" if scored else f"not scored by {metric} yet"
        return Failure(cell=outcome.cell, key=outcome.key, reason=reason, traceback="")


def _to_json(record: Mapping[str, Any]) -> bytes:
    return (json.dumps(record, indent=1, sort_keys=False, ensure_ascii=False) + "\n").encode("utf-8")
