"""A small results folder with everything a report must show: gaps, failures, ties, and names that mean harm."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.budget import ALL, Share
from bench.card import BackboneCard, TaskCard
from bench.cell import FROZEN, HEAD, Cell, Failure, Outcome, Provenance, Result, Scores, ShiftedScore, Work
from bench.column import dense
from bench.domain import DomainName
from bench.metric import MetricCard
from bench.metrics.classes import ACCURACY, LOG_LOSS
from bench.metrics.forecast import MAE, MASE
from bench.results.manifest import Manifest, StrategyEntry, TaskEntry
from bench.results.store import Store
from bench.strategy import Start
from bench.subsets.subset import budget_size
from bench.targets.classes import Classes
from bench.targets.forecast import Forecast

PROVENANCE = Provenance(bench="0.1", python="3.11", torch="2.11", platform="Linux x86_64", processor="a processor")
BUDGETS = (Share(0.1), ALL)
STRATEGIES = {
    "scratch": StrategyEntry(name="scratch", kind="finetune", start="random", trained_fraction=1.0),
    "linear_probe": StrategyEntry(name="linear_probe", kind="probe", start="pretrained", trained_fraction=0.0),
    "full": StrategyEntry(name="full", kind="finetune", start="pretrained", trained_fraction=1.0),
}
SCORES = {
    "pictures": {"scratch": (0.30, 0.80), "linear_probe": (0.70, 0.82), "full": (0.69, 0.92)},
    "series": {"scratch": (1.60, 0.80), "linear_probe": (1.40, 0.90), "full": (1.50, 0.85)},
}
PREDICTIONS = dense(logit=np.zeros((1, 1), dtype=np.float32))
UNDEFINED = 1.4
BLOCKS = (5_000,) * 20
SPREAD = {0: 0.0, 1: 0.01, 2: -0.01}  # what each seed adds


def task(
    name: str,
    title: str,
    *,
    domain: DomainName,
    metrics: tuple[MetricCard, ...],
    baseline: str,
    unit: str,
    synthetic: bool = False,
) -> TaskEntry:
    """Return what a manifest says of a task; the first of its metrics ranks."""
    card = TaskCard(
        name=name,
        title=title,
        domain=domain,
        description=f"What {title} are.",
        source="https://example.org",
        licence="CC0-1.0",
        citation="Someone (2020)",
        version=1,
        sha256="ab" * 32,
        synthetic=synthetic,
    )
    return TaskEntry(card=card, metric=metrics[0], metrics=metrics, baseline=baseline, unit=unit)


def backbone(name: str, title: str, domain: DomainName) -> BackboneCard:
    """Return the card of a backbone."""
    return BackboneCard(
        name=name,
        title=title,
        domain=domain,
        description="A net.",
        source="somewhere",
        licence="MIT",
        citation="Someone (2021)",
        sha256="cd" * 32,
        parameters=1_240_000,
        width=4,
        stages=("one", "two"),
    )


TASKS = {
    "pictures": task(
        "pictures",
        "Pictures",
        domain="vision",
        metrics=(ACCURACY.card, LOG_LOSS.card),
        baseline="chance",
        unit=Classes.unit,
        synthetic=True,
    ),
    "series": task(
        "series",
        "Series",
        domain="series",
        metrics=(MASE.card, MAE.card),
        baseline="seasonal naive",
        unit=Forecast.unit,
    ),
}
BACKBONES = {
    "bundled:eyes": backbone("bundled:eyes", "Eyes", "vision"),
    "bundled:clock": backbone("bundled:clock", "Clock", "series"),
}
READS = {"pictures": ("bundled:eyes",), "series": ("bundled:clock",)}
N_TRAIN = {"pictures": 200, "series": 50}
CHANCE = {"pictures": 0.1, "series": 1.25}


def values(entry: TaskEntry, score: float) -> Scores:
    """Return the scores by both metrics of a task: 20 - 10 s by the second, and none where the first, s, is 1.4.

    No test block moves them: their intervals are Student's, over seeds alone.
    """
    first, second = (metric.name for metric in entry.metrics)
    known = {first: score, second: None if score == UNDEFINED else round(20 - 10 * score, 6)}
    return Scores(known, {name: (value and round(value, 6),) * len(BLOCKS) for name, value in known.items()})


def scored(one: Result, score: float, chance: float | None = None, entry: TaskEntry | None = None) -> Result:
    """Return a result with another score, and with another level of chance if it is given."""
    entry = entry or TASKS[one.cell.task]
    chance = one.chance if chance is None else chance
    return replace(
        one, score=score, chance=chance, scores=values(entry, score), baselines=values(entry, chance), shifted=()
    )


def under_shift(one: Result, name: str, title: str, score: float, chance: float) -> ShiftedScore:
    """Return a score of a result's model under a shift."""
    entry = TASKS[one.cell.task]
    return ShiftedScore(name, title, score, chance, 0.0, values(entry, score), values(entry, chance))


def result(cell: Cell, key: str, score: float) -> Result:
    """Return a result whose every other number follows from the cell."""
    frozen, task_entry = entry(cell.strategy).trained_fraction == 0, TASKS.get(cell.task, TASKS["pictures"])
    return Result(
        cell=cell,
        key=key,
        amount=budget_size(cell.budget, N_TRAIN[cell.task]),
        n_test=sum(BLOCKS),
        score=score,
        chance=CHANCE[cell.task],
        penalty=0.1 if frozen else None,
        seconds=1.5,
        training_seconds=0.0 if frozen else 1.25,
        evaluation_seconds=0.125,
        shared=(Work(FROZEN, f"{cell.task} features", 4.0), Work(HEAD, key, 0.25)) if frozen else (),
        shifted=(),
        losses=(),
        steps=0 if frozen else 100,
        trainable_parameters=50 if frozen else 1_240_050,
        total_parameters=1_240_050,
        peak_mib=512.0,
        device="cpu",
        precision="float32",
        data_sha256="0" * 64,
        provenance=PROVENANCE,
        scores=values(task_entry, score),
        baselines=values(task_entry, CHANCE[cell.task]),
        block_sizes=BLOCKS,
    )


def entry(name: str) -> StrategyEntry:
    """Return what a manifest says of a strategy: one that is not of the example is fine-tuning, or has no network."""
    start: Start = "nothing" if name == "classical" else "pretrained"
    other = StrategyEntry(name=name, kind="another", start=start, trained_fraction=1.0)
    return STRATEGIES.get(name, other)


def outcome(cell: Cell, key: str) -> Result:
    """Return the result of a cell in the example: seeds agree for the probe of the series, as they do in earnest."""
    score = SCORES[cell.task].get(cell.strategy, (0.5, 0.7))[BUDGETS.index(cell.budget)]
    same = (cell.task, cell.strategy) == ("series", "linear_probe")
    return result(cell, key, score + (0.0 if same else SPREAD[cell.seed]))


def failure(cell: Cell, key: str) -> Failure:
    """Return a failed cell whose reason would act as a formula, as a table and as HTML."""
    return Failure(cell=cell, key=key, reason="=cmd() | <script>alert(1)</script>", traceback="")


def example(
    root: Path,
    *,
    seeds: int = 3,
    failed: Iterable[Mapping[str, object]] = (),
    not_run: Iterable[Mapping[str, object]] = (),
    tasks: Mapping[str, TaskEntry] = TASKS,
    backbones: Mapping[str, BackboneCard] = BACKBONES,
    reads: Mapping[str, tuple[str, ...]] = READS,
    strategies: Iterable[str] = tuple(STRATEGIES),
) -> Store:
    """Return a results folder. A cell fails, or is not run, that has the values of one of these mappings."""
    entries = {name: entry(name) for name in strategies}
    cells = [
        Cell(name, reader, strategy, budget, seed)
        for name in tasks
        for reader in reads[name]
        for strategy in entries
        for budget in BUDGETS
        for seed in range(seeds)
    ]
    keys = {cell: f"{number:024x}" for number, cell in enumerate(cells)}
    store = Store(root)
    store.extend(
        Manifest(
            suite="example",
            tasks=tasks,
            backbones=backbones,
            strategies=entries,
            cells=keys,
        )
    )
    for cell, key in keys.items():
        if not _matches(cell, not_run):
            _put(store, failure(cell, key) if _matches(cell, failed) else outcome(cell, key))
    return store


def _put(store: Store, one: Outcome) -> None:
    store.put(one, PREDICTIONS if isinstance(one, Result) else None)


def _matches(cell: Cell, wanted: Iterable[Mapping[str, object]]) -> bool:
    return any(all(getattr(cell, name) == value for name, value in one.items()) for one in wanted)
