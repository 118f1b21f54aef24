"""Opening models of transformers as backbones: by their config, which module makes a backbone of them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import transformers
from transformers import AutoConfig, PreTrainedConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES,
    MODEL_FOR_IMAGE_MAPPING_NAMES,
)

from bench.backbone import Backbone
from bench.backbones.catalog import MINILM
from bench.backbones.huggingface.files import download, find_files
from bench.backbones.huggingface.snapshot import Snapshot, for_features
from bench.backbones.huggingface.weights import weights_in
from bench.backbones.opened import Opened, Reference, read_reference, refuse_unknown_settings
from bench.card import BackboneCard
from bench.errors import WeightsError
from bench.runtime.cache import file_sha256

SETTINGS: Final = ("layers", "longest", "pool", "revision")
"""What a reference to a text or image model may say after its '?'."""

SETTINGS_ELSEWHERE: Final = ("revision",)
"""What one to a model of another kind may say there."""

LIBRARY: Final = "Hugging Face"


class Kind(NamedTuple):
    """How models of some types become backbones: with the weights in a folder, or with weights drawn at random."""

    open: Callable[[Reference, Path, PreTrainedConfig], Opened]
    build_untrained: Callable[[Reference, Path, PreTrainedConfig], Backbone]


def _networks_on_waves() -> Kind:
    from bench.backbones.huggingface.audio import build_untrained_audio, open_audio  # noqa: PLC0415 (takes seconds)

    return Kind(open_audio, build_untrained_audio)


def _forecasters() -> Kind:
    from bench.backbones.huggingface.series import build_untrained_series, open_series  # noqa: PLC0415 (takes seconds)

    return Kind(open_series, build_untrained_series)


KINDS: Final[Mapping[str, Callable[[], Kind]]] = {
    "wav2vec2": _networks_on_waves,
    "hubert": _networks_on_waves,
    "wavlm": _networks_on_waves,
    "data2vec-audio": _networks_on_waves,
    "audio-spectrogram-transformer": _networks_on_waves,
    "whisper": _networks_on_waves,
    "patchtst": _forecasters,
    "patchtsmixer": _forecasters,
    "timesfm": _forecasters,
    "informer": _forecasters,
    "autoformer": _forecasters,
}
"""By the type of a model in its config what opens it; a model of no type here is one of images or texts."""


def load_huggingface(card: BackboneCard) -> Backbone:
    """Return the backbone of a card whose name is `hf:` and a hub id.

    Raises `WeightsError` if its files cannot be found or are not those of the card.
    """
    folder = find_files(card.name.removeprefix("hf:"))
    path = folder / "model.safetensors"
    found = file_sha256(path)
    if found != card.sha256:
        raise WeightsError(
            f"{path} is not the file that {card.name} names: got sha256 {found[:12]}…, expected {card.sha256[:12]}…; "
            "delete it, so that it is fetched anew"
        )
    reference = read_reference(card.name)
    backbone = _build(_snapshot(reference, folder, (path,), _config(reference, folder)))
    backbone.card = card
    return backbone


def open_huggingface(reference: Reference) -> Opened:
    """Return the backbone that `hf:` and a hub id or a snapshot folder name, from the disk if it is there.

    Raises `WeightsError` if its files cannot be found, are damaged or cannot be made a backbone, and
    `UnknownNameError` for a model or a setting that does not exist.
    """
    if reference.name == MINILM.name:
        return Opened(load_huggingface(MINILM), ())
    local = Path(reference.place).expanduser()
    revision, large = reference.settings.get("revision"), reference.large
    folder = local if local.is_dir() else find_files(reference.place, revision, large=large)
    if not local.is_dir() and not ((folder / "config.json").exists() and weights_in(folder)):
        folder = download(reference.place, revision, large=large)  # what is cached is only a part
    weights = weights_in(folder)
    config = _config(reference, folder)
    if not weights:
        raise WeightsError(
            f"there are no weights in {folder}: expected model.safetensors or pytorch_model.bin; for weights drawn at "
            f"random say 'untrained:hf/{reference.place}'"
        )
    if config.model_type in KINDS:
        refuse_unknown_settings(reference, SETTINGS_ELSEWHERE, LIBRARY)
        return KINDS[config.model_type]().open(reference, folder, config)
    snapshot = _snapshot(reference, folder, weights, config)
    files = [path for path in folder.iterdir() if path.is_file()]
    return Opened(_build(snapshot), tuple(sorted([*files, *folder.glob("1_Pooling/config.json")])))


def build_untrained(reference: Reference) -> Backbone:
    """Return the model that a snapshot folder describes, with weights drawn at random, always the same.

    Raises `WeightsError` if the folder does not describe one.
    """
    folder = Path(reference.place.removeprefix("hf/")).expanduser()
    config = _config(reference, folder)
    if config.model_type in KINDS:
        refuse_unknown_settings(reference, SETTINGS_ELSEWHERE, LIBRARY)
        return KINDS[config.model_type]().build_untrained(reference, folder, config)
    return _build(_snapshot(reference, folder, (), config))


def _snapshot(reference: Reference, folder: Path, weights: tuple[Path, ...], config: PreTrainedConfig) -> Snapshot:
    refuse_unknown_settings(reference, SETTINGS, LIBRARY)
    return Snapshot(
        reference.name, folder, for_features(config), reference.settings, weights, reference.trust_remote_code
    )


def _config(reference: Reference, folder: Path) -> PreTrainedConfig:
    """Return the config in a folder. Raises `WeightsError` if it cannot be read or needs code that is not ours."""
    path = folder / "config.json"
    try:
        said: dict[str, Any] = json.loads(path.read_bytes())
        kind = said["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"cannot read the config {path}, or it names no model_type: {error}") from error
    trusted = reference.trust_remote_code
    if kind not in CONFIG_MAPPING_NAMES and not ("auto_map" in said and trusted):
        remedy = (
            "it brings code of its own; read that, and give --trust-remote-code to run it"
            if "auto_map" in said
            else "a newer transformers may"
        )
        raise WeightsError(
            f"{reference.name} is of the model type {kind!r}, which transformers {transformers.__version__} does not "
            f"know: {remedy}"
        )
    try:
        config: PreTrainedConfig = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=trusted)
    except (OSError, ValueError, TypeError) as error:
        raise WeightsError(f"cannot read the config {path}: {error}") from error
    return config


def _build(snapshot: Snapshot) -> Backbone:
    images = {*MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES, *MODEL_FOR_IMAGE_MAPPING_NAMES}
    if snapshot.config.model_type in images:
        from bench.backbones.huggingface.images import build_images  # noqa: PLC0415 (takes seconds)

        return build_images(snapshot)
    from bench.backbones.huggingface.text import build_text  # noqa: PLC0415 (takes seconds)

    return build_text(snapshot)
