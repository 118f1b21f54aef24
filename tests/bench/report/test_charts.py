"""Charts: the same bytes for the same numbers, harmless names, labels that keep apart."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.charts import chart_style, draw_overview, draw_task, to_png, to_svg
from bench.report.findings import find_curves
from bench.report.spacing import spread
from bench.report.tables import read_tables
from bench.store import Store
from tests.bench.report.example import BACKBONES, READS, TASKS, backbone, example


def charts(store: Store) -> dict[str, tuple[bytes, bytes]]:
    """Return SVG and PNG of every chart."""
    tables = read_tables(store)
    found = find_curves(tables)
    with chart_style():
        figures = {"overview": draw_overview(tables, found)}
        figures |= {task: draw_task(tables, task, curves) for task, curves in found.items()}
        return {name: (to_svg(figure), to_png(figure)) for name, figure in figures.items()}


def texts(svg: bytes) -> list[str]:
    """Return what is written in a chart: letters are outlines, each text stands before its own in a comment."""
    return [found.strip() for found in re.findall(r"<!-- (.*?) -->", svg.decode(), flags=re.DOTALL)]


def test_the_same_numbers_give_the_same_bytes_whatever_the_users_settings(tmp_path: Path) -> None:
    first = charts(example(tmp_path))
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red", "svg.hashsalt": None}):
        assert charts(Store(tmp_path)) == first
        assert mpl.rcParams["font.size"] == 20


def test_a_chart_carries_no_date_and_no_version(tmp_path: Path) -> None:
    svg, png = charts(example(tmp_path))["pictures"]
    assert mpl.__version__.encode() not in svg + png
    assert b"dc:date" not in svg


def test_a_chart_says_what_it_shows(tmp_path: Path) -> None:
    svg, _ = charts(example(tmp_path))["series"]
    said = texts(svg)
    assert {"Series", "MASE", "seasonal naive 1.250", "number of training windows (logarithmic)", "5", "50"} <= set(
        said
    )
    assert {"scratch", "linear probe", "full fine-tuning"} <= set(said)
    assert any("lower is better" in text and "3 seeds" in text for text in said)


def test_a_strategy_without_any_score_is_named_as_missing(tmp_path: Path) -> None:
    svg, _ = charts(example(tmp_path, failed=[{"task": "pictures", "strategy": "full"}]))["pictures"]
    assert "full fine-tuning: no score" in texts(svg)


@pytest.mark.parametrize(
    "gaps",
    [
        {"seeds": 1},
        {"not_run": [{}]},
        {"failed": [{"task": "series"}]},
        {"failed": [{"fraction": 1.0}]},
        {"failed": [{"seed": 1}]},
        {"strategies": ["full"]},
        {"strategies": [f"variant_{number}" for number in range(14)]},
    ],
    ids=["one seed", "nothing run", "a task failed", "a budget failed", "a seed failed", "no scratch", "14 strategies"],
)
def test_every_kind_of_folder_can_be_drawn(gaps: dict[str, list[dict[str, object]]], tmp_path: Path) -> None:
    for svg, png in charts(example(tmp_path, **gaps)).values():  # type: ignore[arg-type]  # one option at a time
        assert ET.fromstring(svg).tag.endswith("svg")  # noqa: S314 - our own
        assert png.startswith(b"\x89PNG")


def test_names_that_mean_harm_stay_text(tmp_path: Path) -> None:
    harm = "<script>&\"'--> $x^2$"
    card = replace(TASKS["pictures"].card, title=harm)
    store = example(
        tmp_path,
        tasks={"pictures": replace(TASKS["pictures"], card=card)},
        backbones={**BACKBONES, "other": backbone("other", harm, "vision")},
        reads={"pictures": (*READS["pictures"], "other")},
    )
    for svg, _ in charts(store).values():
        tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(svg).iter()}  # noqa: S314 - our own
        assert "script" not in tags


@given(st.lists(st.floats(-0.2, 1.2), min_size=1, max_size=12))
def test_labels_keep_their_distance_and_their_order(wanted: list[float]) -> None:
    heights = spread(np.array(wanted), gap=0.05, low=0.0, high=1.0)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(heights[order]) >= 0.05 - 1e-9).all()
    assert heights.min() >= -1e-9
    assert heights.max() <= 1 + 1e-9


def test_labels_with_room_stay_where_they_belong() -> None:
    assert spread(np.array([0.9, 0.1, 0.5]), gap=0.1, low=0, high=1).tolist() == pytest.approx([0.9, 0.1, 0.5])
    assert spread(np.array([0.5, 0.5]), gap=0.1, low=0, high=1).tolist() == pytest.approx([0.45, 0.55])


def test_points_with_fewer_seeds_than_planned_are_hollow_and_only_those(tmp_path: Path) -> None:
    tables = read_tables(
        example(tmp_path, failed=[{"task": "pictures", "strategy": "full", "fraction": 0.1, "seed": 1}])
    )
    with chart_style():
        axes = draw_task(tables, "pictures", find_curves(tables)["pictures"]).axes[0]
    curves = [line for line in axes.lines if line.get_marker() != "None" and line.get_transform() == axes.transData]
    hollow = [
        np.asarray(line.get_xdata(orig=True)).tolist() for line in curves if line.get_markerfacecolor() == "white"
    ]
    filled = [line.get_markevery() for line in curves if line.get_markerfacecolor() != "white"]
    assert hollow == [[20]]
    assert filled == [[True, True], [True, True], [False, True]]
