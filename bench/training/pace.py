"""Choose the precision of gradient steps by timing them, once per machine and network.

An instruction set does not say which precision is faster: with `avx512_bf16`, some processors train 1.7 times as fast
in bfloat16 as in float32, others at 0.6 of its speed. Nor may a score depend on a noisy moment: seconds of the
processor are compared, bfloat16 has to win clearly, and the choice is kept in the cache, where all processes of a run
and all later runs find it.
"""

import json
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

import torch

from bench.runtime.arithmetic import Precision, PrecisionChoice, PrecisionRequest
from bench.runtime.cache import Cache, content_key
from bench.runtime.precision import autocast, settled_precision
from bench.runtime.provenance import describe_run
from bench.strategy import LoopRecipe
from bench.training.loop import Adaptation, Term, leaving_no_trace, set_training

ALGORITHM: Final = 1
"""Raised when the choice is made otherwise: choices kept before are not read any more."""

CLEARLY: Final = 1.1
"""How many times as fast bfloat16 must be to be chosen. Below it noise would decide, and float32 rounds less."""

SECONDS: Final = 0.1
"""After which no further pair of passes begins."""

CPU: Final = torch.device("cpu")

LIMITS: Final = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
"""Variables that hold the library of matrix products back, which the flags of the processor do not tell."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What to time: the first term of an adaptation. `name` tells its network and data from all others.

    `depth` is the share of the backbone's stages that are trained.
    """

    task: str
    backbone: str
    depth: float
    name: str
    adaptation: Adaptation
    recipe: LoopRecipe

    @property
    def term(self) -> Term:
        """The term that is timed."""
        return self.adaptation.terms[0]

    @property
    def batch_size(self) -> int:
        """The number of examples in a step."""
        return min(self.recipe.batch_size, len(self.term.inputs))


class Times(NamedTuple):
    """Seconds of the processor for one forward and backward pass."""

    float32: float
    bfloat16: float

    @property
    def faster(self) -> Precision:
        """The precision to train in."""
        return "bfloat16" if self.float32 > CLEARLY * self.bfloat16 else "float32"


class Chosen(NamedTuple):
    """A precision, and the choice behind it if there was one."""

    precision: Precision
    choice: PrecisionChoice | None = None


class PrecisionChooser:
    """Chooses the precisions of gradient steps on one device."""

    def __init__(self, request: PrecisionRequest, *, cache: Cache, device: torch.device) -> None:
        self._request = request
        self._cache = cache
        self._device = device

    def choose(self, trial: Trial, parameters: int) -> Chosen:
        """Return the precision for a network with so many trained parameters, timing it if nobody did before.

        The stages and the head are as before afterwards.
        """
        settled = settled_precision(self._device, parameters, self._request.wanted)
        if settled is not None:
            return Chosen(settled)
        key = content_key("precision", ALGORITHM, *machine_identity(), trial.name, trial.depth, trial.batch_size)
        choice = self._request.known.get(key) or self._timed(key, trial)
        return Chosen(choice.precision, choice)

    def _timed(self, key: str, trial: Trial) -> PrecisionChoice:
        def make(path: Path) -> None:
            path.write_text(json.dumps(asdict(_choose(key, trial))), encoding="utf-8")

        described = f"faster precision, {trial.task}, {trial.backbone}, {trial.depth:.0%} of stages"
        kept = PrecisionChoice(**json.loads(self._cache.fetch(key, described, make).read_bytes()))
        return replace(kept, task=trial.task, backbone=trial.backbone)  # which may have had other names then


def machine_identity() -> tuple[str, ...]:
    """Return what the speed of this process's products depends on."""
    flags = sorted(name for name, value in torch.cpu.get_capabilities().items() if value is True)
    return (
        describe_run(CPU).processor,
        " ".join(flags),
        torch.backends.cpu.get_cpu_capability(),
        str(torch.__version__),
        str(torch.get_num_threads()),
        *(os.environ.get(name, "") for name in LIMITS),
    )


def time_passes(trial: Trial) -> Times:
    """Return how long a forward and a backward pass take over the first batch, in each precision.

    They take turns, and the least of each counts: other processes only ever add to it. The first turn is not counted,
    in which the products are compiled for their shapes.
    """
    rows = torch.arange(trial.batch_size)
    (batch,) = trial.term.inputs.batches([rows])
    generator = torch.Generator(batch.device)

    def seconds(precision: Precision) -> float:
        start = time.process_time()
        with autocast(batch.device, precision):
            loss = trial.term.loss(trial.adaptation.forward, batch, rows, generator)
        loss.backward()
        return time.process_time() - start

    with leaving_no_trace((trial.adaptation.network, *trial.term.modules)):
        set_training(trial.adaptation.network, trial.recipe, trial.adaptation.learning)
        seconds("float32"), seconds("bfloat16")
        pairs: list[Times] = []
        begun = time.perf_counter()
        while not pairs or time.perf_counter() - begun < SECONDS:
            pairs.append(Times(seconds("float32"), seconds("bfloat16")))
    return Times(min(pair.float32 for pair in pairs), min(pair.bfloat16 for pair in pairs))


def _choose(key: str, trial: Trial) -> PrecisionChoice:
    times = time_passes(trial)
    return PrecisionChoice(
        key=key,
        processor=describe_run(CPU).processor,
        task=trial.task,
        backbone=trial.backbone,
        depth=trial.depth,
        batch_size=trial.batch_size,
        float32_seconds=round(times.float32, 6),
        bfloat16_seconds=round(times.bfloat16, 6),
        precision=times.faster,
    )
