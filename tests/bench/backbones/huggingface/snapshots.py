"""Snapshot folders as the hub has them, of tiny networks with random weights and a tokenizer of few words."""

from pathlib import Path
from typing import Final

import torch
from tokenizers import Tokenizer
from tokenizers.models import BPE, WordLevel
from tokenizers.pre_tokenizers import ByteLevel, Whitespace
from transformers import (
    AlbertConfig,
    AutoModel,
    AutoModelForImageClassification,
    BartConfig,
    BeitConfig,
    BertConfig,
    ConvNextConfig,
    DebertaConfig,
    DebertaV2Config,
    Dinov2Config,
    DistilBertConfig,
    FNetConfig,
    GPT2Config,
    GPTNeoXConfig,
    ModernBertConfig,
    MPNetConfig,
    OPTConfig,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    ResNetConfig,
    RobertaConfig,
    SwinConfig,
    T5Config,
    ViTConfig,
    ViTImageProcessor,
)

WORDS: Final = ("<pad>", "<unk>", "<s>", "</s>", *(f"w{number}" for number in range(40)))

READS_LETTERS: Final = frozenset({"gpt2", "gpt_neox", "opt", "qwen2"})

_TOKENS: Final = {"vocab_size": len(WORDS), "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
_PLAIN: Final = _TOKENS | {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 40,
}
_RELATIVE: Final = _PLAIN | {
    "relative_attention": True,
    "position_buckets": 8,
    "pos_att_type": ["p2c", "c2p"],
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
}
_PATCHES: Final = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "image_size": 16,
    "patch_size": 4,
}

TEXTS: Final[dict[str, PreTrainedConfig]] = {
    "albert": AlbertConfig(**_PLAIN, embedding_size=8),
    "bart": BartConfig(
        **_TOKENS,
        d_model=16,
        encoder_layers=3,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=24,
        decoder_ffn_dim=24,
        max_position_embeddings=40,
        scale_embedding=True,
        decoder_start_token_id=3,
    ),
    "bert": BertConfig(**_PLAIN),
    "deberta": DebertaConfig(**_PLAIN, relative_attention=True, pos_att_type=["p2c", "c2p"]),
    "deberta-v2": DebertaV2Config(**_RELATIVE, conv_kernel_size=3, conv_act="gelu"),
    "distilbert": DistilBertConfig(**_TOKENS, dim=16, n_layers=3, n_heads=2, hidden_dim=24, max_position_embeddings=40),
    "fnet": FNetConfig(
        **_TOKENS, hidden_size=16, num_hidden_layers=2, intermediate_size=24, max_position_embeddings=40
    ),
    "gpt2": GPT2Config(**_TOKENS, n_embd=16, n_layer=3, n_head=2, n_positions=40),
    "gpt_neox": GPTNeoXConfig(**_PLAIN),
    "modernbert": ModernBertConfig(
        **_PLAIN, cls_token_id=2, sep_token_id=3, global_attn_every_n_layers=2, local_attention=4
    ),
    "mpnet": MPNetConfig(**_PLAIN | {"pad_token_id": 1}),
    "opt": OPTConfig(
        **_TOKENS,
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        ffn_dim=24,
        max_position_embeddings=40,
        word_embed_proj_dim=8,
    ),
    "qwen2": Qwen2Config(
        **_PLAIN, num_key_value_heads=1, use_sliding_window=True, sliding_window=3, max_window_layers=1
    ),
    "roberta": RobertaConfig(**_PLAIN | {"pad_token_id": 1}),
    "t5": T5Config(**_TOKENS, d_model=16, d_kv=8, d_ff=24, num_layers=3, num_heads=2),
}

IMAGES: Final[dict[str, PreTrainedConfig]] = {
    "beit": BeitConfig(**_PATCHES, use_shared_relative_position_bias=True),
    "convnext": ConvNextConfig(hidden_sizes=[8, 12, 16], depths=[1, 1, 2], num_stages=3, image_size=16),
    "dinov2": Dinov2Config(
        hidden_size=16, num_hidden_layers=3, num_attention_heads=2, image_size=16, patch_size=4, drop_path_rate=0.5
    ),
    "resnet": ResNetConfig(embedding_size=8, hidden_sizes=[8, 12, 16], depths=[1, 1, 2], layer_type="basic"),
    "swin": SwinConfig(image_size=16, patch_size=2, embed_dim=8, depths=[1, 2, 1], num_heads=[1, 2, 2], window_size=2),
    "vit": ViTConfig(**_PATCHES),
}


def write_tokenizer(folder: Path, kind: str, padding: int) -> None:
    """Write a tokenizer of `WORDS`, or of letters for families whose own take nothing else; `padding` is its pad id."""
    special = {"unk_token": "<unk>", "pad_token": WORDS[padding], "bos_token": "<s>", "eos_token": "</s>"}
    if kind in READS_LETTERS:
        letters = (*WORDS[:4], "Ġ", "w", *"0123456789")
        tokenizer = Tokenizer(BPE({letter: number for number, letter in enumerate(letters)}, []))
        tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    else:
        vocabulary = {word: number for number, word in enumerate(WORDS)}
        tokenizer = Tokenizer(WordLevel(vocabulary, unk_token=special["unk_token"]))
        tokenizer.pre_tokenizer = Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)


def write_text_model(folder: Path, kind: str, **saving: object) -> Path:
    """Write a snapshot of a text model with random weights, and return its folder."""
    config = TEXTS[kind]
    write_tokenizer(folder, kind, config.pad_token_id)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        AutoModel.from_config(config).save_pretrained(folder, **saving)
    return folder


def write_image_model(folder: Path, kind: str) -> Path:
    """Write a snapshot of an image classifier with random weights, and return its folder."""
    ViTImageProcessor(size={"height": 16, "width": 16}).save_pretrained(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        AutoModelForImageClassification.from_config(IMAGES[kind]).save_pretrained(folder)
    return folder
