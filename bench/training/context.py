"""What the cells of one task and backbone share: inputs, network, activations, heads and the freeze contract.

A context holds no labels: they reach a strategy through its budgets alone.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import torch
from torch import nn

from bench.backbone import Backbone, Head, Reader, TokenStage, state_hash
from bench.cell import Work
from bench.column import Indices
from bench.context import Context
from bench.domain import Raw
from bench.errors import FreezeError
from bench.probing.heads import Heads
from bench.readout import Readout
from bench.runtime.arithmetic import PrecisionRequest
from bench.runtime.cache import Cache, content_key
from bench.runtime.limits import DEFAULT_MEMORY_BYTES
from bench.target import Target
from bench.task import Examples, Split
from bench.training.activations import Activations
from bench.training.inference import ReadFeatures
from bench.training.inputs import Inputs, MemoryBudget, prepare
from bench.training.pace import PrecisionChooser
from bench.training.vocabulary import Vocabulary

AUTO: Final = PrecisionRequest()

WHOLE_SPLIT: Final = 0.5
"""Share of a split from which all of it is run through the frozen stages: then any later budget finds it done."""


class NetworkContext(Context):
    """One task's inputs seen through one backbone, on one device."""

    def __init__(
        self,
        task: str,
        target: Target,
        split: Split,
        backbone: Backbone,
        *,
        needed: Indices,
        boundaries: frozenset[int],
        content: str,
        cache: Cache,
        device: torch.device,
        memory_bytes: int = DEFAULT_MEMORY_BYTES,
        decoders: int = 1,
        request: PrecisionRequest = AUTO,
    ) -> None:
        """`content` is a hash of the split; `needed` are the training rows that some cell to come will see.

        Activations at `boundaries` will be asked for. At most `memory_bytes` of examples are held, beside their
        features, and as much of shifted ones if these are asked for; `decoders` threads read their files. `request`
        says in which precision stages are trained.
        """
        super().__init__(task, target, split, needed=needed, content=content, cache=cache)
        train = split.train
        self.backbone = backbone
        self.device = device
        self.precisions = PrecisionChooser(request, cache=cache, device=device)
        self._memory_bytes = memory_bytes
        self._decoders = decoders
        self._boundaries = boundaries
        self._hashes = [state_hash(stage) for stage in backbone.stages]
        needed = needed if len(needed) else np.array([0])  # budgets without labels: no network runs on nothing
        kept = needed if len(needed) < WHOLE_SPLIT * len(train) else np.arange(len(train))
        self._places = np.full(len(train), -1, dtype=np.int64)  # of each training example among those kept
        self._places[kept] = np.arange(len(kept))
        part = "" if len(kept) == len(train) else f" {content_key(kept.tolist())}"
        memory = MemoryBudget(memory_bytes)
        test = prepare(backbone, split.test.raw, memory=memory, decoders=decoders)
        learnt = prepare(backbone, train.raw.take(kept), memory=memory, decoders=decoders)
        self._train = self._activations(f"train{part}", learnt, memory)
        self._test = self._activations("test", test, memory)
        self._others: dict[Raw, tuple[str, Inputs]] = {}
        self._left_for_others = MemoryBudget(memory_bytes)  # its own: what is granted here changes no plain score
        self._vocabulary = self._find_vocabulary(learnt, test) if isinstance(backbone.stages[0], TokenStage) else None

    @cached_property
    def heads(self) -> Heads:
        """The linear heads of the target, solved on features of the training examples."""
        readout = self.target.readout
        return Heads(
            self.target,
            _Features(self, readout),
            facts=self.train.facts,
            groups=self.train.groups,
            content=self._train.features_key(readout),
            prior=self.brought if isinstance(self.brought, Head) else None,
            cache=self.cache,
        )

    @cached_property
    def brought(self) -> Head | Reader | None:
        """What came with the weights for the target."""
        return self.backbone.brings(self.target)

    @property
    def solves(self) -> bool:
        """Whether linear heads are solved. A whole reader that was brought is trained, by its own loss."""
        return self.target.objective.problem() is not None and not isinstance(self.brought, Reader)

    def readout(self, *, brought: bool) -> Readout:
        """Return how the network is read: as the target says, or a whole reader if one is to be used as `brought`."""
        reads = self.brought if brought else None
        return reads.readout if isinstance(reads, Reader) else self.target.readout

    @property
    def n_stages(self) -> int:
        """The number of stages of the backbone."""
        return len(self.backbone.stages)

    def examples(self, rows: Indices, boundary: int, readout: Readout) -> Inputs:
        """Return training examples after the stages below `boundary`, on the device."""
        return self._pruned(boundary, self.seen(rows, boundary, readout))

    def seen(self, rows: Indices, boundary: int, readout: Readout) -> Inputs:
        """Return training examples as `inputs_of` returns others: to be predicted by a whole network."""
        return self._train.at(boundary, readout).take(torch.from_numpy(self._places[rows]))

    def inputs_of(self, raw: Raw, boundary: int, readout: Readout) -> Inputs:
        """Return any other examples after the stages below `boundary`, on the device; their tokens are those of all."""
        return self._activations_of(raw).at(boundary, readout)

    def unlabelled_inputs(self, boundary: int, readout: Readout) -> Inputs:
        """Return the task's unlabelled inputs after the stages below `boundary`, on the device, to be learnt from."""
        assert self.unlabelled is not None, "a strategy that asks for unlabelled inputs says so in `requires`"
        self.name(self.unlabelled, "unlabelled")
        return self._pruned(boundary, self._activations_of(self.unlabelled).at(boundary, readout))

    def features(self, rows: Indices, readout: Readout) -> ReadFeatures:
        """Return the features of training examples, on the device."""
        return self._train.features(readout).take(torch.from_numpy(self._places[rows]))

    def features_of(self, raw: Raw, readout: Readout) -> ReadFeatures:
        """Return the features of any other examples, on the device."""
        return self._activations_of(raw).features(readout)

    def name(self, raw: Raw, name: str) -> None:
        """Name further inputs: under this name their activations are found in the cache."""
        if raw not in self._others:
            inputs = prepare(self.backbone, raw, memory=self._left_for_others, decoders=self._decoders)
            self._others[raw] = name, inputs

    def prune(self, boundary: int, stages: nn.ModuleList) -> None:
        """Leave in stages copied from above `boundary` the tokens of this task alone, as `examples` number them."""
        if boundary == 0 and self._vocabulary is not None:
            first = stages[0]
            assert isinstance(first, TokenStage)
            self._vocabulary.prune(first)

    def restore(self, boundary: int, stages: nn.ModuleList, whole: Callable[[], nn.ModuleList]) -> None:
        """Undo `prune`: rows of tokens that this task does not hold are those of the same stages before, `whole`."""
        if boundary == 0 and self._vocabulary is not None:
            first, before = stages[0], whole()[0]
            assert isinstance(first, TokenStage)
            assert isinstance(before, TokenStage)
            self._vocabulary.restore(first, before.table)

    def frozen_work(self, boundary: int, readout: Readout) -> list[Work]:
        """Return what the activations of train and test took, whenever they were made; makes what is missing."""
        both = (self._train, self._test)
        if boundary == self.n_stages:
            return [work for one in both for work in one.features_work(readout)]
        return [work for one in both for work in one.work(boundary, readout)]

    def check_frozen(self, boundary: int) -> None:
        """Raise `FreezeError` if any parameter or buffer below `boundary` is not what was loaded."""
        frozen = zip(self.backbone.card.stages, self.backbone.stages, self._hashes, strict=True)
        for name, stage, before in list(frozen)[:boundary]:
            if state_hash(stage) != before:
                raise FreezeError(
                    f"stage {name!r} of {self.backbone.card.name} was to stay frozen, but its parameters or buffers "
                    "moved"
                )

    def _activations_of(self, raw: Raw) -> Activations:
        """Return the activations of examples that are tested on, or of any others.

        Of the others nothing stays on the device: neither time nor memory of a cell tells that it was scored on them.
        """
        if raw is self.tested:
            return self._test
        if raw not in self._others:
            hashes = (hashlib.sha256(piece).hexdigest() for piece in raw.columns())
            self.name(raw, f"other {content_key(*hashes)}")
        name, inputs = self._others[raw]
        return self._activations(name, inputs, MemoryBudget(self._memory_bytes))

    def _find_vocabulary(self, *inputs: Inputs) -> Vocabulary:
        """Return the tokens of all that a network may be trained or tested on."""
        if self.unlabelled is None:
            return Vocabulary(*inputs)
        self.name(self.unlabelled, "unlabelled")
        return Vocabulary(*inputs, self._others[self.unlabelled][1])

    def _pruned(self, boundary: int, inputs: Inputs) -> Inputs:
        return inputs if boundary or self._vocabulary is None else self._vocabulary.renumber(inputs)

    def _activations(self, split: str, inputs: Inputs, memory: MemoryBudget) -> Activations:
        return Activations(
            self.backbone,
            inputs,
            content=f"{split} of {self.content}",
            cache=self.cache,
            device=self.device,
            boundaries=self._boundaries,
            memory=memory,
            check=lambda: self.check_frozen(self.n_stages),
        )


def network_of(context: Context) -> NetworkContext:
    """Return a context that has a backbone: that of every strategy that requires one."""
    assert isinstance(context, NetworkContext), "a strategy that asks for a backbone says so in `requires`"
    return context


def see_through(context: Context, backbone: Backbone) -> NetworkContext:
    """Return a context without a backbone seen through a network that is trained as a whole, on the CPU."""
    split = Split(context.train, Examples(context.tested, {}), context.unlabelled, context.source)
    return NetworkContext(
        context.task,
        context.target,
        split,
        backbone,
        needed=context.needed,
        boundaries=frozenset({0}),
        content=context.content,
        cache=context.cache,
        device=torch.device("cpu"),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Features:
    """Features of training examples, as one readout has them."""

    context: NetworkContext
    readout: Readout

    def read(self, rows: Indices) -> ReadFeatures:
        return self.context.features(rows, self.readout)
