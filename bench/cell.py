"""Owns the unit of work and what comes of it. Standard library only, so that reading results needs nothing else."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from bench.budget import Asked, parse_asked
from bench.errors import ConfigError

ALL_STREAMS: Final = "all"


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One task, backbone, strategy, budget and seed. `budget` is what is asked for; an amount of labels comes of it.

    `varied` is which random stream follows the seed: all of them, or just one, "subset", "initialisation" or "order",
    while the others are those of seed 0.
    """

    task: str
    backbone: str
    strategy: str
    budget: Asked
    seed: int
    varied: str = ALL_STREAMS

    def __str__(self) -> str:
        only = "" if self.varied == ALL_STREAMS else f" of the {self.varied} alone"
        return f"{self.task} · {self.backbone} · {self.strategy} · {self.budget} · seed {self.seed}{only}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Under what a cell was run: versions of what its score may depend on, and the hardware."""

    bench: str
    python: str
    torch: str
    platform: str
    processor: str


LOADING: Final = "loading"
FROZEN: Final = "frozen"
HEAD: Final = "head"


@dataclass(frozen=True, slots=True)
class Work:
    """Work that a cell needs and others may need too; done once, `key` names it.

    `phase` is "loading" (data and backbone, once per process), "frozen" (stages run once over the examples) or "head"
    (a linear head solved).
    """

    phase: str
    key: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ShiftedScore:
    """The score of the same model on test data under a shift, and the score of chance there.

    `shift` names it within its domain, `title` says it. `seconds` are no part of what the cell cost.
    """

    shift: str
    title: str
    score: float
    chance: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A scored cell.

    `amount` counts every label the cell saw, whatever for, in the unit of the target. `seconds` is the cell's own cost:
    of it `training_seconds` went into the gradient loop and `evaluation_seconds` into the test split. `shared` is what
    it used that other cells use too, whenever that was done: alone it would have cost both. `peak_mib` is the peak
    while the cell ran: of memory allocated on a GPU, else of the process's resident memory (off Linux of the process so
    far). `losses` are means of the training loss over stretches of equally many steps, one after the other; without a
    gradient loop there are none.
    """

    cell: Cell
    key: str
    amount: float
    n_test: int
    score: float
    chance: float
    penalty: float | None
    seconds: float
    training_seconds: float
    evaluation_seconds: float
    shared: tuple[Work, ...]
    shifted: tuple[ShiftedScore, ...]
    losses: tuple[float, ...]
    steps: int
    trainable_parameters: int
    total_parameters: int
    peak_mib: float
    device: str
    precision: str
    data_sha256: str
    provenance: Provenance

    @property
    def loading_seconds(self) -> float:
        """What it took to load its task and backbone."""
        return self._shared(LOADING)

    @property
    def frozen_seconds(self) -> float:
        """What it took to compute the frozen activations it read."""
        return self._shared(FROZEN)

    @property
    def head_seconds(self) -> float:
        """What it took to solve the linear head it began with."""
        return self._shared(HEAD)

    def _shared(self, phase: str) -> float:
        return sum(work.seconds for work in self.shared if work.phase == phase)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A cell that could not be scored, with the reason in one line and where it happened."""

    cell: Cell
    key: str
    reason: str
    traceback: str


Outcome = Result | Failure


def cell_record(cell: Cell) -> dict[str, Any]:
    """Return the cell as plain values for JSON; its budget as it is written on the command line."""
    return {**asdict(cell), "budget": str(cell.budget)}


def cell_of(record: Mapping[str, Any]) -> Cell:
    """Return the cell of a record made by `cell_record`.

    Raises `KeyError`, `TypeError` or `ValueError` if the record is not one.
    """
    try:
        return Cell(**{**record, "budget": parse_asked(record["budget"])})
    except ConfigError as error:
        raise ValueError(str(error)) from error


def to_record(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome as plain values for JSON; its kind stands under "kind"."""
    return {"kind": type(outcome).__name__.lower(), **asdict(outcome), "cell": cell_record(outcome.cell)}


def from_record(record: dict[str, Any]) -> Outcome:
    """Return the outcome of a record made by `to_record`.

    Raises `KeyError`, `TypeError` or `ValueError` if the record is not one.
    """
    values = dict(record)
    kind = values.pop("kind")
    values["cell"] = cell_of(values["cell"])
    if kind == "failure":
        return Failure(**values)
    if kind == "result":
        values["shared"] = tuple(Work(**work) for work in values["shared"])
        values["shifted"] = tuple(ShiftedScore(**shifted) for shifted in values["shifted"])
        values["losses"] = tuple(values["losses"])
        values["provenance"] = Provenance(**values["provenance"])
        return Result(**values)
    raise ValueError(f"an outcome is a result or a failure, not {kind!r}")


CELL_FIELDS = tuple(field.name for field in fields(Cell))
