"""A results folder gives back what was put into it, survives damage, and refuses what it cannot read."""

import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.budget import ALL, NONE, Count, Share
from bench.cell import (
    FROZEN,
    Cell,
    Failure,
    Provenance,
    Result,
    Scores,
    ShiftedScore,
    Work,
    from_record,
    to_record,
)
from bench.column import Column, dense, digest, ragged
from bench.errors import StoreError
from bench.results import tested
from bench.results.manifest import Curve, Manifest, StrategyEntry, TaskEntry
from bench.results.store import FORMAT, Store
from bench.results.tested import PLAIN
from bench.runtime.arithmetic import PrecisionChoice
from tests.toys import ToyBackbone, ToyTask

PROVENANCE = Provenance(bench="0", python="3", torch="2", platform="Linux", processor="slow")

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1)
budgets = st.builds(Share, st.floats(1e-6, 1)) | st.builds(Count, st.integers(0, 10**6))
cells = st.builds(Cell, names, names, names, budgets, st.integers(0, 99))
numbers = st.floats(allow_nan=False, allow_infinity=False)


def values(score: float) -> Scores:
    """Return scores by accuracy, and a log loss that is half of it where it is above none."""
    loss = score / 2 if score else None
    return Scores({"accuracy": score, "log_loss": loss}, {"accuracy": (score, 0.125), "log_loss": (loss, None)})


def result(cell: Cell, key: str = "k" * 24, score: float = 0.5) -> Result:
    return Result(
        cell=cell,
        key=key,
        amount=3,
        n_test=2,
        score=score,
        chance=0.5,
        penalty=None,
        seconds=1.0,
        training_seconds=0.75,
        evaluation_seconds=0.125,
        shared=(Work(FROZEN, "features", 2.0),),
        shifted=(ShiftedScore("blur", "blurred", 0.25, 0.5, 0.125, values(0.25), values(0.5)),),
        losses=(1.5, 0.5),
        steps=4,
        trainable_parameters=5,
        total_parameters=6,
        peak_mib=7.0,
        device="cpu",
        precision="float32",
        data_sha256="0" * 64,
        provenance=PROVENANCE,
        scores=values(score),
        baselines=values(0.5),
        block_sizes=(1, 1),
    )


CELL = Cell("toy", "toy:dense", "full", Share(0.1), 0)
PREDICTIONS = dense(logit=np.arange(4, dtype=np.float32).reshape(2, 2))
TESTED = tested.Tested(
    dense(**{"class": [0, 1]}),
    dense(unit=[1.0, 2.0]),
    dense(block=[0, 1], name=["a.png", "b.png"]),
    {PLAIN: PREDICTIONS},
)


def same(one: Column, other: Column) -> bool:
    return digest(one) == digest(other)


def ranked_by(metric: str, planned: Manifest) -> Manifest:
    """Return a manifest in which another metric ranks the toys."""
    entry = planned.tasks["toy"]
    card = next(one for one in entry.metrics if one.name == metric)
    return replace(planned, tasks={"toy": replace(entry, metric=card)})


def manifest(*planned: tuple[Cell, str]) -> Manifest:
    task = ToyTask()
    metrics = tuple(metric.card for metric in task.target.metrics)
    return Manifest(
        suite="toys",
        tasks={"toy": TaskEntry(card=task.card, metric=metrics[0], metrics=metrics, baseline="chance", unit="labels")},
        backbones={"toy:dense": ToyBackbone().card},
        strategies={"full": StrategyEntry(name="full", kind="finetune", start="pretrained", trained_fraction=1.0)},
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
    assert same(store.predictions(kept.key), PREDICTIONS)


def test_a_result_of_before_there_were_several_baselines_is_read() -> None:
    now = replace(result(Cell("toy", "toy:dense", "full", ALL, 0)), zero="chance", trivial={"none": values(0.25)})
    record = to_record(now)
    assert from_record(json.loads(json.dumps(record))) == now
    before = {name: value for name, value in record.items() if name not in ("zero", "trivial")}
    assert from_record(before) == replace(now, zero="", trivial={})


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


def test_columns_of_any_kind_are_predictions(tmp_path: Path) -> None:
    store = Store(tmp_path)
    boxes = ragged(box=[np.zeros((2, 4), dtype=np.float32), np.ones((0, 4), dtype=np.float32)])
    columns: dict[str, Column] = {"a": boxes, "b": dense(text=["one", "another"])}
    for key, column in columns.items():
        store.put(result(CELL, key), column)
        assert same(store.predictions(key), column)
        assert type(store.predictions(key)) is type(column)


def test_what_predictions_belong_to_is_kept_once_for_each_fold_and_version_of_the_data(tmp_path: Path) -> None:
    store, kept = Store(tmp_path), replace(result(CELL, "a"), shifted=())
    other = replace(TESTED, labels=dense(**{"class": [1, 1]}))
    newer, second = replace(kept, data_sha256="f" * 64), replace(kept, fold=1, folds=2)
    store.put_tested(kept, TESTED)
    store.put_tested(kept, other)
    store.put_tested(second, other)
    store.put_tested(newer, other)
    assert same(store.tested(kept).labels, TESTED.labels)
    assert same(store.tested(second).labels, other.labels)
    assert same(store.tested(newer).labels, other.labels)
    found = store.tested(kept)
    assert found.facts is not None
    assert TESTED.facts is not None
    assert same(found.facts, TESTED.facts)
    assert same(found.rows, TESTED.rows)
    assert same(found.baselines[PLAIN], PREDICTIONS)


def test_results_of_before_say_nothing_of_folds() -> None:
    record = to_record(replace(result(CELL, "a"), fold=2, folds=5, n_train=40.0))
    read = from_record(dict(record))
    assert isinstance(read, Result)
    assert (read.fold, read.folds, read.n_train) == (2, 5, 40.0)
    old = from_record({name: value for name, value in record.items() if name not in {"fold", "folds", "n_train"}})
    assert isinstance(old, Result)
    assert (old.fold, old.folds, old.n_train) == (0, 1, None)


def test_results_of_the_same_data_that_belong_to_other_labels_each_find_their_own(tmp_path: Path) -> None:
    store, kept = Store(tmp_path), replace(result(CELL, "a"), shifted=())
    others = [
        TESTED,
        replace(TESTED, labels=dense(**{"class": [1, 1]})),
        replace(TESTED, facts=None),
        replace(TESTED, facts=dense(unit=[1.0, 2.5])),
        replace(TESTED, rows=dense(block=[0, 0], name=["a.png", "b.png"])),
        replace(TESTED, baselines={PLAIN: dense(logit=np.zeros((2, 2), dtype=np.float32))}),
    ]
    for one in others:
        store.put_tested(replace(kept, tested=one.name), one)
    for one in others:
        found = store.tested(replace(kept, tested=one.name))
        assert same(found.labels, one.labels)
        assert (found.facts and digest(found.facts)) == (one.facts and digest(one.facts))
        assert same(found.rows, one.rows)
        assert same(found.baselines[PLAIN], one.baselines[PLAIN])
    with pytest.raises(StoreError, match="cannot be read"):
        store.tested(kept)


def test_what_differs_in_its_last_bits_or_by_its_shifts_has_one_name() -> None:
    values = np.array([[0.0, 1.0], [-1 / 3, 2 / 3]])
    bits = np.nextafter(values, 2)
    one, other = (replace(TESTED, baselines={PLAIN: dense(logit=logit)}) for logit in (values, bits))
    assert digest(one.baselines[PLAIN]) != digest(other.baselines[PLAIN])
    assert one.name == other.name
    assert replace(TESTED, baselines={**TESTED.baselines, "blur": PREDICTIONS.take([1])}).name == TESTED.name
    nothing, words = dense(logit=np.array([np.nan, 0.0])), dense(word=["a", "b"])
    assert len({replace(TESTED, baselines={PLAIN: column}).name for column in (nothing, words)}) == 2


def test_baselines_under_shifts_are_added_to_what_is_kept_without(tmp_path: Path) -> None:
    store, kept = Store(tmp_path), result(CELL, "a")
    store.put_tested(kept, replace(TESTED, facts=None))
    with pytest.raises(StoreError, match=r"baseline\.blur\.npz cannot be read"):
        store.tested(kept)
    store.put_tested(kept, replace(TESTED, facts=None, baselines={PLAIN: PREDICTIONS, "blur": PREDICTIONS.take([1])}))
    found = store.tested(kept)
    assert found.facts is None
    assert same(found.baselines["blur"], PREDICTIONS.take([1]))


@pytest.mark.parametrize("damage", [b"", b"PK", b"no archive"])
def test_damaged_predictions_are_named(tmp_path: Path, damage: bytes) -> None:
    store = Store(tmp_path)
    store.put(result(CELL, "a"), PREDICTIONS)
    (tmp_path / "predictions" / "a.npz").write_bytes(damage)
    with pytest.raises(StoreError, match=r"a\.npz cannot be read"):
        store.predictions("a")


def test_results_are_ranked_by_the_metric_of_the_manifest(tmp_path: Path) -> None:
    store, kept = Store(tmp_path), result(CELL, "a")
    store.extend(manifest((CELL, "a")))
    store.put(kept, PREDICTIONS)
    assert store.get("a") == kept
    store.extend(ranked_by("log_loss", manifest((CELL, "a"))))
    (found,) = store.results()
    assert (found.score, found.chance) == (0.25, 0.25)
    assert [(one.score, one.chance) for one in found.shifted] == [(0.125, 0.25)]
    assert store.get("a") == found
    assert store.unranked("a") == kept
    store.extend(manifest((CELL, "a")))
    assert list(store.results()) == [kept]


def test_a_result_without_the_metric_that_ranks_is_not_finished_and_says_so(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(result(CELL, "a"), PREDICTIONS)
    store.extend(ranked_by("auroc", manifest((CELL, "a"))))
    assert store.get("a") is None
    (outcome,) = store.outcomes().values()
    assert isinstance(outcome, Failure)
    assert outcome.reason == "not scored by auroc yet"


def test_a_metric_that_the_test_examples_do_not_define_fails_the_cell_but_leaves_it_finished(tmp_path: Path) -> None:
    store, kept = Store(tmp_path), result(CELL, "a", score=0.0)
    store.put(kept, PREDICTIONS)
    store.extend(ranked_by("log_loss", manifest((CELL, "a"))))
    assert store.get("a") == kept
    (outcome,) = store.outcomes().values()
    assert isinstance(outcome, Failure)
    assert outcome.reason == "the test split does not define log_loss"


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
    (tmp_path / "predictions" / "a.npz").unlink()
    assert store.get("a") is None


def test_predictions_under_shifts_lie_beside_the_plain_ones_and_are_there_before_the_cell(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(result(CELL, "a"), PREDICTIONS, {"blur": PREDICTIONS.take([1])})
    assert same(store.predictions("a"), PREDICTIONS)
    assert same(store.predictions("a", "blur"), PREDICTIONS.take([1]))
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
    other = Cell("toy", "toy:dense", "full", Share(0.2), 0)
    store = Store(tmp_path)
    store.extend(manifest((CELL, "a")))
    store.extend(manifest((other, "b")))
    store.extend(manifest((CELL, "c")))
    assert store.manifest.cells == {CELL: "c", other: "b"}


@pytest.mark.parametrize("change", [{"sha256": "1" * 64}, {"version": 9}, {"folds": 3}], ids=str)
def test_an_amended_plan_of_other_data_drops_what_is_of_those_before(change: dict[str, Any], tmp_path: Path) -> None:
    other = Cell("toy", "toy:dense", "probe", Share(0.2), 0)
    store, entry = Store(tmp_path), manifest().tasks["toy"]
    store.extend(manifest((CELL, "a")))
    newer = {"toy": replace(entry, card=replace(entry.card, **change))}
    for key in "bc":
        store.extend(replace(manifest((other, key)), tasks=newer, recipes={Curve("toy", "toy:dense", "probe"): {}}))
        assert store.manifest.cells == {other: key}
        assert Store(tmp_path).manifest.other_data == {Curve("toy", "toy:dense", "full"): "0.1"}
        assert Curve("toy", "toy:dense", "full") not in store.manifest.recipes


def test_a_result_of_other_data_is_no_score_but_of_pinned_data_the_last_bits_may_differ(tmp_path: Path) -> None:
    store, entry = Store(tmp_path), manifest().tasks["toy"]
    store.put(result(CELL, "a"), PREDICTIONS)
    for pinned in (True, False):
        card = replace(entry.card, pinned=pinned)
        store.extend(replace(manifest((CELL, "a")), tasks={"toy": replace(entry, card=card)}))
        assert isinstance(store.outcomes()[CELL], Result if pinned else Failure)
    back = replace(card, sha256=result(CELL).data_sha256)
    store.extend(replace(manifest((CELL, "a")), tasks={"toy": replace(entry, card=back)}))
    assert isinstance(store.outcomes()[CELL], Result)


def test_what_needs_labels_is_told_until_it_has_a_cell_without_any(tmp_path: Path) -> None:
    curves = [Curve("toy", "toy:dense", name) for name in ("full", "scratch")]
    store = Store(tmp_path)
    store.extend(replace(manifest((CELL, "a")), need_labels=dict.fromkeys(curves, "it learns from labels")))
    store.extend(manifest((CELL, "a")))
    assert set(Store(tmp_path).manifest.need_labels) == set(curves), "others asked for no labels before"
    store.extend(manifest((replace(CELL, budget=NONE), "b")))
    assert Store(tmp_path).manifest.need_labels == {curves[1]: "it learns from labels"}


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
