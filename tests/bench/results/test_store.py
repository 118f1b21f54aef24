"""A results folder gives back what was put into it, survives damage, and refuses what it cannot read."""

import json
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cell import FROZEN, Cell, Failure, Provenance, Result, ShiftedScore, Work
from bench.errors import StoreError
from bench.results.manifest import Curve, Manifest, StrategyEntry, TaskEntry
from bench.results.store import FORMAT, Store
from bench.runtime.arithmetic import PrecisionChoice
from tests.toys import ToyBackbone, ToyTask

PROVENANCE = Provenance(bench="0", python="3", torch="2", platform="Linux", processor="slow")

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1)
cells = st.builds(Cell, names, names, names, st.floats(1e-6, 1), st.integers(0, 99))
numbers = st.floats(allow_nan=False, allow_infinity=False)


def result(cell: Cell, key: str = "k" * 24, score: float = 0.5) -> Result:
    return Result(
        cell=cell,
        key=key,
        n_labels=3,
        n_test=2,
        score=score,
        chance=0.5,
        penalty=None,
        seconds=1.0,
        training_seconds=0.75,
        evaluation_seconds=0.125,
        shared=(Work(FROZEN, "features", 2.0),),
        shifted=(ShiftedScore("blur", "blurred", 0.25, 0.5, 0.125),),
        losses=(1.5, 0.5),
        steps=4,
        trainable_parameters=5,
        total_parameters=6,
        peak_mib=7.0,
        device="cpu",
        precision="float32",
        data_sha256="0" * 64,
        provenance=PROVENANCE,
    )


CELL = Cell("toy", "toy:dense", "full", 0.1, 0)
PREDICTIONS = np.arange(4, dtype=np.float32).reshape(2, 2)


def manifest(*planned: tuple[Cell, str]) -> Manifest:
    task = ToyTask()
    return Manifest(
        suite="toys",
        tasks={"toy": TaskEntry(card=task.card, metric=task.target.metric, label="labels")},
        backbones={"toy:dense": ToyBackbone().card},
        strategies={"full": StrategyEntry(name="full", depth=1.0, pretrained=True)},
        cells=dict(planned),
        recipes={Curve("toy", "toy:dense", "full"): {"learning_rate": 0.5, "penalties": [1.0, 2.0]}},
    )


@given(cells, numbers, st.binary(min_size=12, max_size=12))
def test_what_is_put_is_what_is_got(
    tmp_path_factory: pytest.TempPathFactory, cell: Cell, score: float, key: bytes
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    kept = result(cell, key.hex(), score)
    store.put(kept, PREDICTIONS)
    assert store.get(kept.key) == kept
    np.testing.assert_array_equal(store.predictions(kept.key), PREDICTIONS)


def test_a_manifest_survives_reopening(tmp_path: Path) -> None:
    planned = manifest((CELL, "a"))
    Store(tmp_path).extend(planned)
    assert Store(tmp_path).manifest == planned


def test_the_first_choice_of_a_precision_stays(tmp_path: Path) -> None:
    first = PrecisionChoice(
        key="k",
        processor="slow",
        task="toy",
        backbone="toy:dense",
        depth=1.0,
        batch_size=8,
        float32_seconds=1.0,
        bfloat16_seconds=0.5,
        precision="bfloat16",
    )
    Store(tmp_path).keep_choice(first)
    assert not Store(tmp_path).choices, "nothing was planned in it"
    store = Store(tmp_path)
    store.extend(manifest((CELL, "a")))
    store.keep_choice(first)
    store.keep_choice(replace(first, precision="float32"))
    store.extend(manifest((CELL, "b")))
    assert Store(tmp_path).choices == {"k": first}


def test_a_manifest_of_before_precisions_were_chosen_is_read(tmp_path: Path) -> None:
    planned = manifest((CELL, "a"))
    Store(tmp_path).extend(planned)
    record = json.loads((tmp_path / "manifest.json").read_bytes())
    del record["choices"]
    (tmp_path / "manifest.json").write_text(json.dumps(record))
    assert Store(tmp_path).manifest == planned


def test_cells_of_one_key_share_what_came_of_it_each_under_its_own_name(tmp_path: Path) -> None:
    store, twin = Store(tmp_path), replace(CELL, backbone="toy:other")
    store.extend(manifest((CELL, "a"), (twin, "a")))
    kept = result(CELL, "a")
    store.put(kept, PREDICTIONS)
    assert store.outcomes() == {CELL: kept, twin: replace(kept, cell=twin)}


def test_a_failure_is_kept_but_counts_as_not_finished(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.extend(manifest((CELL, "a")))
    failure = Failure(cell=CELL, key="a", reason="it rained", traceback="")
    store.put(failure)
    assert store.get("a") is None
    assert store.outcomes() == {CELL: failure}


def test_a_planned_cell_without_an_outcome_is_seen_as_missing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.extend(manifest((CELL, "a")))
    assert store.outcomes() == {CELL: None}


@pytest.mark.parametrize("damage", [b"", b"{", b'{"kind": "result"}', b"[]", b'{"kind": "guess", "cell": {}}'])
def test_a_damaged_cell_counts_as_not_finished(tmp_path: Path, damage: bytes) -> None:
    store = Store(tmp_path)
    store.put(result(CELL, "a"), PREDICTIONS)
    (tmp_path / "cells" / "a.json").write_bytes(damage)
    assert store.get("a") is None


def test_a_result_without_its_predictions_counts_as_not_finished(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(result(CELL, "a"), PREDICTIONS)
    (tmp_path / "predictions" / "a.npy").unlink()
    assert store.get("a") is None


def test_predictions_under_shifts_lie_beside_the_plain_ones_and_are_there_before_the_cell(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(result(CELL, "a"), PREDICTIONS, {"blur": PREDICTIONS[1:]})
    np.testing.assert_array_equal(store.predictions("a"), PREDICTIONS)
    np.testing.assert_array_equal(store.predictions("a", "blur"), PREDICTIONS[1:])
    written = {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("a*")}
    assert max(written, key=lambda name: written[name]) == "a.json"


def test_an_interrupt_while_a_file_is_written_comes_when_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", lambda _: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        Store(tmp_path).write_text("report.md", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["report.md"]
    assert (tmp_path / "report.md").read_text() == "whole"


def test_no_partial_file_is_left_behind(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(result(CELL, "a"), PREDICTIONS)
    assert not [path for path in tmp_path.rglob("*") if "partial" in path.name]


def test_an_amended_plan_adds_to_the_folder_and_a_changed_recipe_replaces_its_cell(tmp_path: Path) -> None:
    other = Cell("toy", "toy:dense", "full", 0.2, 0)
    store = Store(tmp_path)
    store.extend(manifest((CELL, "a")))
    store.extend(manifest((other, "b")))
    store.extend(manifest((CELL, "c")))
    assert store.manifest.cells == {CELL: "c", other: "b"}


@pytest.mark.parametrize(("found", "advice"), [(FORMAT + 1, "newer.*update bench"), (FORMAT - 1, "older.*run it anew")])
def test_another_format_is_refused_with_what_to_do_and_left_as_it_is(tmp_path: Path, found: int, advice: str) -> None:
    text = json.dumps({"format": found})
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(StoreError, match=advice):
        Store(tmp_path)
    assert (tmp_path / "manifest.json").read_text() == text


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "no json", f'{{"format": {FORMAT}}}', f'{{"format": {FORMAT}, "suite": "", "tasks": []}}']
)
def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(StoreError, match="cannot be read"):
        Store(tmp_path)


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"cannot write .* or name another with --out"):
        Store(tmp_path / "results" / "all").extend(manifest())


def test_a_folder_without_results_says_how_to_make_some(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there are no results in .* makes some"):
        _ = Store(tmp_path).manifest
