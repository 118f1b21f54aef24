"""A results folder of one task and backbone whose every score is given by hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from bench.analysis.tables import Tables, read_tables
from bench.budget import Asked, Share
from bench.cell import ALL_STREAMS, Cell, Result
from bench.results.manifest import Manifest, StrategyEntry
from bench.results.store import Store
from tests.bench.analysis.example import BACKBONES, N_TRAIN, PREDICTIONS, READS, STRATEGIES, TASKS, result

ENTRIES = {
    "scratch": STRATEGIES["scratch"],
    "classical": StrategyEntry(name="classical", kind="classical", start="nothing", trained_fraction=0.0),
    "linear_probe": STRATEGIES["linear_probe"],
    "partial": StrategyEntry(name="partial", kind="finetune", start="pretrained", trained_fraction=0.5),
    "full": STRATEGIES["full"],
}
Scores = Mapping[str, Mapping[int, Sequence[float | None]]]
"""Strategy, number of labels, and the score of each seed; None is a cell that was planned and not run."""

Revise = Callable[[Result], Result]


def measured(
    root: Path,
    scores: Scores,
    *,
    task: str = "pictures",
    source: tuple[str, ...] = (),
    target: tuple[str, ...] = (),
    varied: Mapping[str, Scores] | None = None,
    revise: Revise = lambda one: one,
    ask: Mapping[int, Asked] = MappingProxyType({}),
) -> Tables:
    """Return the tables of these scores. `source` and `target` are subjects, `revise` alters every result.

    `ask` says how numbers of labels are asked for that are no shares.

    `varied` has for a random stream the scores of cells in which it alone follows the seed, from seed 1 on.
    """
    backbone = READS[task][0]
    entry = replace(TASKS[task], card=replace(TASKS[task].card, subjects=target))
    given = {
        Cell(task, backbone, strategy, ask.get(amount, Share(amount / N_TRAIN[task])), seed, stream): score
        for stream, start, block in [
            (ALL_STREAMS, 0, scores),
            *((name, 1, one) for name, one in (varied or {}).items()),
        ]
        for strategy, curve in block.items()
        for amount, values in curve.items()
        for seed, score in enumerate(values, start)
    }
    keys = {cell: f"{number:024x}" for number, cell in enumerate(given)}
    store = Store(root)
    store.extend(
        Manifest(
            suite="measured",
            tasks={task: entry},
            backbones={backbone: replace(BACKBONES[backbone], subjects=source)},
            strategies={name: ENTRIES[name] for name in scores},
            cells=keys,
        )
    )
    for cell, score in given.items():
        if score is not None:
            store.put(revise(result(cell, keys[cell], score)), PREDICTIONS)
    return read_tables(store)
