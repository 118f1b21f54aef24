"""The leaderboard: areas of each seed's own curve, with intervals; ranks as far as seeds decide them."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as reference

from bench.analysis.tables import read_tables
from tests.bench.analysis import example as examples
from tests.bench.analysis.drawn import CHANCE, around, drawn_tables
from tests.bench.analysis.example import BACKBONES, READS, TASKS, backbone, example


def test_an_area_is_that_of_each_seeds_own_curve_with_scipys_interval(tmp_path: Path) -> None:
    scores = np.array([[0.5, 0.6, 0.4, 0.55, 0.45], [0.7, 0.9, 0.8, 0.75, 0.72]])  # [n_budgets, n_seeds]
    board = drawn_tables(tmp_path, {"full": scores.tolist()}).leaderboard
    areas = (scores.mean(axis=0) - CHANCE) / (1 - CHANCE)
    low, high = reference.t.interval(0.95, 4, loc=areas.mean(), scale=reference.sem(areas))
    assert board.areas["pictures"].item() == pytest.approx(areas.mean(), abs=5e-5)
    assert board.areas_lower["pictures"].item() == pytest.approx(low, abs=5e-5)
    assert board.areas_upper["pictures"].item() == pytest.approx(high, abs=5e-5)


def test_what_seeds_do_not_decide_is_tied_and_has_a_rank_interval(tmp_path: Path) -> None:
    rows = drawn_tables(
        tmp_path, {"scratch": around(0.3), "linear_probe": around(0.7), "full": around(0.702, shift=2)}
    ).leaderboard.rows.set_index("strategy")
    assert rows["rank"].to_dict() == {"full": 1, "linear_probe": 2, "scratch": 3}
    assert rows[["rank_low", "rank_high"]].to_numpy().tolist() == [[1, 2], [1, 2], [3, 3]]
    assert rows["tied"].to_dict() == {"full": True, "linear_probe": True, "scratch": False}


def test_a_best_that_stands_alone_is_tied_with_nobody(tmp_path: Path) -> None:
    rows = drawn_tables(tmp_path, {"linear_probe": around(0.7), "full": around(0.8)}).leaderboard.rows
    assert not rows["tied"].any()


def test_a_seed_with_a_gap_does_not_count_in_an_area(tmp_path: Path) -> None:
    whole = around(0.5, 0.7)
    gap = [whole[0], [math.nan, *whole[1][1:]]]
    board = drawn_tables(tmp_path, {"full": gap}).leaderboard
    areas = (np.array(whole).mean(axis=0)[1:] - CHANCE) / (1 - CHANCE)
    assert board.areas["pictures"].item() == pytest.approx(areas.mean(), abs=5e-5)
    assert board.rows[["scored", "failed", "planned"]].to_numpy().tolist() == [[9, 0, 10]]


def test_one_seed_decides_no_rank(tmp_path: Path) -> None:
    rows = read_tables(example(tmp_path, seeds=1, strategies=["scratch", "a", "b"])).leaderboard.rows
    assert rows["rank"].tolist() == [1, 1, 3]
    assert rows[["rank_low", "rank_high"]].to_numpy().tolist() == [[1, 3]] * 3
    assert rows["tied"].all()


def test_too_few_test_blocks_have_ranks_without_intervals_and_only_equals_tie(tmp_path: Path) -> None:
    scores = {"scratch": around(0.3), "linear_probe": around(0.7), "full": around(0.7)}
    board = drawn_tables(tmp_path, scores, moved={name: [0.001, -0.001, 0.0] for name in scores}).leaderboard
    assert board.rows["rank"].tolist() == [1, 1, 3]
    assert board.rows[["rank_low", "rank_high", "win_lower", "win_upper"]].isna().all(axis=None)
    assert board.rows.set_index("strategy")["tied"].to_dict() == {"linear_probe": True, "full": True, "scratch": False}


def test_failed_cells_are_counted(tmp_path: Path) -> None:
    tables = read_tables(example(tmp_path, failed=[{"strategy": "full", "seed": 1}]))
    assert tables.leaderboard.rows.set_index("strategy")["failed"].to_dict()["full"] == 4


def test_what_is_the_same_work_on_several_backbones_has_one_row(tmp_path: Path) -> None:
    more = {**BACKBONES, "other": backbone("other", "Other", "vision")}
    reads = {**READS, "pictures": ("bundled:eyes", "other")}
    store = example(tmp_path, backbones=more, reads=reads, strategies=["scratch", "classical"])
    cells = store.manifest.cells
    twins = {cell: cells[replace(cell, backbone="bundled:eyes")] for cell in cells if cell.backbone == "other"}
    classical = {cell: key for cell, key in twins.items() if cell.strategy == "classical"}
    store.extend(replace(store.manifest, cells=classical))
    rows = read_tables(store).leaderboard.rows
    pictures = rows[rows["scope"] == rows.loc[rows["backbones"] == "other", "scope"].item()]
    assert sorted(zip(pictures["strategy"], pictures["backbones"], strict=True)) == [
        ("classical", "bundled:eyes; other"),
        ("scratch", "bundled:eyes"),
        ("scratch", "other"),
    ]
    assert pictures.set_index("backbones")["planned"].tolist() == [6, 6, 6]
    assert rows.loc[rows["backbones"] == "bundled:clock", "strategy"].tolist() == ["classical", "scratch"]


def test_over_unlike_tasks_rows_are_ranked_by_how_often_they_are_ahead(tmp_path: Path) -> None:
    board = read_tables(example(tmp_path)).leaderboard
    rows = board.rows.set_index("strategy")
    # pictures: full fine-tuning, probe, scratch; series: probe, full fine-tuning, scratch
    assert rows["win_rate"].to_dict() == {"linear_probe": 0.75, "full": 0.75, "scratch": 0.0}
    assert rows[["win_lower", "win_upper"]].notna().all(axis=None)
    assert rows[["rank_low", "rank_high"]].to_numpy().tolist() == [[1, 3]] * 3, "two tasks leave all open"


def test_skill_is_averaged_within_one_target_alone(tmp_path: Path) -> None:
    assert read_tables(example(tmp_path)).leaderboard.means.columns.tolist() == []
    more = {**TASKS, "drawings": replace(TASKS["pictures"], card=replace(TASKS["pictures"].card, name="drawings"))}
    reads = {**READS, "drawings": READS["pictures"]}
    scores = {**examples.SCORES, "drawings": examples.SCORES["pictures"]}
    with pytest.MonkeyPatch.context() as patched:
        for name, value in (("SCORES", scores), ("TASKS", more)):
            patched.setattr(examples, name, value)
        patched.setitem(examples.N_TRAIN, "drawings", 200)
        patched.setitem(examples.CHANCE, "drawings", 0.1)
        board = read_tables(example(tmp_path / "more", tasks=more, reads=reads)).leaderboard
    assert board.means.columns.tolist() == [TASKS["pictures"].metric.title]
    assert board.means.iloc[:, 0].tolist() == pytest.approx(board.areas["pictures"].tolist())
