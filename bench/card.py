"""What tasks and backbones say of themselves: where they come from, on which terms, and which bytes they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bench.domain import DomainName


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredUnits:
    """What is scored in place of single examples: all examples of a `name`, such as "patient", are scored as one.

    There are `n` of them to test on, with so many `examples`; of several folds those of all together. Their predictions
    are `combined` in this way, such as "mean".
    """

    name: str
    n: int = 0
    examples: int = 0
    combined: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCard:
    """A task's identity. `sha256` is that of the split data as used (`bench.task.fingerprint`) where they are `pinned`.

    Data that the user names are not pinned: their hash is that of the files they were found in, and of all that decides
    what is made of them, such as the target of a task in a file of their own. `version` rises when the task changes in
    a way that the data do not show, such as another metric. `n_train` is the number of examples of the training split,
    0 where the card was written without it, and `amount` what it is in the unit of the target, if that is another one
    and known. Data that came without a split are tested in `folds`, and `n_train` is that
    of the fold that leaves the fewest. `remarks` are what was noticed about the data and left as it is, such as files
    that are in both splits. `subjects` are what the data show and of what kind they are, in a few words each, as far as
    that is known. `beside` is what the splits hold beside labelled examples, as `bench.task.Split` calls it:
    "unlabelled", "source". `scored` says what is scored as one, None where each example is scored.
    """

    name: str
    title: str
    domain: DomainName
    description: str
    source: str
    licence: str
    citation: str
    version: int
    sha256: str
    synthetic: bool = False
    pinned: bool = True
    n_train: int = 0
    amount: float = 0.0
    folds: int = 1
    remarks: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    scored: ScoredUnits | None = None
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BackboneCard:
    """A backbone's identity. `sha256` is that of its weights file.

    `parameters` counts all but the head; `width` is the number of features per example; `stages` names them from input
    to features. `pretraining` says how a bundled one was made: source, recipe, seed, and its score on what was held
    out. `subjects` are what it was pretrained on, in the same words as those of tasks: where a backbone and a task
    share none, transfer crosses domains. `readouts` are the kinds in which it can be read (see `bench.readout.Kind`).
    `brings` says for which targets a head or a whole reader came with the weights, so that a plan knows what can do
    without labels: a kind of target by its name, or one target by its `Target.identity`. One that is not `trained` has
    weights that were drawn at random: what starts from them starts from nothing that was learned.
    """

    name: str
    title: str
    domain: DomainName
    description: str
    source: str
    licence: str
    citation: str
    sha256: str
    parameters: int
    width: int
    stages: tuple[str, ...]
    readouts: tuple[str, ...] = ("pooled",)
    pretraining: Mapping[str, Any] = field(default_factory=dict)
    subjects: tuple[str, ...] = ()
    brings: tuple[str, ...] = ()
    trained: bool = True


Card = TypeVar("Card", TaskCard, BackboneCard)


def read_card(kind: type[Card], record: Mapping[str, Any]) -> Card:
    """Return the card of a record made by `dataclasses.asdict`, through JSON or not.

    Raises `TypeError` if the record is not one.
    """
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in record.items()}
    if fields.get("scored"):
        fields["scored"] = ScoredUnits(**fields["scored"])
    return kind(**fields)
