"""Several backbones on one task are compared at their best, and a difference that seeds do not decide is a tie."""

from pathlib import Path

import pytest

from bench.analysis.comparison import comparison
from bench.analysis.curves import find_curves
from bench.analysis.tables import read_tables
from bench.budget import ALL
from bench.cell import Cell, Result
from bench.report.content import contents
from bench.report.page import write_markdown
from bench.report.writing import write_report
from bench.results.store import Store
from tests.bench.analysis import example as examples
from tests.bench.analysis.example import TASKS, backbone, example, result

BACKBONES = {
    "bundled:eyes": backbone("bundled:eyes", "Eyes", "vision"),
    "timm:owl": backbone("timm:owl", "Owl", "vision"),
}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return a folder in which owls see the better, but at 20 labels in some seeds only."""

    def outcome(cell: Cell, key: str) -> Result:
        plain = examples.SCORES["pictures"][cell.strategy][examples.BUDGETS.index(cell.budget)]
        owl = 0.0 if cell.backbone == "bundled:eyes" else 0.02 if cell.budget == ALL else (0.05, -0.04, 0.02)[cell.seed]
        return result(cell, key, plain + owl)

    monkeypatch.setattr(examples, "outcome", outcome)
    tasks = {"pictures": TASKS["pictures"]}
    return example(tmp_path, tasks=tasks, backbones=BACKBONES, reads={"pictures": tuple(BACKBONES)})


def test_the_leader_is_told_with_its_lead_and_a_tie_as_a_tie(store: Store) -> None:
    smallest, largest = comparison(find_curves(read_tables(store))["pictures"], store.manifest)
    assert smallest == (
        "With 20 labelled examples, Owl (linear probe, 0.710) and Eyes (linear probe, 0.700) cannot be told apart."
    )
    assert largest == (
        "With 200 labelled examples, Owl (full fine-tuning, 0.940) is ahead of Eyes (full fine-tuning, 0.920) by 0.020 "
        "[0.020, 0.020]."
    )


def test_ties_are_corrected_for_the_number_of_backbones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (0.02, -0.01, 0.0, -0.015, 0.005)  # around a mean of 0.02 below: p = 0.031

    def outcome(cell: Cell, key: str) -> Result:
        behind = {"bundled:eyes": 0.0, "timm:owl": 0.02 - steps[cell.seed], "timm:bat": 0.03 - 2 * steps[cell.seed]}
        return result(cell, key, 0.8 - behind[cell.backbone])

    monkeypatch.setattr(examples, "outcome", outcome)
    more = {**BACKBONES, "timm:bat": backbone("timm:bat", "Bat", "vision")}
    for lineup, said in ((BACKBONES, "is ahead of Owl"), (more, "Owl (full fine-tuning, 0.780) and Bat")):
        store = example(
            tmp_path / str(len(lineup)),
            seeds=5,
            tasks={"pictures": TASKS["pictures"]},
            backbones=lineup,
            reads={"pictures": tuple(lineup)},
            strategies=["full"],
        )
        assert said in comparison(find_curves(read_tables(store))["pictures"], store.manifest)[0]


def test_page_and_chart_ask_which_pretraining(store: Store) -> None:
    write_report(store)
    text = (store.root / "report.md").read_text(encoding="utf-8")
    assert "**Which pretraining?**\n\n- With 20 labelled examples, Owl" in text
    assert "is ahead of Eyes" in (store.root / "charts" / "pictures.svg").read_text(encoding="utf-8")


def test_one_backbone_is_compared_with_none(tmp_path: Path) -> None:
    tables = read_tables(example(tmp_path))
    found = find_curves(tables)
    assert comparison(found["pictures"], tables.manifest) == []
    assert "Which pretraining?" not in write_markdown(contents(tables, found))
