"""Every call into the product, so that a change of its interfaces is followed here and nowhere else.

What is timed goes through the product's own engine, runner, store and gradient loop. What is the same on both sides of
a pair is done beforehand and kept as `Material`: `Task.split`, reading the weights, and `Backbone.prepare` (tokenising,
resizing). Hashing the data, planning, activations, heads and everything written to disk is the product's own cost.
"""

import copy
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Final

import torch
from bench_tasks import FAMILIES
from torch import Tensor, nn

from bench.backbone import Backbone, Batch, Features, read_stages, run_stages
from bench.backbones.bundled.glyphs import Glyphs
from bench.backbones.descriptions import describe_all
from bench.backbones.huggingface.files import find_files
from bench.backbones.loading import load_backbone
from bench.budget import ALL, Asked, Share
from bench.cell import Failure, Provenance, Result
from bench.column import Indices
from bench.config.reading import read_config
from bench.domains.text.raw import Texts
from bench.errors import BenchError, unknown_name
from bench.execution.engine import Engine
from bench.execution.output import CellOutput
from bench.execution.runner import run_cells
from bench.planning.budgets import Budgets
from bench.planning.plan import Job, PlannedCell, plan_cells
from bench.probing.encoded import as_tensors
from bench.probing.linear import zero_head
from bench.readout import POOLED, Readout
from bench.results.store import Store
from bench.runtime.arithmetic import Precision
from bench.runtime.cache import Cache, default_cache
from bench.runtime.device import default_workers, resolve_device
from bench.runtime.precision import autocast, frozen_precision, settled_precision
from bench.runtime.provenance import describe_run
from bench.strategy import LoopRecipe, boundary
from bench.subsets.seeds import stream
from bench.targets.classes import LABEL, Classes
from bench.task import Examples, Split, Task, verify
from bench.training.context import NetworkContext
from bench.training.fitting import stage_rates
from bench.training.inference import CHUNK
from bench.training.loop import Adaptation, Forward, Rate, Term, batches, train
from bench.training.pace import Trial, time_passes
from benchmarks.kept import KeptBackbone, KeptTask, PlainStage, Prepared

__all__ = ["ALL", "CHUNK", "Asked", "BenchError", "PlannedCell", "Result", "Share", "unknown_name"]

ROOT: Final = Path(__file__).parents[1]
MINILM: Final = "sentence-transformers/all-MiniLM-L6-v2"


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What both sides of a pair start from. `train` and `test` are prepared examples, on the CPU."""

    name: str
    task: Task
    split: Split
    backbone: Backbone
    train: Batch
    test: Batch

    @property
    def classes(self) -> int:
        """The number of classes."""
        target = self.task.target
        assert isinstance(target, Classes), "the tasks measured here are of classes"
        return len(target.names)

    @property
    def train_labels(self) -> Indices:
        """The classes of the training examples, [n]."""
        return _classes_of(self.split.train)

    @property
    def test_labels(self) -> Indices:
        """The classes of the test examples, [n]."""
        return _classes_of(self.split.test)

    def rows(self, budget: Asked, *, seed: int) -> Indices:
        """Return the rows of the training split that a cell of this budget and seed sees."""
        return _budgets(self).draw(budget, seed).rows

    def features(self, batch: Batch) -> Tensor:
        """Return the backbone's features [n, width] in the product's precision, and nothing else done."""
        device = batch.values.device
        with torch.inference_mode(), autocast(device, frozen_precision(device)):
            out: Tensor = self.backbone(batch)
        return out

    def prepared(self) -> Prepared:
        """Return both splits' raw examples beside what the backbone made of them."""
        return (self.split.train.raw, self.train), (self.split.test.raw, self.test)

    def strings(self) -> tuple[Sequence[str], Sequence[str]]:
        """Return the texts of both splits."""
        train, test = self.split.train.raw, self.split.test.raw
        assert isinstance(train, Texts)
        assert isinstance(test, Texts)
        return train.strings, test.strings


Read = Callable[[nn.ModuleList, Batch], Features]
"""From stages and a batch below them to features."""


@dataclass(slots=True, eq=False)
class Trainable:
    """Stages and a head to train, and all that the product's loop asks for, on the device.

    `read` runs the stages, `labels` [n] are classes. `precision` is the one that the product chooses for them.
    """

    stages: nn.ModuleList
    head: nn.Module
    inputs: Batch
    labels: Tensor
    read: Read
    target: Classes
    recipe: LoopRecipe
    precision: Precision = "float32"

    def copy(self) -> "Trainable":
        """Return the same with weights of its own."""
        return replace(self, stages=copy.deepcopy(self.stages), head=copy.deepcopy(self.head))

    def outputs(self, batch: Batch) -> Tensor:
        """Return the head's outputs [n, classes] in the product's precision, and nothing else done."""
        with autocast(batch.values.device, self.precision):
            out: Tensor = self.head(self.read(self.stages, batch))[0]
        return out

    def adaptation(self) -> Adaptation:
        """Return this as the product's loop takes it."""
        objective = self.target.objective

        def forward(batch: Batch, readout: Readout) -> Features:
            return self.read(self.stages, batch)

        def loss(forward: Forward, batch: Batch, rows: Tensor, generator: torch.Generator) -> Tensor:
            encoded = {LABEL: self.labels[rows.to(self.labels.device, non_blocking=True)]}
            return objective.loss(self.head(forward(batch, self.target.readout)), encoded, None)

        rates = [
            *stage_rates(self.stages, self.recipe),
            Rate(list(self.head.parameters()), self.recipe.head_learning_rate),
        ]
        return Adaptation(self.stages, forward, rates, [Term(self.inputs, loss, (self.head,))])

    def fit(self, steps: int) -> None:
        """Take so many steps of the product's loop, in place."""
        train(self.adaptation(), self.recipe, steps=steps, order=stream(0, "order"), precision=self.precision)

    def batches(self, steps: int) -> list[tuple[Batch, Tensor]]:
        """Return batches as `fit` draws them, lying ready with their targets."""
        lengths = None if self.inputs.lengths is None else self.inputs.lengths.numpy()
        drawn = batches(len(self.inputs), self.recipe.batch_size, steps, stream(0, "order"), lengths=lengths)
        rows = [torch.from_numpy(one) for one in drawn]
        return [(self.inputs.take(one), self.labels[one.to(self.labels.device)]) for one in rows]


def material(task: str) -> Material:
    """Return a task of the suite `all` with its first backbone, ready."""
    entry = next(
        entry for entry in read_config(ROOT / "bench.toml", FAMILIES).suite("all").entries if entry.task == task
    )
    family = FAMILIES[entry.spec.family]
    split, backbone = family.split(0, default_cache()), load_backbone(entry.backbone)
    return Material(task, family, split, backbone, backbone.prepare(split.train.raw), backbone.prepare(split.test.raw))


def plan(
    *,
    suite: str = "all",
    tasks: Sequence[str] = (),
    strategies: Sequence[str] = (),
    budgets: Sequence[Asked] = (),
    seeds: int = 0,
) -> Sequence[PlannedCell]:
    """Return the cells of a suite of `bench.toml`, narrowed to what is named as the command line does it."""
    chosen = read_config(ROOT / "bench.toml", FAMILIES).suite(suite)
    chosen = chosen.select(tasks=tasks, strategies=strategies, budgets=budgets, seeds=seeds, shifts=False)
    backbones = describe_all((entry.backbone for entry in chosen.entries), default_cache())
    return plan_cells(chosen, {name: task.card for name, task in FAMILIES.items()}, backbones)


def share_of(planned: PlannedCell) -> float:
    """Return the share of the training split that a cell asks for, as those of the suites measured here do."""
    budget = planned.cell.budget
    assert isinstance(budget, Share), "a number of labels says nothing of the split"
    return budget.of


def with_recipe(planned: PlannedCell, **changes: object) -> PlannedCell:
    """Return the cell with another recipe."""
    strategy = planned.strategy
    return replace(planned, strategy=type(strategy).model_validate({**strategy.model_dump(), **changes}))


def recipe_of(planned: PlannedCell) -> LoopRecipe:
    """Return the numbers of the gradient loop of a cell."""
    assert isinstance(planned.strategy, LoopRecipe), "the strategies measured here can be trained by the loop"
    return planned.strategy


def run(cells: Sequence[PlannedCell], ready: Material, *, folder: Path, device: str) -> Sequence[Result]:
    """Run cells of one task in this process, as one worker does, and return their results.

    Cache and results are kept under `folder`: cold if it is empty. Raises `BenchError` if a cell fails.
    """
    results: list[Result] = []
    task, backbone = KeptTask(ready.task, ready.split), KeptBackbone(ready.backbone, ready.prepared())
    engine = Engine(lambda *_: task, lambda _name: backbone, cache=Cache(folder / "cache"), device=device)

    def execute(jobs: Sequence[Job]) -> Iterator[CellOutput]:
        for output in chain.from_iterable(map(engine.run, jobs)):
            found = output.outcome
            if isinstance(found, Failure):
                raise BenchError(f"{found.cell} failed, so there is nothing to compare: {found.reason}")
            results.append(found)
            yield output

    card = ready.backbone.card
    run_cells(cells, Store(folder / "results"), {card.name: card}, execute)
    return results


def trainable(ready: Material, strategy: str, *, folder: Path, device: str) -> Trainable:
    """Return what a strategy trains on all labels, from a head of zeros; frozen activations are kept in `folder`."""
    planned = plan(tasks=[ready.name], strategies=[strategy], budgets=[ALL], seeds=1)[0]
    backbone = KeptBackbone(ready.backbone, ready.prepared()).to(torch.device(device))
    budget = _budgets(ready).draw(ALL, 0)
    frozen = boundary(planned.strategy.trained_fraction, len(backbone.stages))
    target = ready.task.target
    context = NetworkContext(
        ready.name,
        target,
        ready.split,
        backbone,
        needed=budget.rows,
        boundaries=frozenset({frozen}),
        content=verify(ready.task, ready.split),
        cache=Cache(folder),
        device=torch.device(device),
    )
    stages = copy.deepcopy(backbone.stages[frozen:])
    context.prune(frozen, stages)
    inputs = context.examples(budget.rows, frozen, target.readout)
    assert isinstance(inputs, Batch), "the tasks measured here fit into memory"
    assert isinstance(target, Classes), "the tasks measured here are of classes"
    encoded = as_tensors(target.codec.encode(budget.labels, inputs.geometry), torch.device(device))
    head = zero_head([ready.backbone.card.width], ready.classes).to(device)
    read = _through(backbone)
    recipe = recipe_of(planned)
    return _paced(Trainable(stages.to(device), head, inputs, encoded[LABEL], read, target, recipe))


def text_classifier(strings: Sequence[str], labels: Tensor, *, classes: int, device: str) -> Trainable:
    """Return all of MiniLM with a head of zeros, to be trained on texts, with the recipe of `lexicon`."""
    recipe = recipe_of(plan(tasks=["lexicon"], strategies=["full"], budgets=[ALL], seeds=1)[0])
    backbone = load_backbone(f"hf:{MINILM}").to(device)
    head = zero_head([backbone.card.width], classes).to(device)
    inputs = backbone.prepare(Texts(tuple(strings))).to(torch.device(device))
    read, target = _through(backbone), _any_classes(classes)
    return _paced(Trainable(backbone.stages, head, inputs, labels.to(device), read, target, recipe))


def classifier(
    parts: Sequence[nn.Module], values: Tensor, labels: Tensor, *, width: int, classes: int, batch_size: int
) -> Trainable:
    """Return any network, as parts in a row that end in features [n, width], to be trained on values on a device."""

    def read(stages: nn.ModuleList, batch: Batch) -> Features:
        return (run_stages(stages, batch).values,)

    stages = nn.ModuleList([PlainStage(part) for part in parts]).to(values.device)
    head, recipe = zero_head([width], classes).to(values.device), LoopRecipe(batch_size=batch_size, learning_rate=1e-4)
    return _paced(Trainable(stages, head, Batch(values), labels, read, _any_classes(classes), recipe))


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


def _paced(start: Trainable) -> Trainable:
    """Return the same in the precision that the product chooses for it."""
    parameters = sum(parameter.numel() for part in (start.stages, start.head) for parameter in part.parameters())
    precision = settled_precision(start.inputs.device, parameters, "auto")
    if precision is None:
        precision = time_passes(Trial("", "", 1.0, "", start.adaptation(), start.recipe)).faster
    return replace(start, precision=precision)


def _through(backbone: Backbone) -> Read:
    """Return what reads pooled features off stages that take the place of the backbone's uppermost ones."""

    def read(stages: nn.ModuleList, batch: Batch) -> Features:
        return read_stages(backbone, stages, batch, POOLED)

    return read


def _budgets(ready: Material) -> Budgets:
    target, train = ready.task.target, ready.split.train
    return Budgets(target, train.labels[target.reads], train.facts)


def _any_classes(count: int) -> Classes:
    return Classes(tuple(map(str, range(count))))


def _classes_of(examples: Examples) -> Indices:
    found: Indices = examples.labels[LABEL][LABEL]
    return found
