"""Tables: golden files, and nothing that is missing looks like a number."""

import io
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats as reference

from bench.analysis.tables import Tables, read_tables
from bench.budget import ALL, Share
from bench.report.spreadsheets import curves_csv, harmless, leaderboard_csv, results_csv
from bench.results.store import Store
from tests.bench.analysis.example import (
    BACKBONES,
    PREDICTIONS,
    READS,
    TASKS,
    UNDEFINED,
    backbone,
    example,
    outcome,
    scored,
)

GOLDEN = Path(__file__).parent / "golden"


def with_gaps(root: Path) -> Store:
    """Return the example with four failed cells and three that were not run."""
    return example(
        root,
        failed=[
            {"task": "pictures", "strategy": "full", "budget": Share(0.1)},
            {"task": "series", "strategy": "scratch", "budget": ALL, "seed": 2},
        ],
        not_run=[{"task": "series", "strategy": "full", "budget": ALL}],
    )


def written(tables: Tables) -> dict[str, str]:
    """Return the CSV files by name."""
    return {
        "results.csv": results_csv(tables.cells),
        "curves.csv": curves_csv(tables.curves),
        "leaderboard.csv": leaderboard_csv(tables.leaderboard),
    }


def read(text: str) -> pd.DataFrame:
    """Return a CSV file as a table."""
    return pd.read_csv(io.StringIO(text))


@pytest.mark.parametrize("name", ["results.csv", "curves.csv", "leaderboard.csv"])
def test_the_files_are_the_golden_ones(name: str, tmp_path: Path) -> None:
    found = written(read_tables(with_gaps(tmp_path)))[name]
    assert found.encode() == (GOLDEN / name).read_bytes()


def test_reading_a_folder_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first = written(read_tables(example(tmp_path)))
    assert written(read_tables(Store(tmp_path))) == first


def test_every_planned_cell_has_a_row_in_the_order_of_the_manifest(tmp_path: Path) -> None:
    rows = read(written(read_tables(with_gaps(tmp_path)))["results.csv"])
    assert len(rows) == 2 * 3 * 2 * 3
    assert list(dict.fromkeys(rows["task"])) == ["pictures", "series"]
    assert list(dict.fromkeys(rows["strategy"])) == ["scratch", "linear_probe", "full"]
    assert rows["status"].value_counts().to_dict() == {"scored": 29, "failed": 4, "not run": 3}


def test_a_cell_without_a_result_has_no_number(tmp_path: Path) -> None:
    rows = read(written(read_tables(with_gaps(tmp_path)))["results.csv"])
    gaps = rows[rows["status"] != "scored"]
    assert gaps[["score", "chance", "amount", "seconds", "steps", "peak_mib"]].isna().all(axis=None)
    assert gaps.loc[gaps["status"] == "failed", "reason"].notna().all()


def test_every_metric_has_a_column_and_one_that_is_missing_is_empty(tmp_path: Path) -> None:
    rows = read(written(read_tables(with_gaps(tmp_path)))["results.csv"])
    names = list(rows.columns)
    assert names[names.index("score") + 1 : names.index("chance")] == [
        "metric_accuracy",
        "metric_log_loss",
        "metric_mase",
        "metric_mae",
    ]
    scored = rows[rows["status"] == "scored"]
    pictures, series = scored[scored["task"] == "pictures"], scored[scored["task"] == "series"]
    assert (pictures["metric_accuracy"] == pictures["score"]).all()
    assert pictures["metric_log_loss"].to_numpy() == pytest.approx(20 - 10 * pictures["score"].to_numpy())
    assert pictures[["metric_mase", "metric_mae"]].isna().all(axis=None), "which pictures do not have"
    undefined = series["score"] == UNDEFINED
    assert undefined.any()
    assert (series["metric_mae"].isna() == undefined).all(), "which its test examples do not define"
    assert rows.loc[rows["status"] != "scored", "metric_accuracy":"metric_mae"].isna().all(axis=None)


def test_work_that_several_cells_share_whole_is_spent_once(tmp_path: Path) -> None:
    store = example(tmp_path)
    spent = read_tables(store).costs.total
    first, key = next(iter(store.manifest.cells.items()))
    store.extend(replace(store.manifest, cells={replace(first, varied="subset"): key}))
    assert read_tables(store).costs.total == spent


def test_a_mean_over_fewer_seeds_says_so(tmp_path: Path) -> None:
    curves = read(written(read_tables(with_gaps(tmp_path)))["curves.csv"])
    point = curves[(curves["task"] == "series") & (curves["strategy"] == "scratch") & (curves["budget"] == "all")]
    assert point[["n_seeds", "n_seeds_planned"]].to_numpy().tolist() == [[2, 3]]
    assert point["mean"].item() == pytest.approx(0.805)


def test_a_point_without_any_score_keeps_its_number_of_labels_and_has_no_mean(tmp_path: Path) -> None:
    curves = read(written(read_tables(with_gaps(tmp_path)))["curves.csv"])
    point = curves[(curves["strategy"] == "full") & (curves["n_seeds"] == 0)]
    assert point["amount"].tolist() == [20, 50]
    assert point[["mean", "lower", "upper"]].isna().all(axis=None)


def test_intervals_of_errors_are_students_and_those_of_shares_wilsons(tmp_path: Path) -> None:
    curves = read_tables(example(tmp_path)).curves
    error = curves[(curves["task"] == "series") & (curves["strategy"] == "scratch")].iloc[0]
    assert error["margin"] == pytest.approx(4.302653 * 0.01 / 3**0.5, rel=1e-6)
    share = curves.iloc[0]
    assert share["mean"] == pytest.approx(0.3)
    # three seeds of .29, .30 and .31 have the variance of .3 x .7 x 30,000 = 6,300 examples, of which 1,890 are right
    level = 2 * reference.norm.cdf(4.302653) - 1  # at which scipy takes Student's quantile
    expected = reference.binomtest(1890, 6300).proportion_ci(level, method="wilson")
    assert [share["lower"], share["upper"]] == pytest.approx([expected.low, expected.high], rel=1e-5)


def test_one_seed_has_the_interval_of_its_test_examples(tmp_path: Path) -> None:
    curves = read_tables(example(tmp_path, seeds=1)).curves
    share = curves.iloc[0]
    level = 2 * reference.norm.cdf(reference.t.ppf(0.975, 19)) - 1  # 20 blocks
    expected = reference.binomtest(30_000, 100_000).proportion_ci(level, method="wilson")
    assert [share["lower"], share["upper"]] == pytest.approx([expected.low, expected.high], rel=1e-5)


def test_seeds_that_agree_have_an_interval_of_no_width(tmp_path: Path) -> None:
    curves = read_tables(example(tmp_path)).curves
    probe = curves[(curves["task"] == "series") & (curves["strategy"] == "linear_probe")]
    assert probe["upper"].to_numpy() == pytest.approx(probe["lower"].to_numpy(), abs=1e-12)


def test_areas_are_missing_with_a_budget_and_ranks_with_an_area(tmp_path: Path) -> None:
    board = read(written(read_tables(with_gaps(tmp_path)))["leaderboard.csv"]).set_index("strategy")
    columns = ["rank", "pictures", "series"]
    assert board.loc[["full"], columns].isna().all(axis=None)
    assert board.loc[["linear_probe"], columns].notna().all(axis=None)
    assert board.loc[["full"], ["scored", "planned"]].to_numpy().tolist() == [[6, 12]]


def test_a_leaderboard_by_hand(tmp_path: Path) -> None:
    board = read(written(read_tables(example(tmp_path)))["leaderboard.csv"]).set_index("strategy")
    # pictures: the mean of (0.3 - 0.1) / 0.9 and (0.8 - 0.1) / 0.9; series: that of 1 - 1.6 / 1.25 and 1 - 0.8 / 1.25
    assert board.loc[["scratch"], ["pictures", "series"]].to_numpy()[0] == pytest.approx([0.5, 0.04])
    # pictures: full, probe, scratch; series, whose areas are .08, .06 and .04: probe, full, scratch
    assert board["win_rate"].to_dict() == {"linear_probe": 0.75, "full": 0.75, "scratch": 0.0}
    assert board["rank"].to_dict() == {"full": 1, "linear_probe": 1, "scratch": 3}


def test_equal_means_share_a_rank(tmp_path: Path) -> None:
    tables = read_tables(example(tmp_path, tasks={"pictures": TASKS["pictures"]}, strategies=["scratch", "a", "b"]))
    assert tables.leaderboard.rows["rank"].tolist() == [1, 1, 3]


def test_backbones_are_ranked_among_those_of_the_same_tasks(tmp_path: Path) -> None:
    more = {"bundled:eyes": BACKBONES["bundled:eyes"], "other": backbone("other", "Other", "vision")}
    store = example(
        tmp_path,
        backbones={**more, "bundled:clock": BACKBONES["bundled:clock"]},
        reads={**READS, "pictures": ("bundled:eyes", "other")},
    )
    board = read_tables(store).leaderboard
    assert board.rows["backbones"].value_counts().to_dict() == {"bundled:eyes": 3, "other": 3, "bundled:clock": 3}
    assert board.rows["rank"].tolist() == [1, 1, 3, 3, 5, 5, 1, 2, 3]


def test_areas_compare_over_the_budgets_planned_for_every_strategy(tmp_path: Path) -> None:
    whole = example(tmp_path / "whole").manifest
    cells = {cell: key for cell, key in whole.cells.items() if cell.strategy != "scratch" or cell.budget == ALL}
    store = Store(tmp_path / "part")
    store.extend(replace(whole, cells=cells))
    for cell, key in cells.items():
        store.put(outcome(cell, key), PREDICTIONS)
    areas = read_tables(store).leaderboard.areas
    # one budget is left, of which the area is the skill: (0.92 - 0.1) / 0.9, (0.82 - 0.1) / 0.9, (0.8 - 0.1) / 0.9
    assert sorted(areas["pictures"]) == pytest.approx([0.7778, 0.8, 0.9111])


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_a_name_cannot_act_as_a_formula(name: str) -> None:
    assert harmless(name) == f"'{name}"


def test_reasons_that_would_act_as_formulas_are_written_as_text(tmp_path: Path) -> None:
    rows = read(written(read_tables(with_gaps(tmp_path)))["results.csv"])
    assert set(rows["reason"].dropna()) == {"'=cmd() | <script>alert(1)</script>"}


def test_data_in_folds_have_one_chance_and_one_amount_for_all_strategies(tmp_path: Path) -> None:
    card = replace(TASKS["pictures"].card, folds=3)
    store = example(
        tmp_path,
        tasks={**TASKS, "pictures": replace(TASKS["pictures"], card=card)},
        failed=[{"task": "pictures", "strategy": "full", "seed": 2}],
    )
    for one in store.results():
        if one.cell.task == "pictures":
            fold = one.cell.seed
            told = scored(one, one.score, chance=0.1 * (fold + 1))
            store.put(replace(told, amount=one.amount + (fold == 2), fold=fold, folds=3), PREDICTIONS)
    curves = read_tables(store).curves
    assert curves.loc[curves["task"] == "pictures", "chance"].tolist() == pytest.approx([0.2] * 6)
    assert set(curves.loc[curves["task"] == "series", "chance"]) == {1.25}
    amounts = curves.groupby(["task", "budget"], observed=True)["amount"]
    assert amounts.min().equals(amounts.max())
