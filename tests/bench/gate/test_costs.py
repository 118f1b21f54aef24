"""Time and memory: judged apart from scores, and between like machines only."""

from dataclasses import replace

import pytest

from bench.cell import Outcome, Result
from bench.gate.comparison import compare
from bench.gate.costs import CostJudgement, CostVerdict
from tests.bench.analysis.example import PROVENANCE
from tests.bench.gate.example import Change, night, where, with_fields


def times(factor: float) -> Change:
    """Return a change that makes cells slower, some a little more than others."""

    def change(result: Result) -> Outcome | None:
        odd = 1.05 if result.cell.strategy == "full" else 1.0
        return replace(result, seconds=result.seconds * factor * odd, peak_mib=result.peak_mib * odd)

    return change


def costs(change: Change) -> dict[tuple[str, str | None], CostJudgement]:
    """Return the judgements of costs by measure and scope."""
    compared = compare(night(), night(change))
    assert compared.reasons == (), "costs do not fail by default"
    return {(cost.measure, cost.scope): cost for cost in compared.costs}


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [(2.0, CostVerdict.DEARER), (1.15, CostVerdict.ALIKE), (1.0, CostVerdict.ALIKE), (0.5, CostVerdict.CHEAPER)],
)
def test_time_is_a_ratio_with_an_interval_and_told_beyond_a_quarter(factor: float, verdict: CostVerdict) -> None:
    found = costs(times(factor))["time", None]
    assert found.ratio == pytest.approx(factor)
    assert found.lower < found.ratio < found.upper
    assert (found.verdict, found.n_cells) == (verdict, 36)


def test_memory_is_judged_apart_from_time() -> None:
    found = costs(with_fields(peak_mib=1024.0))
    assert (found["memory", None].ratio, found["memory", None].verdict) == (2.0, CostVerdict.DEARER)
    assert found["time", None].verdict == CostVerdict.ALIKE


def test_a_slow_task_is_told_among_others() -> None:
    found = costs(where(times(3.0), task="series"))
    assert found["time", "series"].verdict == CostVerdict.DEARER
    assert found["time", "pictures"].verdict == CostVerdict.ALIKE


@pytest.mark.parametrize(
    "machine",
    [
        {"device": "cuda"},
        {"precision": "bfloat16"},
        {"provenance": replace(PROVENANCE, processor="another")},
        {"provenance": replace(PROVENANCE, platform="another")},
        {"provenance": replace(PROVENANCE, torch="3.0")},
    ],
)
def test_unlike_machines_are_named_and_not_compared(machine: dict[str, object]) -> None:
    found = costs(with_fields(seconds=99.0, **machine))
    assert list(found) == [("time", None), ("memory", None)]
    assert found["time", None].verdict == CostVerdict.NOT_COMPARED
    assert ", now " in found["time", None].reason


def test_a_dearer_run_fails_if_that_was_asked_for() -> None:
    before, after = night(), night(times(2.0))
    assert compare(before, after, fail_on_cost=True).reasons == ("more time needed",)
    assert compare(before, before, fail_on_cost=True).reasons == ()


def test_moments_are_too_short_to_be_compared() -> None:
    before = night(with_fields(seconds=0.001))
    after = night(with_fields(seconds=0.01))
    assert compare(before, after).costs[0].ratio == 1.0
