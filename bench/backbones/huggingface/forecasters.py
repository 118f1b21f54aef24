"""The structure of forecasters from `transformers`: how each is made for one channel, and cut into stages."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, final

import torch
from torch import Tensor, nn
from transformers import PatchTSMixerModel, PatchTSTModel, TimesFmModel

from bench.backbone import Stage
from bench.backbones.bundled.series import as_stages

HIGH_FREQUENCY: Final = 0
"""TimesFM's group of frequencies for steps of up to a day; what it takes where none is said."""

Config = Any
"""A `transformers.PreTrainedConfig`, which has no types."""

Network = Any
"""A `transformers.PreTrainedModel`, which has none either."""


class Architecture(NamedTuple):
    """How one of the library's networks is made and cut.

    `settings` overrule the config: one channel, and neither scaling, which `Backbone.prepare` does, nor masking.
    `attention` is the one that is quickest on a CPU, None where transformers has no choice of them. `steps` returns how
    many steps of the past, of those there are, the network reads.
    """

    title: str
    network: Network
    settings: Mapping[str, object]
    stages: Callable[[Network], nn.ModuleList]
    steps: Callable[[Config, int], int]
    attention: str | None = None


def _own_context(config: Config, available: int) -> int:
    return int(config.context_length)


def _whole_patches(config: Config, available: int) -> int:
    """Return as many steps as fill patches: TimesFM reads any number of them, and padding would only be masked."""
    patch = int(config.patch_length)
    return max(patch, min(int(config.context_length), available) // patch * patch)


def _mixer_stages(network: Network) -> nn.ModuleList:
    *lower, last = network.encoder.mlp_mixer_encoder.mixers
    return nn.ModuleList([MixerEmbedding(network), *(Mixer(layer) for layer in lower), MixerFeatures(last)])


def _timesfm_stages(network: Network) -> nn.ModuleList:
    *lower, last = network.layers
    return nn.ModuleList([PatchEmbedding(network), *(CausalLayer(layer) for layer in lower), LastPatch(last)])


@final
class MixerEmbedding(Stage):
    """Windows [n, context] to embedded patches [n, 1, patches, hidden], with their positions if the model has any."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.patchify = network.patching
        self.embedder = network.encoder.patcher
        self.positions = network.encoder.positional_encoder or nn.Identity()

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        out: Tensor = self.positions(self.embedder(self.patchify(values[:, :, None])))
        return out


@final
class Mixer(Stage):
    """One layer of PatchTSMixer on [n, 1, patches, hidden]."""

    def __init__(self, layer: Network) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        out: Tensor = self.layer(values)
        return out


@final
class MixerFeatures(Stage):
    """The last layer, its patches laid end to end: features [n, patches * hidden]."""

    def __init__(self, layer: Network) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        out: Tensor = self.layer(values).flatten(1)
        return out


@final
class PatchEmbedding(Stage):
    """Windows [n, steps] to TimesFM's embedded patches [n, patches, hidden], none of them padding."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.embedder = network.input_ff_layer
        self.frequencies = network.freq_emb
        self.positions = network.position_emb if network.config.use_positional_embedding else None
        self.patch = int(network.config.patch_length)

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        patches = values.unflatten(1, (-1, self.patch))  # [n, patches, patch]
        hidden: Tensor = self.embedder(torch.cat([patches, torch.zeros_like(patches)], -1))
        if self.positions is not None:
            hidden = hidden + self.positions(hidden.shape[1])
        frequency: Tensor = self.frequencies.weight[HIGH_FREQUENCY]
        return hidden + frequency


@final
class CausalLayer(Stage):
    """One layer of TimesFM on [n, patches, hidden]: a patch attends to itself and to earlier ones."""

    def __init__(self, layer: Network) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        return _causally(self.layer, values)


@final
class LastPatch(Stage):
    """The last layer; what it says of the last patch, from which TimesFM itself forecasts: features [n, hidden]."""

    def __init__(self, layer: Network) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        return _causally(self.layer, values)[:, -1]


def _causally(layer: Network, hidden: Tensor) -> Tensor:
    patches = hidden.shape[1]
    lowest = torch.finfo(hidden.dtype).min
    later = torch.full((patches, patches), lowest, dtype=hidden.dtype, device=hidden.device).triu(1)
    out: Tensor = layer(hidden, attention_mask=later[None, None], paddings=hidden.new_zeros(hidden.shape[:2]))
    return out


KERNEL: Final = "sdpa"
"""Torch's kernel for attention: on one core it takes two thirds of the time."""

ONE_CHANNEL: Final[Mapping[str, object]] = {"num_input_channels": 1, "scaling": None, "do_mask_input": False}

ARCHITECTURES: Final[Mapping[str, Architecture]] = {
    "patchtst": Architecture("PatchTST", PatchTSTModel, ONE_CHANNEL, as_stages, _own_context, KERNEL),
    "patchtsmixer": Architecture("PatchTSMixer", PatchTSMixerModel, ONE_CHANNEL, _mixer_stages, _own_context),
    "timesfm": Architecture("TimesFM", TimesFmModel, {}, _timesfm_stages, _whole_patches, KERNEL),
}

OF_COVARIATES: Final = frozenset({"informer", "autoformer", "time_series_transformer"})
"""Types whose encoder cannot do with the past of a series alone."""
