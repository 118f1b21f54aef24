"""Simulated nights: what models of a known truth score on every test block, before and after.

An item-response model (Rasch 1960): an example of difficulty b is answered rightly with probability
1 / (1 + exp(b - a)) by a model of ability a. Examples of a block share a part of their difficulty, and both runs are
tested on the same ones. A model's ability follows from its strategy and budget and from its own initialisation; what
its label subset does to it is the same in both runs, and cancels. Of a forecast each block has an error that follows
from how hard it is, and from the initialisation.

Scores, spreads and test splits are those of a published run of five seeds: budgets of 1 % to 100 % of five tasks. What
an initialisation does was read off strategies that share their seed's labels.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench import stats
from bench.gate.evidence import Differences

Floats = NDArray[np.float64]

N_SEEDS: Final = 5
STRATEGIES: Final = ("classical", "scratch", "linear_probe", "partial", "full")
FULL: Final = STRATEGIES.index("full")
BLOCK_SPREAD: Final = 0.7  # of difficulty, on the scale of ability
ITEM_SPREAD: Final = 3.0
CLASSES: Final = 3  # of equally difficult examples in each block
ABILITIES: Final = np.linspace(-20.0, 20.0, 801)
CHUNK: Final = 50  # nights that are drawn at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A task: mean scores [strategies, budgets], what an initialisation adds to them, and the sizes of test blocks."""

    name: str
    scores: Floats
    spread: Floats
    sizes: Floats
    chance: float
    perfect: float

    @property
    def room(self) -> float:
        """What there is to win; below 0 for errors."""
        return self.perfect - self.chance


def _spread(pretrained: list[float], scratch: list[float]) -> Floats:
    """Return the spreads of strategies: a solved head moves no less here than a fine-tuned one, though it is exact."""
    return np.array([scratch if name == "scratch" else pretrained for name in STRATEGIES])


TASKS: Final = (
    Simulated(
        name="digits",
        scores=np.array(
            [
                [0.709, 0.878, 0.966, 0.980, 0.991],
                [0.475, 0.728, 0.923, 0.972, 0.994],
                [0.811, 0.900, 0.951, 0.975, 0.982],
                [0.830, 0.909, 0.965, 0.986, 0.991],
                [0.830, 0.912, 0.965, 0.981, 0.992],
            ]
        ),
        spread=_spread([0.0121, 0.0078, 0.0025, 0.0021, 0.0024], [0.0421, 0.0533, 0.0144, 0.0058, 0.0025]),
        sizes=np.repeat([23.0, 22.0], [9, 11]),
        chance=0.102,
        perfect=1.0,
    ),
    Simulated(
        name="lexicon",
        scores=np.array(
            [
                [0.540, 0.562, 0.569, 0.584, 0.606],
                [0.530, 0.491, 0.514, 0.518, 0.533],
                [0.755, 0.798, 0.813, 0.828, 0.835],
                [0.768, 0.805, 0.821, 0.837, 0.848],
                [0.787, 0.817, 0.827, 0.844, 0.864],
            ]
        ),
        spread=_spread([0.0080, 0.0022, 0.0037, 0.0018, 0.0040], [0.0239, 0.0082, 0.0266, 0.0142, 0.0255]),
        sizes=np.repeat([90.0, 89.0], [13, 7]),
        chance=0.546,
        perfect=1.0,
    ),
    Simulated(
        name="spoken-digits",
        scores=np.array(
            [
                [0.231, 0.306, 0.593, 0.738, 0.788],
                [0.214, 0.450, 0.805, 0.917, 0.952],
                [0.874, 0.936, 0.961, 0.968, 0.975],
                [0.884, 0.940, 0.966, 0.975, 0.981],
                [0.883, 0.942, 0.969, 0.979, 0.985],
            ]
        ),
        spread=_spread([0.0056, 0.0074, 0.0043, 0.0022, 0.0021], [0.0367, 0.0484, 0.0235, 0.0183, 0.0114]),
        sizes=np.repeat([40.0, 20.0], [8, 12]),
        chance=0.1,
        perfect=1.0,
    ),
    Simulated(
        name="co2",
        scores=np.array(
            [
                [0.456, 0.456, 0.456, 0.456, 0.456],
                [1.271, 0.823, 0.474, 0.400, 0.352],
                [0.541, 0.575, 0.443, 0.402, 0.364],
                [0.558, 0.598, 0.447, 0.408, 0.349],
                [0.551, 0.574, 0.449, 0.410, 0.349],
            ]
        ),
        spread=_spread([0.0003, 0.0005, 0.0011, 0.0006, 0.0003], [0.0949, 0.0214, 0.0066, 0.0066, 0.0031]),
        sizes=np.repeat([52.0, 51.0], [5, 6]),
        chance=1.248,
        perfect=0.0,
    ),
    Simulated(
        name="elnino",
        scores=np.array(
            [
                [0.807, 0.807, 0.807, 0.807, 0.807],
                [0.979, 0.725, 0.693, 0.643, 0.638],
                [0.848, 0.819, 0.788, 0.783, 0.664],
                [0.940, 0.857, 0.768, 0.797, 0.661],
                [0.915, 0.840, 0.766, 0.799, 0.668],
            ]
        ),
        spread=_spread([0.0001, 0.0001, 0.0002, 0.0004, 0.0007], [0.0268, 0.0032, 0.0020, 0.0023, 0.0011]),
        sizes=np.array([51.0, 50.0]),
        chance=0.777,
        perfect=0.0,
    ),
)
NAMED: Final = {task.name: task for task in TASKS}
N_BUDGETS: Final = TASKS[0].scores.shape[1]

Night = Mapping[str, Floats]
"""By task, what each block holds of right answers or of errors: [strategies, budgets, seeds, blocks]."""


@dataclass(frozen=True, slots=True)
class Drop:
    """What is planted in the cell of `full` at a budget, in all seeds.

    Of 100 answers `points` that were right are wrong, whichever; or errors are `factor` times as large.
    """

    task: str
    budget: int
    points: float = 0.0
    factor: float = 1.0

    def planted(self, sums: Floats, generator: np.random.Generator) -> Floats:
        """Return the sums [..., blocks] of a task with the drop."""
        dropped = sums.copy()
        cell = dropped[FULL, self.budget]  # [seeds, blocks]
        cell *= self.factor
        if self.points:
            right = np.rint(cell).astype(np.int64)
            share = self.points / 100 * NAMED[self.task].sizes.sum() / right.sum(axis=1, keepdims=True)
            cell -= generator.binomial(right, share)
        return dropped


def runs(count: int, *, tasks: Sequence[Simulated] = TASKS, seed: int = 0) -> Iterator[tuple[Night, Night]]:
    """Yield two runs for each of `count` nights: the same code and labels, and another initialisation in every cell."""
    generator = np.random.default_rng(seed)
    for start in range(0, count, CHUNK):
        size = min(CHUNK, count - start)
        drawn = {task.name: _drawn(task, size, generator) for task in tasks}
        for night in range(size):
            before, after = ({name: sums[run, night] for name, sums in drawn.items()} for run in (0, 1))
            yield before, after


def differences(name: str, before: Floats, after: Floats) -> Differences:
    """Return the differences of skill that the sums of a task come to."""
    task = NAMED[name]
    n_test = task.sizes.sum()
    change = (after - before) / task.room  # [strategies, budgets, seeds, blocks]
    total = change.sum(axis=-1, keepdims=True)
    scores, without = total[..., 0] / n_test, (total - change) / (n_test - task.sizes)
    finest = 2 / (n_test * task.room) ** 2 if task.perfect else 0.0
    numbers = range(N_SEEDS)
    rows = tuple(
        tuple(
            stats.replicate(
                dict(zip(numbers, scores[row, budget].tolist(), strict=True)),
                dict(zip(numbers, without[row, budget], strict=True)),
                task.sizes,
                finest=finest,
            )
            for budget in range(N_BUDGETS)
        )
        for row in range(len(STRATEGIES))
    )
    return Differences(task=name, rows=rows)


def _drawn(task: Simulated, count: int, generator: np.random.Generator) -> Floats:
    """Return the sums of a task, [2 runs, nights, strategies, budgets, seeds, blocks]."""
    shape = (2, count, *task.scores.shape, N_SEEDS)
    return _answered(task, shape, generator) if task.perfect else _erred(task, shape, generator)


def _answered(task: Simulated, shape: tuple[int, ...], generator: np.random.Generator) -> Floats:
    """Return how many answers are right in each block."""
    n_blocks = len(task.sizes)
    hard = generator.normal(0, BLOCK_SPREAD, (n_blocks, 1)) + ITEM_SPREAD * _middles()
    counts = np.floor((task.sizes[:, None] + np.arange(CLASSES)) / CLASSES)  # examples of each block and class
    right = 1 / (1 + np.exp(hard[..., None] - ABILITIES))  # [blocks, classes, abilities]
    weights = (counts / task.sizes.sum())[..., None]
    mean = (weights * right).sum(axis=(0, 1))
    flips = np.interp(task.scores, mean, (weights * right * (1 - right)).sum(axis=(0, 1)) / task.sizes.sum())
    own = np.sqrt(np.maximum(task.spread**2 - flips, 0.0))[..., None]  # what is left for the ability
    accuracy = task.scores[..., None] + own * generator.standard_normal(shape)
    ability = np.interp(np.clip(accuracy, 0.03, 0.997), mean, ABILITIES).astype(np.float32)
    sums = np.zeros((*shape, n_blocks))
    for place in np.ndindex(hard.shape):
        chances = 1 / (1 + np.exp(np.float32(hard[place]) - ability))
        sums[..., place[0]] += generator.binomial(int(counts[place]), chances)
    return sums


def _middles() -> Floats:
    """Return the middle of each of equally many of the values of a normal distribution."""
    values = np.sort(np.random.default_rng(1).standard_normal(CLASSES * 1000)).reshape(CLASSES, 1000)
    middles: Floats = values.mean(axis=1)
    return middles


def _erred(task: Simulated, shape: tuple[int, ...], generator: np.random.Generator) -> Floats:
    """Return the sum of the errors of each block: half of what an initialisation adds is of all, half of each."""
    n_blocks = len(task.sizes)
    hard = generator.lognormal(0, 0.25, n_blocks)
    hard /= (hard * task.sizes).sum() / task.sizes.sum()
    relative = (task.spread / task.scores)[..., None]
    common = 1 + np.sqrt(0.5) * relative * generator.standard_normal(shape)
    alone = np.sqrt(0.5 * n_blocks) * relative[..., None] * generator.standard_normal((*shape, n_blocks))
    errors: Floats = task.scores[..., None, None] * np.maximum(common[..., None] + alone, 0.05) * hard * task.sizes
    return errors
