"""The unit of work and its outcomes. Standard library only, so that reading results needs nothing else."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
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
class Scores:
    """By name of metric: the `values` on all test examples, and those `without` each test block in turn.

    A value is None where these examples do not define the metric. `without` is empty for a test of a single block:
    what is left has no example.
    """

    values: Mapping[str, float | None]
    without: Mapping[str, tuple[float | None, ...]]


NO_SCORES: Final = Scores({}, {})


@dataclass(frozen=True, slots=True)
class ShiftedScore:
    """The score of the same model on test data under a shift, and the score of chance there.

    `shift` names it within its task, `title` says it. `seconds` are no part of what the cell cost. `scores` and
    `baselines` are all metrics of the model and of what has no skill. `block_sizes` are how many are scored in each
    test block, where these are other examples than those of the test split; under any other shift it is empty.
    """

    shift: str
    title: str
    score: float
    chance: float
    seconds: float
    scores: Scores = NO_SCORES
    baselines: Scores = NO_SCORES
    block_sizes: tuple[int, ...] = ()

    @property
    def elsewhere(self) -> bool:
        """Whether other examples than those of the test split were tested on."""
        return bool(self.block_sizes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A scored cell.

    `score` is that of the metric that ranks and `chance` what has no skill scores, the baseline that is called `zero`;
    `scores` and `baselines` hold every metric of both, also without each test block. Where a target has several
    baselines, of which zero is the best on the training split, `trivial` holds the scores of each by its title: one may
    be better than zero on the test. Results of before have none. `n_test` is how many were scored, and `block_sizes`
    how many of them are in each block: examples, or the units that several examples are scored in, whose number is on
    the card of the task.

    `amount` counts every label the cell saw, whatever for, in the unit of the target. `seconds` is the cell's own cost:
    of it `training_seconds` went into the gradient loop and `evaluation_seconds` into the test split. `shared` is what
    it used that other cells use too, whenever that was done: alone it would have cost both. `peak_mib` is the peak
    while the cell ran: of memory allocated on a GPU, else of the process's resident memory (off Linux of the process so
    far). `losses` are means of the training loss over stretches of equally many steps, one after the other; without a
    gradient loop there are none. `metric_files` has the sha256 of the file of each metric that is a user's function.
    `tested` names what the predictions belong to (see `bench.results.tested`), "" in results that were kept without.

    Data that came without a split are dealt into `folds`, and `fold` is the one that was tested on; data with a split
    have one. `n_train` is what all there was to learn from amounts to, in the unit of `amount`. Results that were kept
    before these were say nothing of the three.

    `learning_rate` is the peak rate that a network was trained at in the end, and `rates` says where that is from:
    "shipped" with the recipe, "chosen" inside the budget, or "too few labels" to choose. `kept` is "probe" or
    "finetuned" where held-out labels chose between the two. They are None where there is no rate or no choice, and in
    results that were kept without.
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
    scores: Scores = NO_SCORES
    baselines: Scores = NO_SCORES
    zero: str = ""
    trivial: Mapping[str, Scores] = field(default_factory=dict)
    block_sizes: tuple[int, ...] = ()
    metric_files: Mapping[str, str] = field(default_factory=dict)
    tested: str = ""
    fold: int = 0
    folds: int = 1
    n_train: float | None = None
    learning_rate: float | None = None
    rates: str | None = None
    kept: str | None = None

    def ranked_by(self, metric: str) -> "Result":
        """Return the result with another metric as its score. Raises `KeyError` if it was not scored by it."""
        return replace(
            self,
            score=_defined(self.scores, metric),
            chance=_defined(self.baselines, metric),
            shifted=tuple(
                replace(one, score=_defined(one.scores, metric), chance=_defined(one.baselines, metric))
                for one in self.shifted
            ),
        )

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


def _defined(scores: Scores, metric: str) -> float:
    value = scores.values[metric]
    if value is None:
        raise KeyError(metric)
    return value


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
        values["shifted"] = tuple(ShiftedScore(**_with_tuples(shifted)) for shifted in values["shifted"])
        values["losses"] = tuple(values["losses"])
        values["trivial"] = {title: _scores_of(one) for title, one in values.get("trivial", {}).items()}
        values = _with_tuples(values)
        values["provenance"] = Provenance(**values["provenance"])
        return Result(**values)
    raise ValueError(f"an outcome is a result or a failure, not {kind!r}")


def _with_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record whose scores are objects again, and whose sizes of blocks a tuple."""
    made = {name: _scores_of(values[name]) for name in ("scores", "baselines")}
    return {**values, **made, "block_sizes": tuple(values.get("block_sizes", ()))}


def _scores_of(record: Mapping[str, Any]) -> Scores:
    return Scores(record["values"], {metric: tuple(without) for metric, without in record["without"].items()})


CELL_FIELDS = tuple(field.name for field in fields(Cell))
