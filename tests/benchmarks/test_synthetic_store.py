"""Made-up results folders: as many cells as asked for, all finished, and a report can be made of them."""

from pathlib import Path

import pytest

from bench.analysis.tables import read_tables
from benchmarks.synthetic_store import CELLS_OF_A_TASK, synthetic_store


@pytest.mark.parametrize("cells", [1, CELLS_OF_A_TASK, CELLS_OF_A_TASK + 1])
def test_a_folder_has_the_cells_asked_for_and_each_is_scored(cells: int, tmp_path: Path) -> None:
    tables = read_tables(synthetic_store(tmp_path, cells=cells))
    assert len(tables.cells) == cells
    assert (tables.cells["status"] == "scored").all()
    assert tables.cells["score"].between(0, 1).all()


def test_two_folders_of_one_size_are_the_same(tmp_path: Path) -> None:
    first, second = (synthetic_store(tmp_path / name, cells=50) for name in ("first", "second"))
    assert first.outcomes() == second.outcomes()
