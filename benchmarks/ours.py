"""Owns every call into the product, so that a change of its interfaces is followed here and nowhere else.

What is timed goes through the product's own engine, runner, store and gradient loop. What is the same on both sides of
a pair is done beforehand and kept as `Material`: `Task.load`, reading the weights, and `Backbone.prepare` (tokenising,
resizing). Hashing the data, planning, activations, heads and everything written to disk is the product's own cost.
"""

import copy
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Final

import torch
from bench_tasks import FAMILIES
from torch import Tensor, nn

from bench.backbone import Backbone, Batch, run_stages
from bench.backbones.bundled.glyphs import Glyphs
from bench.backbones.catalog import describe_all
from bench.backbones.huggingface.files import find_files
from bench.backbones.loading import load_backbone
from bench.cell import Failure, Provenance, Result
from bench.config.reading import read_config
from bench.domain import Indices, Texts
from bench.errors import BenchError, unknown_name
from bench.execution.engine import Engine
from bench.execution.runner import run_cells
from bench.execution.scored import Scored
from bench.planning.plan import Needs, Pack, PlannedCell, plan_cells
from bench.planning.seeds import stream
from bench.planning.subset import budget_size
from bench.results.store import Store
from bench.runtime.arithmetic import Precision
from bench.runtime.cache import Cache, default_cache
from bench.runtime.device import default_workers, resolve_device
from bench.runtime.precision import autocast, frozen_precision, settled_precision
from bench.runtime.provenance import describe_run
from bench.strategy import Recipe
from bench.target import Classes, Target
from bench.task import Splits, Task, verify
from bench.training.fit import batches, fit
from bench.training.group import Group
from bench.training.inference import CHUNK
from bench.training.pace import Trial, time_passes
from benchmarks.kept import KeptBackbone, KeptTask, PlainStage, Prepared

__all__ = ["CHUNK", "BenchError", "PlannedCell", "Result", "unknown_name"]

ROOT: Final = Path(__file__).parents[1]
MINILM: Final = "sentence-transformers/all-MiniLM-L6-v2"


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What both sides of a pair start from. `train` and `test` are prepared examples, on the CPU."""

    name: str
    task: Task
    splits: Splits
    backbone: Backbone
    train: Batch
    test: Batch

    def budget(self, *, fraction: float, seed: int) -> Indices:
        """Return the rows of the training split that a cell of this fraction and seed sees."""
        labels = self.splits.train.labels
        order = self.task.target.budget_order(labels, stream(seed, "subset"))
        return order[: budget_size(fraction, len(labels))]

    def features(self, batch: Batch) -> Tensor:
        """Return the backbone's features [n, width] in the product's precision, and nothing else done."""
        device = batch.values.device
        with torch.inference_mode(), autocast(device, frozen_precision(device)):
            out: Tensor = self.backbone(batch)
        return out

    def prepared(self) -> Prepared:
        """Return both splits' raw examples beside what the backbone made of them."""
        return (self.splits.train.raw, self.train), (self.splits.test.raw, self.test)

    def strings(self) -> tuple[Sequence[str], Sequence[str]]:
        """Return the texts of both splits."""
        train, test = self.splits.train.raw, self.splits.test.raw
        assert isinstance(train, Texts)
        assert isinstance(test, Texts)
        return train.strings, test.strings


@dataclass(slots=True, eq=False)
class Trainable:
    """Stages and a head to train, and all that the product's loop asks for, on the device.

    `precision` is the one that the product chooses for them.
    """

    stages: nn.ModuleList
    head: nn.Linear
    inputs: Batch
    encoded: Tensor
    target: Target
    recipe: Recipe
    precision: Precision

    def copy(self) -> "Trainable":
        """Return the same with weights of its own."""
        return replace(self, stages=copy.deepcopy(self.stages), head=copy.deepcopy(self.head))

    def outputs(self, batch: Batch) -> Tensor:
        """Return the head's outputs [n, classes] in the product's precision, and nothing else done."""
        with autocast(batch.values.device, self.precision):
            out: Tensor = self.head(run_stages(self.stages, batch).values)
        return out

    def fit(self, steps: int) -> None:
        """Take so many steps of the product's loop, in place."""
        fit(
            self.stages,
            self.head,
            self.inputs,
            self.encoded,
            target=self.target,
            recipe=self.recipe,
            steps=steps,
            order=stream(0, "order"),
            precision=self.precision,
        )

    def batches(self, steps: int) -> list[tuple[Batch, Tensor]]:
        """Return batches as `fit` draws them, lying ready with their targets."""
        lengths = None if self.inputs.lengths is None else self.inputs.lengths.numpy()
        drawn = batches(len(self.inputs), self.recipe.batch_size, steps, stream(0, "order"), lengths=lengths)
        rows = [torch.from_numpy(one) for one in drawn]
        return [(self.inputs.take(one), self.encoded[one.to(self.encoded.device)]) for one in rows]


def material(task: str) -> Material:
    """Return a task of the suite `all` with its first backbone, ready."""
    entry = next(
        entry for entry in read_config(ROOT / "bench.toml", FAMILIES).suite("all").entries if entry.task == task
    )
    family = FAMILIES[entry.spec.family]
    splits, backbone = family.load(default_cache()), load_backbone(entry.backbone)
    return Material(
        task, family, splits, backbone, backbone.prepare(splits.train.raw), backbone.prepare(splits.test.raw)
    )


def plan(
    *,
    suite: str = "all",
    tasks: Sequence[str] = (),
    strategies: Sequence[str] = (),
    fractions: Sequence[float] = (),
    seeds: int = 0,
) -> Sequence[PlannedCell]:
    """Return the cells of a suite of `bench.toml`, narrowed to what is named as the command line does it."""
    chosen = read_config(ROOT / "bench.toml", FAMILIES).suite(suite)
    chosen = chosen.select(tasks=tasks, strategies=strategies, fractions=fractions, seeds=seeds, shifts=False)
    backbones = describe_all((entry.backbone for entry in chosen.entries), default_cache())
    return plan_cells(chosen, {name: task.card for name, task in FAMILIES.items()}, backbones)


def with_recipe(planned: PlannedCell, **changes: object) -> PlannedCell:
    """Return the cell with another recipe."""
    recipe = planned.strategy.recipe.model_copy(update=changes)
    return replace(planned, strategy=planned.strategy._replace(recipe=recipe))


def run(cells: Sequence[PlannedCell], ready: Material, *, folder: Path, device: str) -> Sequence[Result]:
    """Run cells of one task in this process, as one worker does, and return their results.

    Cache and results are kept under `folder`: cold if it is empty. Raises `BenchError` if a cell fails.
    """
    results: list[Result] = []
    task, backbone = KeptTask(ready.task, ready.splits), KeptBackbone(ready.backbone, ready.prepared())
    engine = Engine(lambda *_: task, lambda _name: backbone, cache=Cache(folder / "cache"), device=device)

    def execute(packs: Sequence[Pack]) -> Iterator[Scored]:
        for scored in chain.from_iterable(map(engine.run, packs)):
            found = scored.outcome
            if isinstance(found, Failure):
                raise BenchError(f"{found.cell} failed, so there is nothing to compare: {found.reason}")
            results.append(found)
            yield scored

    card = ready.backbone.card
    run_cells(cells, Store(folder / "results"), {card.name: card}, execute)
    return results


def trainable(ready: Material, strategy: str, *, folder: Path, device: str) -> Trainable:
    """Return what a strategy trains on all labels, from a head of zeros; frozen activations are kept in `folder`."""
    planned = plan(tasks=[ready.name], strategies=[strategy], fractions=[1.0], seeds=1)[0]
    group = Group(
        ready.task.target,
        ready.splits,
        KeptBackbone(ready.backbone, ready.prepared()).to(torch.device(device)),
        needs=Needs(frozenset({planned.strategy.depth}), frozenset({(1.0, 0)})),
        content=verify(ready.task, ready.splits),
        cache=Cache(folder),
        device=torch.device(device),
    )
    boundary, rows = planned.strategy.boundary(group.n_stages), group.budget(1.0, 0)
    stages = copy.deepcopy(group.backbone.stages[boundary:])
    group.narrow(boundary, stages)
    inputs = group.train(boundary, rows)
    assert isinstance(inputs, Batch), "the tasks measured here fit into memory"
    return _trainable(
        stages.to(device),
        _head(ready.backbone.card.width, ready.task.target.width).to(device),
        inputs,
        group.encoded(rows),
        ready.task.target,
        planned.strategy.recipe,
    )


def text_classifier(strings: Sequence[str], labels: Tensor, *, classes: int, device: str) -> Trainable:
    """Return all of MiniLM with a head of zeros, to be trained on texts, with the recipe of `lexicon`."""
    recipe = plan(tasks=["lexicon"], strategies=["full"], fractions=[1.0], seeds=1)[0].strategy.recipe
    backbone = load_backbone(f"hf:{MINILM}").to(device)
    return _trainable(
        backbone.stages,
        _head(backbone.card.width, classes).to(device),
        backbone.prepare(Texts(tuple(strings))).to(torch.device(device)),
        labels.to(device),
        Classes(tuple(map(str, range(classes)))),
        recipe,
    )


def classifier(
    parts: Sequence[nn.Module], values: Tensor, labels: Tensor, *, width: int, classes: int, batch_size: int
) -> Trainable:
    """Return any network, as parts in a row that end in features [n, width], to be trained on values on a device."""
    stages, head = nn.ModuleList([PlainStage(part) for part in parts]), _head(width, classes)
    return _trainable(
        stages.to(values.device),
        head.to(values.device),
        Batch(values),
        labels,
        Classes(tuple(map(str, range(classes)))),
        Recipe(batch_size=batch_size, learning_rate=1e-4),
    )


def timm_network(ready: Material) -> nn.Module:
    """Return the timm network that `bundled:glyphs` is made of, with its weights, as a copy."""
    assert isinstance(ready.backbone, Glyphs)
    network: nn.Module = copy.deepcopy(ready.backbone.network)
    return network


def results(folder: Path) -> Sequence[Result]:
    """Return the results that the command line left in a folder."""
    return list(Store(folder).results())


def minilm_folder() -> Path:
    """Return the folder with MiniLM's files."""
    return find_files(MINILM)


def command(*arguments: str) -> list[str]:
    """Return the command line of the product, to be run in `ROOT`."""
    return [sys.executable, "-m", "bench", *arguments]


def workers(device: str) -> int:
    """Return how many processes the product runs cells in."""
    cards = describe_all((planned.cell.backbone for planned in plan()), default_cache())
    largest = max(card.parameters for card in cards.values())
    return default_workers(resolve_device(device), parameters=largest)


def provenance(device: str) -> Provenance:
    """Return versions and hardware as the product writes them beside its results."""
    return describe_run(torch.device(device))


def device_named(wanted: str) -> str:
    """Return the device to measure on. Raises `BenchError` for a GPU that is not there."""
    return resolve_device(wanted)


def _trainable(
    stages: nn.ModuleList, head: nn.Linear, inputs: Batch, encoded: Tensor, target: Target, recipe: Recipe
) -> Trainable:
    """Return what is to be trained, with the precision that the product chooses for it."""
    parameters = sum(parameter.numel() for part in (stages, head) for parameter in part.parameters())
    precision = settled_precision(inputs.device, parameters, "auto")
    if precision is None:
        trial = Trial("", "", 1.0, "", stages, head, inputs, encoded, target, recipe)
        precision = time_passes(trial).faster
    return Trainable(stages, head, inputs, encoded, target, recipe, precision)


def _head(width: int, outputs: int) -> nn.Linear:
    head = nn.Linear(width, outputs)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return head
