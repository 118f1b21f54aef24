"""A results folder in one line: every planned cell is a row, and every column has a type to compute with."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bench
from bench.analysis.tables import CELL_COLUMNS
from bench.errors import StoreError
from tests.bench.analysis.example import STRATEGIES, example

EVERYTHING = [{"task": "pictures"}, {"task": "series"}]


def test_a_row_per_planned_cell_with_the_columns_of_the_csv(tmp_path: Path) -> None:
    example(tmp_path, failed=[{"strategy": "full", "seed": 1}], not_run=[{"strategy": "scratch", "seed": 2}])
    cells = bench.load(tmp_path)
    metrics = ["metric_accuracy", "metric_log_loss", "metric_mase", "metric_mae"]
    after_score = CELL_COLUMNS.index("score") + 1
    assert list(cells.columns) == [*CELL_COLUMNS[:after_score], *metrics, *CELL_COLUMNS[after_score:]]
    assert cells["status"].value_counts().to_dict() == {"scored": 28, "failed": 4, "not run": 4}
    assert cells["score"].isna().sum() == 8


def test_a_folder_may_be_named_by_a_string_and_a_mean_takes_one_line_more(tmp_path: Path) -> None:
    example(tmp_path)
    means = bench.load(str(tmp_path)).groupby(["task", "strategy"], observed=True)["score"].mean()
    assert means["pictures", "full"] == pytest.approx((0.69 + 0.92) / 2)
    assert list(means["pictures"].index) == list(STRATEGIES)  # in the order of the config, not of the alphabet


@pytest.mark.parametrize("not_run", [[], EVERYTHING], ids=["finished", "nothing run"])
def test_types_do_not_depend_on_what_was_run(tmp_path: Path, not_run: list[dict[str, object]]) -> None:
    example(tmp_path, not_run=not_run)
    types = bench.load(tmp_path).dtypes.astype(str)
    assert not (types == "object").any()
    assert types[["amount", "score", "metric_mae", "penalty", "seconds", "peak_mib"]].unique().tolist() == ["float64"]
    assert types[["steps", "trainable_parameters"]].unique().tolist() == ["Int64"]
    assert types[["task", "backbone", "strategy", "budget"]].unique().tolist() == ["category"]
    assert types[["status", "metric", "device", "reason", "torch"]].unique().tolist() == ["str"]
    assert types["seed"] == np.dtype("int64")


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there are no results in"):
        bench.load(tmp_path)


def test_importing_the_package_loads_no_tables() -> None:
    code = "import sys, bench; print(sorted({'numpy', 'pandas', 'torch'} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout == "[]\n"
