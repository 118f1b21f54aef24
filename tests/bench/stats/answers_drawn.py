"""Right and wrong answers drawn from a known truth: seeds and groups of test examples are redrawn, the pool is fixed.

A probit model: an example is answered rightly where its latent value is above zero. Latent values have a level, which
sets the true accuracy, an effect of the seed (its budget and network), of the test example's group, of the example, and
noise of each answer; two strategies share what is hard in an example, and in part what a seed draws. Spreads are near
those of the published run (results/reference): seeds move an accuracy of .8 by .035 and one of .98 by .002.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats as reference

from bench import stats
from bench.subsets.blocks import deal_blocks

Floats = NDArray[np.float64]
Answers = NDArray[np.bool_]

OF_GROUP: Final = 0.3
OF_EXAMPLE: Final = 1.0
OF_ANSWER: Final = 0.5
OF_EXAMPLES: Final = OF_GROUP**2 + OF_EXAMPLE**2 + OF_ANSWER**2  # variance of what is no seed's
SHARED: Final = 0.5  # of the variance that seeds make, between two strategies
ACCURACIES: Final = (0.55, 0.80, 0.95, 0.98)
OF_SEED: Final = (0.10, 0.10, 0.05, 0.03)
"""At these true accuracies; between them it lies between."""


@dataclass(frozen=True)
class Setting:
    """How many test examples, groups of them and seeds; groups are of unequal size."""

    n_test: int
    n_groups: int
    n_seeds: int


@dataclass(frozen=True)
class Drawn:
    """Answers of some strategies [n_strategies, n_seeds, n_test], and the block of each example [n_test].

    `true` [n_strategies, n_seeds] are the accuracies of these very models on all examples that there are.
    """

    right: Answers
    blocks: NDArray[np.int64]
    true: Floats


def draw(setting: Setting, accuracies: Sequence[float], rng: np.random.Generator) -> Drawn:
    """Return the answers of strategies of these true accuracies on one drawn test split."""
    groups = _groups(setting, rng)
    n, n_seeds = len(groups), setting.n_seeds
    hard = rng.normal(0, OF_GROUP, setting.n_groups)[groups] + rng.normal(0, OF_EXAMPLE, n)
    common = rng.normal(size=n_seeds)
    right, true = [], []
    for accuracy in accuracies:
        own = np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * rng.normal(size=n_seeds)
        ability = level(accuracy) + of_seed(accuracy) * own  # [n_seeds]
        right.append(ability[:, None] + hard + rng.normal(0, OF_ANSWER, (n_seeds, n)) > 0)
        true.append(reference.norm.cdf(ability / np.sqrt(OF_EXAMPLES)))
    return Drawn(np.array(right), deal_blocks(n, groups, seed_from="ab" * 32), np.array(true))


def of_seed(accuracy: float) -> float:
    """Return how far seeds move the latent value at a true accuracy."""
    return float(np.interp(accuracy, ACCURACIES, OF_SEED))


def level(accuracy: float) -> float:
    """Return the latent level at which the mean over seeds, groups, examples and answers is this accuracy."""
    return float(reference.norm.ppf(accuracy) * np.sqrt(OF_EXAMPLES + of_seed(accuracy) ** 2))


def replicates(right: Answers, blocks: NDArray[np.int64]) -> stats.Replicates:
    """Return the accuracies of answers [n_seeds, n_test] as a report has them."""
    n, sizes = right.shape[1], np.bincount(blocks)
    in_block = np.stack([np.bincount(blocks, weights=answers) for answers in right])  # [n_seeds, n_blocks]
    total = in_block.sum(axis=1)
    return stats.replicate(
        dict(enumerate(total / n)),
        dict(enumerate((total[:, None] - in_block) / (n - sizes))),
        sizes,
        finest=1 / n**2,
    )


def true_variance(setting: Setting, accuracies: Sequence[float], weights: Sequence[float], draws: int = 400) -> float:
    """Return the variance of a weighted sum of mean accuracies, as redrawing tells it."""
    rng = np.random.default_rng(17)
    means = [draw(setting, accuracies, rng).right.mean(axis=(1, 2)) @ np.asarray(weights) for _ in range(draws)]
    return float(np.var(means, ddof=1))


def _groups(setting: Setting, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the group of each test example: sizes are log-normal, no group is empty."""
    shares = rng.lognormal(0.0, 0.5, setting.n_groups)
    sizes = np.maximum(1, np.round(shares / shares.sum() * setting.n_test)).astype(np.int64)
    return np.repeat(np.arange(setting.n_groups), sizes)
