"""Rooms lie in layers, and modules import each other in no circle, not even inside functions or for types."""

import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = grimp.build_graph("bench", "bench_tasks", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert sum(map(len, imports.values())) > 1000, "the graph has the imports of the tree"
    TopologicalSorter(imports).prepare()  # raises `CycleError`, which names the circle


def test_every_room_lies_in_a_layer() -> None:
    """One that lies in none would be held to nothing."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (one["layers"] for one in contracts if one["name"] == "Rooms lie in layers, and imports point down")
    placed = {room.strip() for layer in layers for room in layer.split("|")}
    rooms = {f"bench.{path.stem}" for path in (ROOT / "bench").iterdir() if path.name[0] not in "_."}
    assert placed == {*rooms, "bench_tasks"}
