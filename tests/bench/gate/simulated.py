"""Simulated nights: scores of two runs of a known truth, from models that answer test examples.

An item-response model (Rasch 1960): an example of difficulty b is answered rightly with probability
1 / (1 + exp(b - a)) by a model of ability a. Test examples are the same in both runs, so what they are hard in cancels.
A cell's ability follows from its strategy and budget, from its seed's label subset, which all strategies of a task
share and which nested budgets have half in common, and from its own initialisation. How many of so many independent
answers are right is drawn from the normal distribution of the same mean and variance, and rounded.

Magnitudes are those of results/reference/results.csv: budgets of 1 % to 100 % of digits and spoken digits, of each the
larger spread over seeds of accuracy that pretrained strategies share, and what each has on top.
"""

from collections.abc import Iterator
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from bench.gate.judging import Differences

Floats = NDArray[np.float64]
Noise = Literal["normal", "heavy tails", "unequal variances"]

N_TASKS: Final = 5
N_SEEDS: Final = 5
N_TEST: Final = 450
CHANCE: Final = 0.1
ACCURACY: Final = np.array(
    [
        [0.45, 0.70, 0.88, 0.95, 0.97],
        [0.80, 0.86, 0.90, 0.93, 0.95],
        [0.82, 0.88, 0.94, 0.96, 0.97],
        [0.83, 0.90, 0.95, 0.97, 0.98],
        [0.84, 0.91, 0.95, 0.975, 0.98],
    ]
)  # [strategies, budgets]
SUBSET_SPREAD: Final = np.array([0.033, 0.022, 0.006, 0.007, 0.001])  # of accuracy, by budget
CELL_SPREAD: Final = np.array([0.012, 0.015, 0.006, 0.004, 0.002])
NESTED: Final = 0.5  # correlation of the subset effects of two budgets of one seed
TASK_SCALES: Final = np.array([0.1, 0.5, 1.0, 2.0, 3.0])  # of both spreads, where variances are unequal
DIFFICULTY_SPREAD: Final = 2.0
N_TEST_SETS: Final = 50
ABILITIES: Final = np.linspace(-8.0, 12.0, 401)


def nights(
    count: int, *, shared_seeds: bool, drop: float = 0.0, noise: Noise = "normal", seed: int = 0
) -> Iterator[list[Differences]]:
    """Yield the differences of `count` nights, whose first task loses `drop` of accuracy in every cell.

    With `shared_seeds` both runs draw the same label subsets and other initialisations, as runs of one config do;
    without, nothing but the test examples is shared.
    """
    generator = np.random.default_rng(seed)
    tables = _test_sets(generator)
    sets = generator.integers(N_TEST_SETS, size=(count, N_TASKS))
    scales = TASK_SCALES[:, None, None, None] if noise == "unequal variances" else 1.0
    before_subsets = _subsets(count, noise, generator) * scales
    after_subsets = before_subsets if shared_seeds else _subsets(count, noise, generator) * scales
    scores = []
    for lost, subsets in ((0.0, before_subsets), (drop, after_subsets)):
        shape = (count, N_TASKS, *ACCURACY.shape, N_SEEDS)
        own = _draw(shape, noise, generator) * CELL_SPREAD[:, None] * scales
        accuracy = ACCURACY[..., None] + subsets + own  # [nights, tasks, strategies, budgets, seeds]
        accuracy[:, 0] -= lost
        scores.append(_answered(np.clip(accuracy, 0.02, 0.998), tables, sets, generator))
    room = 1 - CHANCE
    for night in (scores[1] - scores[0]) / room:
        yield [
            Differences(task=f"task-{number}", values=values, step=1 / (N_TEST * room))
            for number, values in enumerate(night)
        ]


def _draw(shape: tuple[int, ...], noise: Noise, generator: np.random.Generator) -> Floats:
    """Return noise of unit variance."""
    if noise == "heavy tails":
        tailed: Floats = generator.standard_t(3, shape) / np.sqrt(3)
        return tailed
    normal: Floats = generator.standard_normal(shape)
    return normal


def _subsets(count: int, noise: Noise, generator: np.random.Generator) -> Floats:
    """Return what the label subsets of seeds do to accuracy, [nights, tasks, 1, budgets, seeds]."""
    common = _draw((count, N_TASKS, 1, 1, N_SEEDS), noise, generator)
    of_budget = _draw((count, N_TASKS, 1, len(SUBSET_SPREAD), N_SEEDS), noise, generator)
    mixed: Floats = (np.sqrt(NESTED) * common + np.sqrt(1 - NESTED) * of_budget) * SUBSET_SPREAD[:, None]
    return mixed


def _test_sets(generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the mean and variance of accuracy for each ability, [test sets, abilities]; the last is the population."""
    difficulties = generator.normal(0.0, DIFFICULTY_SPREAD, (N_TEST_SETS, N_TEST))
    population = DIFFICULTY_SPREAD * np.sqrt(2) * _quantiles(N_TEST)
    every = np.vstack([difficulties, population])
    right = 1 / (1 + np.exp(every[:, :, None] - ABILITIES))  # [test sets, examples, abilities]
    return right.mean(axis=1), (right * (1 - right)).mean(axis=1) / N_TEST


def _quantiles(count: int) -> Floats:
    """Return equally likely values of the normal distribution of variance 1/2, [count]."""
    from_small = np.sort(np.random.default_rng(1).standard_normal(count * 200)) / np.sqrt(2)
    quantiles: Floats = from_small.reshape(count, 200).mean(axis=1)
    return quantiles


def _answered(
    accuracy: Floats, tables: tuple[Floats, Floats], sets: NDArray[np.int64], generator: np.random.Generator
) -> Floats:
    """Return the share of right answers of models that would have this accuracy among all examples there are."""
    ability = np.interp(accuracy, tables[0][-1], ABILITIES)
    place = np.clip((ability - ABILITIES[0]) / (ABILITIES[1] - ABILITIES[0]), 0, len(ABILITIES) - 1.001)
    below = place.astype(np.int64)
    share = place - below
    which = sets[:, :, None, None, None]
    mean, variance = ((1 - share) * table[which, below] + share * table[which, below + 1] for table in tables)
    right = np.rint(N_TEST * (mean + np.sqrt(variance) * generator.standard_normal(accuracy.shape)))
    shares: Floats = np.clip(right, 0, N_TEST) / N_TEST
    return shares
