"""Learning curves drawn at random around a known truth, as five budgets of accuracies over seeds look in earnest."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

BUDGETS: Final = np.array([10.0, 30.0, 100.0, 300.0, 1000.0])
PROBE: Final = np.array([0.62, 0.70, 0.76, 0.79, 0.80])
SCRATCH: Final = np.array([0.22, 0.41, 0.60, 0.74, 0.84])
SPREAD: Final = np.array([0.05, 0.035, 0.02, 0.012, 0.008])  # of one strategy's scores, falling with the budget
SHARED: Final = np.array([0.04, 0.03, 0.015, 0.01, 0.006])  # what a seed's subset does to all strategies alike
WHOLE_CURVE: Final = 0.01  # what a seed does to all of a strategy's curve

N_DRAWS: Final = 1000


@dataclass(frozen=True)
class Drawn:
    """Scores of two strategies, [n_draws, n_seeds, n_budgets], paired by seed."""

    probe: NDArray[np.float64]
    scratch: NDArray[np.float64]


def drawn(n_seeds: int, *, n_draws: int = N_DRAWS, seed: int = 0) -> Drawn:
    """Return as many draws: seed effects that both strategies share, seed effects of each, and noise."""
    rng = np.random.default_rng(seed)
    size = (n_draws, n_seeds, len(BUDGETS))
    shared = rng.normal(size=size) * SHARED

    def around(truth: NDArray[np.float64]) -> NDArray[np.float64]:
        whole = rng.normal(size=(n_draws, n_seeds, 1)) * WHOLE_CURVE
        scores: NDArray[np.float64] = truth + shared + whole + rng.normal(size=size) * SPREAD
        return scores

    return Drawn(around(PROBE), around(SCRATCH))
