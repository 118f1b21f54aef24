"""Targets by the names of their kinds: how their labels are written, and what is kept of one."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from bench.registry import BUILT_IN, TARGETS, load_class, names
from bench.target import Target
from bench.written import Written


def target_named(name: str) -> type[Target]:
    """Return the kind of target of a name. Raises `UnknownNameError` if there is none."""
    return load_class(TARGETS, name, Target)  # type: ignore[type-abstract]  # it is not


def written_as(name: str) -> Written[Target] | None:
    """Return how the labels of a target are written, None if they are not. Raises `UnknownNameError`."""
    return target_named(name).written()


def written_kinds() -> Iterator[tuple[str, Written[Target]]]:
    """Yield every target whose labels are written, by name, those built in first."""
    for name in dict.fromkeys((*BUILT_IN[TARGETS], *names(TARGETS))):
        written = written_as(name)
        if written is not None:
            yield name, written


def target_record(target: Target) -> dict[str, Any]:
    """Return a target as plain values for JSON, with the name of its kind."""
    assert is_dataclass(target), "targets are data: their fields are what an export keeps"
    return {"kind": target.name, **asdict(target)}


def target_of(record: Mapping[str, Any]) -> Target:
    """Return the target of a record made by `target_record`.

    Raises `UnknownNameError` for a kind that is not installed here, `KeyError` or `TypeError` if it is no record.
    """
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in record.items() if key != "kind"}
    kind: Callable[..., Target] = target_named(record["kind"])
    return kind(**fields)
