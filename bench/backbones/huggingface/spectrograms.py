"""The stages of transformers that look at spectrograms: the audio spectrogram transformer, and Whisper's encoder.

Both see clips of a fixed length, ten seconds or thirty, and were trained to see silence after a shorter one. Every
position attends to it, so that it cannot be left out; but it is added in the first stage, which spares keeping it.
"""

from typing import Final, final

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, pad
from transformers import ASTFeatureExtractor, ASTModel, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from bench.backbone import Stage
from bench.backbones.audio.backbone import AudioFormat, in_pieces
from bench.backbones.audio.stages import Layer, MeanOverFrames
from bench.backbones.huggingface.audio_format import own_features
from bench.errors import WeightsError

HOP_SECONDS: Final = 0.010
WINDOW_SECONDS: Final = 0.025
"""Steps and windows of AST's spectrograms, which are Kaldi's."""


def ast_stages(network: ASTModel, extractor: ASTFeatureExtractor) -> nn.ModuleList:
    """Return the patch embedding and each layer, the last with norm and pooling."""
    silence = (0.0 - extractor.mean) / (2 * extractor.std) if extractor.do_normalize else 0.0
    *lower, last = network.layers
    return nn.ModuleList(
        [
            Patches(network.embeddings, frames=extractor.max_length, silence=silence),
            *(Layer(layer, nn.Identity()) for layer in lower),
            Layer(last, nn.Sequential(network.layernorm, FirstTwo())),
        ]
    )


def ast_format(extractor: ASTFeatureExtractor, network: ASTModel) -> AudioFormat:
    """Return clips as the log-mel frames that lie in them, [n, frames, mels].

    Raises `WeightsError` for another network's extractor.
    """
    config = network.config
    _check_shape((extractor.max_length, extractor.num_mel_bins), (config.max_length, config.num_mel_bins))
    rate = extractor.sampling_rate
    window, hop = round(WINDOW_SECONDS * rate), round(HOP_SECONDS * rate)

    def extract(clips: Tensor) -> Tensor:
        return own_features(extractor, clips)[:, : 1 + (clips.shape[1] - window) // hop]

    return AudioFormat(rate, window, extract)


def ast_features(network: ASTModel, values: Tensor) -> Tensor:
    """Return the features that the network itself gives for what its extractor gives."""
    pooled: Tensor = network(values).pooler_output
    return pooled


def whisper_stages(network: WhisperEncoder, _: WhisperFeatureExtractor) -> nn.ModuleList:
    """Return the convolutions with positions and each layer, the last with norm and pooling."""
    *lower, last = network.layers
    return nn.ModuleList(
        [
            Stem(network),
            *(Layer(layer, nn.Identity()) for layer in lower),
            Layer(last, nn.Sequential(network.layer_norm, MeanOverFrames())),
        ]
    )


def whisper_format(extractor: WhisperFeatureExtractor, network: WhisperEncoder) -> AudioFormat:
    """Return clips as the log-mel frames that overlap any of them, [n, mels, frames].

    Raises `WeightsError` for another network's extractor.
    """
    config = network.config
    _check_shape(
        (extractor.nb_max_frames, extractor.feature_size), (2 * config.max_source_positions, config.num_mel_bins)
    )

    def extract(clips: Tensor) -> Tensor:
        # Frame number t is centred on sample t * hop, and half a window reaches beyond it.
        frames_used = -(-(clips.shape[1] + extractor.n_fft // 2) // extractor.hop_length)
        return own_features(extractor, clips)[:, :, :frames_used]

    return AudioFormat(extractor.sampling_rate, 1, extract)


def whisper_features(network: WhisperEncoder, values: Tensor) -> Tensor:
    """Return the features that the network itself gives: the mean of its last hidden states over all positions.

    Those of the silence are among them, as in transformers' own classifier on Whisper.
    """
    hidden: Tensor = network(values).last_hidden_state
    return hidden.mean(dim=1)


def _check_shape(got: tuple[int, int], expected: tuple[int, int]) -> None:
    if got != expected:
        raise WeightsError(
            f"preprocessor_config.json makes spectrograms of {got[0]} frames and {got[1]} bands, but config.json "
            f"says that the network wants {expected[0]} and {expected[1]}: take both files from one model"
        )


@final
class Patches(Stage):
    """Log-mel frames [n, up to `frames`, mels] to embedded patches after two learnt tokens, [n, patches + 2, width]."""

    def __init__(self, embeddings: nn.Module, *, frames: int, silence: float) -> None:
        super().__init__()
        self.embeddings = embeddings
        self._frames = frames
        self._silence = silence

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        whole = pad(values, (0, 0, 0, self._frames - values.shape[1]), value=self._silence)
        out: Tensor = self.embeddings(whole)
        return out


@final
class FirstTwo(nn.Module):
    """Hidden states [n, patches + 2, width] to the mean of the two learnt tokens [n, width], as AST is pooled."""

    def forward(self, values: Tensor) -> Tensor:
        return (values[:, 0] + values[:, 1]) / 2


@final
class Stem(Stage):
    """Log-mel frames [n, mels, up to 3000] to hidden states [n, 1500, width], half a minute with its positions.

    The positions are sines that Whisper does not train: a buffer.
    """

    def __init__(self, network: WhisperEncoder) -> None:
        super().__init__()
        self.conv1 = network.conv1
        self.conv2 = network.conv2
        self.positions = nn.Buffer(network.embed_positions.weight.detach().clone())

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        frames, width = 2 * len(self.positions), self.positions.shape[1]
        return in_pieces(self._run, self._with_silence(values, frames), elements=frames * width)

    def _run(self, values: Tensor) -> Tensor:
        hidden = gelu(self.conv2(gelu(self.conv1(values))))  # [n, width, positions]
        return hidden.transpose(1, 2) + self.positions

    def _with_silence(self, values: Tensor, frames: int) -> Tensor:
        """Return `values` followed by what Whisper's extractor makes of silence after this clip.

        It is (log10(1e-10) + 4) / 4, but no more than 8 tens of power, on that scale 2, below the clip's loudest.
        """
        loudest = values.amax(dim=(1, 2), keepdim=True)
        silence = (loudest - 2.0).clamp(min=-1.5)
        n, mels, given = values.shape
        return torch.cat([values, silence.expand(n, mels, frames - given)], dim=2)
