"""Tuned recipes as the TOML that configs read."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

HEADER: Final = """\
# Recipes that `bench tune` made: each strategy by one procedure of the same effort, on validation parts of the
# training splits of other tasks, `on`, than the one that the recipes are for, `task`. Scores are those of the winner
# there, larger being better; `tried` counts the candidates. See `bench.tuning.grid` for these.
"""


def to_toml(tables: Sequence[Mapping[str, Any]]) -> str:
    """Return tables as the text of a file."""
    return HEADER + "".join(f"\n[[tuned]]\n{_table(table)}" for table in tables)


def _table(table: Mapping[str, Any]) -> str:
    plain = "".join(f"{name} = {_value(value)}\n" for name, value in table.items() if name != "strategies")
    strategies = "".join(
        f"\n[tuned.strategies.{name}]\n" + "".join(f"{key} = {_value(value)}\n" for key, value in entry.items())
        for name, entry in table["strategies"].items()
    )
    return plain + strategies


def _value(value: object) -> str:
    """Return a string, number, list or flat table as TOML."""
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(str(name))} = {_value(one)}" for name, one in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, Sequence):
        return f"[{', '.join(map(_value, value))}]"
    return repr(value)


def _key(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() and name.isascii() else _value(name)
