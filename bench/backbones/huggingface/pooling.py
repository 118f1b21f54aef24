"""Making one vector of a text's hidden states, and which way a model is to do it."""

import json
from collections.abc import Mapping
from typing import Final, Literal, get_args

import torch
from torch import Tensor
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

from bench.backbones.huggingface.snapshot import Snapshot
from bench.errors import ConfigError

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


def pooled(hidden: Tensor, mask: Tensor, pool: Pool) -> Tensor:
    """Return hidden states [n, length, width] as one vector for each text, [n, width]."""
    if pool == "cls":
        return hidden[:, 0]
    if pool == "last":
        return hidden[torch.arange(len(hidden), device=hidden.device), mask.sum(1) - 1]
    weights = mask.to(hidden.dtype)[:, :, None]
    return (hidden * weights).sum(1) / weights.sum(1)


def pool_of(snapshot: Snapshot) -> Pool:
    """Return how the tokens of a text become one vector: as told, as trained for sentences, or by the architecture.

    Raises `ConfigError` if it is told what there is not.
    """
    named = snapshot.settings.get("pool")
    if named is not None:
        known: tuple[Pool, ...] = get_args(Pool)
        for pool in known:
            if pool == named:
                return pool
        raise ConfigError(f"{snapshot.name} asks for the pool {named!r}: there are {', '.join(known)}")
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
