"""The bundled series backbone: a small PatchTST from `transformers`, cut into stages."""

from typing import Final, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PatchTSTConfig, PatchTSTModel
from transformers.models.patchtst.modeling_patchtst import PatchTSTEncoder, PatchTSTPatchify

from bench.backbone import Backbone, Batch, Stage
from bench.card import BackboneCard
from bench.domain import Raw
from bench.domains.series.raw import expect_windows, scaled

CONTEXT: Final = 96
PATCH: Final = 24
HIDDEN: Final = 128
LAYERS: Final = 3
WIDTH: Final = CONTEXT // PATCH * HIDDEN
STAGES: Final = ("embedding", *(f"layer{number}" for number in range(1, LAYERS + 1)))


@final
class Series(Backbone):
    """A patch transformer (PatchTST: Nie et al. 2023, arXiv:2211.14730) over the last 96 steps of a series.

    Its features are the hidden states of all patches, one after the other: the residual stream carries each patch's
    linear embedding to the end, so that a linear head on the features can be at least a linear autoregression.
    """

    def __init__(self, card: BackboneCard) -> None:
        super().__init__()
        self.card = card
        self.network = build()
        self.stages = as_stages(self.network)

    def prepare(self, raw: Raw) -> Batch:
        """Return windows [n, 96], each of mean 0 and deviation 1 over its own past.

        A longer past loses its earliest steps; a shorter one is preceded by copies of its earliest value.
        """
        values, scale = scaled(expect_windows(raw))
        return Batch(torch.from_numpy(fit_context(values, CONTEXT)), geometry=scale)

    def initialise(self) -> None:
        """Draw every parameter anew from torch's default generator."""
        self.network.load_state_dict(build().state_dict())


def build() -> PatchTSTModel:
    """Return a PatchTST for one channel and 96 steps, freshly drawn, 0.4 million parameters, all trainable.

    It neither scales, since `prepare` does, nor masks, nor drops anything out.
    """
    network = PatchTSTModel(
        PatchTSTConfig(
            num_input_channels=1,
            context_length=CONTEXT,
            patch_length=PATCH,
            patch_stride=PATCH,
            d_model=HIDDEN,
            num_hidden_layers=LAYERS,
            num_attention_heads=4,
            ffn_dim=2 * HIDDEN,
            norm_type="layernorm",
            scaling=None,
            do_mask_input=False,
        )
    )
    # The sine and cosine positions are only where learning starts.
    return network.requires_grad_()


def as_stages(network: PatchTSTModel) -> nn.ModuleList:
    """Return the embedding and each encoder layer, the last flattened to features, sharing the network's parameters."""
    encoder = network.encoder
    *lower, last = encoder.layers
    return nn.ModuleList([Embedding(network.patchifier, encoder), *(Layer(layer) for layer in lower), Features(last)])


def fit_context(values: NDArray[np.float32], context: int) -> NDArray[np.float32]:
    """Return the last steps of `values` [n, length], or all of them after copies of the first; shape [n, context]."""
    missing = max(0, context - values.shape[1])
    return np.ascontiguousarray(np.pad(values, ((0, 0), (missing, 0)), mode="edge")[:, -context:])


@final
class Embedding(Stage):
    """Windows [n, context] to embedded patches with their positions [n, 1, patches, hidden]."""

    def __init__(self, patchify: PatchTSTPatchify, encoder: PatchTSTEncoder) -> None:
        super().__init__()
        self.patchify = patchify
        self.embedder = encoder.embedder
        self.positions = encoder.positional_encoder

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        out: Tensor = self.positions(self.embedder(self.patchify(values[:, :, None])))
        return out


@final
class Layer(Stage):
    """One encoder layer (`PatchTSTEncoderLayer`) on [n, 1, patches, hidden]."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        out: Tensor = self.layer(values)[0]
        return out


@final
class Features(Stage):
    """The last encoder layer, its patches laid end to end: features [n, patches * hidden]."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        out: Tensor = self.layer(values)[0].flatten(1)  # [n, 1, patches, hidden] → [n, width]
        return out
