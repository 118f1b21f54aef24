"""Strategies of a config: a class for each kind, and recipes that are laid over each other, checked key by key."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.fields import FieldInfo

from bench.errors import BenchError, nearest
from bench.registry import BUILT_IN, STRATEGIES, load_class, names
from bench.strategy import Strategy

Layer = Mapping[str, Any]
"""Some settings of strategies, by name."""

KIND: Final = "kind"
NAME: Final = "name"

FORMER: Final = ("depth", "pretrained", "classical", "recipe")
"""Keys that strategies had before they were of kinds."""


def kinds_of(strategies: Mapping[str, Any]) -> dict[str, type[Strategy]]:
    """Return the class of each strategy whose table names a kind that there is."""
    known = set(names(STRATEGIES))
    kinds = {name: table.get(KIND) for name, table in strategies.items() if isinstance(table, Mapping)}
    return {name: _load(kind) for name, kind in kinds.items() if isinstance(kind, str) and kind in known}


def merge(kind: type[Strategy], name: str, layers: Iterable[Layer]) -> Strategy:
    """Return a strategy with the settings of all layers that its kind has, the later over the earlier.

    Raises `ValidationError` if they do not go together.
    """
    said = {key: value for layer in layers for key, value in layer.items() if key in settings(kind)}
    return kind.model_validate({**said, NAME: name})


def settings(kind: type[Strategy]) -> Mapping[str, FieldInfo]:
    """Return what a config may set of a kind."""
    return {name: field for name, field in kind.model_fields.items() if name != NAME}


def strategy_problems(name: str, table: object) -> Iterator[str]:
    """Yield a line for everything that is wrong with `[strategies.NAME]`."""
    where = f"strategies.{name}"
    if not isinstance(table, Mapping):
        return  # which the config as a whole is told of
    former = [key for key in FORMER if key in table]
    if former:
        yield f"{where}: {_have_gone(former, table)}"
        return
    if KIND not in table:
        yield f"{where}.{KIND}: missing, one of {', '.join(names(STRATEGIES))}"
        return
    try:
        kind = _load(str(table[KIND]))
    except BenchError as error:
        yield f"{where}.{KIND}: {error}"
        return
    yield from layer_problems(where, {key: value for key, value in table.items() if key != KIND}, kind)


def layer_problems(where: str, layer: object, kind: type[Strategy]) -> Iterator[str]:
    """Yield a line for everything that is wrong with settings of one strategy, each by itself."""
    if not isinstance(layer, Mapping):
        return
    for key in layer:
        if key not in settings(kind):
            hint = nearest(str(key), settings(kind))
            yield f"{where}.{key}: unknown key of a strategy of the kind {kind.kind!r}{hint}"
    yield from _value_problems(where, layer, kind)


def common_problems(where: str, layer: object, kinds: Iterable[type[Strategy]]) -> Iterator[str]:
    """Yield a line for everything that is wrong with settings of all strategies.

    Each strategy takes those that its kind has; one that neither the `kinds` of the config nor those built in have is
    unknown.
    """
    if not isinstance(layer, Mapping):
        return
    there = dict.fromkeys([*kinds, *_built_in()])
    known = {key for kind in there for key in settings(kind)}
    for key in layer:
        if key not in known:
            yield f"{where}.{key}: unknown key{nearest(str(key), known)}"
    yield from dict.fromkeys(line for kind in there for line in _value_problems(where, layer, kind))


def told(error: ValidationError) -> str:
    """Return what is wrong with settings that do not go together."""
    return "; ".join(str(one.get("ctx", {}).get("error", one["msg"])) for one in error.errors())


def _value_problems(where: str, layer: Layer, kind: type[Strategy]) -> Iterator[str]:
    try:
        _each_by_itself(kind).model_validate({key: layer[key] for key in layer if key in settings(kind)})
    except ValidationError as error:
        for one in error.errors():
            key = ".".join(str(part) for part in one["loc"])
            yield f"{where}.{key}: {one['msg'][:1].lower()}{one['msg'][1:]}, got {one['input']!r}"


@cache
def _each_by_itself(kind: type[Strategy]) -> type[BaseModel]:
    """Return a model of any settings of a kind, that says nothing of how they go together."""
    fields: dict[str, Any] = {name: (field.rebuild_annotation(), None) for name, field in settings(kind).items()}
    return create_model(f"{kind.__name__}Settings", __config__=ConfigDict(frozen=True, extra="forbid"), **fields)


@cache
def _built_in() -> tuple[type[Strategy], ...]:
    return tuple(_load(kind) for kind in BUILT_IN[STRATEGIES])


def _load(kind: str) -> type[Strategy]:
    return load_class(STRATEGIES, kind, Strategy)  # type: ignore[type-abstract]  # it is not instantiated there


def _have_gone(former: Sequence[str], table: Layer) -> str:
    """Return what to write in the place of keys that strategies had before they were of kinds."""
    if table.get("classical"):
        lines = 'kind = "classical"'
    elif not table.get("pretrained", True):
        lines = 'kind = "finetune", weights = "random" and head = "zero"'
    elif not table.get("depth", 0):
        lines = 'kind = "probe"'
    else:
        lines = f'kind = "finetune" and trained = {table["depth"]}'
    fields = ", with the fields of recipe in the table itself" if "recipe" in table else ""
    verb = "is" if len(former) == 1 else "are"
    return f"{' and '.join(former)} {verb} not read any more: write {lines}{fields}"
