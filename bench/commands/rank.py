"""The command `rank`: backbones in the order in which they promise to suit a task, before anything is trained."""

import textwrap
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from bench.analysis.wording import join_words, quantity, shortened, strategy_title
from bench.budget import NONE, Share
from bench.commands.options import RankOptions
from bench.commands.selection import Selection, select
from bench.errors import BenchError, ConfigError
from bench.results.store import Store
from bench.runtime.cache import Cache, default_cache
from bench.runtime.device import default_decoders, resolve_device
from bench.task import Task

if TYPE_CHECKING:
    from bench.ranking.ranking import Ranked

MOST_EXAMPLES: Final = 5_000
"""Labelled examples from which more change no order, and cost a decomposition that grows with them."""

NAME_COLUMNS: Final = 44
WIDTH: Final = 80


def main(options: RankOptions) -> int:
    """Print the backbones of each task asked for, best first, with what is known of how they did, and return 0."""
    if NONE in options.selection.budgets:
        raise ConfigError(f"a budget of {NONE} has no labels to rank by: ask for 1 or more, or for a share")
    cache = default_cache()
    selection = select(options.selection, cache)
    for name, task in selection.tasks.items():
        backbones = [entry.backbone for entry in selection.suite.entries if entry.task == name]
        if len(backbones) < 2:
            raise ConfigError(f"there is nothing to rank for {name}: name two backbones or more, with --backbone A B")
        ranked = _rank(task, backbones, options, cache)
        print("\n".join(_table(task.card.title, task.target.unit, ranked)))
        print(textwrap.fill(_remark(ranked, _outcomes(name, selection, options)), WIDTH))
    return 0


def _rank(task: Task, backbones: Sequence[str], options: RankOptions, cache: Cache) -> "list[Ranked]":
    from bench.backbones.loading import load_backbone  # noqa: PLC0415 (with the tensor library, seconds)
    from bench.ranking.ranking import rank_backbones  # noqa: PLC0415 (likewise)

    suite, budgets = options.selection.suite, options.selection.budgets
    n_train = task.card.n_train or len(task.split(0, cache).train)
    ranked = rank_backbones(
        task,
        backbones,
        partial(load_backbone, trust_remote_code=suite.trust_remote_code),
        budget=budgets[0] if budgets else Share(min(1.0, MOST_EXAMPLES / n_train)),
        cache=cache,
        device=resolve_device(options.compute.device),
        memory_bytes=options.compute.memory_bytes,
        decoders=default_decoders(1),
    )
    return sorted(ranked, key=lambda one: -one.logme)


def _table(title: str, unit: str, ranked: "Sequence[Ranked]") -> list[str]:
    """Return lines of at most 80 columns."""
    heading = f"{title}: LogME of frozen features on {quantity(ranked[0].amount)} {unit}"
    columns = f"rank  {'backbone':<{NAME_COLUMNS}}  {'LogME':>7}  {'params':>8}  {'time':>7}"
    rows = [
        f"{place:>4}  {shortened(one.backbone, NAME_COLUMNS):<{NAME_COLUMNS}}  {one.logme:>7.3f}  "
        f"{one.parameters / 1e6:>6.1f} M  {one.seconds:>5.1f} s"
        for place, one in enumerate(ranked, start=1)
    ]
    return [*textwrap.wrap(heading, WIDTH), columns, *rows]


def _outcomes(name: str, selection: Selection, options: RankOptions) -> dict[str, Mapping[str, float]]:
    """Return the mean scores of backbones on the largest budget, by strategy, as far as they are in a results folder.

    Scores are turned so that higher is better.
    """
    try:
        store = Store(options.out or Path("results") / selection.suite.name)
        strategies = store.manifest.strategies
        results = [result for result in store.results() if result.cell.task == name]
    except BenchError:
        return {}
    sign = 1 if selection.tasks[name].target.metrics[0].card.higher_is_better else -1
    found: dict[str, dict[str, list[float]]] = {}
    largest = max(results, key=lambda result: result.amount).cell.budget if results else NONE
    for result in results:
        cell = result.cell
        if cell.budget == largest and strategies[cell.strategy].start == "pretrained":
            found.setdefault(cell.strategy, {}).setdefault(cell.backbone, []).append(sign * result.score)
    return {
        strategy: {backbone: float(np.mean(scores)) for backbone, scores in several.items()}
        for strategy, several in found.items()
    }


def _remark(ranked: "Sequence[Ranked]", outcomes: Mapping[str, Mapping[str, float]]) -> str:
    """Return how far the order is to be trusted: held against what was measured, where it was."""
    held = []
    for strategy, scores in outcomes.items():
        known = [one.backbone for one in ranked if one.backbone in scores]
        pairs = list(combinations(known, 2))  # the better by LogME first
        if pairs:
            right = sum(scores[better] > scores[worse] for better, worse in pairs)
            held.append(f"{right} of {len(pairs)} pairs by {strategy_title(strategy)}")
    if held:
        return f"A run, on its largest budget, put in the same order {join_words(held)}."
    return (
        "LogME is a guess about a linear probe, made without training one. Whether it was right here is not known: "
        "run the same backbones, and `rank` will say."
    )
