"""Cells in which one random stream varies by itself: their spread is told, and they count nowhere else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as reference

from bench.cell import Cell
from bench.report.curves import find_curves
from bench.report.streams import spreads_of
from bench.report.tables import read_tables
from bench.store import Store
from tests.bench.report.example import example, outcome

STEPS = {"subset": (0.0, 0.04, -0.04), "order": (0.0, 0.01, -0.01)}


def with_streams(root: Path) -> Store:
    """Return the example, where for one point the subset and the order were varied by themselves too."""
    store = example(root)
    cells = {
        Cell("pictures", "bundled:eyes", "full", 1.0, seed, varied): (f"{varied}{seed}", step)
        for varied, steps in STEPS.items()
        for seed, step in enumerate(steps)
    }
    store.extend(replace(store.manifest, cells={cell: key for cell, (key, _) in cells.items()}))
    for cell, (key, step) in cells.items():
        score = outcome(replace(cell, seed=0), key).score + step
        store.put(replace(outcome(cell, key), score=score), np.zeros((1, 1), dtype=np.float32))
    return store


def test_the_spread_of_each_stream_is_told_where_it_was_varied(tmp_path: Path) -> None:
    found = {one.varied: one for one in spreads_of(read_tables(with_streams(tmp_path)))}
    assert [(one.strategy, one.fraction, one.n_seeds) for one in found.values()] == [("full", 1.0, 3)] * 3
    assert [found[name].deviation for name in ("subset", "order", "all")] == pytest.approx([0.04, 0.01, 0.01])
    low, high = (0.04 * np.sqrt(2 / reference.chi2.ppf(level, 2)) for level in (0.975, 0.025))
    assert (found["subset"].lower, found["subset"].upper) == pytest.approx((low, high))


def test_without_varied_cells_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert spreads_of(read_tables(example(tmp_path))) == []


def test_cells_of_one_stream_count_neither_in_curves_nor_on_the_leaderboard(tmp_path: Path) -> None:
    plain, varied = read_tables(example(tmp_path / "plain")), read_tables(with_streams(tmp_path / "varied"))
    assert varied.curves.equals(plain.curves)
    assert varied.leaderboard.rows.equals(plain.leaderboard.rows)
    ours, theirs = (find_curves(tables)["pictures"][0] for tables in (plain, varied))
    assert ours.seeds.equals(theirs.seeds)
