"""A published folder says what the results said, without what is of one machine only, and is left alone by runs."""

import json
import shutil
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from bench.analysis.shifts import shifted_scores
from bench.analysis.tables import read_tables
from bench.cell import Failure, Result, Scores, ShiftedScore
from bench.cli import main
from bench.column import digest
from bench.errors import StoreError
from bench.report.spreadsheets import shifts_csv
from bench.results.published import CELLS, read_published, to_published, without_folders
from bench.results.store import Store
from tests.bench.analysis.example import PREDICTIONS, example
from tests.bench.analysis.test_tables import with_gaps, written

REFERENCE = Path(__file__).parents[3] / "results" / "reference"


def published(folder: Path, target: Path) -> Store:
    """Publish a folder by the command and open what became of it."""
    assert main(["publish", str(folder), str(target)]) == 0
    return Store(target)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return results with gaps. No test changes them."""
    return with_gaps(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def publication(original: Store, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return the same, published. No test changes them."""
    return published(original.root, tmp_path_factory.mktemp("published") / "out")


@pytest.fixture
def copy(publication: Store, tmp_path: Path) -> Store:
    """Return a copy of the published results, to be changed."""
    return Store(shutil.copytree(publication.root, tmp_path / "copy"))


def in_order(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return lines sorted by key."""
    return sorted(lines, key=itemgetter("key"))


def blocked(one: Result, value: float) -> Result:
    """Return a result with scores without each of two test blocks, also under a shift."""
    first, second = one.scores.values
    without = {first: (value, 0.5), second: (None, value)}
    scores, baselines = (Scores(part.values, without) for part in (one.scores, one.baselines))
    shift = ShiftedScore("blur", "blurred", one.score, one.chance, 0.125, scores, baselines)
    trivial = {"chance": baselines, "none": scores}
    return replace(
        one,
        scores=scores,
        baselines=baselines,
        zero="chance",
        trivial=trivial,
        shifted=(shift,),
        block_sizes=(50, 50),
    )


def files(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by name."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_published_reads_like_the_results(original: Store, publication: Store) -> None:
    assert publication.outcomes() == original.outcomes()
    assert written(read_tables(publication)) == written(read_tables(original))


def test_tables_on_disk_are_those_of_the_published_cells(publication: Store) -> None:
    for name, text in written(read_tables(publication)).items():
        assert (publication.root / name).read_bytes() == text.encode()


def test_only_text_is_published_and_a_cell_is_a_line(publication: Store) -> None:
    names = {"manifest.json", CELLS, "report.md", "results.csv", "curves.csv", "leaderboard.csv"}
    charts = {f"charts/{name}.svg" for name in ("overview", "pictures", "series", "cost-pictures", "cost-series")}
    assert set(files(publication.root)) == names | charts
    lines = [json.loads(line) for line in (publication.root / CELLS).read_text(encoding="utf-8").splitlines()]
    baselines, cells = lines[:2], lines[2:]
    assert [line["kind"] for line in baselines] == ["baselines"] * 2, "one for each task"
    assert {line["kind"] for line in cells} == {"result", "failure"}
    assert [line["key"] for line in lines] == [line["key"] for part in (baselines, cells) for line in in_order(part)]
    assert len(cells) == 33


def test_publishing_again_gives_the_same_bytes_and_leaves_nothing_of_before(
    original: Store, publication: Store, copy: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    for stale in ("charts/gone.svg", "charts/gone.png", "gone.csv", "index.html", "stamp.json"):
        (copy.root / stale).write_text("of an older publication")
    assert files(published(original.root, copy.root).root) == files(publication.root)
    assert "11 files" in capsys.readouterr().out


def test_what_was_published_can_be_published_on(publication: Store, tmp_path: Path) -> None:
    assert files(published(publication.root, tmp_path / "further").root) == files(publication.root)


def test_a_folder_with_anything_else_in_it_is_not_touched(
    original: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    (home / "letters").mkdir(parents=True)
    (home / "letters" / "dear.md").write_text("keep me")
    (home / "report.md").write_text("me too")
    assert main(["publish", str(original.root), str(home)]) == 2
    assert "holds letters/dear.md" in capsys.readouterr().err
    assert files(home) == {"letters/dear.md": b"keep me", "report.md": b"me too"}


def test_nothing_is_published_before_anything_was_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example(tmp_path / "run", not_run=[{}])
    assert main(["publish", str(tmp_path / "run"), str(tmp_path / "out")]) == 2
    assert "none of the 36 cells" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_run_does_not_add_to_what_is_published(copy: Store) -> None:
    before = files(copy.root)
    with pytest.raises(StoreError, match=r"are published, no run adds to them: name another folder with --out"):
        copy.extend(copy.manifest)
    assert files(copy.root) == before


def test_a_published_result_has_no_predictions_and_counts_as_not_finished(publication: Store) -> None:
    result = next(iter(publication.results()))
    assert isinstance(result, Result)
    assert publication.get(result.key) is None


def test_a_damaged_line_costs_one_cell(copy: Store) -> None:
    *others, last = (copy.root / CELLS).read_bytes().splitlines(keepends=True)
    (copy.root / CELLS).write_bytes(b"".join([b"<<<<<<< ours\n", *others, last[:40] + b"\n"]))
    assert list(Store(copy.root).outcomes().values()).count(None) == 3 + 1


def test_a_damaged_line_of_baselines_costs_the_cells_that_have_them(copy: Store) -> None:
    lines = (copy.root / CELLS).read_bytes().splitlines(keepends=True)
    (copy.root / CELLS).write_bytes(b"".join([lines[0][:-10] + b"\n", *lines[1:]]))
    left = [outcome.cell.task for outcome in Store(copy.root).outcomes().values() if isinstance(outcome, Result)]
    assert len(set(left)) == 1


def test_baselines_are_one_line_for_all_cells_that_have_the_same(original: Store, tmp_path: Path) -> None:
    one, other, *_ = (result for result in original.results() if result.cell.task == "pictures")
    alike, apart = [blocked(one, 0.25), blocked(other, 0.25)], [blocked(one, 0.25), blocked(other, 0.75)]
    scores = {repr(one) for each in alike for one in (each.baselines, *each.trivial.values())}
    assert to_published(alike).count(b'"kind":"baselines"') == len(scores)
    assert to_published(apart).count(b'"kind":"baselines"') > len(scores)
    (tmp_path / CELLS).write_bytes(to_published(apart))
    assert list(read_published(tmp_path).values()) == sorted(apart, key=lambda result: result.key)


def test_values_without_a_block_are_rounded_and_all_others_are_not(original: Store, tmp_path: Path) -> None:
    one = next(iter(original.results()))
    exact = blocked(replace(one, score=1 / 3, scores=Scores({"accuracy": 1 / 3, "log_loss": 1e-9 / 3}, {})), 1e-9 / 3)
    (tmp_path / CELLS).write_bytes(to_published([exact]))
    (found,) = read_published(tmp_path).values()
    assert isinstance(found, Result)
    for kept, given in ((found, exact), (found.shifted[0], exact.shifted[0])):
        assert (kept.scores.values, kept.baselines.values) == (given.scores.values, given.baselines.values)
    for scores in (
        found.scores,
        found.baselines,
        *found.trivial.values(),
        found.shifted[0].scores,
        found.shifted[0].baselines,
    ):
        assert scores.without == {"accuracy": (3.33333e-10, 0.5), "log_loss": (None, 3.33333e-10)}
    assert to_published([found]) == to_published([exact])


def test_a_changed_cell_changes_the_fingerprint_of_a_published_folder(copy: Store) -> None:
    before = copy.fingerprint()
    (copy.root / CELLS).write_bytes((copy.root / CELLS).read_bytes().replace(b'"score":0.8', b'"score":0.9'))
    assert Store(copy.root).fingerprint() != before


def test_failures_are_published_without_traceback_and_folders(tmp_path: Path) -> None:
    store = example(tmp_path / "run")
    cell, key = next(iter(store.manifest.cells.items()))
    reason = "DataError: /home/jane/photos/cat.png is damaged"
    store.put(Failure(cell=cell, key=key, reason=reason, traceback='File "/home/jane/bench/fit.py", line 3'))
    copy = published(store.root, tmp_path / "out")
    assert copy.outcomes()[cell] == Failure(cell=cell, key=key, reason="DataError: …/cat.png is damaged", traceback="")
    assert not any(b"jane" in content for content in files(copy.root).values())


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("cannot read /data/a/b.csv: no such file", "cannot read …/b.csv: no such file"),
        ("cannot read '/home/Jane Doe/b c.csv'", "cannot read '…/b c.csv'"),
        (r"cannot read C:\Users\jane\b.csv", "cannot read …/b.csv"),
        ("see https://example.org/a/b and train/cats/1.png", "see https://example.org/a/b and train/cats/1.png"),
        ("5 s/step, input/output, 1/2", "5 s/step, input/output, 1/2"),
        ("(/tmp/x/y.npy) and /tmp/z/", "(…/y.npy) and …/"),
    ],
)
def test_paths_are_cut_down_to_their_last_part_and_nothing_else_is(text: str, short: str) -> None:
    assert without_folders(text) == short


def test_cells_that_share_a_result_share_its_line(tmp_path: Path) -> None:
    one = next(iter(example(tmp_path).results()))
    assert to_published([one, replace(one)]).count(b'"kind":"result"') == 1


def test_a_store_without_published_cells_is_what_it_was(tmp_path: Path) -> None:
    store = example(tmp_path)
    key = next(iter(store.manifest.cells.values()))
    (tmp_path / "cells" / f"{key}.json").unlink()
    assert list(Store(tmp_path).outcomes().values()).count(None) == 1
    assert digest(store.predictions(key)) == digest(PREDICTIONS)


@pytest.mark.parametrize("name", ["results.csv", "curves.csv", "leaderboard.csv", "shifts.csv"])
def test_the_tables_of_the_reference_are_made_of_its_cells(name: str) -> None:
    tables = read_tables(Store(REFERENCE))
    made = {**written(tables), "shifts.csv": shifts_csv(shifted_scores(tables))}
    assert made[name].encode() == (REFERENCE / name).read_bytes()
