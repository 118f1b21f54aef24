"""`compare` and `history` on the command line: exit codes, files, and that nothing slow is loaded."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench.cell import Outcome, Result
from bench.cli import main
from bench.gate.judging import TOLERANCE
from bench.gate.matching import Run, read_run
from bench.results.store import Store
from tests.bench.gate.example import night, stored, with_fields, worse

LOADED = (
    "import sys; from bench.cli import main; main(sys.argv[1:]); "
    "print(sorted({'torch', 'pandas', 'matplotlib', 'sklearn'} & sys.modules.keys()), file=sys.stderr)"
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a run, one as good, a worse one and a slower one."""
    root = tmp_path_factory.mktemp("results")
    stored(night(), root / "before")
    stored(night(), root / "same")
    stored(night(worse("series", 0.1)), root / "worse")
    stored(night(with_fields(seconds=9.0)), root / "slower")
    return root


@pytest.mark.parametrize(("current", "code"), [("same", 0), ("worse", 1), ("slower", 0), ("nowhere", 2)])
def test_the_exit_code_says_how_it_went(
    folders: Path, capsys: pytest.CaptureFixture[str], current: str, code: int
) -> None:
    assert main(["compare", str(folders / "before"), str(folders / current)]) == code
    said = capsys.readouterr()
    assert said.out.startswith({0: "PASS: ", 1: "FAIL: ", 2: ""}[code])
    assert said.err.count("\n") == (1 if code == 2 else 0)


def test_cells_that_vary_one_stream_alone_are_no_part_of_the_comparison(folders: Path, tmp_path: Path) -> None:
    run = night()
    alone = {replace(cell, varied="order"): one for cell, one in run.outcomes.items()}
    varied = Run(
        run.folder,
        replace(
            run.manifest, cells={**run.manifest.cells, **{cell: f"v{one.key}" for cell, one in alone.items() if one}}
        ),
        {**run.outcomes, **{cell: one and replace(one, cell=cell, key=f"v{one.key}") for cell, one in alone.items()}},
    )
    assert read_run(Store(stored(varied, tmp_path / "varied"))).outcomes == read_run(Store(folders / "before")).outcomes


def test_a_part_of_the_tasks_can_be_compared(folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def of_pictures(result: Result) -> Outcome | None:
        return result if result.cell.task == "pictures" else None

    part = str(stored(night(of_pictures), tmp_path / "part"))
    assert main(["compare", str(folders / "worse"), part]) == 1
    assert "18 missing cells" in capsys.readouterr().out
    assert main(["compare", str(folders / "worse"), part, "--task", "pictures"]) == 0
    assert "series" not in capsys.readouterr().out
    assert main(["compare", str(folders / "worse"), part, "--task", "picture"]) == 2
    assert "unknown task 'picture'; did you mean 'pictures'?" in capsys.readouterr().err


def test_a_slower_run_fails_if_that_was_asked_for(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["compare", str(folders / "before"), str(folders / "slower")]
    assert main([*arguments, "--fail-on-cost"]) == 1
    assert capsys.readouterr().out.startswith("FAIL: more time needed")


def test_a_tolerance_can_be_set_and_has_to_be_one(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["compare", str(folders / "before"), str(folders / "worse"), "--tolerance"]
    main(arguments[:-1])
    default = capsys.readouterr().out
    assert main([*arguments, "0.2"]) == 0
    assert f"A difference of up to {TOLERANCE:g} is tolerated" in " ".join(default.split())
    with pytest.raises(SystemExit) as stopped:
        main([*arguments, "3"])
    assert stopped.value.code == 2
    assert "must be at least 0 and below 1, got 3" in capsys.readouterr().err


def test_a_file_gets_the_format_and_the_terminal_the_text(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["compare", str(folders / "before"), str(folders / "worse")]
    assert main([*arguments, "--format", "json", "--out", str(tmp_path / "new" / "gate.json")]) == 1
    assert json.loads((tmp_path / "new" / "gate.json").read_text())["verdict"] == "regression"
    assert capsys.readouterr().out.startswith("FAIL: ")
    assert main([*arguments, "--format", "junit"]) == 1
    assert ET.fromstring(capsys.readouterr().out).tag == "testsuites"  # noqa: S314 - our own


def test_a_file_that_cannot_be_written_is_the_users_mistake(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    same = ["compare", str(folders / "before"), str(folders / "same"), "--out", str(tmp_path / "file" / "gate.txt")]
    assert main(same) == 2
    assert "name another file" in capsys.readouterr().err


def test_a_history_is_printed_and_drawn(folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", str(folders), "--chart", str(tmp_path / "history.svg")]) == 0
    assert "before" in capsys.readouterr().out
    assert (tmp_path / "history.svg").read_text().startswith("<svg")
    assert main(["history", str(folders / "before"), "--format", "csv", "--out", str(tmp_path / "h.csv")]) == 0
    assert (tmp_path / "h.csv").read_text().startswith("night,task,")
    assert capsys.readouterr().out.startswith("No change of level in 1 night.")
    assert main(["history", str(tmp_path / "nowhere")]) == 2


@pytest.mark.parametrize(
    "arguments", [["compare", "before", "same"], ["history", "before", "same"]], ids=["compare", "history"]
)
def test_neither_torch_nor_anything_else_that_is_slow_is_loaded(folders: Path, arguments: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], cwd=folders, capture_output=True, text=True, check=True
    )
    assert run.stderr == "[]\n"
