"""The comparison as JUnit XML: a test case per task and strategy, for what shows test results."""

import math
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree as ET

from bench.gate.comparison import Comparison
from bench.gate.costs import CostVerdict
from bench.gate.judging import Verdict
from bench.gate.wording import cost_line, difference, drop, interval, plain, row_name, task_lines


class Case(NamedTuple):
    """A test case: `said` goes into its output, or into `kind` ("failure", "error" or "skipped") if it has one."""

    classname: str
    name: str
    kind: str
    said: str


def to_junit(comparison: Comparison) -> str:
    """Return the comparison as JUnit XML."""
    cases = list(_cases(comparison))
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.kind == "failure" for case in cases)),
        "errors": str(sum(case.kind == "error" for case in cases)),
        "skipped": str(sum(case.kind == "skipped" for case in cases)),
    }
    root = ET.Element("testsuites", {"name": "bench compare", **counts})
    suite = ET.SubElement(root, "testsuite", {"name": "bench compare", **counts})
    for case in cases:
        element = ET.SubElement(suite, "testcase", {"classname": case.classname, "name": case.name})
        if case.kind:
            ET.SubElement(element, case.kind, {"message": case.said})
        else:
            ET.SubElement(element, "system-out").text = case.said
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _cases(comparison: Comparison) -> Iterator[Case]:
    matched = comparison.matched
    for task in comparison.tasks:
        for line in task_lines(comparison, task):
            said = line.judgement
            text = f"{said.verdict}: difference of skill {difference(said.mean)} {interval(said)}".rstrip()
            if not math.isnan(said.smallest):
                text += f"; a drop of {drop(said.smallest)} would have been found in 80 % of nights"
            text += ", another recipe than the baseline's" if line.changed else ""
            yield Case(plain(task.task), line.name, "failure" if said.verdict == Verdict.REGRESSION else "", text)
    for row, reason in matched.not_compared.items():
        yield Case(plain(row.task), row_name(row, matched.not_compared), "skipped", f"not compared: {plain(reason)}")
    for failure in matched.new_failures:
        yield Case(plain(failure.cell.task), plain(str(failure.cell)), "error", f"new failure: {plain(failure.reason)}")
    for cell in matched.missing:
        yield Case(plain(cell.task), plain(str(cell)), "error", "missing: the baseline planned this cell")
    if comparison.current.n_scored == 0:
        yield Case("run", "results", "error", "nothing was run")
    for cost in comparison.costs:
        fails = comparison.fail_on_cost and cost.verdict == CostVerdict.DEARER
        kind = "skipped" if cost.verdict == CostVerdict.NOT_COMPARED else "failure" if fails else ""
        yield Case("cost", plain(f"{cost.measure} of {cost.scope or 'all tasks'}"), kind, cost_line(cost))
