"""Remaking the bundled backbones: each from its source data, by its recipe, with a fixed seed.

Pretraining is training from scratch on another task, so it runs in the one gradient loop.
"""

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol

import torch
from torch import Tensor

from bench.backbone import Batch, Features, Head, Pretrained, Reader, read_stages
from bench.backbones.bundled import resnet, series
from bench.backbones.bundled.opening import ARCHITECTURES, Bundled, save_bundled
from bench.backbones.catalog import WEIGHTS
from bench.card import BackboneCard
from bench.domain import DomainName
from bench.pretraining.letters import Letters
from bench.pretraining.synthetic_series import SyntheticSeries
from bench.pretraining.words import Words
from bench.probing.encoded import encode_labels
from bench.probing.linear import LinearHead
from bench.readout import Readout
from bench.runtime.cache import file_sha256
from bench.strategy import LoopRecipe
from bench.subsets.seeds import stream, torch_seed
from bench.target import Target
from bench.task import Examples, Split
from bench.training.fitting import stage_rates
from bench.training.inference import read_all
from bench.training.loop import Adaptation, Forward, Rate, Term, train

log = logging.getLogger(__name__)

SEED: Final = 0
THREADS: Final = 1
"""Fixed, since sums taken in another order round differently."""


class Source(Protocol):
    """Data to pretrain on, a part of them held out."""

    @property
    def name(self) -> str:
        """The name of the backbone that learns from it."""
        ...

    @property
    def target(self) -> Target:
        """What is to be predicted."""
        ...

    def split(self) -> Split:
        """Return the data, the same ones every time."""
        ...

    def augment(self, values: Tensor, generator: torch.Generator) -> Tensor:
        """Return prepared inputs [n, …] seen anew."""
        ...


@dataclass(frozen=True, slots=True)
class Pretraining:
    """A source, how its backbone learns from it, and what the card says of both.

    `keeps_head` is whether the head is kept with the weights, since a task may ask for the same. `noted` is what the
    card says of the loss.
    """

    source: Source
    recipe: LoopRecipe
    steps: int
    domain: DomainName
    title: str
    description: str
    subjects: tuple[str, ...]
    width: int
    stages: tuple[str, ...]
    keeps_head: bool = False
    noted: Mapping[str, object] = field(default_factory=dict)


PRETRAININGS: Final[Mapping[str, Pretraining]] = {
    "glyphs": Pretraining(
        source=Letters(),
        recipe=LoopRecipe(learning_rate=3e-3, head_learning_rate=3e-3, weight_decay=0.05, batch_size=128, warmup=0.05),
        steps=1500,
        domain="vision",
        title="Glyphs",
        description="A small ResNet trained to read letters rendered from fonts; it never saw a digit.",
        subjects=("letters", "typefaces"),
        width=resnet.WIDTH,
        stages=resnet.STAGES,
        noted={"label_smoothing": Letters.target.smoothing},
    ),
    "spoken-words": Pretraining(
        source=Words(),
        recipe=LoopRecipe(learning_rate=3e-3, head_learning_rate=3e-3, weight_decay=0.05, batch_size=64),
        steps=2800,
        domain="audio",
        title="Spoken words",
        description="A small ResNet on log-mel spectrograms, trained to tell synthesised words apart, none a digit.",
        subjects=("spoken words", "synthesised speech"),
        width=resnet.WIDTH,
        stages=resnet.STAGES,
        noted={"label_smoothing": Words.target.smoothing},
    ),
    "series": Pretraining(
        source=SyntheticSeries(),
        recipe=LoopRecipe(learning_rate=3e-3, head_learning_rate=3e-3, batch_size=64, warmup=0.05),
        steps=40_000,
        domain="series",
        title="Synthetic series",
        description="A small PatchTST trained to forecast synthetic series; it never saw a real one.",
        subjects=("synthetic series",),
        width=series.WIDTH,
        stages=series.STAGES,
        keeps_head=True,
    ),
}


def pretrain(name: str, device: str, folder: Path = WEIGHTS) -> BackboneCard:
    """Make the bundled backbone `name` anew, write its weights and card into `folder`, and return the card.

    Takes five to ten minutes on one core. The same machine and versions give the same bytes.
    """
    start = time.perf_counter()
    torch.set_num_threads(THREADS)
    made = PRETRAININGS[name]
    split = made.source.split()
    backbone, head = _drawn(name, made)
    backbone.to(device), head.to(device)
    log.info("%s: %d steps on %d examples", name, made.steps, len(split.train))
    _train(made, backbone, head, split.train)
    if made.keeps_head:
        backbone.pretrained = Pretrained(made.source.target, Head(head.weight.detach().T, head.bias.detach()))
    path = folder / f"{name}.safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    save_bundled(backbone, path)
    pretraining = {
        "source": made.source.name,
        "examples": len(split.train),
        "seed": SEED,
        "steps": made.steps,
        "recipe": made.recipe.model_dump(exclude_unset=True),
        **made.noted,
        **_scored(backbone, head, made.source.target, split.test),
    }
    brings = (made.source.target.identity,) if made.keeps_head else ()
    card = replace(backbone.card, sha256=file_sha256(path), pretraining=pretraining, brings=brings)
    text = json.dumps(asdict(card), indent=2, ensure_ascii=False)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    log.info("%s: %s in %.0f s, written to %s", name, pretraining, time.perf_counter() - start, path)
    return card


def _train(made: Pretraining, backbone: Bundled, head: LinearHead, examples: Examples) -> None:
    """Train a backbone and a head in place on labelled examples, seen anew at every step."""
    target, device = made.source.target, head.weight.device
    labels = examples.labels[target.reads]
    inputs = backbone.prepare(examples.raw).to(device)
    encoded = encode_labels(target.codec.fit(labels), labels, inputs.geometry, changes=False, device=device)

    def forward(batch: Batch, readout: Readout) -> Features:
        return read_stages(backbone, backbone.stages, batch, readout)

    def loss(forward: Forward, batch: Batch, rows: Tensor, generator: torch.Generator) -> Tensor:
        seen = replace(batch, values=made.source.augment(batch.values, generator))
        outputs = head(forward(seen, target.readout))
        return target.objective.loss(outputs, encoded.of(rows, batch.geometry), batch.geometry)

    rates = [*stage_rates(backbone.stages, made.recipe), Rate(list(head.parameters()), made.recipe.head_learning_rate)]
    train(
        Adaptation(backbone.stages, forward, rates, [Term(inputs, loss, (head,))]),
        made.recipe,
        steps=made.steps,
        order=stream(SEED, "order"),
    )


def _drawn(name: str, made: Pretraining) -> tuple[Bundled, LinearHead]:
    """Return the backbone and a head as they are before the first step."""
    card = BackboneCard(
        name=f"bundled:{name}",
        title=made.title,
        domain=made.domain,
        description=made.description,
        subjects=made.subjects,
        source=f"made by `python -m bench pretrain {name}`",
        licence="Apache-2.0",
        citation="this project",
        sha256="",
        parameters=0,
        width=made.width,
        stages=made.stages,
    )
    head = made.source.target.objective.head((made.width,))
    assert isinstance(head, LinearHead), "a backbone is pretrained under a linear head"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(SEED, "initialisation"))
        backbone = ARCHITECTURES[name](card)
        head.reset_parameters()  # no gradient would reach the stages through zeros
    backbone.card = replace(card, parameters=sum(parameter.numel() for parameter in backbone.parameters()))
    return backbone, head


def _scored(backbone: Bundled, head: LinearHead, target: Target, held_out: Examples) -> dict[str, float]:
    """Return the score on what was held out, under its name on the card."""
    inputs = backbone.prepare(held_out.raw).to(head.weight.device)
    read = read_all(backbone, backbone.stages, inputs, target.readout, precision="float32")
    predictions = Reader(target.readout, target.codec, target.objective, head).predict(read.features, read.geometry)
    metric = target.metrics[0]
    score = metric.compute(predictions, held_out.labels[target.reads], held_out.facts)
    assert score is not None, "what is held out defines the score"
    return {f"held_out_{metric.card.name}": round(score, 4)}
