"""What is said of an exported model: what it was adapted from and to, and how its inputs are to be read.

    model.safetensors   all stages of the backbone, as adapted, and the head
    model.json          the rest; written last, so that it marks a whole export

Each is whole or not there (see `bench.runtime.atomic`).
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Final

from bench.card import BackboneCard, TaskCard, read_card
from bench.cell import Cell, Result, cell_of, cell_record, from_record, to_record
from bench.config.data import FOLDS, OWN, DataSpec, separate_own
from bench.domains.contract import Format
from bench.domains.options import DataOptions
from bench.errors import PluginError, StoreError, UnknownNameError, WeightsError
from bench.runtime.atomic import replacing, write_whole
from bench.runtime.cache import file_sha256
from bench.target import Target
from bench.targets.registered import target_of, target_record

FORMAT: Final = 6
DESCRIPTION: Final = "model.json"
WEIGHTS: Final = "model.safetensors"
REFIT: Final = "refit"
KEY_DIGITS: Final = 24  # as of cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a recipe scored where it was tested, which is what is known of a model that was not.

    `scores` are those of the seeds by the metric that ranks, which learnt from `amount` labels each, or nearly so, and
    `keys` those of their results. They were tested on `tested` of the `folds` of the data; data with a split have one.
    """

    metric: str
    scores: tuple[float, ...]
    amount: float
    tested: int
    folds: int
    keys: tuple[str, ...]

    @property
    def key(self) -> str:
        """What names a model of this recipe and estimate, as the key of a cell does."""
        return hashlib.sha256(" ".join((REFIT, self.metric, *self.keys)).encode()).hexdigest()[:KEY_DIGITS]

    @property
    def mean(self) -> float:
        """The mean of the scores."""
        return fmean(self.scores)

    @property
    def deviation(self) -> float | None:
        """Their standard deviation; None of a single one."""
        return stdev(self.scores) if len(self.scores) > 1 else None

    def __str__(self) -> str:
        spread = "" if self.deviation is None else f" ± {self.deviation:.3f}"
        of = f"{self.tested} of {self.folds} folds" if self.tested < self.folds else f"{self.folds} folds"
        where = of if self.folds > 1 else "one test split"
        seeds = f"{len(self.scores)} seeds" if len(self.scores) > 1 else "one seed"
        deviates = ", mean and standard deviation" if spread else ""
        return f"{self.metric} {self.mean:.3f}{spread} ({seeds} on {where}{deviates})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refit:
    """A recipe trained on every label, those that it was tested on too: the model itself was not tested.

    `cell` is the one of seed 0 whose recipe it is. `amount` counts the labels, in the unit of the target.
    """

    cell: Cell
    amount: float
    precision: str
    estimate: Estimate

    def __str__(self) -> str:
        return f"trained on all {self.amount:g} labels, itself not tested; its recipe scored {self.estimate}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """An adapted model without its weights.

    `result` is that of the cell which it was tested in, or says that it was not. `data` is where the examples came from
    that it was adapted to, `boundary` the index of the first trained stage, `codec` what the codec of its labels found
    in them. `brought` says that its head is of the whole reader that comes with the backbone for the target.
    `input_format` is how its inputs were read, which their domain knows: of recordings the rate and the length, of
    pictures nothing. `libraries` are versions of those that build networks. `weights_sha256` is that of the weights
    file, once it is written.
    """

    result: Result | Refit
    task: TaskCard
    data: DataSpec
    backbone: BackboneCard
    boundary: int
    target: Target
    codec: Mapping[str, float]
    brought: bool
    input_format: Format
    libraries: Mapping[str, str]
    weights_sha256: str = ""


def holds(folder: Path, key: str) -> bool:
    """Return whether a folder holds the whole export of the cell of this key, in the present format."""
    try:
        record = json.loads((folder / DESCRIPTION).read_bytes())
        return bool(record["format"] == FORMAT and record["result"]["key"] == key and (folder / WEIGHTS).exists())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def make_room(folder: Path) -> None:
    """Make the folder of an export. Raises `StoreError` if that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot make the folder {folder}: {error.strerror}; name another with --export, or make room for it"
        ) from error


def write_exported(folder: Path, exported: Exported, write_weights: Callable[[Path], None]) -> None:
    """Write an export over whatever was in the folder. `write_weights` writes the weights to a path.

    Raises `StoreError` if the folder cannot be written.
    """
    make_room(folder)
    try:
        (folder / DESCRIPTION).unlink(missing_ok=True)  # until the new weights have theirs, there is no export
        with replacing(folder / WEIGHTS) as temporary:
            write_weights(temporary)
        named = replace(exported, weights_sha256=file_sha256(folder / WEIGHTS))
        said = json.dumps(_record(named), indent=1, ensure_ascii=False) + "\n"
        write_whole(folder / DESCRIPTION, said.encode("utf-8"))
    except OSError as error:
        raise StoreError(
            f"cannot write the model into {folder}: {error.strerror}; make room, or name another folder with --export"
        ) from error


def read_exported(folder: Path) -> Exported:
    """Return the description of the model in a folder.

    Raises `WeightsError` if there is none, or it cannot be read or is of another format.
    """
    path = folder / DESCRIPTION
    try:
        record = json.loads(path.read_bytes())
        found = int(record["format"])
    except (FileNotFoundError, NotADirectoryError) as error:
        raise WeightsError(f"there is no exported model in {folder}: {_advice(folder)}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path} cannot be read ({error}): export the model anew with run --export") from error
    if found != FORMAT:
        age, advice = ("newer", "update bench") if found > FORMAT else ("older", "export it anew with run --export")
        raise WeightsError(
            f"the model in {folder} is of the {age} format {found}, this version reads format {FORMAT}: {advice}"
        )
    try:
        return _exported_of(record)
    except (UnknownNameError, PluginError) as error:
        raise WeightsError(f"the model in {folder} predicts what is not installed here: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path} is not what an export writes ({error}): export the model anew") from error


def _advice(folder: Path) -> str:
    below = sorted(path.parent for path in folder.glob(f"*/*/*/{DESCRIPTION}"))
    if below:
        return f"there is one in {', '.join(map(str, below[:3]))}{' …' if len(below) > 3 else ''}"
    return "`bench run … --export DIR` makes one"


def _record(exported: Exported) -> dict[str, Any]:
    spec = exported.data
    return {
        "format": FORMAT,
        "result": _result_record(exported.result),
        "task": asdict(exported.task),
        "data": {**spec._asdict(), "options": spec.options.model_dump(mode="json", exclude_unset=True)},
        "backbone": asdict(exported.backbone),
        "boundary": exported.boundary,
        "target": target_record(exported.target),
        "codec": dict(exported.codec),
        "brought": exported.brought,
        "input_format": dict(exported.input_format),
        "libraries": dict(exported.libraries),
        "weights_sha256": exported.weights_sha256,
    }


def _result_record(result: Result | Refit) -> dict[str, Any]:
    """Return what is known of the scores of a model as plain values; its kind stands under "kind"."""
    if isinstance(result, Result):
        return to_record(result)
    estimate = {**asdict(result.estimate), "mean": result.estimate.mean, "deviation": result.estimate.deviation}
    said = {"kind": REFIT, "key": result.estimate.key, "note": str(result)}
    return {**said, **asdict(result), "cell": cell_record(result.cell), "estimate": estimate}


def _result_of(record: Mapping[str, Any]) -> Result | Refit:
    """Return what `_result_record` made a record of."""
    if record["kind"] == REFIT:
        said = {field.name: record["estimate"][field.name] for field in fields(Estimate)}
        return Refit(
            cell=cell_of(record["cell"]),
            amount=record["amount"],
            precision=record["precision"],
            estimate=Estimate(**{**said, "scores": tuple(said["scores"]), "keys": tuple(said["keys"])}),
        )
    result = from_record(dict(record))
    if not isinstance(result, Result):
        raise TypeError("a failure has no model")
    return result


def _options_of(spec: Mapping[str, Any]) -> DataOptions:
    """Return the options of data in a record; those that the domain has of its own are read by it."""
    said = dict(spec["options"])
    own = said.pop(OWN, None)
    return DataOptions(**(separate_own(spec["family"], {**said, **own}).said if own else said))


def _exported_of(record: Mapping[str, Any]) -> Exported:
    spec = record["data"]
    return Exported(
        result=_result_of(record["result"]),
        task=read_card(TaskCard, record["task"]),
        data=DataSpec(spec["family"], spec["address"], _options_of(spec), spec.get("folds", FOLDS)),
        backbone=read_card(BackboneCard, record["backbone"]),
        boundary=record["boundary"],
        target=target_of(record["target"]),
        codec=record["codec"],
        brought=record["brought"],
        input_format=dict(record["input_format"]),
        libraries=record["libraries"],
        weights_sha256=record["weights_sha256"],
    )
