"""The power law: it finds what it was drawn from, is scipy's least squares, and never promises the impossible."""

import numpy as np
import pytest
from scipy.optimize import curve_fit, nnls

from bench import stats
from bench.stats.extrapolation import EXPONENTS

LABELS = np.array([10.0, 30.0, 100.0, 300.0, 1000.0])


def test_a_law_without_noise_is_found_again() -> None:
    law = stats.fit_power_law(LABELS, 0.1 + 2.0 * LABELS**-0.5)
    assert law is not None
    assert law == pytest.approx((0.1, 2.0, 0.5))
    assert law.at(4000) == pytest.approx(0.1 + 2.0 * 4000**-0.5)


def test_the_fit_is_scipys_bounded_least_squares_but_for_the_grid() -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        errors = 0.15 + 1.2 * LABELS**-0.6 + rng.normal(size=5) * 0.003
        law = stats.fit_power_law(LABELS, errors)
        assert law is not None
        (offset, factor, exponent), _ = curve_fit(
            lambda n, a, b, c: a + b * n**-c, LABELS, errors, p0=(0.1, 1, 0.5), bounds=([0, 0, 0.02], [1, 9, 2])
        )
        assert law.at(2000) == pytest.approx(offset + factor * 2000**-exponent, abs=1e-3)


def test_offset_and_factor_are_scipys_nonnegative_least_squares_of_the_best_exponent() -> None:
    rng = np.random.default_rng(1)
    for _ in range(30):
        errors = rng.uniform(0, 1, size=5)
        law = stats.fit_power_law(LABELS, errors)
        assert law is not None
        designs = [np.stack([np.ones(5), LABELS**-exponent], axis=1) for exponent in EXPONENTS]
        residual = min(nnls(design, errors)[1] for design in designs)
        found = np.sqrt(sum((law.at(n) - error) ** 2 for n, error in zip(LABELS, errors, strict=True)))
        assert found == pytest.approx(residual, rel=1e-6)


def test_more_labels_never_hurt_and_nothing_is_better_than_perfect() -> None:
    rising = stats.fit_power_law([10, 100, 1000], [0.1, 0.2, 0.3])
    assert rising is not None
    assert rising.at(10_000) == pytest.approx(0.2)
    falling = stats.fit_power_law([10, 100, 1000], [0.5, 0.2, 0.0])
    assert falling is not None
    assert 0 <= falling.at(1e9) <= 0.02


def test_two_points_fit_every_law_and_so_none() -> None:
    assert stats.fit_power_law([10, 100], [0.5, 0.4]) is None
    assert stats.fit_power_law([10, 100, 1000], [0.5, np.nan, 0.4]) is None
