"""Owns a results folder: the only reader and writer of what runs leave on disk.

    manifest.json               format, suite, the planned cells with their keys, cards of tasks and backbones
    cells/<key>.json            a Result or Failure; written last, so that it marks a finished cell
    predictions/<key>.npy       float32 [n_test, outputs] on the scale of the labels
    predictions/<key>.<shift>.npy   the same under a shift; where it leaves examples out, of the last of them
    labels/<task>.npy           the test labels the predictions belong to
    cells.jsonl                 in a published folder, without predictions: all cells (see `bench.results.published`)

A file is whole or not there (see `bench.runtime.atomic`).
"""

import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from bench.cell import Cell, Outcome, Result, from_record, to_record
from bench.errors import StoreError
from bench.results.manifest import Manifest, manifest_of, manifest_record
from bench.results.published import CELLS, read_published
from bench.runtime.arithmetic import PrecisionChoice
from bench.runtime.atomic import write_whole
from bench.target import Labels, Outputs

FORMAT: Final = 3


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
            raise StoreError(f"there are no results in {self.root}: `python -m bench run` makes some")
        return self._manifest

    def extend(self, manifest: Manifest) -> None:
        """Lay a plan over what the folder was asked for before. Raises `StoreError` if it is a published one."""
        if (self.root / CELLS).exists():
            raise StoreError(
                f"the results in {self.root} are published, no run adds to them: name another folder with --out, and "
                f"`python -m bench publish` it to {self.root}"
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
        """Return the finished result of a key, or None. A damaged file counts as not finished."""
        outcome = self._read_outcome(key)
        return outcome if isinstance(outcome, Result) and self._predictions(key).exists() else None

    def put(
        self,
        outcome: Outcome,
        predictions: Outputs | None = None,
        shifted: Mapping[str, Outputs] = MappingProxyType({}),
    ) -> None:
        """Keep an outcome, with a result's predictions and those under its shifts; the latest of a key holds."""
        assert (predictions is not None) == isinstance(outcome, Result), "a result has predictions, a failure has none"
        if predictions is not None:
            self._write_predictions(outcome.key, "", predictions)
        for shift, under in shifted.items():
            self._write_predictions(outcome.key, shift, under)
        self._write(f"cells/{outcome.key}.json", _to_json(to_record(outcome)))

    def put_labels(self, task: str, labels: Labels) -> None:
        """Keep the test labels of a task."""
        self._write(f"labels/{task}.npy", _to_npy(labels))

    def has_labels(self, task: str) -> bool:
        """Return whether the test labels of a task are kept."""
        return (self.root / "labels" / f"{task}.npy").exists()

    def predictions(self, key: str, shift: str = "") -> Outputs:
        """Return the predictions of a finished result, float32 [n_test, outputs], if one is named under a shift."""
        array: Outputs = np.load(self._predictions(key, shift))
        return array

    def outcomes(self) -> Mapping[Cell, Outcome | None]:
        """Return every planned cell, sorted, with what came of it; None where nothing did yet.

        Cells that are the same work have one key, and what came of it is said of each of them.
        """
        found = ((cell, self._read_outcome(key)) for cell, key in sorted(self.manifest.cells.items()))
        return {cell: outcome and replace(outcome, cell=cell) for cell, outcome in found}

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

    def _predictions(self, key: str, shift: str = "") -> Path:
        return self.root / "predictions" / (f"{key}.{shift}.npy" if shift else f"{key}.npy")

    def _write_predictions(self, key: str, shift: str, predictions: Outputs) -> None:
        name = self._predictions(key, shift).relative_to(self.root)
        self._write(str(name), _to_npy(predictions.astype(np.float32)))

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


def _to_npy(array: Labels) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _to_json(record: Mapping[str, Any]) -> bytes:
    return (json.dumps(record, indent=1, sort_keys=False, ensure_ascii=False) + "\n").encode("utf-8")
