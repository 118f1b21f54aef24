"""One text or image model of transformers: the networks made from its folder, and its card."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedConfig

from bench.backbone import Backbone, Batch, run_stages, state_hash
from bench.backbones.huggingface.attention import attention
from bench.backbones.huggingface.weights import UNREADABLE, licence_in, read_network, weights_hash
from bench.card import BackboneCard
from bench.domain import DomainName
from bench.errors import WeightsError
from bench.readout import Kind

UNTRAINED_SEED: Final = 0


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A network, and the names of those of its parameters that were not among the weights."""

    network: nn.Module
    missing: Mapping[Tensor, str]


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A folder with a model's config, and its `weights` files; none of an untrained one."""

    name: str
    folder: Path
    config: PreTrainedConfig
    settings: Mapping[str, str]
    weights: tuple[Path, ...]
    trust_remote_code: bool = False

    def load(self, auto: type[AutoModel], **arguments: object) -> Drawn:
        """Return the network that `auto`, an auto class, makes of the folder, float32 and in evaluation mode.

        `arguments` are further ones of the network's class. Raises `WeightsError` if the weights cannot be read or do
        not fit.
        """
        if not self.weights:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(UNTRAINED_SEED)
                return Drawn(self.draw(auto, **arguments), {})
        try:
            network, said = read_network(
                auto,
                self.folder,
                copy.deepcopy(self.config),
                attn_implementation=attention(),
                trust_remote_code=self.trust_remote_code,
                **arguments,
            )
        except UNREADABLE as error:
            raise WeightsError(f"cannot read the weights of {self.name} in {self.folder}: {error}") from error
        parameters = dict(network.named_parameters())
        return Drawn(network.eval(), {parameters[key]: key for key in said["missing_keys"] if key in parameters})

    def draw(self, auto: type[AutoModel], **arguments: object) -> nn.Module:
        """Return the network with weights drawn from torch's default generator, in evaluation mode."""
        network: nn.Module = auto.from_config(
            copy.deepcopy(self.config),
            attn_implementation=attention(),
            dtype=torch.float32,
            trust_remote_code=self.trust_remote_code,
            **arguments,
        )
        return network.eval()

    def check_complete(self, stages: nn.ModuleList, drawn: Drawn) -> None:
        """Raise `WeightsError` if any parameter of the stages was not among the weights."""
        missing = [drawn.missing[one] for one in stages.parameters() if one in drawn.missing]
        if missing:
            raise WeightsError(
                f"the weights of {self.name} are not for its architecture: {len(missing)} of its parameters are not "
                f"among them, such as {', '.join(missing[:3])}"
            )

    def card(
        self, backbone: Backbone, domain: DomainName, inputs: Batch, readouts: tuple[Kind, ...] = (Kind.POOLED,)
    ) -> BackboneCard:
        """Return the card of a backbone made of this, with the width of its features for `inputs`."""
        with torch.inference_mode():
            width = run_stages(backbone.stages, inputs).values.shape[-1]
        hub_id = self.name.removeprefix("hf:").partition("?")[0]
        here = not self.weights or Path(hub_id).is_dir()
        return BackboneCard(
            name=self.name,
            title=Path(hub_id).name,
            domain=domain,
            description=f"{self.config.model_type} of transformers, {len(backbone.stages)} stages"
            + ("" if self.weights else ", with weights drawn at random"),
            source=str(self.folder) if here else f"https://huggingface.co/{hub_id}",
            licence=licence_in(self.folder),
            citation="see the source",
            sha256=weights_hash(self.weights) if self.weights else state_hash(backbone),
            parameters=sum(parameter.numel() for parameter in backbone.parameters()),
            width=width,
            stages=("embeddings", *(f"layer{height}" for height in range(1, len(backbone.stages)))),
            readouts=readouts,
        )


def for_features(config: PreTrainedConfig) -> PreTrainedConfig:
    """Return a copy of a config with nothing dropped at random, of units, paths and layers alike.

    On a few hundred short texts the early end of training regularises enough, and every step is cheaper for it.
    """
    settled = copy.deepcopy(config)
    for key, value in config.to_dict().items():
        if "drop" in key and isinstance(value, float):
            setattr(settled, key, 0.0)
    settled.use_cache = False  # of keys and values, which only writing word by word needs
    settled.output_hidden_states = settled.output_attentions = False
    settled.return_dict = True
    settled.architectures = []  # what its authors trained, such as DeiT with a teacher, is not what is wanted of it
    return settled
