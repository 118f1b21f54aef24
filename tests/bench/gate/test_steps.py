"""Change points: found where there is one, and not where there is none."""

import math
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.gate.steps import find_steps

Floats = NDArray[np.float64]

N_NIGHTS: Final = 30
N_HISTORIES: Final = 1000
SPREAD: Final = 0.01  # of a night, in skill
DROP: Final = 0.033  # three points of accuracy above a chance of 0.1
LAST: Final = 5


def histories(seed: int, *, drop: float = 0.0, heavy: bool = False, loud: bool = False) -> tuple[Floats, Floats]:
    """Return areas and the margins of their intervals over five seeds, [histories, nights]; the last nights drop.

    With `heavy` nights scatter with the tails of a t of 5 degrees of freedom; with `loud` some nights scatter, and say
    so, up to four times as much as others.
    """
    generator = np.random.default_rng(seed)
    shape = (N_HISTORIES, N_NIGHTS)
    noise = generator.standard_t(5, shape) / math.sqrt(5 / 3) if heavy else generator.standard_normal(shape)
    spread = SPREAD * (generator.choice([0.5, 1.0, 2.0], shape) if loud else np.ones(shape))
    areas = 0.8 + spread * noise
    areas[:, -LAST:] -= drop
    margins = 2.776 * spread * np.sqrt(generator.chisquare(4, shape) / 4)  # Student's, of five seeds
    return areas, margins


@pytest.mark.parametrize("kind", [{}, {"heavy": True}, {"loud": True}], ids=["normal", "heavy tails", "loud nights"])
def test_of_constant_histories_at_most_5_percent_have_a_step(kind: dict[str, bool]) -> None:
    found = sum(bool(find_steps(areas, margins)) for areas, margins in zip(*histories(0, **kind), strict=True))
    print(f"false steps: {found / N_HISTORIES:.3f}")
    assert found / N_HISTORIES <= 0.05


def test_a_drop_of_three_points_five_nights_ago_is_found_in_most_histories() -> None:
    found = exactly = 0
    for areas, margins in zip(*histories(1, drop=DROP), strict=True):
        steps = find_steps(areas, margins)
        found += any(abs(step.first - (N_NIGHTS - LAST)) <= 1 and step.after < step.before for step in steps)
        exactly += any(step.first == N_NIGHTS - LAST for step in steps)
    print(f"found within a night: {found / N_HISTORIES:.3f}, to the night: {exactly / N_HISTORIES:.3f}")
    assert found / N_HISTORIES >= 0.9
    assert exactly / N_HISTORIES >= 0.75


def test_many_series_side_by_side_seldom_have_a_step_among_them() -> None:
    areas, margins = histories(2)
    pages = [range(start, start + 25) for start in range(0, N_HISTORIES, 25)]
    found = [any(find_steps(areas[one], margins[one], n_series=25) for one in page) for page in pages]
    print(f"pages of 25 series with a false step: {np.mean(found):.3f}")
    assert np.mean(found) <= 0.1  # of 40 pages


def test_a_step_has_its_night_and_the_levels_before_and_after() -> None:
    areas = [0.80, 0.81, 0.80, 0.79, 0.80, 0.70, 0.71, 0.69, 0.70]
    (step,) = find_steps(areas, [0.02] * len(areas))
    assert step.first == 5
    assert [step.before, step.after] == pytest.approx([0.80, 0.70])


def test_two_steps_are_two() -> None:
    areas = [0.8, 0.801, 0.799, 0.8, 0.7, 0.701, 0.699, 0.7, 0.9, 0.901, 0.9]
    assert [step.first for step in find_steps(areas, [0.01] * len(areas))] == [4, 8]


def test_an_odd_night_is_no_step() -> None:
    areas = [0.80, 0.805, 0.80, 0.795, 0.50, 0.80, 0.805, 0.795, 0.80, 0.80]
    assert find_steps(areas, [0.02] * len(areas)) == []


def test_nights_that_agree_exactly_have_no_step_and_one_after_them_is_seen() -> None:
    assert find_steps([0.8] * 10, [0.0] * 10) == []
    assert [step.first for step in find_steps([0.8] * 6 + [0.75] * 3, [0.0] * 9)] == [6]


def test_a_step_too_small_to_matter_is_not_told() -> None:
    assert find_steps([0.8] * 6 + [0.795] * 6, [0.0] * 12) == []


def test_a_night_without_an_area_is_passed_over() -> None:
    areas = [0.8, 0.8, math.nan, 0.8, 0.8, math.nan, 0.7, 0.7, 0.7]
    margins = [0.01, math.nan, math.nan, 0.01, 0.01, math.nan, 0.01, 0.01, 0.01]
    assert [step.first for step in find_steps(areas, margins)] == [6]


def test_few_nights_say_nothing() -> None:
    assert find_steps([0.8, 0.8, 0.8, 0.2, 0.2], [0.01] * 5) == []
    assert find_steps([math.nan] * 9, [math.nan] * 9) == []


def test_a_night_with_a_wide_interval_weighs_less() -> None:
    areas = [0.80, 0.81, 0.80, 0.79, 0.80, 0.70, 0.76, 0.70, 0.70]
    loud = [0.02] * 6 + [0.2] + [0.02] * 2
    (even,), (weighted,) = find_steps(areas, [0.02] * 9), find_steps(areas, loud)
    assert weighted.after < even.after
