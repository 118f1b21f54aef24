"""Charts: the same bytes for the same numbers, harmless names, labels that keep apart, every point where it belongs."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.curves import find_curves
from bench.analysis.tables import read_tables
from bench.budget import ALL, Share
from bench.report.charts.axes import kept_apart, linear_ticks, logarithmic_ticks
from bench.report.charts.chart import Chart, Line, Look, Point, task_chart
from bench.report.charts.drawing import PAGE, Drawing, draw
from bench.report.charts.spacing import spread
from bench.report.html.standalone import grid
from bench.report.writing import write_report
from bench.results.store import Store
from tests.bench.analysis.example import BACKBONES, READS, TASKS, backbone, example

NAN = float("nan")


def written(store: Store) -> dict[str, str]:
    """Return every chart of a folder's report."""
    write_report(store)
    return {path.stem: path.read_text(encoding="utf-8") for path in (store.root / "charts").iterdir()}


def texts(svg: str) -> list[str]:
    """Return what is written in a chart."""
    root = ET.fromstring(svg)  # noqa: S314 - our own
    return ["".join(element.itertext()) for element in root.iter() if element.tag.endswith("text")]


def drawn(store: Store, task: str) -> Drawing:
    """Return the drawing of a task."""
    tables = read_tables(store)
    return draw(task_chart(tables, task, find_curves(tables)[task]))


def chart(**lines: list[tuple[float, float]]) -> Chart:
    """Return a chart of lines through points."""
    inked = tuple(
        Line(name, Look("blue", 0, 0), tuple(Point(x, y, NAN, NAN, whole=True, said=f"{y}") for x, y in points))
        for name, points in lines.items()
    )
    stops = tuple(sorted({x for points in lines.values() for x, _ in points}))
    return Chart("c", "A chart", "labels", "score", inked, 0.1, "chance", stops, tuple(map(str, stops)))


def test_the_same_numbers_give_the_same_bytes(tmp_path: Path) -> None:
    first = written(example(tmp_path))
    assert written(Store(tmp_path)) == first
    assert set(first) == {"overview", "pictures", "series", "cost-pictures", "cost-series"}


def test_a_chart_says_what_it_shows(tmp_path: Path) -> None:
    said = texts(written(example(tmp_path))["series"])
    assert {"Series", "MASE, lower is better", "seasonal naive 1.250", "number of observations", "5", "50"} <= set(said)
    assert {"scratch", "linear probe", "full fine-tuning"} <= set(said)
    assert any("lower is better" in text and "3 seeds" in text for text in said)


def test_no_label_stands_at_the_left_of_a_broken_axis_and_is_joined_to_nothing() -> None:
    with_none, without = (draw(chart(a=[*none, (10, 0.5), (100, 0.6)])) for none in ([(0, 0.4)], []))
    (line,) = with_none.lines
    zero, ten, hundred = (float(dot.x.logarithmic) for dot in line.dots)
    assert PAGE.left < zero < ten - 40 < hundred - 40
    assert line.curve.logarithmic.count("M") == 2, "the axis is broken there, and the curve with it"
    assert line.curve.linear.count("M") == 1
    assert [tick.label for tick in with_none.ticks] == ["0", "10", "100"]
    assert with_none.gap_x is not None
    assert zero < with_none.gap_x < ten
    assert without.gap_x is None
    assert float(line.dots[0].x.linear) == PAGE.left


def test_no_label_alone_is_a_point_on_an_axis_that_is_whole() -> None:
    alone = draw(chart(a=[(0, 0.4)], b=[(0, 0.5)]))
    assert [tick.label for tick in alone.ticks] == ["0"]
    assert alone.gap_x is None
    middle = (PAGE.left + PAGE.width - PAGE.right) / 2
    places = {float(x) for line in alone.lines for dot in line.dots for x in dot.x}
    assert places == {middle} == {tick.at for tick in alone.ticks}, "as any budget alone"


@pytest.mark.parametrize("later", [0.0484, np.nextafter(0.0484, 1), 0.0484000001, 0.05])
def test_values_that_differ_by_rounding_alone_are_drawn(later: float) -> None:
    close = draw(chart(a=[(0.0484, 0.4)], b=[(later, 0.5)]))
    places = [float(x) for line in close.lines for dot in line.dots for x in dot.x]
    assert all(PAGE.left <= place <= PAGE.width - PAGE.right for place in places)


def test_intervals_are_cut_at_the_axis(tmp_path: Path) -> None:
    for svg in written(example(tmp_path)).values():
        root = ET.fromstring(svg)  # noqa: S314 - our own
        space = "{http://www.w3.org/2000/svg}"
        cuts = [float(one.attrib["y"]) + float(one.attrib["height"]) for one in root.iterfind(f".//{space}clipPath/*")]
        axes = [one.attrib["d"] for one in root.iterfind(f".//{space}path[@class='axis']") if "H" in one.attrib["d"]]
        assert cuts == [float(re.split("[ H]", axis)[1]) for axis in axes]


def test_a_task_without_any_score_has_a_chart_that_says_so_and_no_axis_of_seconds(tmp_path: Path) -> None:
    store = example(tmp_path, failed=[{"task": "series"}])
    assert drawn(store, "series").ticks == drawn(store, "series").heights == ()
    charts = written(store)
    said = texts(charts["series"])
    assert "no cell was scored" in said
    assert any("no cell was scored, and the section Missing says why" in text for text in said)
    assert not any("interval" in text or re.search(r"[0-9] (ms|s|min|h)$", text) for text in said)
    assert "no cell was scored" in texts(charts["overview"])
    for name in ("report.md", "index.html"):
        assert "no cell was scored, and the section Missing says why" in (tmp_path / name).read_text()
    assert "no cell was scored" not in texts(charts["pictures"])


def test_a_strategy_without_any_score_is_named_as_missing(tmp_path: Path) -> None:
    charts = written(example(tmp_path, failed=[{"task": "pictures", "strategy": "full"}]))
    assert "full fine-tuning: no score" in texts(charts["pictures"])


@pytest.mark.parametrize(
    "gaps",
    [
        {"seeds": 1},
        {"not_run": [{}]},
        {"failed": [{"task": "series"}]},
        {"failed": [{"budget": ALL}]},
        {"failed": [{"seed": 1}]},
        {"strategies": ["full"]},
        {"strategies": [f"variant_{number}" for number in range(14)]},
    ],
    ids=["one seed", "nothing run", "a task failed", "a budget failed", "a seed failed", "no scratch", "14 strategies"],
)
def test_every_kind_of_folder_can_be_drawn(gaps: dict[str, list[dict[str, object]]], tmp_path: Path) -> None:
    charts = written(example(tmp_path, **gaps))  # type: ignore[arg-type]  # one option at a time
    assert {"overview", "pictures", "series"} <= set(charts)
    for svg in charts.values():
        assert ET.fromstring(svg).tag.endswith("svg")  # noqa: S314 - our own
        assert "nan" not in svg


def test_names_that_mean_harm_stay_text(tmp_path: Path) -> None:
    harm = "<script>&\"'--> $x^2$ ]]>"
    card = replace(TASKS["pictures"].card, title=harm)
    store = example(
        tmp_path,
        tasks={"pictures": replace(TASKS["pictures"], card=card)},
        backbones={**BACKBONES, "other": backbone("other", harm, "vision")},
        reads={"pictures": (*READS["pictures"], "other")},
    )
    for svg in written(store).values():
        tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(svg).iter()}  # noqa: S314 - our own
        assert "script" not in tags
        assert any(text.startswith(harm[:20]) for text in texts(svg))


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
    store = example(tmp_path, failed=[{"task": "pictures", "strategy": "full", "budget": Share(0.1), "seed": 1}])
    lines = {line.label: line for line in drawn(store, "pictures").lines}
    assert [dot.whole for dot in lines["full fine-tuning"].dots] == [False, True]
    assert "(2 of 3 seeds)" in lines["full fine-tuning"].dots[0].said
    assert all(dot.whole for name in ("scratch", "linear probe") for dot in lines[name].dots)


def test_both_axes_place_a_budget_where_its_number_says() -> None:
    (line,) = draw(chart(one=[(10, 0.2), (100, 0.5), (1000, 0.9)])).lines
    logarithmic, linear = (np.array([float(getattr(dot.x, axis)) for dot in line.dots]) for axis in line.curve._fields)
    assert logarithmic[1] == pytest.approx((logarithmic[0] + logarithmic[2]) / 2, abs=0.1)
    share = (linear[1] - linear[0]) / (linear[2] - linear[0])
    assert share == pytest.approx(90 / 990, abs=0.001)
    assert PAGE.left <= linear[0] < linear[2] <= PAGE.width - PAGE.right


def test_a_budget_without_a_score_is_a_gap_in_the_line() -> None:
    (line,) = draw(chart(one=[(10, 0.2), (100, NAN), (1000, 0.9), (2000, 0.95)])).lines
    assert re.sub(r"[\d. ]+", "", line.curve.logarithmic) == "MML"
    assert [dot.stop for dot in line.dots] == [0, 2, 3]


def test_an_error_that_spans_powers_of_ten_has_a_logarithmic_axis() -> None:
    drawing = draw(chart(one=[(10, 100.0), (100, 10.0), (1000, 1.0)]))
    heights = [float(dot.y) for dot in drawing.lines[0].dots]
    assert heights[1] == pytest.approx((heights[0] + heights[2]) / 2, abs=0.1)


def test_an_interval_that_ends_at_0_or_below_leaves_a_logarithmic_axis_at_its_foot() -> None:
    scores = [(10, 100.0, 40.0, 160.0), (100, 10.0, 0.0, 25.0), (1000, 1.0, -3.0, 5.0)]
    points = tuple(Point(*row, whole=True, said="") for row in scores)
    drawing = draw(replace(chart(), lines=(Line("one", Look("blue", 0, 0), points),), stops=(10, 100, 1000)))
    (line,) = drawing.lines
    at_100, at_1000 = (
        next(float(y) for x, y in lower if x == dot.x.logarithmic)
        for lower in [[place.split() for place in line.band.logarithmic.strip("Mz").split("L")[3:]]]
        for dot in line.dots[1:]
    )
    assert at_100 == at_1000 > PAGE.height - PAGE.bottom
    assert float(line.dots[2].y) < PAGE.height - PAGE.bottom


def test_a_classical_strategy_has_one_line_however_many_backbones(tmp_path: Path) -> None:
    store = example(
        tmp_path,
        backbones={**BACKBONES, "other": backbone("other", "Owl", "vision")},
        reads={**READS, "pictures": (*READS["pictures"], "other")},
        strategies=("scratch", "classical", "full"),
    )
    labels = [line.label for line in drawn(store, "pictures").lines]
    assert labels == [
        "scratch · Eyes",
        "classical model",
        "full fine-tuning · Eyes",
        "scratch · Owl",
        "full fine-tuning · Owl",
    ]


def test_strategies_keep_their_looks_and_backbones_differ_by_dash(tmp_path: Path) -> None:
    store = example(
        tmp_path,
        backbones={**BACKBONES, "other": backbone("other", "Owl", "vision")},
        reads={**READS, "pictures": (*READS["pictures"], "other")},
    )
    lines = {line.label: line for line in drawn(store, "pictures").lines}
    eyes, owl = lines["full fine-tuning · Eyes"], lines["full fine-tuning · Owl"]
    assert (eyes.colour, eyes.marker) == (owl.colour, owl.marker)
    assert eyes.dash != owl.dash
    assert len({(line.colour, line.marker, line.dash) for line in lines.values()}) == len(lines)


def test_an_overview_has_a_tile_for_each_chart_and_a_key_for_each_label() -> None:
    sheet = grid([chart(one=[(10, 0.2), (20, 0.3)], two=[(10, 0.1)]), chart(one=[(5, 0.4)])])
    assert [tile.title for tile in sheet.tiles] == ["A chart", "A chart"]
    assert [key.label for key in sheet.keys] == ["one", "two"]
    corners = {(tile.x, tile.y) for tile in sheet.tiles}
    assert len(corners) == 2


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(3, 8))
def test_ticks_are_few_and_within_the_axis(low: float, span: float, most: int) -> None:
    ticks = linear_ticks(low, low + span, most)
    assert len(ticks) <= most + 1
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in ticks)


def test_ticks_are_round_numbers() -> None:
    assert linear_ticks(0.08, 0.93, 6) == [0.2, 0.4, 0.6, 0.8]
    assert logarithmic_ticks(0.9, 30) == [1, 2, 5, 10, 20]
    assert kept_apart([1, 2, 9, 10], float, 2) == [2, 10]
