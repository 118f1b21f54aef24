"""Forecasts: scores, scales and baselines are what a hand calculation says."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.answers import Steps
from bench.column import Column, dense
from bench.domains.series.raw import Windows, scaled
from bench.probing.problem import Ridge
from bench.subsets.histories import count_observations
from bench.subsets.seeds import stream
from bench.targets.forecast import FARTHEST, Forecast

Values = NDArray[np.float64]


def windows(season: int = 4) -> tuple[Windows, Values]:
    """Return windows of a saw-tooth of period 4 that climbs by 1 a season, and their next 6 steps."""
    series = (np.arange(40) % 4 + np.arange(40) // 4).astype(np.float64)
    past = np.lib.stride_tricks.sliding_window_view(series, 14)
    return Windows(past[:, :8].copy(), season=season, unit=np.ones(len(past))), past[:, 8:].copy()


def score(target: Forecast, forecasts: Any, future: Any, unit: Values) -> float | None:  # noqa: ANN401 (arrays)
    """Return the value of the metric that ranks."""
    return target.metrics[0].compute(dense(future=forecasts), dense(future=future), dense(unit=unit))


def encoded(target: Forecast, future: Any, raw: Windows) -> NDArray[np.float32]:  # noqa: ANN401 (an array)
    found: NDArray[np.float32] = target.codec.encode(dense(future=np.asarray(future)), scaled(raw)[1])["future"]
    return found


def no_labels(n: int, steps: int) -> Column:
    return dense(future=np.zeros((n, steps)))


def test_chance_of_a_forecast_is_the_last_season_once_more() -> None:
    raw, future = windows()
    predicted = Forecast(6).baselines[0].predict(no_labels(3, 6), raw, None)
    assert predicted["future"].dtype == np.float64
    # Each season is 1 higher than the one before: off by 1 for four steps, by 2 for the next two.
    assert score(Forecast(6), predicted["future"], future, raw.unit) == pytest.approx((4 * 1 + 2 * 2) / 6)


def test_mase_counts_errors_in_units_of_the_seasonal_difference() -> None:
    raw, future = windows()
    assert score(Forecast(6), future + 3, future, raw.unit) == pytest.approx(3)
    assert score(Forecast(6), future + 3, future, np.full(len(raw), 2.0)) == pytest.approx(1.5)


def test_a_window_is_learnt_on_the_scale_of_its_own_past() -> None:
    raw, future = windows()
    moved = Windows(raw.past * 10 + 500, season=4, unit=np.full(len(raw), 10.0))
    np.testing.assert_allclose(
        encoded(Forecast(6), future * 10 + 500, moved), encoded(Forecast(6), future, raw), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("level", [0.0, 1e6, 1e9])
def test_decoding_undoes_encoding_but_for_the_rounding_of_what_is_learnt(level: float) -> None:
    raw, future = windows()
    lifted = Windows(raw.past + level, season=4, unit=raw.unit)
    geometry, codec = scaled(lifted)[1], Forecast(6).codec
    learnt = codec.encode(dense(future=future + level), geometry)
    assert learnt["future"].dtype == np.float32
    back = codec.decode(learnt, geometry)["future"]
    assert back.dtype == np.float64
    np.testing.assert_allclose(back - level, future, rtol=1e-5, atol=1e-5)
    assert codec.restored(codec.fit(dense(future=future)).state()) == codec


def test_a_constant_past_can_be_learnt_from_too() -> None:
    raw = Windows(np.full((2, 8), 7.0), season=4, unit=np.full(2, 2.0))
    np.testing.assert_allclose(encoded(Forecast(6), np.full((2, 6), 9.0), raw), 10.0)  # of a tenth of the unit


def test_the_loss_is_the_mean_squared_error_on_that_scale() -> None:
    generator = torch.Generator().manual_seed(0)
    outputs, labels = torch.randn(5, 6, generator=generator), torch.randn(5, 6, generator=generator)
    found = Forecast(6).objective.loss((outputs,), {"future": labels}, None)
    torch.testing.assert_close(found, torch.nn.functional.mse_loss(outputs, labels))


def test_a_head_of_a_forecast_puts_out_the_level_of_the_past_and_is_solved_as_a_ridge() -> None:
    raw, _ = windows()
    objective, codec, geometry = Forecast(6).objective, Forecast(6).codec, scaled(raw)[1]
    with torch.no_grad():
        outputs = objective.head([3])((torch.randn(len(raw), 3),))
    predicted = codec.decode(objective.predict(outputs, geometry), geometry)["future"]
    np.testing.assert_allclose(predicted, raw.past.mean(1, keepdims=True).repeat(6, axis=1))
    assert isinstance(objective.problem(), Ridge)


def test_a_budget_of_windows_is_the_most_recent_ones() -> None:
    order = Forecast(6).sampling.order(no_labels(5, 6), None, stream(0, "subset"))
    assert order.tolist() == [4, 3, 2, 1, 0]


@pytest.mark.parametrize(("count", "enough"), [(1, False), (70, False), (80, True), (1480, True)])
def test_folds_of_windows_need_more_than_what_overlaps(count: int, *, enough: bool) -> None:
    folds = Forecast(24).sampling.folds(no_labels(count, 24), None, None, stream(0, "folds"))
    assert (folds is not None) == enough


def two_series() -> tuple[Windows, Values]:
    """Return one window of each of two series, whose units are 1 and 10, and futures of zeros."""
    return Windows(np.ones((2, 8)), season=4, unit=np.array([1.0, 10.0])), np.zeros((2, 2))


def test_each_series_errors_are_counted_in_its_own_unit() -> None:
    raw, future = two_series()
    forecasts = np.array([[1.0, 2.0], [10.0, -30.0]])
    assert score(Forecast(2), forecasts, future, raw.unit) == pytest.approx((1 + 2 + 1 + 3) / 4)
    assert score(Forecast(2, error="mse"), forecasts, future, raw.unit) == pytest.approx((1 + 4 + 1 + 9) / 4)


def test_the_score_is_the_error_that_is_meant_and_all_others_are_there() -> None:
    mase, mse = ([one.card.name for one in target.metrics] for target in (Forecast(2), Forecast(2, error="mse")))
    assert (mase[0], mse[0]) == ("mase", "mse")
    assert set(mase) == set(mse) == {"mase", "mse", "mae", "smape"}


def test_windows_that_are_taken_keep_their_unit() -> None:
    raw, _ = two_series()
    last = np.array([1])
    assert raw.take(last).unit.tolist() == [10.0]
    assert raw.take(last).columns() != Windows(raw.past[last], season=4, unit=np.ones(1)).columns()


def test_whose_unit_is_whose_is_part_of_the_content() -> None:
    raw, _ = two_series()
    assert raw.columns() != Windows(raw.past, season=4, unit=raw.unit[::-1].copy()).columns()


def test_a_constant_past_of_each_series_is_scaled_by_its_own_unit() -> None:
    raw, future = two_series()
    np.testing.assert_allclose(encoded(Forecast(2), future + 11, raw), [[100, 100], [10, 10]])


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
def test_a_past_that_hardly_moves_is_scaled_as_if_it_moved_by_a_tenth_of_the_unit(scale: float) -> None:
    ripple = np.tile([1e-4, -1e-4], 4)
    past = scale * np.stack([ripple, 0.05 * np.sign(ripple), 2 * np.sign(ripple)])
    found = scaled(Windows(past, season=4, unit=np.full(3, scale)))[1]["spread"][:, 0]
    np.testing.assert_allclose(found / scale, [0.1, 0.1, 2.0], rtol=1e-6)


def whose(n: int, several: int) -> Column:
    """Return facts of n windows of each of `several` series side by side, 96 + 24 steps long."""
    steps = np.repeat(np.arange(n), several)
    lengths, of = np.full(n * several, 120), np.full(n * several, several)
    return dense(moment=steps, series=np.tile(np.arange(several), n), step=steps, steps=lengths, of=of)


def test_windows_of_several_series_overlap_as_many_times_as_many() -> None:
    sampling = Forecast(24).sampling
    assert (sampling.overlap(whose(400, 1)), sampling.overlap(whose(400, 7))) == (23, 23 * 7)
    folds = sampling.folds(no_labels(2800, 24), whose(400, 7), None, stream(0, "folds"))
    assert folds is not None
    assert (np.diff(folds) >= 0).all(), "blocks of time, in all series at once"


@pytest.mark.parametrize(("n", "several"), [(400, 10), (2, 30), (60, 400)])
def test_folds_are_of_whole_series_where_there_are_many(n: int, several: int) -> None:
    facts = whose(n, several)
    folds = Forecast(24).sampling.folds(no_labels(n * several, 24), facts, None, stream(0, "folds"))
    assert folds is not None
    assert Forecast(24).sampling.overlap(facts) == 0, "no window shares a step with one of another series"
    assert len({(one, fold) for one, fold in zip(facts["series"], folds, strict=True)}) == several
    assert np.bincount(folds).min() > 0.6 * len(folds) / 5


def test_folds_of_a_part_of_a_collection_are_of_its_series_and_there_are_none_of_one() -> None:
    facts, sampling = whose(300, 20), Forecast(24).sampling
    for several in (1, 2, 3, 9):
        part = facts.take(np.flatnonzero(facts["series"] < several))
        folds = sampling.folds(no_labels(300 * several, 24), part, None, stream(0, "folds"))
        if folds is None:
            assert several == 1
        else:
            assert len(set(zip(part["series"].tolist(), folds.tolist(), strict=True))) == several
            assert folds.max() + 1 == min(several, 5)


def test_a_budget_counts_every_observation_that_its_windows_hold_once() -> None:
    sampling, facts, n = Forecast(24).sampling, whose(300, 1), 300
    order = sampling.order(no_labels(n, 24), facts, stream(0, "subset"))
    amounts = sampling.amounts(no_labels(n, 24), facts, order)
    assert (amounts[0], amounts[14], amounts[-1]) == (120, 134, 300 + 119)
    facts = whose(300, 3)
    order = sampling.order(no_labels(3 * n, 24), facts, stream(0, "subset"))
    amounts = sampling.amounts(no_labels(3 * n, 24), facts, order)
    assert amounts[[0, 1, 2, 3, -1]].tolist() == [120, 240, 360, 361, 3 * 419]


@given(st.integers(0, 1000), st.integers(1, 40), st.integers(1, 5))
def test_observations_are_counted_as_a_set_of_them_would(seed: int, n: int, length: int) -> None:
    generator = np.random.default_rng(seed)
    several = generator.permutation([(series, step) for series in (3, 8) for step in range(20)])[:n]
    found = count_observations(several[:, 0], several[:, 1], np.full(n, length))
    seen: set[tuple[int, int]] = set()
    for amount, (series, step) in zip(found, several.tolist(), strict=True):
        seen |= {(series, step + offset) for offset in range(length)}
        assert amount == len(seen)


def test_of_a_collection_series_are_drawn_and_of_fewer_the_most_recent_windows() -> None:
    sampling = Forecast(24).sampling

    def drawn(several: int, seed: int) -> Any:  # noqa: ANN401 (an array)
        facts = whose(50, several)
        return facts["series"][sampling.order(no_labels(50 * several, 24), facts, stream(seed, "subset"))]

    assert (drawn(9, 0) == drawn(9, 1)).all()
    one, other = drawn(10, 0), drawn(10, 1)
    assert (np.diff(one) != 0).sum() == 9, "one series after the other"
    assert one[0] != other[0] or one[50] != other[50]
    facts = whose(50, 10)
    order = sampling.order(no_labels(500, 24), facts, stream(0, "subset"))
    assert facts["step"][order[:50]].tolist() == list(range(49, -1, -1)), "each from its most recent window on"


def test_a_head_for_a_longer_horizon_begins_with_that_of_a_shorter_one() -> None:
    said = [Forecast(24).identity]
    assert [Forecast(steps).among(said) for steps in (1, 23, 24, 25, 240)] == [True, True, True, False, False]
    assert not Forecast(2).among(["bench.targets.value.Value {'steps': 24}"])
    assert [Forecast(steps).outputs_of(Forecast(24)) for steps in (7, 24, 25)] == [7, 0, 0]


def test_no_window_starts_with_more_than_its_share_of_the_loss() -> None:
    labels = torch.ones(100, 6)
    labels[0] *= 1e6
    zeros, objective = torch.zeros(100, 6), Forecast(6).objective
    loss = objective.loss((zeros,), {"future": labels}, None)
    assert float(loss) == pytest.approx((99 + FARTHEST**2) / 100)
    assert float(objective.loss((zeros[1:],), {"future": labels[1:]}, None)) == pytest.approx(1)


def test_test_blocks_are_stretches_of_time_that_all_series_share() -> None:
    moments, series = np.tile(np.arange(60), 2), np.repeat([0, 1], 60)
    blocks = Forecast(2).sampling.blocks(no_labels(120, 2), dense(moment=moments, series=series), None, "61f4")
    assert blocks.shape == (120,)
    assert (blocks[:60] == blocks[60:]).all()
    assert (np.diff(blocks[:60]) >= 0).all()
    assert blocks.max() > 0


def test_forecasts_as_long_are_one_target_however_errors_are_counted() -> None:
    assert Forecast(24) == Forecast(24, error="mse") != Forecast(25)
    assert Forecast(24).horizon == 24


def test_answers_are_the_values_with_six_digits_in_records() -> None:
    values = np.array([[1.23456789, 1234567.8]])
    found = Forecast(2).answers(dense(future=values), windows()[0], 1)
    assert isinstance(found, Steps)
    assert found.values is values
    assert found.records == [{"forecast": [1.23457, 1234570.0]}]
