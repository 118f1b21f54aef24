"""What the peers' side is made of: transformers' MiniLM and data sets, as their users write them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from transformers import AutoModel, AutoTokenizer, DataCollatorWithPadding
from transformers.utils.logging import disable_progress_bar

from benchmarks import ours

Labels = Sequence[int]
Example = Mapping[str, Any]
Collate = Callable[[list[Example]], Mapping[str, Tensor]]


class MiniLM(nn.Module):
    """MiniLM as `AutoModel` reads it from its files, with the mean pooling of its model card."""

    def __init__(self) -> None:
        super().__init__()
        disable_progress_bar()  # of reading six layers
        self.network = AutoModel.from_pretrained(ours.minilm_folder())
        self.width: int = self.network.config.hidden_size

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return features [n, 384]."""
        hidden: Tensor = self.network(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weights = attention_mask.to(hidden.dtype)[:, :, None]
        return (hidden * weights).sum(1) / weights.sum(1)


class Tokens:
    """MiniLM's tokenizer, and the collator that pads a batch to its longest text."""

    def __init__(self) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(ours.minilm_folder())
        self.collate: Collate = DataCollatorWithPadding(self._tokenizer)

    def examples(self, strings: Sequence[str], labels: Labels) -> list[Example]:
        """Return tokenised texts, unpadded."""
        encoded = self._tokenizer(list(strings), truncation=True)
        columns = zip(encoded["input_ids"], encoded["attention_mask"], labels, strict=True)
        return [{"input_ids": ids, "attention_mask": mask, "labels": int(label)} for ids, mask, label in columns]


class Pictures(Dataset[tuple[Tensor, int]]):
    """Prepared pictures, one at a time."""

    def __init__(self, values: Tensor, labels: Labels) -> None:
        self._values, self._labels = values, labels

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self._values[index], int(self._labels[index])


def read_texts(batch: Mapping[str, Tensor], device: str) -> tuple[tuple[Tensor, ...], Tensor]:
    """Return what the network takes of a batch of texts and the labels, on the device."""
    return (batch["input_ids"].to(device), batch["attention_mask"].to(device)), batch["labels"].to(device)


def read_pictures(batch: Sequence[Tensor], device: str) -> tuple[tuple[Tensor, ...], Tensor]:
    """Return what the network takes of a batch of pictures and the labels, on the device."""
    pictures, labels = batch
    return (pictures.to(device),), labels.to(device)


def frozen(network: nn.Module, device: str) -> nn.Module:
    """Return the network in evaluation mode, with no parameter that learns."""
    for parameter in network.parameters():
        parameter.requires_grad = False
    return network.to(device).eval()


def accuracy(outputs: Tensor, labels: Labels) -> float:
    """Return the share of rows whose largest output is the label's."""
    return float((outputs.argmax(1).cpu() == torch.as_tensor(labels)).float().mean())
