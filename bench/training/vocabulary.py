"""Leaving out of a token table what no example of a task holds.

Rows that no example looks up get no gradient and change no output, but a gradient step pays for all of them: of 30,522
rows of MiniLM a task of 7,000 short texts uses a tenth.
"""

import copy
from dataclasses import replace

import torch
from torch import nn

from bench.backbone import Batch, TokenStage
from bench.training.inputs import Inputs


class Vocabulary:
    """The tokens of some examples."""

    def __init__(self, *inputs: Inputs) -> None:
        """`inputs` hold token ids [n, length]."""
        self._ids = torch.cat([_held(one).values.flatten() for one in inputs]).unique(sorted=True)

    def renumber(self, inputs: Inputs) -> Batch:
        """Return token ids as positions in a pruned table."""
        inputs = _held(inputs)
        return replace(inputs, values=torch.searchsorted(self._ids.to(inputs.values.device), inputs.values))

    def prune(self, stage: TokenStage) -> None:
        """Leave in the stage's table only the rows of these tokens."""
        rows = stage.table.weight.detach()[self._ids.to(stage.table.weight.device)]
        frozen = not stage.table.weight.requires_grad
        stage.look_up_in(nn.Embedding.from_pretrained(rows.clone(), freeze=frozen))

    def restore(self, stage: TokenStage, whole: nn.Embedding) -> None:
        """Put the rows of a pruned table in their places in a copy of the `whole` one, and that into the stage."""
        rows = stage.table.weight.detach()
        table = copy.deepcopy(whole).to(rows.device)
        with torch.no_grad():
            table.weight[self._ids.to(rows.device)] = rows
        stage.look_up_in(table)


def _held(inputs: Inputs) -> Batch:
    assert isinstance(inputs, Batch), "tokens are always held in memory"
    return inputs
