"""Owns remaking the bundled backbones: each from its source data, by its recipe, with a fixed seed.

Pretraining is training from scratch on another task, so it runs in the one gradient loop.
"""

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Protocol

import torch
from torch import Tensor, nn

from bench.backbone import Head, Pretrained
from bench.backbones.bundled import resnet, series
from bench.backbones.bundled.opening import ARCHITECTURES, Bundled, save_bundled
from bench.backbones.catalog import WEIGHTS
from bench.card import BackboneCard
from bench.domain import Domain
from bench.planning.seeds import stream, torch_seed
from bench.pretraining.letters import Letters
from bench.pretraining.synthetic_series import SyntheticSeries
from bench.pretraining.words import Words
from bench.runtime.cache import file_sha256
from bench.strategy import Recipe
from bench.target import Classes, Horizon, Target
from bench.task import Examples, Splits
from bench.training.fit import fit
from bench.training.inference import forward_all

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

    def load(self) -> Splits:
        """Return the data, the same ones every time."""
        ...

    def augment(self, values: Tensor, generator: torch.Generator) -> Tensor:
        """Return prepared inputs [n, …] seen anew."""
        ...


@dataclass(frozen=True, slots=True)
class Pretraining:
    """A source, how its backbone learns from it, and what the card says of both."""

    source: Source
    recipe: Recipe
    steps: int
    domain: Domain
    title: str
    description: str
    subjects: tuple[str, ...]
    width: int
    stages: tuple[str, ...]


PRETRAININGS: Final[Mapping[str, Pretraining]] = {
    "glyphs": Pretraining(
        source=Letters(),
        recipe=Recipe(learning_rate=3e-3, head_learning_rate=3e-3, weight_decay=0.05, batch_size=128, warmup=0.05),
        steps=1500,
        domain="vision",
        title="Glyphs",
        description="A small ResNet trained to read letters rendered from fonts; it never saw a digit.",
        subjects=("letters", "typefaces"),
        width=resnet.WIDTH,
        stages=resnet.STAGES,
    ),
    "spoken-words": Pretraining(
        source=Words(),
        recipe=Recipe(learning_rate=3e-3, head_learning_rate=3e-3, weight_decay=0.05, batch_size=64),
        steps=2800,
        domain="audio",
        title="Spoken words",
        description="A small ResNet on log-mel spectrograms, trained to tell synthesised words apart, none a digit.",
        subjects=("spoken words", "synthesised speech"),
        width=resnet.WIDTH,
        stages=resnet.STAGES,
    ),
    "series": Pretraining(
        source=SyntheticSeries(),
        recipe=Recipe(learning_rate=3e-3, head_learning_rate=3e-3, batch_size=64, warmup=0.05),
        steps=40_000,
        domain="series",
        title="Synthetic series",
        description="A small PatchTST trained to forecast synthetic series; it never saw a real one.",
        subjects=("synthetic series",),
        width=series.WIDTH,
        stages=series.STAGES,
    ),
}


def pretrain(name: str, device: str, folder: Path = WEIGHTS) -> BackboneCard:
    """Make the bundled backbone `name` anew, write its weights and card into `folder`, and return the card.

    Takes five to ten minutes on one core. The same machine and versions give the same bytes.
    """
    start = time.perf_counter()
    torch.set_num_threads(THREADS)
    made = PRETRAININGS[name]
    splits = made.source.load()
    backbone, head = _drawn(name, made)
    backbone.to(device), head.to(device)
    log.info("%s: %d steps on %d examples", name, made.steps, len(splits.train))
    encoded = torch.from_numpy(made.source.target.encode(splits.train.labels, splits.train.raw))
    fit(
        backbone.stages,
        head,
        backbone.prepare(splits.train.raw).to(torch.device(device)),
        encoded.to(device),
        target=made.source.target,
        recipe=made.recipe,
        steps=made.steps,
        order=stream(SEED, "order"),
        augment=made.source.augment,
    )
    if isinstance(made.source.target, Horizon):  # a task may ask for the same
        backbone.pretrained = Pretrained(made.source.target, Head(head.weight.detach().T, head.bias.detach()))
    path = folder / f"{name}.safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    save_bundled(backbone, path)
    pretraining = {
        "source": made.source.name,
        "examples": len(splits.train),
        "seed": SEED,
        "steps": made.steps,
        "recipe": made.recipe.model_dump(exclude_unset=True),
        **({"label_smoothing": made.source.target.smoothing} if isinstance(made.source.target, Classes) else {}),
        f"held_out_{made.source.target.metric.name}": round(_score(backbone, head, made.source.target, splits.test), 4),
    }
    card = replace(backbone.card, sha256=file_sha256(path), pretraining=pretraining)
    text = json.dumps(asdict(card), indent=2, ensure_ascii=False)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    log.info("%s: %s in %.0f s, written to %s", name, pretraining, time.perf_counter() - start, path)
    return card


def _drawn(name: str, made: Pretraining) -> tuple[Bundled, nn.Linear]:
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
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(SEED, "initialisation"))
        backbone = ARCHITECTURES[name](card)
        head = nn.Linear(made.width, made.source.target.width)
    backbone.card = replace(card, parameters=sum(parameter.numel() for parameter in backbone.parameters()))
    return backbone, head


def _score(backbone: Bundled, head: nn.Linear, target: Target, held_out: Examples) -> float:
    features = forward_all(
        backbone.stages, backbone.prepare(held_out.raw).to(head.weight.device), precision="float32"
    ).values
    with torch.inference_mode():
        outputs = head(features).cpu().numpy()
    return target.score(target.decode(outputs, held_out.raw), held_out.labels, held_out.raw)
