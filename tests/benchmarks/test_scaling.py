"""A sample of cells is scaled up to all of them."""

import pytest

from bench.budget import ALL, Share
from bench.planning.plan import PlannedCell
from benchmarks.ours import share_of
from benchmarks.scaling import Alone, scaled
from tests.toys import PARTIAL, PROBE, toy_cell

N_LABELS = 1000


def alone(planned: PlannedCell, seconds: float) -> Alone:
    return Alone(seconds, report_seconds=1.0, amount=round(share_of(planned) * N_LABELS))


def test_a_probe_between_the_measured_ones_counts_by_its_labels() -> None:
    small, middle, large = (toy_cell(PROBE, budget=budget) for budget in (Share(0.1), Share(0.55), ALL))
    measured = {large: alone(large, 30.0), small: alone(small, 10.0)}
    assert list(scaled([small, middle, large], measured)) == pytest.approx([10.0, 20.0, 30.0])


def test_what_trains_counts_by_its_steps_and_a_smaller_budget_as_the_smallest_measured() -> None:
    bounded = PARTIAL.model_copy(update={"epochs": 1, "max_steps": 50})
    tiny, small, half, large = (
        toy_cell(bounded, budget=budget) for budget in (Share(0.01), Share(0.1), Share(0.5), ALL)
    )
    measured = {small: alone(small, 10.0), large: alone(large, 47.0)}
    assert list(scaled([tiny, half, large], measured)) == pytest.approx([10.0, 47.0, 47.0])
