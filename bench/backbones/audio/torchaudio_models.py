"""Torchaudio's pretrained speech networks (wav2vec 2.0, HuBERT, WavLM), by its pipelines and torch's cache."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Final, final
from urllib.parse import urljoin

from torch import Tensor, nn
from torch.nn.functional import layer_norm
from torchaudio import pipelines
from torchaudio.models import Wav2Vec2Model, wav2vec2_model, wavlm_model
from torchaudio.models.wav2vec2.wavlm_attention import WavLMSelfAttention

from bench.backbones.audio.backbone import AudioBackbone, AudioFormat, check_stages, receptive_field
from bench.backbones.audio.stages import Convolutions, Layer, MeanOverFrames, Positions, RelativeLayer, name_stages
from bench.backbones.hubs import kept_at, url_file
from bench.backbones.opened import Opened, Reference, refuse_unknown_settings
from bench.card import BackboneCard
from bench.errors import WeightsError, unknown_name
from bench.runtime.cache import file_sha256

SERVER: Final = "https://download.pytorch.org/torchaudio/models/"
BUILDERS: Final[Mapping[str, Callable[..., Wav2Vec2Model]]] = {"Wav2Vec2": wav2vec2_model, "WavLM": wavlm_model}
"""What builds a network, by the type that its pipeline names."""

FIRST: Final = ("convolutions", "positions")


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline:
    """A pipeline of torchaudio with its weights: where they can be found, and where torch keeps them.

    `bundle` is torchaudio's own, but that nothing is dropped out: all backbones learn by the same recipe, in which the
    length of training alone regularises. `settings` are those of its network.
    """

    bundle: Any
    about: str
    settings: Mapping[str, Any]
    relative: bool
    normalised: bool
    url: str
    path: Path

    def build(self) -> Wav2Vec2Model:
        """Return the network freshly drawn, without the head of those that were fine-tuned."""
        build = BUILDERS["WavLM" if self.relative else "Wav2Vec2"]
        return build(**{**self.settings, "aux_num_out": None})


def open_torchaudio(reference: Reference) -> Opened:
    """Return the speech network of a pipeline such as `torchaudio:WAV2VEC2_BASE`, with its weights.

    They are downloaded if torch's cache does not have them. Raises `UnknownNameError`, or `WeightsError` for weights
    that cannot be found or are damaged.
    """
    refuse_unknown_settings(reference, (), "torchaudio")
    pipeline = read_pipeline(reference.place)
    path = url_file(reference.name, pipeline.url)
    network = _load(reference, pipeline)
    stages = as_stages(network)
    audio_format = _format(pipeline)
    check_stages(
        reference.name, stages, audio_format, lambda clips: network(audio_format.extract(clips))[0].mean(dim=1)
    )
    licence = re.search(r"under ([\w. -]+?)(?: License)? and\s+redistributed", pipeline.about)
    card = BackboneCard(
        name=reference.name,
        title=reference.place,
        domain="audio",
        description=" ".join(pipeline.about.partition("\n\n")[0].split()),
        source=pipeline.url,
        licence=licence[1] if licence else "see the documentation of torchaudio.pipelines",
        citation=f"https://docs.pytorch.org/audio/stable/generated/torchaudio.pipelines.{reference.place}.html",
        sha256=file_sha256(path),
        parameters=sum(parameter.numel() for parameter in stages.parameters()),
        width=pipeline.settings["encoder_embed_dim"],
        stages=name_stages(FIRST, stages),
    )
    backbone = AudioBackbone(card, stages, audio_format=audio_format, draw=partial(_draw, pipeline))
    return Opened(backbone, (path,))


def read_pipeline(name: str) -> Pipeline:
    """Return the pipeline `name` of torchaudio. Raises `UnknownNameError` if there is none with such a network."""
    known = {each: bundle for each in pipelines.__all__ if _is_speech(bundle := vars(pipelines)[each])}
    if name not in known:
        raise unknown_name("pipeline of torchaudio", name, known)
    said = vars(known[name])  # what a pipeline is made of has no public name
    settings = {key: 0.0 if "drop" in key else value for key, value in said["_params"].items()}
    url = urljoin(SERVER, said["_path"])
    return Pipeline(
        bundle=replace(known[name], _params=settings),
        about=known[name].__doc__,
        settings=settings,
        relative=said["_model_type"] == "WavLM",
        normalised=said["_normalize_waveform"],
        url=url,
        path=kept_at(url),
    )


def as_stages(network: Wav2Vec2Model) -> nn.ModuleList:
    """Return the convolutions, the projection with positions, and each layer, the last pooled over frames."""
    encoder = network.encoder.transformer
    before, after = encoder.layer_norm, nn.Identity()
    if not encoder.layer_norm_first:
        before, after = after, before
    ways = [*(nn.Identity() for _ in encoder.layers[1:]), nn.Sequential(after, MeanOverFrames())]
    pairs = list(zip(encoder.layers, ways, strict=True))
    stages = [
        Convolutions(nn.ModuleList(Block(block) for block in network.feature_extractor.conv_layers)),
        Positions(network.encoder.feature_projection, encoder.pos_conv_embed, before),
    ]
    first = encoder.layers[0].attention
    if isinstance(first, WavLMSelfAttention):
        table = first.rel_attn_embed
        return nn.ModuleList([*stages, *(RelativeLayer(*pair, table=table, fold_heads=False) for pair in pairs)])
    return nn.ModuleList([*stages, *(Layer(*pair) for pair in pairs)])


@final
class Block(nn.Module):
    """A convolution of torchaudio's on [n, channels, time], of clips that are all of one length."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, values: Tensor) -> Tensor:
        out: Tensor = self.block(values, None)[0]
        return out


def _is_speech(bundle: object) -> bool:
    # The pipeline that aligns words has a network with other weights and terms.
    return isinstance(bundle, pipelines.Wav2Vec2Bundle) and not isinstance(bundle, pipelines.Wav2Vec2FABundle)


def _load(reference: Reference, pipeline: Pipeline) -> Wav2Vec2Model:
    """Return the network with its weights, without a head."""
    try:
        network = pipeline.bundle.get_model(dl_kwargs={"weights_only": True, "map_location": "cpu"})
    except UnpicklingError as error:
        raise WeightsError(
            f"{pipeline.path} is damaged, or holds more than the weights of {reference.name}, such as code, which is "
            "never run: delete the file, so that it is fetched anew"
        ) from error
    except (OSError, EOFError, RuntimeError, KeyError) as error:
        first, *_ = str(error).splitlines() or [repr(error)]
        raise WeightsError(
            f"cannot fetch or read the weights of {reference.name} in {pipeline.path}: {first}; delete the file, if it "
            "is there, so that it is fetched anew"
        ) from error
    network = network.model if pipeline.normalised else network  # which a wrapper does before the network
    network.aux = None  # the head of those that were fine-tuned
    out: Wav2Vec2Model = network.eval()
    return out


def _format(pipeline: Pipeline) -> AudioFormat:
    """Return clips as samples, of mean 0 and variance 1 in each where the pipeline says so."""
    layers = pipeline.settings["extractor_conv_layer_config"]
    shortest = receptive_field((kernel, stride) for _, kernel, stride in layers)
    extract = _normalise if pipeline.normalised else _as_it_is
    return AudioFormat(int(pipeline.bundle.sample_rate), shortest, extract)


def _normalise(clips: Tensor) -> Tensor:
    return layer_norm(clips, clips.shape[1:])


def _as_it_is(clips: Tensor) -> Tensor:
    return clips


def _draw(pipeline: Pipeline) -> nn.ModuleList:
    return as_stages(pipeline.build())
