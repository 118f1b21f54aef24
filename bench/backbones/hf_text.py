"""Owns text models of transformers as backbones: their own tokens, their own layers, and one vector of each text."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

from bench.backbone import Backbone, Batch, Stage, TokenStage
from bench.backbones.hf_snapshot import Snapshot
from bench.backbones.layers import Excerpt, Lent, checked, cut, find_layers
from bench.domain import Raw, Texts
from bench.errors import ConfigError

LONGEST: Final = 256
"""Tokens kept of a text where its reference does not say otherwise."""

UNUSED_POSITIONS: Final = 2
"""Rows at the start of a table of positions that the RoBERTa family leaves unused."""

Pool = Literal["mean", "cls", "last"]

SENTENCE_POOLS: Final[Mapping[str, Pool]] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_lasttoken": "last",
    "mean": "mean",
    "cls": "cls",
    "lasttoken": "last",
}
"""Poolings by what sentence-transformers calls them, in its older files and in its newer ones."""

LENDS_BIAS: Final = frozenset({"mt5", "t5"})
"""Families whose first layer has a table of relative positions that all layers use."""


def build_text(snapshot: Snapshot) -> Backbone:
    """Return the text model of a snapshot as a backbone.

    Raises `WeightsError` if it cannot be cut into stages or its weights do not fit, `ConfigError` for settings that it
    cannot follow.
    """
    drawn = snapshot.load(AutoModel)
    backbone = TextModel(_encoder(drawn.network), snapshot)
    snapshot.check_complete(backbone.stages, drawn)
    backbone.card = snapshot.card(backbone, "text", backbone.prepare(Texts(("one", "two"))))
    return backbone


class TextModel(Backbone):
    """A text model of transformers whose features are hidden states pooled over the tokens of a text."""

    def __init__(self, network: nn.Module, snapshot: Snapshot) -> None:
        super().__init__()
        self._snapshot = snapshot
        self._pool = _pool(snapshot)
        self._tokenizer = AutoTokenizer.from_pretrained(snapshot.folder, local_files_only=True)
        self._longest = _longest(snapshot, self._tokenizer.model_max_length)
        self.stages = self._cut(network)

    def initialise(self) -> None:
        self.stages.load_state_dict(self._cut(_encoder(self._snapshot.draw(AutoModel))).state_dict())

    def prepare(self, raw: Raw) -> Batch:
        """Return token ids int64 [n, length] with the lengths of the texts, padded to the longest."""
        assert isinstance(raw, Texts)
        tokenizer = self._tokenizer
        found = tokenizer(list(raw.strings), truncation=True, max_length=self._longest, return_attention_mask=False)
        candidates = (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id, 0)
        padding = next(token for token in candidates if token is not None)
        texts = [ids or [padding] for ids in found["input_ids"]]  # an empty text of some tokenizers has no token
        lengths = np.array([len(ids) for ids in texts], dtype=np.int64)
        values = np.full((len(texts), lengths.max(initial=0)), padding, dtype=np.int64)
        for row, ids in zip(values, texts, strict=True):
            row[: len(ids)] = ids
        return Batch(torch.from_numpy(values), torch.from_numpy(lengths))

    def _cut(self, network: nn.Module) -> nn.ModuleList:
        """Return the stages of a network, which give what it gives."""
        name, kind = self._snapshot.name, self._snapshot.config.model_type
        path = find_layers(network, kind, self._snapshot.settings.get("layers"), name)
        if kind in LENDS_BIAS:
            _lend_bias(network.get_submodule(path))
        batch = _some_tokens(self._snapshot.config, self._longest)
        assert batch.mask is not None
        inputs = {"input_ids": batch.values, "attention_mask": batch.mask.long()}
        excerpts, hidden = cut(network, path, kind, lambda: network(**inputs).last_hidden_state)
        first, *others = excerpts
        stages = nn.ModuleList(
            [
                Embeddings(first),
                *(Layer(excerpt) for excerpt in others[:-1]),
                PooledLayer(others[-1], self._pool),
            ]
        )
        return checked(name, stages, batch, pooled(hidden, batch.mask, self._pool))


class Embeddings(TokenStage):
    """Token ids [n, length] to hidden states [n, length, width]."""

    def __init__(self, excerpt: Excerpt) -> None:
        super().__init__()
        self.excerpt = excerpt
        self.table.padding_idx = None  # a narrowed table has another token there, and no token attends to padding

    @property
    def table(self) -> nn.Embedding:
        words: nn.Embedding = self.excerpt.network.get_input_embeddings()
        return words

    def look_up_in(self, table: nn.Embedding) -> None:
        """Put another table's rows in place: some tables scale what is looked up, so the module stays."""
        self.table.weight = table.weight
        self.table.num_embeddings = table.num_embeddings

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        assert mask is not None
        # Not `input_ids`: some networks count positions by which ids are padding, and narrowed tables renumber them.
        hidden: Tensor = self.excerpt(inputs_embeds=self.table(values), attention_mask=mask.long())
        return hidden


class Layer(Stage):
    """Hidden states to hidden states [n, length, width]; padding is attended to by no token."""

    def __init__(self, excerpt: Excerpt) -> None:
        super().__init__()
        self.excerpt = excerpt

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        assert mask is not None
        hidden: Tensor = self.excerpt(inputs_embeds=values, attention_mask=mask.long())
        return hidden


class PooledLayer(Stage):
    """Hidden states [n, length, width] to features of each text [n, width]."""

    def __init__(self, excerpt: Excerpt, pool: Pool) -> None:
        super().__init__()
        self.excerpt = excerpt
        self._pool: Pool = pool

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        assert mask is not None
        hidden = self.excerpt(inputs_embeds=values, attention_mask=mask.long()).last_hidden_state
        return pooled(hidden, mask, self._pool)


def pooled(hidden: Tensor, mask: Tensor, pool: Pool) -> Tensor:
    """Return hidden states [n, length, width] as one vector for each text, [n, width]."""
    if pool == "cls":
        return hidden[:, 0]
    if pool == "last":
        return hidden[torch.arange(len(hidden), device=hidden.device), mask.sum(1) - 1]
    weights = mask.to(hidden.dtype)[:, :, None]
    return (hidden * weights).sum(1) / weights.sum(1)


def _encoder(network: Any) -> nn.Module:
    """Return the part of a network that reads."""
    encoder: nn.Module = network.get_encoder() if network.config.is_encoder_decoder else network
    return encoder


def _lend_bias(layers: nn.Module) -> None:
    """Have each layer compute its relative positions from the first one's table, instead of being handed the result."""
    first, *others = (layer.layer[0].SelfAttention for layer in layers.children())
    for attention in others:
        attention.has_relative_attention_bias = True
        attention.relative_attention_bias = Lent(first.relative_attention_bias)


def _some_tokens(config: Any, longest: int) -> Batch:
    """Return three texts of different lengths, drawn the same way every time, with no padding id among their tokens."""
    padding = config.pad_token_id or 0
    lengths = torch.tensor([7, 4, 1]).clamp(max=longest)
    ids = torch.randint(config.vocab_size - 1, (3, int(lengths.max())), generator=torch.Generator().manual_seed(0))
    ids += ids >= padding
    batch = Batch(ids, lengths)
    assert batch.mask is not None
    return Batch(ids.masked_fill(~batch.mask, padding), lengths)


def _pool(snapshot: Snapshot) -> Pool:
    """Return how the tokens of a text become one vector: as told, as trained for sentences, or by the architecture."""
    named = snapshot.settings.get("pool")
    if named is not None:
        if named not in get_args(Pool):
            raise ConfigError(f"{snapshot.name} asks for the pool {named!r}: there are {', '.join(get_args(Pool))}")
        return named  # type: ignore[return-value]  # which has just been looked up
    path = snapshot.folder / "1_Pooling" / "config.json"
    if path.exists():
        said = json.loads(path.read_bytes())
        modes = [said["pooling_mode"]] if "pooling_mode" in said else [key for key, on in said.items() if on is True]
        pools = [SENTENCE_POOLS[mode] for mode in modes if mode in SENTENCE_POOLS]
        if len(pools) == 1:
            return pools[0]
    kind = snapshot.config.model_type
    writes = kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and kind not in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    return "last" if writes and not snapshot.config.is_encoder_decoder else "mean"


def _longest(snapshot: Snapshot, of_tokenizer: int) -> int:
    """Return how many tokens of a text are kept. Raises `ConfigError` if more are asked for than there are places."""
    positions = getattr(snapshot.config, "max_position_embeddings", None) or of_tokenizer
    named = snapshot.settings.get("longest")
    if named is None:
        return min(LONGEST, of_tokenizer, max(1, positions - UNUSED_POSITIONS))
    if not named.isdecimal() or not 0 < int(named) <= min(of_tokenizer, positions):
        raise ConfigError(
            f"{snapshot.name} asks for texts of {named!r} tokens: give a number from 1 to {min(of_tokenizer, positions)}"
        )
    return int(named)
