"""Adapted networks: how they start, and the models that they become."""

import copy
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from bench.backbone import Batch, Features, Reader, read_stages
from bench.budget import Budget
from bench.column import Column
from bench.domain import Raw
from bench.probing.encoded import encode_labels
from bench.probing.linear import put
from bench.readout import Readout
from bench.runtime.arithmetic import Precision
from bench.strategy import Cost, Parts
from bench.subsets.seeds import torch_seed
from bench.training.context import NetworkContext
from bench.training.inference import ReadFeatures, read_all
from bench.training.inputs import Inputs
from bench.training.loop import Forward, Term


def fresh_reader(context: NetworkContext, labels: Column, *, brought: bool) -> Reader:
    """Return a reader with a head that puts out zeros, or what is `brought` by the backbone if there is anything.

    Of a whole reader the head is a copy. A linear head that was brought speaks on the scale of a codec that is not
    fitted to labels, and so does what is made of it. Whatever a head draws is the same for all cells.
    """
    target, backbone = context.target, context.backbone
    with_weights = context.brought if brought else None
    if isinstance(with_weights, Reader):
        return replace(with_weights, head=copy.deepcopy(with_weights.head).to(context.device), brought=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(0, "initialisation"))
        head = target.objective.head(backbone.widths(target.readout))
    if with_weights is not None:
        put(with_weights, head)
    codec = target.codec.fit(labels) if len(labels) and with_weights is None else target.codec
    return Reader(target.readout, codec, target.objective, head.to(context.device))


@dataclass(frozen=True, slots=True, eq=False)
class AdaptedNetwork:
    """A backbone of which the stages from `frozen` on are the `network`'s, and a reader."""

    context: NetworkContext
    frozen: int
    network: nn.ModuleList
    reader: Reader
    cost: Cost
    precision: Precision

    def predict(self, raw: Raw) -> Column:
        """Return predictions on the scale of the labels."""
        readout = self.reader.readout
        if not len(self.network):
            read = self.context.features_of(raw, readout)
        else:
            read = self.read(self.context.inputs_of(raw, self.frozen, readout))
        return self.reader.predict(read.features, read.geometry)

    def read(self, inputs: Inputs) -> ReadFeatures:
        """Return the features of examples as they are after the stages below the network."""
        return read_all(self.context.backbone, self.network, inputs, self.reader.readout, precision=self.precision)

    def parts(self) -> Parts:
        """Return all stages, those of the backbone below the network's, and the head."""
        stages = nn.ModuleList([*self.context.backbone.stages[: self.frozen], *self.network])
        reader = self.reader
        return Parts(stages, reader.head, self.frozen, reader.codec.state(), brought=reader.brought)


def stages_from(context: NetworkContext, frozen: int) -> nn.ModuleList:
    """Return a copy of the pretrained stages from `frozen` on."""
    return copy.deepcopy(context.backbone.stages[frozen:])


def drawn_stages(context: NetworkContext, frozen: int, seed: int) -> nn.ModuleList:
    """Return the stages from `frozen` on of the same network with its weights drawn anew."""
    drawn = copy.deepcopy(context.backbone)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(seed, "initialisation"))
        drawn.initialise()
    return drawn.stages[frozen:]


def forward_through(context: NetworkContext, network: nn.ModuleList) -> Forward:
    """Return what runs a batch through a network that stands in the place of the backbone's uppermost stages."""

    def forward(batch: Batch, readout: Readout) -> Features:
        return read_stages(context.backbone, network, batch, readout)

    return forward


def supervised(context: NetworkContext, budget: Budget[Column], reader: Reader, frozen: int) -> Term:
    """Return the loss on the labels of a budget; inputs are augmented where nothing of them is cached."""
    backbone, inputs = context.backbone, context.examples(budget.rows, frozen, reader.readout)
    augments = backbone.augments and frozen == 0
    encoded = encode_labels(
        reader.codec,
        budget.labels,
        inputs.geometry,
        changes=augments or not inputs.held,
        device=context.device,
    )

    def loss(forward: Forward, batch: Batch, rows: Tensor, generator: torch.Generator) -> Tensor:
        seen = backbone.augment(batch, generator) if augments else batch
        outputs = reader.head(forward(seen, reader.readout))
        return reader.objective.loss(outputs, encoded.of(rows, seen.geometry), seen.geometry)

    return Term(inputs, loss, (reader.head,))


def count_parameters(module: nn.Module) -> int:
    """Return the number of parameters of a module."""
    return sum(parameter.numel() for parameter in module.parameters())
