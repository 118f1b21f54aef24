"""The stages of speech networks like wav2vec 2.0: convolutions over samples, then a transformer over frames."""

from typing import Any, Final, final

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from bench.backbone import Stage
from bench.backbones.audio.backbone import in_pieces

HEADS: Final = 16
"""Attention heads of the largest networks, to foresee what attention takes."""


def name_stages(first: tuple[str, ...], stages: nn.ModuleList) -> tuple[str, ...]:
    """Return the names of stages: `first`, then layers by number."""
    return (*first, *(f"layer{number}" for number in range(1, len(stages) - len(first) + 1)))


@final
class Convolutions(Stage):
    """Samples [n, samples] to frames [n, frames, channels], by convolutions on [n, channels, time]."""

    def __init__(self, layers: nn.ModuleList) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        # The first layer makes 512 channels of every fifth sample.
        return in_pieces(self._run, values, elements=128 * values.shape[1])

    def _run(self, values: Tensor) -> Tensor:
        frames = values[:, None]
        for layer in self.layers:
            frames = layer(frames)
        return frames.transpose(1, 2)


@final
class Positions(Stage):
    """Frames [n, frames, channels] to hidden states [n, frames, width], to which a convolution adds where they are."""

    def __init__(self, projection: nn.Module, positions: nn.Module, norm: nn.Module) -> None:
        super().__init__()
        self.projection = projection
        self.positions = positions
        self.norm = norm

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        hidden = self.projection(values)
        if isinstance(hidden, tuple):  # some return what they projected, too
            hidden = hidden[0]
        out: Tensor = self.norm(hidden + self.positions(hidden))
        return out


@final
class Layer(Stage):
    """An encoder layer on [n, positions, width], then `after`: nothing, or the way from the last layer to features."""

    def __init__(self, layer: nn.Module, after: nn.Module) -> None:
        super().__init__()
        self.layer = layer
        self.after = after

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        return in_pieces(self._run, values, elements=attention_elements(values))

    def _run(self, values: Tensor) -> Tensor:
        hidden = self.layer(values, None)  # no attention mask: clips are of one length
        out: Tensor = self.after(hidden[0] if isinstance(hidden, tuple) else hidden)
        return out


@final
class RelativeLayer(Stage):
    """An encoder layer of WavLM (Chen et al. 2022, arXiv:2110.13900) on [n, frames, width], then `after`.

    Every layer's attention is biased by the learnt distances of one `table`, a parameter of the first layer. The others
    hold it in a tuple, where torch does not look for parameters. A deep copy of stages keeps them consistent: with the
    first layer among them, all look into its copy; without it, they share a frozen copy of their own.

    `fold_heads` says that the layer takes its bias as [n * heads, frames, frames], else [n, heads, frames, frames].
    """

    def __init__(self, layer: nn.Module, after: nn.Module, *, table: nn.Embedding, fold_heads: bool) -> None:
        super().__init__()
        self.layer = layer
        self.after = after
        self._shared = (table,)
        self._fold_heads = fold_heads

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        bias = self._bias(values.shape[1], values.device)
        return in_pieces(lambda piece: self._run(piece, bias), values, elements=attention_elements(values))

    def _run(self, values: Tensor, bias: Tensor) -> Tensor:
        spread = bias.repeat(len(values), 1, 1) if self._fold_heads else bias[None]
        out: Tensor = self.after(self.layer(values, None, position_bias=spread)[0])
        return out

    def _bias(self, frames: int, device: torch.device) -> Tensor:
        """Return what attention adds to its scores for how far apart two frames are, [heads, frames, frames]."""
        (table,) = self._shared
        places = torch.arange(frames, device=device)
        attention: Any = self.layer.attention
        # The library has no public name for its buckets; `check_stages` would notice if they were others.
        buckets = attention._relative_positions_bucket(places - places[:, None])  # noqa: SLF001
        # A frozen copy of the table is not among the parameters that move to a device with their stage.
        return embedding(buckets, table.weight.to(device)).permute(2, 0, 1)


@final
class MeanOverFrames(nn.Module):
    """Hidden states [n, frames, width] to features [n, width]."""

    def forward(self, values: Tensor) -> Tensor:
        return values.mean(dim=1)


def attention_elements(values: Tensor) -> int:
    """Return about how many elements the largest tensor of a layer has for one of [n, positions, width]."""
    _, positions, width = values.shape
    return positions * max(4 * width, HEADS * positions)
