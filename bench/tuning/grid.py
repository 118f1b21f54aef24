"""What is tried for a strategy: as many candidates for each, whichever settings it has.

First come rates, and both heads for a strategy that may start from either, all with one rate for all layers. Then the
best of them is tried once more with rates that fall from layer to layer. A strategy with one head has twice the rates.
"""

from collections.abc import Sequence
from typing import Any, Final

from bench.strategy import Strategy

RATES: Final = (1 / 3, 1.0, 3.0)
"""What the rates of a strategy's recipe are multiplied by."""

MORE_RATES: Final = (1 / 9, *RATES, 9.0, 27.0)
"""The same for a strategy without a choice of heads: as many candidates."""

HEADS: Final = ("solved", "zero")
UNIFORM: Final = 1.0
FALLING: Final = 0.7

SETTINGS: Final = ("learning_rate", "head_learning_rate", "layer_decay", "head")
"""What is tuned, as far as a strategy has it."""


def is_tuned(strategy: Strategy) -> bool:
    """Return whether a strategy has a rate that is always used: the loop of one that is solved is for few targets."""
    return "learning_rate" in strategy.recipe() and strategy.trained_fraction > 0


def first_round(strategy: Strategy) -> list[Strategy]:
    """Return the candidates with one rate for all layers."""
    chooses = "head" in strategy.recipe() and strategy.start == "pretrained"
    heads: Sequence[dict[str, Any]] = [{"head": head} for head in HEADS] if chooses else [{}]
    factors = RATES if chooses else MORE_RATES
    return [_changed(strategy, factor, {**head, "layer_decay": UNIFORM}) for head in heads for factor in factors]


def second_round(best: Strategy) -> list[Strategy]:
    """Return the best of the first round with rates that fall."""
    return [_changed(best, 1.0, {"layer_decay": FALLING})]


def tuned_settings(strategy: Strategy) -> dict[str, object]:
    """Return the settings that the procedure decides."""
    recipe = strategy.recipe()
    return {name: recipe[name] for name in SETTINGS if name in recipe}


def _changed(strategy: Strategy, factor: float, settings: dict[str, Any]) -> Strategy:
    """Return a strategy with its rates multiplied and some settings, as a config would make it."""
    recipe = strategy.recipe()
    rates = {name: _rounded(recipe[name], factor) for name in ("learning_rate", "head_learning_rate")}
    kept = {name: value for name, value in recipe.items() if name != "kind"}
    return type(strategy).model_validate({**kept, **rates, **settings, "name": strategy.name})


def _rounded(rate: object, factor: float) -> float:
    assert isinstance(rate, float), "rates are numbers"
    return float(f"{rate * factor:.2g}")
