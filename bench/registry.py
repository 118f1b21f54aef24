"""Extension points: what a name of the config stands for, built in or of an installed package.

A package offers something by an entry point of its metadata: the group is the point, the name is the one that a config
uses. What is built in stands in a table here, so that a checkout needs no new installation. Names are listed without
importing anything.
"""

import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, TypeVar

from bench.errors import PluginError, unknown_name

DOMAINS: Final = "bench.domains"
TARGETS: Final = "bench.targets"
METRICS: Final = "bench.metrics"
RIVALS: Final = "bench.rivals"
STRATEGIES: Final = "bench.strategies"
BACKBONES: Final = "bench.backbones"
TASKS: Final = "bench.tasks"
SHIFTS: Final = "bench.shifts"
EXECUTORS: Final = "bench.executors"
TRACKERS: Final = "bench.trackers"

BUILT_IN: Final[Mapping[str, Mapping[str, str]]] = {
    DOMAINS: {
        "vision": "bench.domains.vision.domain:DOMAIN",
        "text": "bench.domains.text.domain:DOMAIN",
        "audio": "bench.domains.audio.domain:DOMAIN",
        "series": "bench.domains.series.domain:DOMAIN",
    },
    TARGETS: {
        "classes": "bench.targets.classes:Classes",
        "forecast": "bench.targets.forecast:Forecast",
        "value": "bench.targets.value:Value",
        "labels": "bench.targets.labels:Labels",
        "tags": "bench.targets.tags:Tags",
    },
    METRICS: {},
    RIVALS: {
        "linear": "bench.rivals.linear:Linear",
        "words": "bench.rivals.words:Words",
        "theta": "bench.rivals.series:Theta",
        "forecasts": "bench.rivals.forecasts:Forecasts",
    },
    STRATEGIES: {
        "probe": "bench.strategies.probe:Probe",
        "finetune": "bench.strategies.finetune:Finetune",
        "lora": "bench.strategies.lora:Lora",
        "nearest": "bench.strategies.nearest:Nearest",
        "small": "bench.strategies.small:Small",
        "classical": "bench.strategies.classical:Classical",
    },
    BACKBONES: {
        "bundled": "bench.backbones.bundled.opening:open_bundled",
        "hf": "bench.backbones.huggingface.opening:open_huggingface",
        "timm": "bench.backbones.vision.timm_models:open_timm",
        "torchvision": "bench.backbones.vision.torchvision_models:open_torchvision",
        "torchaudio": "bench.backbones.audio.torchaudio_models:open_torchaudio",
        "file": "bench.backbones.architectures:open_file",
        "untrained": "bench.backbones.architectures:open_untrained",
    },
    TASKS: {
        "digits": "bench_tasks.bundled.digits:Digits",
        "lexicon": "bench_tasks.bundled.lexicon:Lexicon",
        "reviews": "bench_tasks.bundled.reviews:Reviews",
        "spoken-digits": "bench_tasks.bundled.spoken_digits:SpokenDigits",
        "co2": "bench_tasks.bundled.series:Co2",
        "elnino": "bench_tasks.bundled.series:ElNino",
        "monthly": "bench_tasks.bundled.monthly:Monthly",
    },
    SHIFTS: {},
    EXECUTORS: {
        "here": "bench.execution.executors.in_process:execute_here",
        "processes": "bench.execution.executors.processes:execute_in_processes",
    },
    TRACKERS: {
        "mlflow": "bench.tracking.mlflow:Mlflow",
        "tensorboard": "bench.tracking.tensorboard:TensorBoard",
        "wandb": "bench.tracking.wandb:Wandb",
    },
}
"""What is built in, by extension point and name: a module and its attribute."""

NOUNS: Final[Mapping[str, str]] = {
    DOMAINS: "domain",
    TARGETS: "target",
    METRICS: "metric",
    RIVALS: "classical model",
    STRATEGIES: "kind of strategy",
    BACKBONES: "source of backbones",
    TASKS: "task family",
    SHIFTS: "shift",
    EXECUTORS: "executor",
    TRACKERS: "tracker",
}

Offer = TypeVar("Offer")


def names(point: str) -> tuple[str, ...]:
    """Return the names of an extension point, sorted; nothing is imported.

    Raises `PluginError` if one of them is offered twice.
    """
    return tuple(sorted({*BUILT_IN[point], *_offered(point)}))


def refuse_unknown(point: str, name: str) -> None:
    """Raise `UnknownNameError` for a name that nobody offers; nothing is imported."""
    if name not in (known := names(point)):
        raise unknown_name(NOUNS[point], name, known)


def load(point: str, name: str) -> object:
    """Return what a name of an extension point stands for.

    Raises `UnknownNameError` for a name that nobody offers, and `PluginError`, naming the package, for one that is
    offered twice or cannot be imported.
    """
    offered = _offered(point)
    if name in BUILT_IN[point]:
        module, _, attribute = BUILT_IN[point][name].partition(":")
        built_in: object = getattr(import_module(module), attribute)
        return built_in
    refuse_unknown(point, name)
    try:
        found: object = offered[name].load()
    except (
        Exception,
        SystemExit,
    ) as error:  # somebody else's code: whatever it raises, its package is what has to be named
        raise PluginError(
            f"{_described(point, offered[name])} cannot be loaded ({type(error).__name__}: {error}): "
            "mend the package or uninstall it"
        ) from error
    return found


def load_function(point: str, name: str) -> Callable[..., Any]:
    """Return the function that a name of an extension point stands for. Raises like `load`."""
    found = load(point, name)
    if callable(found) and not isinstance(found, type):
        return found
    raise PluginError(f"{_source(point, name)} is {found!r}, which is no function")


def load_class(point: str, name: str, base: type[Offer]) -> type[Offer]:
    """Return the class that a name of an extension point stands for; it derives from `base`. Raises like `load`."""
    found = load(point, name)
    if isinstance(found, type) and issubclass(found, base):
        return found
    raise PluginError(f"{_source(point, name)} is {found!r}, which is no subclass of {base.__module__}.{base.__name__}")


def load_instance(point: str, name: str, kind: type[Offer]) -> Offer:
    """Return the object that a name of an extension point stands for; it is a `kind`. Raises like `load`."""
    found = load(point, name)
    if isinstance(found, kind):
        return found
    raise PluginError(f"{_source(point, name)} is {found!r}, which is no {kind.__module__}.{kind.__name__}")


def _offered(point: str) -> dict[str, EntryPoint]:
    """Return what installed packages offer, by name. Raises `PluginError` for a name that is offered twice."""
    return _offered_on(point, tuple(sys.path))


@cache
def _offered_on(point: str, path: tuple[str, ...]) -> dict[str, EntryPoint]:
    """Return what `_offered` does, looked up once: the metadata of all installed packages take tens of milliseconds.

    They are those of the folders on `path`, which is the path of imports.
    """
    offered: dict[str, EntryPoint] = {}
    for entry in entry_points(group=point):
        if entry.name in BUILT_IN[point]:
            raise PluginError(f"{_described(point, entry)} has the name of a built-in one: uninstall it or rename it")
        other = offered.get(entry.name)
        if other is not None and other.value != entry.value:
            raise PluginError(
                f"the {NOUNS[point]} {entry.name!r} is offered by two packages, {_package(other)} ({other.value}) and "
                f"{_package(entry)} ({entry.value}): uninstall one of them"
            )
        offered[entry.name] = entry
    return offered


def _source(point: str, name: str) -> str:
    offered = _offered(point)
    return _described(point, offered[name]) if name in offered else f"the built-in {NOUNS[point]} {name!r}"


def _described(point: str, entry: EntryPoint) -> str:
    return f"the {NOUNS[point]} {entry.name!r} of the package {_package(entry)} ({entry.value})"


def _package(entry: EntryPoint) -> str:
    """Return the name of the package that an entry point is of."""
    return entry.dist.name if entry.dist else "of no name"
