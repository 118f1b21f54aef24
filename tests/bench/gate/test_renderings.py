"""The comparison in every format: the verdict first, within 80 columns, and no name can do harm."""

import json
import math
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from bench.budget import Share
from bench.cell import Cell, Outcome, Result
from bench.gate.comparison import Comparison, compare
from bench.gate.junit import to_junit
from bench.gate.markdown import to_markdown
from bench.gate.matching import Run
from bench.gate.records import to_json
from bench.gate.text import to_text
from bench.gate.wording import cells_listed
from tests.bench.analysis.example import PROVENANCE, scored
from tests.bench.gate.example import HARM, Change, failed, harmful, lost, night, unchanged, where, with_fields, worse

BROKEN = failed(HARM)


def everything() -> Comparison:
    """Return a comparison with something to say in every part."""

    def change(result: Result) -> Outcome | None:
        task, strategy, seed = result.cell.task, result.cell.strategy, result.cell.seed
        if (task, strategy) == ("pictures", "full") and seed < 2:
            return BROKEN(result) if seed == 0 else None
        if (task, strategy) == ("series", "scratch"):
            return replace(result, n_test=9)
        return worse("series", 0.1)(replace(result, seconds=9.0))

    return compare(night(), night(change, rekeyed={"linear_probe": "new"}))


def test_the_text_says_the_verdict_first_and_fits_80_columns() -> None:
    said = to_text(everything())
    lines = said.splitlines()
    assert lines[0] == "FAIL: regression in 1 of 2 tasks, 2 new failures, 2 missing cells"
    assert max(map(len, lines)) <= 80
    assert "series: REGRESSION" in lines
    assert any(line.split()[:3] == ["linear_probe", "*", "-0.080"] for line in lines)
    assert "  series: scratch: other data: 100 test examples, now 9" not in lines
    assert "  series: scratch: other data: 10000 test examples, now 9" in lines
    assert "  pictures · bundled:eyes · full · 0.1 · seed 1" in lines
    assert "  seconds of a cell: 6.00 times the baseline's [6.00, 6.00], dearer" in lines


def test_a_run_that_changed_nothing_says_so_in_a_word() -> None:
    said = to_text(compare(night(), night()))
    assert said.startswith("PASS: no change in all 2 tasks: all scores are identical\n")
    assert said.count(" identical  ") == 8, "two tasks of three strategies and a mean"
    assert said.count("  6 cells: 6 identical\n") == 2
    assert "not compared" not in said


def test_what_could_not_be_decided_does_not_pass_for_no_change() -> None:
    said = to_text(compare(night(seeds=1), night(worse("pictures", 0.1), seeds=1)))
    assert said.startswith("PASS: not decided in 1 of 2 tasks (1 no change): ")
    assert "one seed" in said


def one_cell() -> Comparison:
    """Return a comparison with a drop in one cell, whose seeds lose not quite alike."""
    drop = where(worse("pictures", 0.06), task="pictures", strategy="full", budget=Share(0.1))
    return compare(night(), night(drop))


def test_a_cell_is_named_where_something_is_said_of_it_in_every_format() -> None:
    comparison = one_cell()
    text, markdown = to_text(comparison), to_markdown(comparison)
    lines = [line.split("  ")[1].strip() for line in text.splitlines() if line.startswith("  full")]
    assert lines[:2] == ["full", "full at 10 % of labels"]
    assert "| full at 10 % of labels | **REGRESSION** | -0.067 |" in markdown
    suite = ET.fromstring(to_junit(comparison))[0]  # noqa: S314 - our own
    cases = {case.get("name"): case for case in suite if case.get("classname") == "pictures"}
    assert cases["full at 10 % of labels"].find("failure") is not None
    assert "full at all labels" not in cases
    (pictures,) = [task for task in json.loads(to_json(comparison))["tasks"] if task["task"] == "pictures"]
    (full,) = [one for one in pictures["strategies"] if one["strategy"] == "full"]
    assert [cell["verdict"] for cell in full["cells"]] == ["regression", "no change"]


def test_beside_no_change_stands_the_smallest_drop_that_would_have_been_found() -> None:
    def shaken(result: Result) -> Outcome | None:
        moved = (0.0005, -0.0004, 0.0002)[result.cell.seed]
        return scored(result, result.score + moved) if result.cell.task == "pictures" else result

    comparison = compare(night(), night(shaken))
    whole = next(task for task in comparison.tasks if task.task == "pictures").whole
    told = f"no change ({math.ceil(1000 * whole.smallest) / 1000:.3f})"
    assert whole.smallest > whole.upper
    assert any(line.startswith("  all strategies") and line.endswith(told) for line in to_text(comparison).splitlines())
    assert f"| all strategies | {told} |" in to_markdown(comparison)
    assert f"a drop of {told[11:-1]} would have been found in 80 % of nights" in to_junit(comparison)
    record = next(task for task in json.loads(to_json(comparison))["tasks"] if task["task"] == "pictures")
    assert record["whole"]["smallest"] == whole.smallest
    assert "the smallest drop of skill that would have been found" in " ".join(to_text(comparison).split())
    same = next(task for task in json.loads(to_json(comparison))["tasks"] if task["task"] == "series")
    assert (same["whole"]["smallest"], same["whole"]["same"]) == (None, True)


def test_where_there_are_few_test_blocks_it_is_said_what_was_tested() -> None:
    halves = with_fields(block_sizes=(5_000, 5_000))

    def in_halves(then: Change) -> Change:
        def change(result: Result) -> Outcome | None:
            found = then(result)
            if not isinstance(found, Result) or result.cell.task != "series":
                return found
            without = {name: several[:2] for name, several in found.scores.without.items()}
            return halves(replace(found, scores=replace(found.scores, without=without)))

        return change

    comparison = compare(night(in_halves(unchanged)), night(in_halves(worse("series", 0.1))))
    assert comparison.reasons == ("regression in 1 of 2 tasks",)
    said = " ".join(to_text(comparison).split())
    assert (
        "series: the test split has 2 independent parts, and 4 are needed to speak of other examples. What is said "
        "here is of these very test examples, by Student's t test over seeds."
    ) in said
    assert "pictures: the test split" not in said


def test_long_names_are_cut_to_fit() -> None:
    run = night()
    said = to_text(compare(run._replace(folder="x" * 300), run._replace(folder="y" * 300)))
    assert max(map(len, said.splitlines())) <= 80


def test_markdown_has_a_table_for_each_task() -> None:
    said = to_markdown(everything())
    assert said.startswith("## FAIL: regression in 1 of 2 tasks")
    assert "### series: REGRESSION" in said
    assert "| all strategies | **REGRESSION** | -0.080 |" in said
    assert "### Not compared" in said
    assert "linear\\_probe \\*" in said


def test_json_holds_all_of_it_under_names_that_are_told() -> None:
    record = json.loads(to_json(everything()))
    assert (record["format"], record["passed"], record["verdict"]) == (3, False, "regression")
    tasks = {task["task"]: task for task in record["tasks"]}
    assert tasks["series"]["whole"]["mean"] == pytest.approx(-0.08)
    assert [one["strategy"] for one in tasks["series"]["strategies"]] == ["full", "linear_probe"]
    assert [one["another_recipe"] for one in tasks["series"]["strategies"]] == [False, True]
    assert {one["precision_change"] for one in tasks["series"]["strategies"]} == {""}
    cells = tasks["series"]["strategies"][0]["cells"]
    assert [(one["budget"], one["verdict"]) for one in cells] == [("0.1", "regression"), ("all", "regression")]
    assert [one["basis"] for one in cells] == ["seeds and test blocks"] * 2
    assert all(0 < one["smallest"] < 0.08 for one in cells)
    assert record["not_compared"][0]["strategy"] == "scratch"
    assert (len(record["missing"]), len(record["new_failures"])) == (2, 2)
    assert {cost["verdict"] for cost in record["costs"]} == {"dearer", "alike"}


def test_json_has_null_where_there_is_no_number() -> None:
    record = json.loads(to_json(compare(night(seeds=1), night(worse("pictures", 0.1), seeds=1))))
    assert record["tasks"][0]["whole"]["lower"] is None


def test_junit_has_a_case_for_each_task_and_strategy_and_counts_what_failed() -> None:
    suite = ET.fromstring(to_junit(everything()))[0]  # noqa: S314 - our own
    cases = {(case.get("classname"), case.get("name")): case for case in suite}
    assert len(cases) == len(suite) == int(suite.get("tests", ""))
    assert cases["series", "full"].find("failure") is not None
    assert cases["pictures", "scratch"].find("failure") is None
    assert cases["series", "scratch"].find("skipped") is not None
    assert cases["pictures", "pictures · bundled:eyes · full · all · seed 1"].find("error") is not None
    kinds = {kind: len(suite.findall(f"testcase/{kind[:-1]}")) for kind in ("failures", "errors")}
    assert kinds == {kind: int(suite.get(kind, "")) for kind in kinds}
    assert kinds["errors"] == 4


def test_junit_fails_where_nothing_was_run() -> None:
    suite = ET.fromstring(to_junit(compare(night(), night(lost))))[0]  # noqa: S314 - our own
    assert int(suite.get("errors", "")) == 37


@pytest.mark.parametrize(
    "change",
    [
        unchanged,
        worse("pictures", 0.1),
        where(lost, seed=0),
        where(BROKEN, seed=0),
        where(with_fields(n_test=9), strategy="full"),
        with_fields(provenance=replace(PROVENANCE, processor=HARM)),
    ],
    ids=["unchanged", "worse", "missing", "failed", "not compared", "another machine"],
)
def test_names_that_mean_harm_do_none_in_any_format(change: Change) -> None:
    comparison = compare(harmful(night()), harmful(night(change)))
    text, markdown, junit = to_text(comparison), to_markdown(comparison), to_junit(comparison)
    for said in (text, markdown, junit):
        assert all(letter.isprintable() or letter == "\n" for letter in said)
    assert max(map(len, text.splitlines())) <= 80
    assert "<script>" not in markdown
    assert "<script>" not in junit
    assert not any(line.startswith("=cmd") for said in (text, markdown) for line in said.splitlines())
    tables = [line for line in markdown.replace("\\|", "").splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables} == {5}
    names = {element.tag for element in ET.fromstring(junit).iter()}  # noqa: S314 - our own
    assert names <= {"testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out"}
    assert json.loads(to_json(comparison))["baseline"]["folder"] == HARM


def test_a_strategy_is_named_with_its_backbone_where_a_task_has_several() -> None:
    def two(run: Run) -> Run:
        others = {
            replace(cell, backbone="bundled:other"): one and replace(one, cell=replace(cell, backbone="bundled:other"))
            for cell, one in run.outcomes.items()
            if cell.task == "pictures"
        }
        eyes = run.manifest.backbones["bundled:eyes"]
        cards = {**run.manifest.backbones, "bundled:other": eyes}
        return run._replace(manifest=replace(run.manifest, backbones=cards), outcomes={**run.outcomes, **others})

    said = to_text(compare(two(night()), two(night())))
    assert "  full · bundled:other " in said
    assert "  full · bundled:eyes " in said
    assert "bundled:clock" not in said


def test_many_cells_are_counted_by_strategy_and_very_many_by_task() -> None:
    cells = [
        Cell(task, "eyes", strategy, Share(0.1), seed)
        for task in ("pictures", "series")
        for strategy in ("one", "two", "three", "four", "five", "six")
        for seed in range(5)
    ]
    assert cells_listed(cells[:2]) == [
        "pictures · eyes · one · 0.1 · seed 0",
        "pictures · eyes · one · 0.1 · seed 1",
    ]
    assert cells_listed(cells[:11]) == [
        "pictures · eyes · one: 5 cells",
        "pictures · eyes · two: 5 cells",
        "pictures · eyes · three: 1 cell",
    ]
    assert cells_listed(cells) == ["pictures: 30 cells", "series: 30 cells"]
