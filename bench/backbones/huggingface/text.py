"""Text models of transformers as backbones: their own tokens, their own layers, and one vector of each text."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from transformers import (
    AutoModel,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from bench.backbone import Backbone, Batch, Features, Stage, TokenStage
from bench.backbones.huggingface.layers import checked, cut, find_layers
from bench.backbones.huggingface.pooling import pool_of, pooled
from bench.backbones.huggingface.slices import LayerSlice, SharedModule
from bench.backbones.huggingface.snapshot import Snapshot
from bench.column import Ragged, ragged
from bench.domain import Raw
from bench.domains.text.raw import Texts, expect_texts
from bench.errors import ConfigError, WeightsError
from bench.readout import Kind, Readout

LONGEST: Final = 256
"""Tokens kept of a text where its reference does not say otherwise."""

FIRST_POSITION: Final[Mapping[str, int]] = {
    "camembert": 2,
    "data2vec-text": 2,
    "mpnet": 2,
    "roberta": 2,
    "roberta-prelayernorm": 2,
    "xlm-roberta": 2,
}
"""The row of the table of positions that families give the first token, where it is not the first row."""

WITHOUT_POOLER: Final = frozenset({"bert", "camembert", "roberta", "xlm-roberta"})
"""Families that can be built without the layer that would follow the features."""

TAKES_MASK: Final = frozenset({"bert", "camembert", "distilbert", "electra", "roberta", "xlm-roberta"})
"""Families to whose layers a ready mask can be handed. Where they make their own, a GPU is waited for in every layer:
they ask it whether there is any padding.
"""

LENDS_BIAS: Final = frozenset({"mt5", "t5"})
"""Families whose first layer has a table of relative positions that all layers use."""


def build_text(snapshot: Snapshot) -> Backbone:
    """Return the text model of a snapshot as a backbone.

    Raises `WeightsError` if it cannot be cut into stages or its weights do not fit, `ConfigError` for settings that it
    cannot follow.
    """
    drawn = snapshot.load(AutoModel, **_arguments(snapshot))
    backbone = TextModel(_encoder(drawn.network), snapshot)
    snapshot.check_complete(backbone.stages, drawn)
    backbone.card = snapshot.card(
        backbone, "text", backbone.prepare(Texts(("one", "two"))), (Kind.POOLED, Kind.SEQUENCE)
    )
    return backbone


class TextModel(Backbone):
    """A text model of transformers whose features are hidden states pooled over the tokens of a text."""

    def __init__(self, network: PreTrainedModel, snapshot: Snapshot) -> None:
        super().__init__()
        self._snapshot = snapshot
        self._pool = pool_of(snapshot)
        self._tokenizer = _tokenizer(snapshot)
        self._longest = _longest(snapshot, self._tokenizer.model_max_length)
        self.stages = self._cut(network)

    def initialise(self) -> None:
        network = self._snapshot.draw(AutoModel, **_arguments(self._snapshot))
        self.stages.load_state_dict(self._cut(_encoder(network)).state_dict())

    def prepare(self, raw: Raw) -> Batch:
        """Return token ids int64 [n, length] with the lengths of the texts, padded to the longest.

        Of texts that come in words, the geometry has the first `token` of each word, or -1 where it was cut off.
        """
        given = expect_texts(raw)
        tokenizer = self._tokenizer
        in_words = given.words is not None
        strings = list(given.strings) if given.words is None else [" ".join(words) for words in given.words]
        if in_words and not tokenizer.is_fast:
            raise WeightsError(f"{self.card.name} has a tokenizer that cannot tell which tokens are of which word")
        found = tokenizer(
            strings,
            truncation=True,
            max_length=self._longest,
            return_attention_mask=False,
            return_offsets_mapping=in_words,
        )
        candidates = (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id, 0)
        padding = next(token for token in candidates if token is not None)
        texts = [ids or [padding] for ids in found["input_ids"]]  # an empty text of some tokenizers has no token
        lengths = np.array([len(ids) for ids in texts], dtype=np.int64)
        values = np.full((len(texts), lengths.max(initial=0)), padding, dtype=np.int64)
        for row, ids in zip(values, texts, strict=True):
            row[: len(ids)] = ids
        geometry = first_tokens(found["offset_mapping"], given.words) if given.words is not None else None
        return Batch(torch.from_numpy(values), torch.from_numpy(lengths), geometry)

    def read(self, tapped: Sequence[Batch], readout: Readout) -> Features:
        """Return hidden states [n, length, width], or pooled over the tokens of each text [n, width]."""
        if readout.kind == Kind.SEQUENCE:
            return tuple(batch.values for batch in tapped)
        return tuple(self._pooled(batch) for batch in tapped)

    def _pooled(self, batch: Batch) -> Tensor:
        assert batch.mask is not None, "hidden states come with the lengths of their texts"
        return pooled(batch.values, batch.mask, self._pool)

    def _cut(self, network: PreTrainedModel) -> nn.ModuleList:
        """Return the stages of a network, which give what it gives."""
        name, kind = self._snapshot.name, self._snapshot.config.model_type
        path = find_layers(network, kind, self._snapshot.settings.get("layers"), name)
        if kind in LENDS_BIAS:
            _lend_bias(network.get_submodule(path))
        batch = _some_tokens(self._snapshot.config, self._longest)
        assert batch.mask is not None
        inputs = {"input_ids": batch.values, "attention_mask": as_numbers(batch.mask)}
        slices, hidden = cut(network, path, kind, lambda: network(**inputs).last_hidden_state)
        masks = admitted if kind in TAKES_MASK else as_numbers
        first, *others = slices
        layers = [Layer(layer_slice, masks, last=layer_slice is others[-1]) for layer_slice in others]
        stages = nn.ModuleList([Embeddings(first, masks), *layers])
        return checked(name, stages, batch, pooled(hidden, batch.mask, self._pool), self._pooled)


class Embeddings(TokenStage):
    """Token ids [n, length] to hidden states [n, length, width]; `masks` makes of the mask what the network takes."""

    def __init__(self, layer_slice: LayerSlice, masks: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.layer_slice = layer_slice
        self._masks = masks
        self.table.padding_idx = None  # a narrowed table has another token there, and no token attends to padding

    @property
    def table(self) -> nn.Embedding:
        words: nn.Embedding = self.layer_slice.network.get_input_embeddings()
        return words

    def look_up_in(self, table: nn.Embedding) -> None:
        """Put another table's rows in place: some tables scale what is looked up, so the module stays."""
        self.table.weight = table.weight
        self.table.num_embeddings = table.num_embeddings

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        assert mask is not None
        # Not `input_ids`: some networks count positions by which ids are padding, and narrowed tables renumber them.
        hidden: Tensor = self.layer_slice(inputs_embeds=self.table(values), attention_mask=self._masks(mask))
        return hidden


class Layer(Stage):
    """Hidden states to hidden states [n, length, width]; the last one's go through what follows the layers.

    Padding is attended to by no token: `masks` makes of the mask what the network takes.
    """

    def __init__(self, layer_slice: LayerSlice, masks: Callable[[Tensor], Tensor], *, last: bool) -> None:
        super().__init__()
        self.layer_slice = layer_slice
        self._masks = masks
        self._last = last

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        assert mask is not None
        found = self.layer_slice(inputs_embeds=values, attention_mask=self._masks(mask))
        hidden: Tensor = found.last_hidden_state if self._last else found
        return hidden


def first_tokens(spans: Sequence[Sequence[tuple[int, int]]], words: Sequence[Sequence[str]]) -> Ragged:
    """Return the place of the first token of each word, -1 for words that were cut off.

    `spans` are the characters of each token, from and to, in the words with a space between any two. Some tokenizers
    count a space to the token after it; tokens that stand for no character are of no word.
    """
    starts = []
    for of_text, of_words in zip(spans, words, strict=True):
        lengths = np.array([len(word) for word in of_words], dtype=np.int64)
        begins = np.cumsum(lengths + 1) - lengths - 1  # the first character of each word
        places = np.full(len(of_words), -1, dtype=np.int64)
        for token, (begin, end) in reversed(list(enumerate(of_text))):
            word = int(np.searchsorted(begins, end - 1, side="right")) - 1  # which the last character is of
            if begin < end and end - 1 < begins[word] + lengths[word]:
                places[word] = token
        starts.append(places)
    return ragged(token=starts)


def as_numbers(mask: Tensor) -> Tensor:
    """Return the mask as transformers has it from its tokenizers: 1 for tokens and 0 for padding, [n, length]."""
    return mask.long()


def admitted(mask: Tensor) -> Tensor:
    """Return what either attention adds to its scores, [n, 1, 1, length]: nothing for tokens, all but -inf for padding.

    Of the type of the products around it, as torch's kernels want it.
    """
    device = mask.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else torch.float32
    zeros = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
    return zeros.masked_fill(~mask, torch.finfo(dtype).min)[:, None, None]


def _arguments(snapshot: Snapshot) -> dict[str, bool]:
    """Return what the network's class is told beside its config."""
    return {"add_pooling_layer": False} if snapshot.config.model_type in WITHOUT_POOLER else {}


def _tokenizer(snapshot: Snapshot) -> PreTrainedTokenizerBase:
    """Return the model's own tokenizer. Raises `WeightsError` if its files are not there or cannot be read."""
    told = f"{snapshot.name}, of the model type {snapshot.config.model_type!r}, is taken for a text model, but no "
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            snapshot.folder, local_files_only=True, trust_remote_code=snapshot.trust_remote_code
        )
    except (OSError, ValueError, ImportError, KeyError, TypeError) as error:
        raise WeightsError(f"{told}tokenizer can be read in {snapshot.folder}: {error}") from error
    files = tokenizer.vocab_files_names.values()
    if files and not any((snapshot.folder / file).exists() for file in files):  # transformers makes do without words
        raise WeightsError(f"{told}tokenizer can be read in {snapshot.folder}: expected one of {', '.join(files)}")
    return tokenizer


def _encoder(network: PreTrainedModel) -> PreTrainedModel:
    """Return the part of a network that reads."""
    return network.get_encoder() if network.config.is_encoder_decoder else network


def _lend_bias(layers: nn.Module) -> None:
    """Have each layer compute its relative positions from the first one's table, instead of being handed the result."""
    first, *others = (layer.get_submodule("layer.0.SelfAttention") for layer in layers.children())
    for attention in others:
        attention.has_relative_attention_bias = True  # type: ignore[assignment]  # T5's own flag
        attention.relative_attention_bias = SharedModule(first.get_submodule("relative_attention_bias"))


def _some_tokens(config: PreTrainedConfig, longest: int) -> Batch:
    """Return three texts of different lengths, drawn the same way every time, with no padding id among their tokens."""
    padding = config.pad_token_id or 0
    lengths = torch.tensor([7, 4, 1]).clamp(max=longest)
    ids = torch.randint(config.vocab_size - 1, (3, int(lengths.max())), generator=torch.Generator().manual_seed(0))
    ids += ids >= padding
    batch = Batch(ids, lengths)
    assert batch.mask is not None
    return Batch(ids.masked_fill(~batch.mask, padding), lengths)


def _longest(snapshot: Snapshot, of_tokenizer: int) -> int:
    """Return how many tokens of a text are kept. Raises `ConfigError` if more are asked for than there are places."""
    positions = getattr(snapshot.config, "max_position_embeddings", None) or of_tokenizer
    most = min(of_tokenizer, positions - FIRST_POSITION.get(snapshot.config.model_type, 0))
    named = snapshot.settings.get("longest")
    if named is None:
        return min(LONGEST, most)
    if not named.isdecimal() or not 0 < int(named) <= most:
        raise ConfigError(f"{snapshot.name} asks for texts of {named!r} tokens: give a number from 1 to {most}")
    return int(named)
