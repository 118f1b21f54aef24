"""The target `value`: budgets that spread, values learnt in units of the budget's, heads that are ridge regressions."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from bench.answers import Rows
from bench.column import Dense, dense
from bench.domains.text.raw import Texts
from bench.probing.probe import solve_heads
from bench.subsets.seeds import stream
from bench.target import rank_by
from bench.targets.value import Value

TARGET = Value()


def prices(n: int = 60, seed: int = 0) -> Dense:
    """Return values that are far from 0 and skewed."""
    return dense(value=1e4 + np.exp(np.random.default_rng(seed).normal(5, 1, n)))


def test_every_tenth_of_a_budget_order_has_small_values_and_large_ones() -> None:
    labels = prices(100)
    order = TARGET.sampling.order(labels, None, stream(0, "subset"))
    deciles = np.argsort(np.argsort(labels["value"])) // 10
    for end in range(10, 101, 10):
        assert np.bincount(deciles[order[:end]], minlength=10).tolist() == [end // 10] * 10


def test_folds_spread_over_the_range_and_keep_groups_together() -> None:
    labels = prices(100)
    folds = TARGET.sampling.folds(labels, None, None, stream(0, "folds"))
    assert folds is not None
    deciles = np.argsort(np.argsort(labels["value"])) // 10
    assert all(np.bincount(deciles[folds == fold], minlength=10).tolist() == [2] * 10 for fold in range(5))
    groups = np.array([f"house {number // 4}" for number in range(100)])
    together = TARGET.sampling.folds(labels, None, groups, stream(0, "folds"))
    assert together is not None
    assert len(set(zip(groups.tolist(), together.tolist(), strict=True))) == 25


def test_groups_of_one_value_can_be_dealt_into_folds_too() -> None:
    labels = dense(value=np.repeat([1.0, 2.0, 3.0], 10))
    groups = np.repeat(["a", "b", "c"], 10)
    folds = TARGET.sampling.folds(labels, None, groups, stream(0, "folds"))
    assert folds is not None
    assert sorted(set(folds.tolist())) == [0, 1, 2]


@pytest.mark.parametrize(("n", "count"), [(2, 0), (3, 0), (4, 2), (9, 4), (10, 5), (53, 5)])
def test_there_are_folds_of_two_examples_or_none(n: int, count: int) -> None:
    folds = TARGET.sampling.folds(prices(n), None, None, stream(0, "folds"))
    assert (0 if folds is None else len(set(folds.tolist()))) == count


def test_equal_values_can_be_learnt_and_dealt() -> None:
    labels = dense(value=np.full(7, 0.1))
    codec = TARGET.codec.fit(labels)
    assert codec.state() == {"mean": pytest.approx(0.1), "spread": 1.0}
    assert TARGET.sampling.folds(labels, None, None, stream(0, "folds")) is not None


def test_values_come_back_as_they_were_also_from_an_export() -> None:
    labels = prices()
    codec = TARGET.codec.fit(labels)
    encoded = codec.encode(labels, None)
    assert encoded["value"].dtype == np.float32
    assert encoded["value"].mean() == pytest.approx(0, abs=1e-6)
    assert encoded["value"].std() == pytest.approx(1, abs=1e-6)
    restored = TARGET.codec.restored(codec.state())
    np.testing.assert_allclose(restored.decode(encoded, None)["value"], labels["value"], rtol=1e-7)


@pytest.mark.parametrize("penalty", [1e-3, 1.0])
def test_a_head_is_scikit_learns_ridge_regression(penalty: float) -> None:
    generator = np.random.default_rng(0)
    features = generator.normal(2, 3, (60, 12)).astype(np.float32)
    labels = prices()
    codec = TARGET.codec.fit(labels)
    encoded = torch.from_numpy(codec.encode(labels, None)["value"])
    problem = TARGET.objective.problem()
    assert problem is not None
    [solved] = solve_heads(
        problem, torch.from_numpy(features)[None], encoded[None], None, penalties=(1.0,), default=penalty
    )
    outputs = torch.from_numpy(features) @ solved.head.weight + solved.head.bias
    ours = codec.decode(TARGET.objective.predict((outputs,), None), None)["value"]
    centred = features.astype(np.float64) - features.mean(0)
    alpha = 60 * penalty * np.square(centred).mean()
    theirs = Ridge(alpha=alpha).fit(features.astype(np.float64), labels["value"]).predict(features)
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * labels["value"].std())


def test_the_loss_is_that_of_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    outputs, values = torch.randn(5, 1, generator=generator), torch.randn(5, generator=generator)
    loss = TARGET.objective.loss((outputs,), {"value": values}, None)
    torch.testing.assert_close(loss, torch.nn.functional.mse_loss(outputs[:, 0], values))


def test_what_has_no_skill_explains_nothing() -> None:
    labels = prices()
    predictions = TARGET.baselines[0].predict(labels, Texts(("a house",) * 60), None)
    [r2, *_] = [metric.compute(predictions, labels, None) for metric in TARGET.metrics]
    assert r2 == pytest.approx(0)


def test_r2_ranks_unless_another_metric_is_asked_for() -> None:
    assert [metric.card.name for metric in TARGET.metrics] == ["r2", "mae", "rmse", "spearman"]
    assert rank_by(TARGET, "mae").metrics[0].card.name == "mae"
    assert rank_by(TARGET, "mae") == TARGET


def test_answers_are_numbers() -> None:
    answers = TARGET.answers(dense(value=np.array([1234567.8, -0.25])), Texts(("x",) * 2), 1)
    assert isinstance(answers, Rows)
    assert answers.records == [{"value": 1234570.0}, {"value": -0.25}]
    assert [cells for [cells] in answers.lines] == [("1.23457e+06",), ("-0.25",)]
