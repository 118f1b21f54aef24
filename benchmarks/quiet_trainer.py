"""Transformers' `Trainer` set to do nothing but train."""

from collections.abc import Sequence

from torch import Tensor, nn
from transformers import PrinterCallback, Trainer, TrainingArguments
from transformers.modeling_outputs import SequenceClassifierOutput

from benchmarks.peers import Collate, Example, MiniLM


class Classifier(nn.Module):
    """MiniLM with a linear head, in the form that `Trainer` takes."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.encoder = MiniLM()
        self.head = nn.Linear(self.encoder.width, outputs)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> SequenceClassifierOutput:
        """Return the mean loss and the logits [n, outputs]."""
        logits = self.head(self.encoder(input_ids, attention_mask))
        return SequenceClassifierOutput(loss=nn.functional.cross_entropy(logits, labels), logits=logits)


def quiet_trainer(model: nn.Module, train: Sequence[Example], collate: Collate, **arguments: str | float) -> Trainer:
    """Return a `Trainer` that neither evaluates, saves, logs, reports nor prints while it trains.

    `arguments` are those of `TrainingArguments` that differ between rows.
    """
    settings = TrainingArguments(
        lr_scheduler_type="cosine",
        warmup_steps=0.1,
        weight_decay=0.01,
        eval_strategy="no",
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        **arguments,
    )
    trainer = Trainer(model=model, args=settings, train_dataset=train, data_collator=collate)
    trainer.remove_callback(PrinterCallback)
    return trainer
