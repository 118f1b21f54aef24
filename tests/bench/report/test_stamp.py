"""The stamp: a report is kept only while it is whole and all that it was made from is as it was."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import bench
from bench.report import stamp
from bench.report.stamp import STAMP, kept_leaderboard
from bench.report.writing import write_report
from bench.results.store import Store
from tests.bench.analysis.example import example, failure


def change_a_cell(store: Store) -> None:
    cell, key = next(iter(store.manifest.cells.items()))
    store.put(failure(cell, key))


def lose_a_cell(store: Store) -> None:
    next((store.root / "cells").iterdir()).unlink()


def plan_more(store: Store) -> None:
    cell = replace(next(iter(store.manifest.cells)), seed=99)
    store.extend(replace(store.manifest, cells={cell: "f" * 24}))


def change_a_table(store: Store) -> None:
    store.write_text("results.csv", "mine")


def lose_a_chart(store: Store) -> None:
    (store.root / "charts" / "overview.svg").unlink()


def damage_the_stamp(store: Store) -> None:
    store.write_text(STAMP, (store.root / STAMP).read_text()[:-20])


def replace_the_stamp(store: Store) -> None:
    store.write_text(STAMP, "[1, 2]")


def lose_the_stamp(store: Store) -> None:
    (store.root / STAMP).unlink()


def test_a_whole_report_of_the_present_cells_is_kept_and_its_leaderboard_said_again(tmp_path: Path) -> None:
    said = write_report(example(tmp_path))
    assert "linear_probe" in said
    assert kept_leaderboard(Store(tmp_path)) == said


def test_a_folder_that_was_moved_keeps_its_report(tmp_path: Path) -> None:
    said = write_report(example(tmp_path / "here"))
    moved = (tmp_path / "here").rename(tmp_path / "there")
    assert kept_leaderboard(Store(moved)) == said


@pytest.mark.parametrize(
    "change",
    [
        change_a_cell,
        lose_a_cell,
        plan_more,
        change_a_table,
        lose_a_chart,
        damage_the_stamp,
        replace_the_stamp,
        lose_the_stamp,
    ],
)
def test_a_report_is_not_kept_after_any_change(change: Callable[[Store], None], tmp_path: Path) -> None:
    write_report(example(tmp_path))
    change(Store(tmp_path))
    assert kept_leaderboard(Store(tmp_path)) is None


def test_a_report_is_not_kept_after_a_change_of_the_libraries_that_draw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(example(tmp_path))
    monkeypatch.setattr(stamp, "version", lambda _: "99")
    assert kept_leaderboard(Store(tmp_path)) is None


def test_a_report_is_not_kept_after_a_change_of_our_own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_report(example(tmp_path / "results"))
    monkeypatch.setattr(bench, "__file__", str(tmp_path / "other" / "__init__.py"))
    assert kept_leaderboard(Store(tmp_path / "results")) is None


@pytest.mark.parametrize("name", ["page.html", "chart.svg", "style.css", "behaviour.js", "made.py"])
def test_a_report_is_not_kept_after_a_change_of_its_templates(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, package = example(tmp_path / "results"), tmp_path / "other"
    package.mkdir()
    monkeypatch.setattr(bench, "__file__", str(package / "__init__.py"))
    (package / name).write_text("before")
    before = stamp.origin(store)
    (package / name).write_text("after")
    assert stamp.origin(store) != before


def test_a_report_made_while_a_cell_changed_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = example(tmp_path)
    write_stamp = stamp.write_stamp

    def change_and_stamp(store: Store, **said: object) -> None:
        change_a_cell(store)
        write_stamp(store, **said)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr("bench.report.writing.write_stamp", change_and_stamp)
    write_report(store)
    assert kept_leaderboard(Store(tmp_path)) is None
