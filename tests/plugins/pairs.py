"""Which plug-ins go together: tasks with a backbone, strategies, and the pairs that fit."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from bench.registry import STRATEGIES, load_class
from bench.strategy import Strategy

TASKS: Final = {
    "lights": "places:toy",
    "melodies": "frames:toy",
    "apples-grade": "bundled:glyphs",
    "apples-weight": "bundled:glyphs",
    "shapes": "clouds:toy",
    "paint": "colours:toy",
}
"""Tasks of plug-ins, and what each is seen through."""

UNLABELLED: Final = ("lights", "melodies")
BROUGHT: Final = ("melodies", "paint")
CLASSICAL: Final = ("apples-weight", "shapes", "paint")
"""Tasks that come with unlabelled inputs, whose backbone brings what predicts them, and that have a classical model."""

QUICK: Final[dict[str, Any]] = {
    "learning_rate": 3e-3,
    "head_learning_rate": 1e-2,
    "batch_size": 16,
    "epochs": 1,
    "min_steps": 4,
    "max_steps": 4,
}

RECIPES: Final[dict[str, dict[str, Any]]] = {
    "probe": {"kind": "probe", **QUICK},
    "partial": {"kind": "finetune", "trained": 0.5, **QUICK},
    "full": {"kind": "finetune", **QUICK},
    "scratch": {"kind": "finetune", "weights": "random", "head": "zero", **QUICK},
    "lora": {"kind": "lora", "rank": 2, "layers": ".*", **QUICK},
    "reversal": {"kind": "reversal", **QUICK},
    "as_it_came": {"kind": "as_it_came"},
    "budget_baseline": {"kind": "budget_baseline"},
    "classical": {"kind": "classical"},
}


class Pair(NamedTuple):
    """A task and a strategy, by name."""

    task: str
    strategy: str


def fitting() -> Iterator[Pair]:
    """Yield the pairs that fit."""
    for task in TASKS:
        for strategy in RECIPES:
            lacks_inputs = strategy == "reversal" and task not in UNLABELLED
            lacks_head = strategy == "as_it_came" and task not in BROUGHT
            lacks_rival = strategy == "classical" and task not in CLASSICAL
            if not (lacks_inputs or lacks_head or lacks_rival):
                yield Pair(task, strategy)


def strategy_named(name: str) -> Strategy:
    """Return a strategy of the recipes above."""
    settings = {key: value for key, value in RECIPES[name].items() if key != "kind"}
    kind = load_class(STRATEGIES, RECIPES[name]["kind"], Strategy)  # type: ignore[type-abstract]  # it is not
    return kind.model_validate({**settings, "name": name})
