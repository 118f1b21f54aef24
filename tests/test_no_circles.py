"""Modules import each other in no circle, not even inside functions or for the sake of types."""

from graphlib import TopologicalSorter

import grimp


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = grimp.build_graph("bench", "bench_tasks", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert sum(map(len, imports.values())) > 1000, "the graph has the imports of the tree"
    TopologicalSorter(imports).prepare()  # raises `CycleError`, which names the circle
