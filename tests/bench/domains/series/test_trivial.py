"""Trivial forecasts are what a hand calculation says, and the best on the training history is zero skill."""

import numpy as np
import pytest

from bench.column import dense
from bench.domains.series.raw import Windows
from bench.domains.series.trivial import TRIVIAL
from bench.execution.evaluation import Evaluation
from bench.target import zero_skill
from bench.targets.classes import Classes
from bench.targets.forecast import Forecast
from bench.task import Examples, Split

# Two cycles of three steps, the second 6 higher than the first.
PAST = np.array([[1.0, 5.0, 0.0, 7.0, 11.0, 6.0]])
AHEAD = {
    "last value": [6, 6, 6, 6],
    "drift": [7, 8, 9, 10],
    "seasonal naive": [7, 11, 6, 7],
    "seasonal naive with drift": [13, 17, 12, 19],
    "seasonal means": [4, 8, 3, 4],
}


@pytest.mark.parametrize("name", TRIVIAL)
def test_a_worked_case_of_each(name: str) -> None:
    np.testing.assert_allclose(TRIVIAL[name](PAST, 3, 4), [AHEAD[name]])


@pytest.mark.parametrize("name", TRIVIAL)
@pytest.mark.parametrize(("context", "season"), [(1, 1), (1, 12), (5, 12), (12, 12), (30, 24)])
def test_a_constant_past_goes_on_however_short_it_is(name: str, context: int, season: int) -> None:
    np.testing.assert_allclose(TRIVIAL[name](np.full((2, context), 3.5), season, 30), 3.5)


def examples(futures: list[list[float]]) -> Examples:
    n = len(futures)
    unit, numbers = np.ones(n), np.arange(n)
    facts = dense(unit=unit, moment=numbers, series=np.zeros(n, dtype=np.int64))
    return Examples(Windows(PAST.repeat(n, axis=0), 3, unit), {"future": dense(future=np.array(futures))}, facts)


def test_zero_skill_is_what_does_best_on_the_training_split_and_not_on_the_test() -> None:
    learnt, tested = examples([[4.0, 8.0, 3.0, 4.0]] * 3), examples([[6.0, 6.0, 6.0, 6.0]] * 3)
    evaluation = Evaluation(Forecast(4), Split(learnt, tested), "sha")
    assert evaluation.zero == "seasonal means"
    assert set(evaluation.trivial) == set(TRIVIAL)
    assert evaluation.trivial["seasonal means"] == evaluation.baselines
    assert evaluation.trivial["last value"].values["mase"] == 0, "one that beats zero on the test is there to be named"
    assert evaluation.baselines.values["mase"] == pytest.approx((2 + 2 + 3 + 2) / 4)


def test_zero_skill_does_not_depend_on_what_ranks() -> None:
    learnt = examples([[4.0, 8.0, 3.0, 4.0]] * 3)
    chosen = {
        zero_skill(Forecast(4, ranked_by=name), learnt.labels["future"], learnt.raw, learnt.facts).title
        for name in ("mase", "smape", "mse")
    }
    assert chosen == {"seasonal means"}


def test_what_zero_is_called_before_the_data_are_looked_at() -> None:
    assert Forecast(4).guess == "best trivial forecast"
    assert Classes(("a", "b")).guess == "chance"
