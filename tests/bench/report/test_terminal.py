"""The leaderboard in a terminal: narrow enough, aligned, its best marked, its gaps shown."""

from dataclasses import replace
from pathlib import Path

from bench.analysis.tables import read_tables
from bench.analysis.wording import shortened
from bench.budget import Share
from bench.report import terminal
from bench.results.store import Store
from tests.bench.analysis.drawn import around, drawn_tables
from tests.bench.analysis.example import BACKBONES, READS, TASKS, backbone, example


def leaderboard(store: Store) -> str:
    return terminal.leaderboard(read_tables(store))


def test_the_whole_table(tmp_path: Path) -> None:
    assert leaderboard(example(tmp_path)).splitlines() == [
        "rank  strategy      win rate   pictures   series",
        " 1–3  linear_probe     0.750*     0.733    0.080*",
        " 1–3  full             0.750*     0.783*   0.060",
        " 1–3  scratch          0.000      0.500    0.040",
        "",
        "Areas under the learning curves: 0 is the baseline, 1 is perfect.",
        "* best of a column.",
        "Win rate: the share of other rows that a row is ahead of, over tasks and seeds.",
        "A rank such as 1–3 is a 95 % interval.",
    ]


def test_a_rank_that_seeds_leave_open_is_told_as_an_interval(tmp_path: Path) -> None:
    scores = {"scratch": around(0.3), "linear_probe": around(0.7), "full": around(0.702, shift=2)}
    lines = terminal.leaderboard(drawn_tables(tmp_path, scores)).splitlines()
    assert [line[:18].rstrip() for line in lines[:4]] == [
        "rank  strategy",
        " 1–2  full",
        " 1–2  linear_probe",
        "   3  scratch",
    ]
    assert lines[-1] == "A rank such as 1–3 is a 95 % interval."


def test_what_is_missing_is_a_dash_without_rank(tmp_path: Path) -> None:
    lines = leaderboard(
        example(tmp_path, failed=[{"task": "series", "strategy": "full", "budget": Share(0.1)}])
    ).splitlines()
    assert lines[3] == "      full                 –      0.783*       –"
    assert lines[-1] == "3 of 36 cells have no score; without them there is no area (–)."


def test_the_mark_of_the_best_is_explained_only_where_there_is_one(tmp_path: Path) -> None:
    lines = leaderboard(example(tmp_path, failed=[{"budget": Share(0.1)}])).splitlines()
    assert "Areas under the learning curves: 0 is the baseline, 1 is perfect." in lines


def test_many_tasks_and_long_names_stay_within_80_columns(tmp_path: Path) -> None:
    names = [f"a-task-with-a-long-name-{number}" for number in range(9)]
    many = {name: replace(TASKS["pictures"], card=replace(TASKS["pictures"].card, name=name)) for name in names}
    text = leaderboard(
        example(
            tmp_path,
            tasks={**many},
            backbones={**BACKBONES, "a/" + "very" * 20: backbone("x", "X", "vision")},
            reads=dict.fromkeys(names, (*READS["pictures"], "a/" + "very" * 20)),
            not_run=[{}],
        )
    )
    assert max(map(len, text.splitlines())) <= 80
    assert sum(line.count(shortened(name, 16)) for name in names[:1] for line in text.splitlines()) == 1


def test_a_long_name_keeps_its_ends() -> None:
    assert shortened("hf:sentence-transformers/all-MiniLM-L6-v2", 20) == "hf:sentence-…M-L6-v2"
