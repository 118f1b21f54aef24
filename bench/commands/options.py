"""The options of each command, typed. Standard library only: the parser reads them before anything heavy is loaded.

A default stands here and nowhere else: the command line gives only the options that the user named.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bench.budget import Asked, Count
from bench.runtime.arithmetic import WantedPrecision
from bench.runtime.limits import DEFAULT_MEMORY_BYTES
from bench.skeletons.writing import Skeleton

DeviceChoice = Literal["auto", "cpu", "cuda"]
PredictFormat = Literal["table", "json"]
CompareFormat = Literal["text", "markdown", "json", "junit"]
HistoryFormat = Literal["text", "markdown", "json", "csv"]
Heading = Literal["suites", "tasks", "backbones", "strategies"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDataOptions:
    """The user's own data in place of a suite: their address, `KIND:PLACE`, and how to read them.

    `settings` are `KEY=VALUE`, the keys of a task's table in the config.
    """

    address: str | None = None
    family: str | None = None
    settings: tuple[str, ...] = ()
    skip_bad: bool = False
    fill: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteOptions:
    """A suite of a config, or the user's own data. `tasks` and `backbones` narrow a suite; none named means all."""

    name: str | None = None
    config: Path | None = None
    tasks: tuple[str, ...] = ()
    backbones: tuple[str, ...] = ()
    trust_remote_code: bool = False
    own_data: OwnDataOptions = field(default_factory=OwnDataOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionOptions:
    """The cells of a suite to measure. What is not named stays whole; `seeds` is their number, None for the suite's."""

    suite: SuiteOptions = field(default_factory=SuiteOptions)
    strategies: tuple[str, ...] = ()
    budgets: tuple[Asked, ...] = ()
    seeds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeOptions:
    """The device, and how many bytes of examples a process holds at once."""

    device: DeviceChoice = "auto"
    memory_bytes: int = DEFAULT_MEMORY_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Options of `run`. `out` is the results folder, None for `results/SUITE`; `workers` None for as many as fit.

    `executor` is the name of what runs cells, "" for what fits the number of workers. `precision` is that of gradient
    steps. With `refit` the models that are kept learn from every label, the tested ones too.
    """

    selection: SelectionOptions = field(default_factory=SelectionOptions)
    compute: ComputeOptions = field(default_factory=ComputeOptions)
    workers: int | None = None
    executor: str = ""
    precision: WantedPrecision = "auto"
    out: Path | None = None
    export: Path | None = None
    refit: Literal["all"] | None = None
    variance: bool = False
    shifts: bool = True
    trackers: tuple[str, ...] = ()
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RankOptions:
    """Options of `rank`. `out` is the results folder to compare the order with, None for `results/SUITE`."""

    selection: SelectionOptions = field(default_factory=SelectionOptions)
    compute: ComputeOptions = field(default_factory=ComputeOptions)
    out: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOptions:
    """Options of `fetch`."""

    suite: SuiteOptions = field(default_factory=SuiteOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictOptions:
    """Options of `predict`: the folder of the model, and what to predict. `top` is the number of classes to show."""

    folder: Path
    files: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    top: int = 1
    format: PredictFormat = "table"
    trust_remote_code: bool = False
    compute: ComputeOptions = field(default_factory=ComputeOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """Options of `report`: the results folder."""

    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOptions:
    """Options of `compare`: two results folders. `tolerance` is a share of the way from chance to perfect."""

    baseline: Path
    current: Path
    tasks: tuple[str, ...] = ()
    tolerance: float = 0.01
    fail_on_cost: bool = False
    format: CompareFormat = "text"
    out: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryOptions:
    """Options of `history`: results folders, oldest first, or one folder of such folders."""

    folders: tuple[Path, ...]
    format: HistoryFormat = "text"
    out: Path | None = None
    chart: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishOptions:
    """Options of `publish`: the results folder, and the folder to publish it in."""

    folder: Path
    target: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions:
    """Options of `list`: what to list, None for everything."""

    what: Heading | None = None
    config: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOptions:
    """Options of `new`: what a package is for, its name, and the folder to write it into."""

    what: Skeleton
    name: str
    folder: Path = Path()


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainOptions:
    """Options of `pretrain`: the name of a bundled backbone, without `bundled:`."""

    name: str
    device: DeviceChoice = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneOptions:
    """Options of `tune`: the tasks that recipes are made for and the strategies, none named means all.

    `budgets` and `seeds` are those of every trial, `out` the file to write.
    """

    config: Path | None = None
    tasks: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    budgets: tuple[Asked, ...] = (Count(40), Count(160))
    seeds: int = 2
    out: Path = Path("tuned.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheOptions:
    """Options of `cache`."""

    clear: bool = False


Options = (
    RunOptions
    | PredictOptions
    | RankOptions
    | FetchOptions
    | ReportOptions
    | CompareOptions
    | HistoryOptions
    | PublishOptions
    | ListOptions
    | NewOptions
    | PretrainOptions
    | TuneOptions
    | CacheOptions
)
"""The options of any command: their class says which command."""
