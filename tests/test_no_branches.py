"""Nothing but their own packages tells domains, targets or strategies apart.

The syntax trees of `bench` and of the tasks are walked. Outside `bench/domains`, `bench/targets` and `bench/strategies`
there is

* no `isinstance`, `issubclass` or `case` on a class that is imported from one of these packages, no comparison with
  such a class, and no dictionary that is keyed by one,
* no comparison (`==`, `!=`, `in`, `not in`, `case`) with the name of a registered domain, target or strategy, or with
  what a config calls the tasks of a domain, be it written out or an attribute of the class,
* no dictionary all of whose keys are such names of one kind, and no `dict.fromkeys` of them. One key alone is no table:
  columns of labels are called `{"value": …}`.

Functions of these packages may be called: `expect_pictures(raw)` narrows a type and tells nothing apart. So may their
constants be used: `{LABEL: …}` is a column.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bench.domains.registered import families
from bench.registry import BUILT_IN, DOMAINS, STRATEGIES, TARGETS

ROOT = Path(__file__).parent.parent
HOMES = ("bench/domains", "bench/targets", "bench/strategies")

ALLOWED = {"bench/registry.py": "says in which module each built-in one is, and nothing else"}
"""Files that may name all of a kind, with the reason."""

KINDS = {
    "domain": frozenset(BUILT_IN[DOMAINS]),
    "family": frozenset(families()),
    "target": frozenset(BUILT_IN[TARGETS]),
    "strategy": frozenset(BUILT_IN[STRATEGIES]),
}
NAMES = frozenset().union(*KINDS.values())
PACKAGES = tuple(home.replace("/", ".") for home in HOMES)
CONTRACTS = (
    *("bench.domains.contract", "bench.domains.options", "bench.domains.shift", "bench.domains.registered"),
    "bench.targets.registered",
)
"""What is of all domains or targets."""

COMPARISONS = (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Is, ast.IsNot)

SOURCES = [
    path.relative_to(ROOT).as_posix()
    for folder in ("bench", "tasks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not path.relative_to(ROOT).as_posix().startswith(tuple(f"{home}/" for home in HOMES))
]


class Branch(NamedTuple):
    """Where something is told apart, and by what."""

    line: int
    what: str


def branches(source: str) -> Iterator[Branch]:
    """Yield whatever tells domains, targets or strategies apart."""
    tree = ast.parse(source)
    imported = frozenset(_imported(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.pattern):
            yield from (Branch(node.lineno, what) for what in _found(node, imported))


def _found(node: ast.expr | ast.pattern, imported: frozenset[str]) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, wanted]):
            yield from (f"isinstance of {name}" for name in _classes(wanted, imported))
        case ast.Compare(left=left, ops=operators, comparators=others):
            if any(isinstance(operator, COMPARISONS) for operator in operators):
                for operand in (left, *others):
                    yield from (f"comparison with {name}" for name in _told_by(operand, imported))
        case ast.MatchValue(value=value):
            yield from (f"case {name}" for name in _told_by(value, imported))
        case ast.MatchClass(cls=cls):
            yield from (f"case of {name}" for name in _classes(cls, imported))
        case ast.Dict(keys=keys):
            yield from _tables([key for key in keys if key is not None], imported)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="dict"), attr="fromkeys"), args=[keys, *_]):
            yield from _tables(_elements(keys), imported)


def _told_by(operand: ast.expr, imported: frozenset[str]) -> Iterator[str]:
    """Yield the registered names and the imported classes that an operand is or holds, but not those in calls."""
    for element in _elements(operand):
        match element:
            case ast.Constant(value=str(text)) if text in NAMES:
                yield repr(text)
            case ast.Name() | ast.Attribute():
                yield from _classes(element, imported)


def _tables(keys: list[ast.expr], imported: frozenset[str]) -> Iterator[str]:
    names = [key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    for kind, known in KINDS.items():
        if len(keys) > 1 and len(names) == len(keys) and set(names) <= known:
            yield f"a table keyed by {kind}: {', '.join(names)}"
    classes = [name for key in keys if isinstance(key, ast.Name | ast.Attribute) for name in _classes(key, imported)]
    yield from (f"a table keyed by {name}" for name in classes)


def _elements(node: ast.expr) -> list[ast.expr]:
    """Return what a literal of several holds, or else the one."""
    match node:
        case ast.Tuple(elts=elements) | ast.Set(elts=elements) | ast.List(elts=elements):
            return elements
        case ast.Call(func=ast.Name(id="frozenset" | "set" | "tuple"), args=[inner]):
            return _elements(inner)
    return [node]


def _classes(node: ast.expr, imported: frozenset[str]) -> list[str]:
    """Return the imported classes that an expression names: `Classes`, `Classes | Value`, `classes.Classes`."""
    written = (inner for inner in ast.walk(node) if isinstance(inner, ast.Name | ast.Attribute))
    whole = {ast.unparse(one).removesuffix(".name") for one in written}
    return sorted(name for name in whole if name.partition(".")[0] in imported and _is_class(name.rpartition(".")[2]))


def _imported(tree: ast.Module) -> Iterator[str]:
    """Yield the names under which a file has modules of a domain, target or strategy, or what is in one."""
    homes = tuple(f"{package}." for package in PACKAGES)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(homes) and node.module not in CONTRACTS:
            yield from (alias.asname or alias.name for alias in node.names)


def _is_class(name: str) -> bool:
    return name[:1].isupper() and not name.isupper()


@pytest.mark.parametrize("path", SOURCES)
def test_outside_their_packages_nothing_tells_domains_targets_and_strategies_apart(path: str) -> None:
    found = [f"{path}:{line}: {what}" for line, what in branches((ROOT / path).read_text("utf-8"))]
    assert path in ALLOWED or not found, "\n".join(found)


@pytest.mark.parametrize("path", ALLOWED)
def test_what_is_allowed_is_needed(path: str) -> None:
    assert list(branches((ROOT / path).read_text("utf-8")))


FROM = "from bench.targets.classes import LABEL, Classes\nfrom bench.targets import value\n"


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("isinstance(target, Classes)", "isinstance of Classes"),
        ("isinstance(target, value.Value | int)", "isinstance of value.Value"),
        ("issubclass(kind, (int, Classes))", "isinstance of Classes"),
        ("type(target) is Classes", "comparison with Classes"),
        ("target.name == Classes.name", "comparison with Classes"),
        ("domain == 'vision'", "comparison with 'vision'"),
        ("'text' != domain", "comparison with 'text'"),
        ("domain in ('tables', 'series')", "comparison with 'series'"),
        ("kind not in frozenset({'probe'})", "comparison with 'probe'"),
        ("family == 'forecasting'", "comparison with 'forecasting'"),
        ("match domain:\n    case 'audio':\n        pass", "case 'audio'"),
        ("match target:\n    case Classes(names=names):\n        pass", "case of Classes"),
        ("{'vision': 1, 'text': 2}", "a table keyed by domain: vision, text"),
        ("dict.fromkeys(('value', 'tags'))", "a table keyed by target: value, tags"),
        ("{Classes: 1}", "a table keyed by Classes"),
    ],
)
def test_whatever_tells_them_apart_is_found(source: str, what: str) -> None:
    assert [found.what for found in branches(FROM + source)] == [what]


@pytest.mark.parametrize(
    "source",
    [
        "backbone.domain != task.domain",
        "{LABEL: labels}",
        "{'value': means}",
        "{'text': as_text, 'json': as_json}",
        "TaskCard(domain='vision', target=Classes(names))",
        "isinstance(column, Dense)",
        "label == LABEL",
    ],
)
def test_what_only_names_one_is_not(source: str) -> None:
    assert not list(branches(FROM + source))
