"""Owns the files of one model of transformers: its weights, its licence, and the networks made from them."""

import copy
import hashlib
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from huggingface_hub.repocard import metadata_load
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedConfig
from transformers.utils import logging

from bench.backbone import Backbone, Batch, run_stages, state_hash
from bench.cache import file_sha256
from bench.card import BackboneCard
from bench.domain import Domain
from bench.errors import WeightsError

WEIGHTS: Final = ("model.safetensors", "model-*-of-*.safetensors", "pytorch_model.bin", "pytorch_model-*-of-*.bin")
"""What weights files are called, the first kind that is there being used."""

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
            with _quietly():
                network, info = auto.from_pretrained(
                    self.folder,
                    config=copy.deepcopy(self.config),
                    attn_implementation=attention(),
                    dtype=torch.float32,
                    output_loading_info=True,
                    local_files_only=True,
                    trust_remote_code=self.trust_remote_code,
                    **arguments,
                )
        except (OSError, RuntimeError, ValueError, SafetensorError, pickle.UnpicklingError, EOFError) as error:
            raise WeightsError(f"cannot read the weights of {self.name} in {self.folder}: {error}") from error
        parameters = dict(network.named_parameters())
        return Drawn(network.eval(), {parameters[key]: key for key in info["missing_keys"] if key in parameters})

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

    def card(self, backbone: Backbone, domain: Domain, inputs: Batch) -> BackboneCard:
        """Return the card of a backbone made of this, with the width of its features for `inputs`."""
        with torch.inference_mode():
            width = run_stages(backbone.stages, inputs).values.shape[1]
        hub_id = self.name.removeprefix("hf:").partition("?")[0]
        here = not self.weights or Path(hub_id).is_dir()
        return BackboneCard(
            name=self.name,
            title=Path(hub_id).name,
            domain=domain,
            description=f"{self.config.model_type} of transformers, {len(backbone.stages)} stages"
            + ("" if self.weights else ", with weights drawn at random"),
            source=str(self.folder) if here else f"https://huggingface.co/{hub_id}",
            licence=_licence(self.folder),
            citation="see the source",
            sha256=_hash(self.weights) if self.weights else state_hash(backbone),
            parameters=sum(parameter.numel() for parameter in backbone.parameters()),
            width=width,
            stages=("embeddings", *(f"layer{height}" for height in range(1, len(backbone.stages)))),
        )


def weights_in(folder: Path) -> tuple[Path, ...]:
    """Return the weights files in a folder, none if it has none."""
    return next((found for pattern in WEIGHTS if (found := tuple(sorted(folder.glob(pattern))))), ())


def attention() -> str | None:
    """Return which of transformers' attentions to use: plain products on a CPU, else the network's own choice.

    torch's kernel for CPUs takes two to five times as long as the plain products, from 3 tokens to 128, in bfloat16.
    """
    return None if torch.cuda.is_available() else "eager"


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


def _hash(weights: tuple[Path, ...]) -> str:
    """Return the sha256 of a weights file; of several, that of their hashes in order."""
    hashes = [file_sha256(path) for path in weights]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _licence(folder: Path) -> str:
    """Return the licence that the model's README gives."""
    readme = folder / "README.md"
    said = (metadata_load(readme) or {}) if readme.exists() else {}
    return str(said.get("license", "not said: see the source"))


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep transformers from reporting what it loads: missing heads are expected, all else is checked here."""
    verbosity = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
