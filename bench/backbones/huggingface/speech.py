"""How transformers' speech networks are cut: wav2vec 2.0, HuBERT, WavLM and data2vec, which are built alike."""

from functools import partial
from typing import Final

from torch import Tensor, nn
from transformers import PreTrainedModel, Wav2Vec2FeatureExtractor, WavLMModel
from transformers.models.hubert.modeling_hubert import HubertEncoderStableLayerNorm
from transformers.models.wav2vec2.modeling_wav2vec2 import Wav2Vec2EncoderStableLayerNorm
from transformers.models.wavlm.modeling_wavlm import WavLMEncoderStableLayerNorm

from bench.backbones.audio.backbone import AudioFormat, receptive_field
from bench.backbones.audio.stages import Convolutions, Layer, MeanOverFrames, Positions, RelativeLayer
from bench.backbones.huggingface.audio_format import own_features

STABLE: Final = (Wav2Vec2EncoderStableLayerNorm, HubertEncoderStableLayerNorm, WavLMEncoderStableLayerNorm)
"""Encoders that normalise before each layer and once more at the end; others do once before the first layer."""


def speech_stages(network: PreTrainedModel, _: Wav2Vec2FeatureExtractor) -> nn.ModuleList:
    """Return the convolutions, the projection with positions, and each layer, the last pooled over frames."""
    encoder = network.encoder
    before, after = encoder.layer_norm, nn.Identity()
    if isinstance(encoder, STABLE):
        before, after = after, before
    ways = [*(nn.Identity() for _ in encoder.layers[1:]), nn.Sequential(after, MeanOverFrames())]
    pairs = list(zip(encoder.layers, ways, strict=True))
    stages = [
        Convolutions(network.feature_extractor.conv_layers),
        Positions(network.feature_projection, encoder.pos_conv_embed, before),
    ]
    if isinstance(network, WavLMModel):
        table = encoder.layers[0].attention.rel_attn_embed
        return nn.ModuleList([*stages, *(RelativeLayer(*pair, table=table, fold_heads=True) for pair in pairs)])
    return nn.ModuleList([*stages, *(Layer(*pair) for pair in pairs)])


def speech_hearing(extractor: Wav2Vec2FeatureExtractor, network: PreTrainedModel) -> AudioFormat:
    """Return clips as samples, of mean 0 and variance 1 in each where the extractor says so."""
    config = network.config
    shortest = receptive_field(zip(config.conv_kernel, config.conv_stride, strict=True))
    return AudioFormat(extractor.sampling_rate, shortest, partial(own_features, extractor))


def speech_features(network: PreTrainedModel, values: Tensor) -> Tensor:
    """Return the features that the network itself gives: the mean of its last hidden states over all frames."""
    hidden: Tensor = network(values).last_hidden_state
    return hidden.mean(dim=1)
