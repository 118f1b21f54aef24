"""The page: answers in words that the numbers bear out, every gap named, nothing that acts as markup."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.analysis.curves import find_curves
from bench.analysis.tables import read_tables
from bench.report.content import contents
from bench.report.markdown import address, escape, link
from bench.report.page import write_markdown
from bench.report.writing import write_report
from bench.results.store import Store
from tests.bench.analysis.example import TASKS, example


def page(store: Store) -> str:
    """Return the page of a results folder."""
    tables = read_tables(store)
    return write_markdown(contents(tables, find_curves(tables)))


def test_failures_and_what_was_not_run_are_named(tmp_path: Path) -> None:
    text = page(
        example(tmp_path, failed=[{"strategy": "full", "fraction": 1.0}], not_run=[{"task": "series", "seed": 2}])
    )
    assert "36 cells, 25 scored, 5 failed, 6 not run." in text
    assert "6 cells not run yet" in text
    assert r"=cmd() \| &lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "(2 of 3 seeds)" in text


def test_synthetic_data_are_marked(tmp_path: Path) -> None:
    assert page(example(tmp_path)).count("**These data are synthetic.**") == 1


@pytest.mark.parametrize(
    "text",
    ["javascript:alert(1)", "JavaScript://x", "data:text/html,x", "//host", "https://a b", "https://a\nb", "x", ""],
)
def test_only_the_address_of_a_page_is_followed(text: str) -> None:
    assert address(text) == ""
    assert link("name", text) == "name"


def test_an_address_cannot_end_its_link() -> None:
    assert (
        link("a]b", "https://host/a(b)>c](javascript:x)") == r"[a\]b](<https://host/a%28b%29%3Ec%5D%28javascript:x%29>)"
    )
    assert address("https://host/?a=1&b=%20#c") == "https://host/?a=1&b=%20#c"


def test_escaping_keeps_every_letter() -> None:
    assert escape("linear_probe #1 & co") == r"linear\_probe \#1 &amp; co"
    assert escape("a\n\n# b") == r"a \# b"
    assert escape("mail@host") == "mail&#64;host"


@pytest.mark.parametrize("gaps", [{"seeds": 1}, {"not_run": [{}]}, {"failed": [{}]}, {"strategies": ["full"]}])
def test_every_kind_of_folder_has_a_page(gaps: dict[str, list[dict[str, object]]], tmp_path: Path) -> None:
    assert page(example(tmp_path, **gaps)).startswith("# ")  # type: ignore[arg-type]  # one option at a time


def test_a_report_is_whole_repeatable_and_removes_nothing(tmp_path: Path) -> None:
    store = example(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    write_report(store)
    written = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path not in before}
    assert {path.relative_to(tmp_path).as_posix() for path in written} == {
        "report.md",
        "results.csv",
        "curves.csv",
        "leaderboard.csv",
        "stamp.json",
        "index.html",
        *(f"charts/{name}.svg" for name in ("overview", "pictures", "series", "cost-pictures", "cost-series")),
    }
    write_report(Store(tmp_path))
    assert {path: path.read_bytes() for path in written} == written
    assert {path: path.read_bytes() for path in before} == before
    assert str(tmp_path) not in written[tmp_path / "report.md"].decode()


def test_every_picture_of_the_page_exists(tmp_path: Path) -> None:
    write_report(example(tmp_path))
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", (tmp_path / "report.md").read_text(encoding="utf-8"))
    assert len(pictures) == 5
    assert all((tmp_path / picture).is_file() for picture in pictures)


def test_reports_do_not_import_torch() -> None:
    asked = "import sys, bench.report.writing, bench.report.terminal; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


def test_what_was_noticed_about_the_data_is_told(tmp_path: Path) -> None:
    card = replace(TASKS["pictures"].card, remarks=("3 files are in both splits: a.png <b>", "labels 'Dog' and 'dog'"))
    said = page(example(tmp_path, tasks={**TASKS, "pictures": replace(TASKS["pictures"], card=card)}))
    assert "Noticed, and left as it is:\n\n- 3 files are in both splits: a.png " in said
    assert "<b>" not in said
    assert "\n- labels 'Dog' and 'dog'\n" in said
