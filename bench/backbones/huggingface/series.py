"""Forecasters from `transformers` as backbones: PatchTST, PatchTSMixer and TimesFM, one series at a time."""

from pathlib import Path
from typing import Final, final

import torch

from bench.backbone import Backbone, Batch, run_stages, state_hash
from bench.backbones.bundled.series import fit_context
from bench.backbones.huggingface.attention import attention
from bench.backbones.huggingface.forecasters import ARCHITECTURES, OF_COVARIATES, Architecture, Config, Network
from bench.backbones.huggingface.weights import (
    UNREADABLE,
    licence_in,
    read_network,
    readme_in,
    weights_hash,
    weights_in,
)
from bench.backbones.opened import Opened, Reference
from bench.card import BackboneCard
from bench.domain import Raw
from bench.domains.series.raw import expect_windows, scaled
from bench.errors import WeightsError

UNTRAINED_SEED: Final = 0


def open_series(reference: Reference, folder: Path, config: Config) -> Opened:
    """Return the backbone in a snapshot of a hub model: `folder` with safetensors, and its `config`.

    The heads a model was pretrained with are left out. Raises `WeightsError` if the architecture is not one that can be
    used, or the weights are missing or not for it.
    """
    architecture = _architecture(reference, config)
    weights = weights_in(folder)
    if not weights or weights[0].suffix != ".safetensors":
        raise WeightsError(f"{reference.name}: there is no .safetensors file in {folder}")
    alone = _alone(reference, architecture, config)
    try:
        network, said = read_network(architecture.network, folder, alone, use_safetensors=True)
    except UNREADABLE as error:
        raise WeightsError(f"the weights of {reference.name} in {folder} cannot be read: {error}") from error
    if missing := sorted(said["missing_keys"]):
        raise WeightsError(
            f"the weights of {reference.name} in {folder} are not for {architecture.title} as its config.json says: "
            f"{len(missing)} tensors are missing, such as {', '.join(missing[:3])}"
        )
    sha256, licence = weights_hash(weights), licence_in(folder)
    backbone = HubSeries(reference, architecture, network, alone, sha256=sha256, licence=licence)
    return Opened(backbone, (*weights, *readme_in(folder)))


def build_untrained_series(reference: Reference, folder: Path, config: Config) -> Backbone:
    """Return the backbone that a `config` describes, its weights drawn as its architecture draws them, always the same.

    `folder` is where the config was found, for messages. Raises `WeightsError` if the architecture is not one that can
    be used.
    """
    architecture = _architecture(reference, config)
    alone = _alone(reference, architecture, config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(UNTRAINED_SEED)
        try:
            network = architecture.network(alone)
        except ValueError as error:
            raise WeightsError(f"{folder / 'config.json'} describes no {architecture.title}: {error}") from error
    return HubSeries(reference, architecture, network, alone, sha256=state_hash(network), licence=licence_in(folder))


@final
class HubSeries(Backbone):
    """One of the library's forecasters as stages: the embedding and each layer; every channel is a series of its own.

    It reads windows on the scale of their own past, in place of the scaling it has itself: both keep a forecaster from
    having to learn the level, and the head's outputs are on the former.
    """

    def __init__(
        self,
        reference: Reference,
        architecture: Architecture,
        network: Network,
        config: Config,
        *,
        sha256: str,
        licence: str,
    ) -> None:
        """`sha256` and `licence` are those of the weights."""
        super().__init__()
        self._architecture = architecture
        self._config = config
        # Positions that were computed are where learning starts.
        self.network = network.requires_grad_()
        self.stages = architecture.stages(network)
        self.eval()
        with torch.inference_mode():
            zeros = Batch(torch.zeros(1, architecture.steps(config, config.context_length)))
            width = run_stages(self.stages, zeros).values.shape[1]
        self.card = BackboneCard(
            name=reference.name,
            title=reference.place,
            domain="series",
            description=f"{architecture.title}, which reads the last {config.context_length} steps of one series.",
            source=f"https://huggingface.co/{reference.place}",
            citation="see its model card",
            sha256=sha256,
            licence=licence,
            parameters=sum(parameter.numel() for parameter in self.parameters()),
            width=width,
            stages=("embedding", *(f"layer{number}" for number in range(1, len(self.stages)))),
        )

    def prepare(self, raw: Raw) -> Batch:
        """Return windows [n, context], each of mean 0 and deviation 1 over its own past.

        A longer past loses its earliest steps; a shorter one is preceded by copies of its earliest value.
        """
        windows = expect_windows(raw)
        values, scale = scaled(windows)
        context = self._architecture.steps(self._config, windows.past.shape[1])
        return Batch(torch.from_numpy(fit_context(values, context)), geometry=scale)

    def initialise(self) -> None:
        """Draw every parameter and buffer anew, as the architecture does, from torch's default generator."""
        self.network.load_state_dict(self._architecture.network(self._config).state_dict())


def _architecture(reference: Reference, config: Config) -> Architecture:
    """Return how to cut the model of a config. Raises `WeightsError` if its structure gives no features of windows."""
    kind = str(config.model_type)
    if kind in ARCHITECTURES:
        return ARCHITECTURES[kind]
    if kind in OF_COVARIATES:
        raise WeightsError(
            f"{reference.name} is of type {kind!r}: its encoder reads time features and lagged values beside each "
            f"step, which windows of a series do not have; use one of {', '.join(ARCHITECTURES)}"
        )
    raise WeightsError(
        f"{reference.name} is of type {kind!r}, whose stages are not known here; for series there are "
        f"{', '.join(ARCHITECTURES)}"
    )


def _alone(reference: Reference, architecture: Architecture, config: Config) -> Config:
    """Return the config for one channel at a time. Raises `WeightsError` if the model needs its channels together."""
    channels = getattr(config, "num_input_channels", 1)
    mixes = getattr(config, "channel_attention", False) or getattr(config, "mode", "") == "mix_channel"
    if channels > 1 and (mixes or not getattr(config, "share_embedding", True)):
        raise WeightsError(
            f"{reference.name} reads its {channels} channels together (channel_attention, mode = 'mix_channel' or "
            "share_embedding = false), while here each series is forecast from its own past: use a model whose "
            "channels are independent"
        )
    return type(config)(
        **config.to_dict() | dict(architecture.settings) | {"attn_implementation": attention(architecture.attention)}
    )
