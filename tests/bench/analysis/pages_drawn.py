"""Pages of curves whose every answer is drawn: accuracies of strategies are given, and where they are equal known."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from bench import stats
from bench.analysis.curves import Curves
from bench.results.manifest import StrategyEntry
from tests.bench.analysis.example import STRATEGIES, TASKS
from tests.bench.stats.answers_drawn import Drawn, Setting, draw, replicates

ENTRIES: Final[Mapping[str, StrategyEntry]] = {
    "classical": StrategyEntry(name="classical", kind="classical", start="nothing", trained_fraction=0.0),
    "linear_probe": STRATEGIES["linear_probe"],
    "partial": StrategyEntry(name="partial", kind="finetune", start="pretrained", trained_fraction=0.5),
    "full": STRATEGIES["full"],
    "scratch": STRATEGIES["scratch"],
}
BUDGETS: Final = (10.0, 30.0, 100.0, 300.0, 1000.0)
CHANCE: Final = 0.1


def drawn_page(
    setting: Setting, accuracies: Mapping[str, Sequence[float]], rng: np.random.Generator, *, n_tasks: int = 1
) -> list[Curves]:
    """Return the curves of as many tasks, alike but for chance: accuracies are by strategy, at the budgets."""
    return [_curves(f"task-{number}", setting, accuracies, rng) for number in range(n_tasks)]


def _curves(task: str, setting: Setting, accuracies: Mapping[str, Sequence[float]], rng: np.random.Generator) -> Curves:
    keys = [(name, amount) for name, curve in accuracies.items() for amount in BUDGETS[: len(curve)]]
    drawn = draw(setting, [one for curve in accuracies.values() for one in curve], rng)
    measured = {key: replicates(right, drawn.blocks) for key, right in zip(keys, drawn.right, strict=True)}
    points = _points(measured)
    higher = points.sort_values("mean", ascending=False, kind="stable")
    return Curves(
        entry=replace(TASKS["pictures"], card=replace(TASKS["pictures"].card, name=task)),
        backbone="bundled:eyes",
        strategies={name: ENTRIES[name] for name in accuracies},
        points=points,
        seeds=pd.DataFrame({key: pd.Series(one.values) for key, one in measured.items()}),
        ranking={amount: _at(higher, amount) for amount in sorted({amount for _, amount in keys})},
        measured=measured,
        baselines=dict.fromkeys(keys, _baseline(drawn)),
        shifted={},
        trivial={},
    )


def _at(points: pd.DataFrame, amount: float) -> pd.DataFrame:
    return points.reset_index("amount").loc[lambda rows: rows["amount"] == amount]


def _baseline(drawn: Drawn) -> stats.Replicates:
    """Return the replicates of a baseline that is right in a tenth of the examples of every block."""
    sizes = np.bincount(drawn.blocks)
    seeds = range(drawn.right.shape[1])
    return stats.replicate(dict.fromkeys(seeds, CHANCE), dict.fromkeys(seeds, [CHANCE] * len(sizes)), sizes)


def _points(measured: Mapping[tuple[str, float], stats.Replicates]) -> pd.DataFrame:
    rows = []
    for (strategy, amount), one in measured.items():
        found = stats.estimate(one, proportion=True)
        skill = (found.mean - CHANCE) / (1 - CHANCE)
        margin = (found.upper - found.lower) / 2
        rows.append((strategy, amount, found.mean, found.lower, found.upper, margin, skill, CHANCE, len(one)))
    columns = ["strategy", "amount", "mean", "lower", "upper", "margin", "skill", "chance", "n_seeds"]
    return pd.DataFrame(rows, columns=columns).set_index(["strategy", "amount"])
