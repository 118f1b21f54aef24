"""Audio networks of transformers, opened from a folder with a hub snapshot's files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers import (
    ASTFeatureExtractor,
    ASTModel,
    Data2VecAudioModel,
    HubertModel,
    PreTrainedConfig,
    PreTrainedModel,
    SequenceFeatureExtractor,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Model,
    WavLMModel,
    WhisperFeatureExtractor,
)
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from bench.backbone import Backbone, state_hash
from bench.backbones.audio.backbone import AudioBackbone, AudioFormat, check_stages
from bench.backbones.audio.stages import name_stages
from bench.backbones.huggingface.attention import attention
from bench.backbones.huggingface.audio_format import find_extractor, own_features, read_extractor, usual_extractor
from bench.backbones.huggingface.spectrograms import (
    ast_features,
    ast_format,
    ast_stages,
    whisper_features,
    whisper_format,
    whisper_stages,
)
from bench.backbones.huggingface.speech import speech_features, speech_hearing, speech_stages
from bench.backbones.huggingface.weights import (
    UNREADABLE,
    WEIGHTS,
    licence_in,
    read_network,
    readme_in,
    weights_hash,
    weights_in,
)
from bench.backbones.opened import Opened, Reference
from bench.card import BackboneCard
from bench.errors import UnknownNameError, WeightsError, nearest


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """How networks of one kind are made, prepared for and cut into stages.

    `first` names the stages before the layers. `features` returns what the network itself gives for what its extractor
    gives. `attention` is the one of transformers' that is quickest on a CPU. `implied` are settings of an extractor
    with the names that the config has for them. `prefix` is a regular expression for what precedes the network's own
    names in checkpoints that hold more than it.
    """

    network: type[PreTrainedModel]
    extractor: type[SequenceFeatureExtractor]
    first: tuple[str, ...]
    stages: Callable[[Any, Any], nn.ModuleList]
    audio_format: Callable[[Any, Any], AudioFormat]
    features: Callable[[Any, Tensor], Tensor]
    attention: str = "eager"
    implied: Mapping[str, str] = field(default_factory=dict)
    prefix: str | None = None


def _speech(network: type[PreTrainedModel]) -> Family:
    first = ("convolutions", "positions")
    return Family(network, Wav2Vec2FeatureExtractor, first, speech_stages, speech_hearing, speech_features)


FAMILIES: Final[Mapping[str, Family]] = {
    "wav2vec2": _speech(Wav2Vec2Model),
    "hubert": _speech(HubertModel),
    "wavlm": _speech(WavLMModel),
    "data2vec-audio": _speech(Data2VecAudioModel),
    "audio-spectrogram-transformer": Family(
        ASTModel,
        ASTFeatureExtractor,
        ("patches",),
        ast_stages,
        ast_format,
        ast_features,
        attention="sdpa",
        implied={"max_length": "max_length", "num_mel_bins": "num_mel_bins"},
    ),
    "whisper": Family(
        WhisperEncoder,
        WhisperFeatureExtractor,
        ("convolutions",),
        whisper_stages,
        whisper_format,
        whisper_features,
        attention="sdpa",
        implied={"feature_size": "num_mel_bins"},
        prefix=r"^(model\.)?encoder\.",
    ),
}
"""By the `model_type` of their configs."""


def open_audio(reference: Reference, folder: Path, config: PreTrainedConfig) -> Opened:
    """Return the audio network in `folder` as a backbone, with its weights.

    Raises `UnknownNameError` for another kind of network, and `WeightsError` for files that are missing, damaged or not
    for the network that `config` describes.
    """
    family = family_of(reference, config)
    weights = weights_in(folder)
    if not weights:
        raise WeightsError(f"{folder} has no weights: expected {WEIGHTS[0]} or {WEIGHTS[2]} there")
    extractor = read_extractor(family.extractor, folder)
    network = _load(reference, family, folder, config)
    sha256, licence = weights_hash(weights), licence_in(folder)
    backbone = _assemble(reference, family, network, extractor, sha256=sha256, licence=licence)
    return Opened(backbone, (folder / "config.json", *find_extractor(folder), *weights, *readme_in(folder)))


def build_untrained_audio(reference: Reference, folder: Path, config: PreTrainedConfig) -> Backbone:
    """Return the audio network that `config` describes as a backbone that has learnt nothing, drawn with seed 0.

    Without a file in `folder` that says otherwise, recordings are prepared as is usual for such networks. Raises
    `UnknownNameError` for a network of another kind.
    """
    family = family_of(reference, config)
    if find_extractor(folder):
        extractor = read_extractor(family.extractor, folder)
    else:
        said = config.to_dict()
        extractor = usual_extractor(family.extractor, {name: said[key] for name, key in family.implied.items()})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = family.network(plain_config(family, config))
    return _assemble(reference, family, network, extractor)


def _load(reference: Reference, family: Family, folder: Path, config: PreTrainedConfig) -> PreTrainedModel:
    """Return the network with the weights in `folder`. Raises `WeightsError` if they cannot be read or do not fit."""
    name = reference.name
    try:
        network, said = read_network(
            family.network,
            folder,
            plain_config(family, config),
            key_mapping={family.prefix: ""} if family.prefix else None,
            ignore_mismatched_sizes=True,  # the library names none of them in its error
        )
    except UnpicklingError as error:
        raise WeightsError(
            f"the weights of {name} in {folder} are damaged, or hold more than tensors, such as code, which is never "
            "run: fetch them anew, or as safetensors"
        ) from error
    except UNREADABLE as error:
        first, *_ = str(error).splitlines() or [repr(error)]
        raise WeightsError(f"cannot read the weights of {name} in {folder}: {first}; fetch them anew") from error
    missing = sorted(said["missing_keys"])
    wrong = sorted(key for key, *_ in said["mismatched_keys"])
    if missing or wrong:
        raise WeightsError(
            f"the weights in {folder} are not for the network that its config.json describes: of the tensors of "
            f"{name}, {len(missing)} are missing and {len(wrong)} have another shape, such as "
            f"{', '.join((missing + wrong)[:3])}"
        )
    loaded: PreTrainedModel = network
    return loaded


def family_of(reference: Reference, config: PreTrainedConfig) -> Family:
    """Return how networks of a config's kind are opened. Raises `UnknownNameError` for one that is not known."""
    kind = config.model_type
    if kind not in FAMILIES:
        raise UnknownNameError(
            f"{reference.name} is a network of type {kind!r}{nearest(kind, FAMILIES)} (audio networks that can be "
            f"opened: {', '.join(sorted(FAMILIES))})"
        )
    return FAMILIES[kind]


def plain_config(family: Family, config: PreTrainedConfig) -> PreTrainedConfig:
    """Return a copy of `config` by which nothing is dropped out or masked.

    All backbones learn by the same recipe, in which the length of training alone regularises: dropout, skipped layers
    and masked frames would make a comparison of backbones one of recipes.
    """
    settings = config.to_dict()
    for key, value in settings.items():
        if isinstance(value, float) and ("drop" in key or key in ("mask_time_prob", "mask_feature_prob")):
            settings[key] = 0.0
    return type(config)(**{**settings, "attn_implementation": attention(family.attention)})


def _assemble(
    reference: Reference,
    family: Family,
    network: PreTrainedModel,
    extractor: SequenceFeatureExtractor,
    *,
    sha256: str = "",
    licence: str = "none needed",
) -> AudioBackbone:
    """Return the network as a backbone, its stages checked. Without a `sha256`, that of its state is its identity."""
    network.eval()
    stages = family.stages(network, extractor)
    audio_format = family.audio_format(extractor, network)
    check_stages(
        reference.name,
        stages,
        audio_format,
        lambda clips: family.features(network, own_features(extractor, clips)),
    )
    config, names = network.config, name_stages(family.first, stages)
    page = reference.place if Path(reference.place).is_dir() else f"https://huggingface.co/{reference.place}"
    card = BackboneCard(
        name=reference.name,
        title=reference.place.rpartition("/")[2],
        domain="audio",
        description=f"A network of type {config.model_type} with {len(stages) - len(family.first)} layers"
        + ("." if sha256 else ", which has learnt nothing."),
        source=page if sha256 else "drawn at random",
        licence=licence,
        citation=page if sha256 else "none needed",
        sha256=sha256 or state_hash(stages),
        parameters=sum(parameter.numel() for parameter in stages.parameters()),
        width=config.hidden_size,
        stages=names,
    )
    return AudioBackbone(card, stages, audio_format=audio_format, draw=partial(_draw, family, config, extractor))


def _draw(family: Family, config: PreTrainedConfig, extractor: SequenceFeatureExtractor) -> nn.ModuleList:
    return family.stages(family.network(config), extractor)
