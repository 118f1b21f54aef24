"""The command line: quick answers, exit codes, and one helpful line for every mistake a user can make."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.cli import main
from bench.results.store import FORMAT, Store

ROOT = Path(__file__).parents[2]

CONFIG = """
budgets = [0.1]
seeds = 1

[strategies.linear_probe]
kind = "probe"

[strategies.full]
kind = "finetune"
epochs = 1
min_steps = 2
max_steps = 2

[tasks.co2]
backbones = ["bundled:series"]

[tasks.digits]
backbones = ["bundled:glyphs"]

[suites.all]
tasks = ["co2", "digits"]
"""

REPORT = {
    "report.md",
    "results.csv",
    "curves.csv",
    "leaderboard.csv",
    "index.html",
    "co2.svg",
    "cost-co2.svg",
    "stamp.json",
}


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bench.toml").write_text(CONFIG)


def mistake(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that must fail as the user's mistake, and return the one line it says."""
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("bench: ")
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    return said.err


def test_a_run_scores_its_cells_writes_the_report_and_says_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--task", "co2", "--workers", "1"]) == 0
    said = capsys.readouterr().out
    assert "results/all/report.md" in said
    assert Path("results/all/results.csv").read_text().count("\n") == 3
    assert len(list(Store(Path("results/all")).results())) == 2


def test_a_run_scores_under_shifts_and_keeps_the_predictions_unless_told_not_to() -> None:
    arguments = ["run", "--task", "co2", "--strategy", "linear_probe", "--workers", "1"]
    assert main(arguments) == 0
    store = Store(Path("results/all"))
    [result] = store.results()
    [noisy] = result.shifted
    assert noisy.shift == "noise"
    assert len(store.predictions(result.key, "noise")) == result.n_test
    assert main([*arguments, "--no-shifts", "--out", "plain"]) == 0
    [plain] = Store(Path("plain")).results()
    assert (plain.shifted, plain.score) == ((), result.score)
    assert plain.key != result.key


def test_a_precision_asked_for_holds_for_what_runs_now_and_what_was_kept_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    arguments = ["run", "--task", "co2", "--no-shifts", "--workers", "1", "--precision"]
    assert main([*arguments, "bfloat16", "--strategy", "full"]) == 0
    assert "another precision" not in caplog.text
    assert main([*arguments, "float32"]) == 0
    precisions = {result.cell.strategy: result.precision for result in Store(Path("results/all")).results()}
    assert precisions == {"linear_probe": "float32", "full": "bfloat16"}
    assert "--precision float32: 1 cell finished in another precision before and kept" in caplog.text


def test_a_run_with_nothing_to_do_says_the_same_and_leaves_the_report_as_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["run", "--task", "co2", "--strategy", "linear_probe", "--workers", "1"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    written = {path: path.stat().st_mtime_ns for path in Path("results/all").rglob("*.*") if path.name in REPORT}
    assert len(written) == len(REPORT)
    assert main(arguments) == 0
    assert capsys.readouterr().out == said
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_a_run_with_nothing_to_do_mends_a_report_that_is_not_whole() -> None:
    arguments = ["run", "--task", "co2", "--strategy", "linear_probe", "--workers", "1"]
    assert main(arguments) == 0
    chart = Path("results/all/charts/co2.svg")
    whole = chart.read_bytes()
    chart.unlink()
    assert main(arguments) == 0
    assert chart.read_bytes() == whole


def test_reporting_twice_gives_the_same_bytes() -> None:
    assert main(["run", "--task", "co2", "--strategy", "linear_probe", "--workers", "1"]) == 0
    written = {path: path.read_bytes() for path in Path("results/all").rglob("*") if path.is_file()}
    assert main(["report", "results/all"]) == 0
    assert {path: path.read_bytes() for path in written} == written


def test_a_failed_cell_is_exit_code_one_and_the_report_shows_the_gap() -> None:
    arguments = ["run", "--task", "digits", "--strategy", "linear_probe", "--workers", "1", "--budget"]
    assert main([*arguments, "0.1"]) == 0
    assert main([*arguments, "0.001"]) == 1
    report = Path("results/all/report.md").read_text()
    assert "too few for one example of each of 10 classes" in report
    assert len(list(Store(Path("results/all")).results())) == 1


def test_a_dry_run_shows_the_cells_and_touches_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert main(["run", "--dry-run"]) == 0
    assert "4 cells, 0 finished, 4 to run" in capsys.readouterr().out
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--suite", "al"], "unknown suite 'al'; did you mean 'all'?"),
        (["--task", "digit"], "unknown task 'digit'; did you mean 'digits'?"),
        (["--strategy", "fulll"], "unknown strategy 'fulll'; did you mean 'full'?"),
        (["--budget", "1.5"], "'1.5' is neither a share in (0, 1] nor a whole number of labels"),
        (
            ["--budget", "0", "--strategy", "full"],
            "nothing is left to be run: co2: left out full: at a budget of 0 there are no",
        ),
        (["--config", "missing.toml"], "there is no config missing.toml"),
        (["--config", "."], "cannot read the config ."),
        (["--device", "cuda"], "no GPU that PyTorch can use was found"),
        (["--out", "bench.toml/results"], "cannot write bench.toml/results/manifest.json: Not a directory"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert message in mistake(capsys, "run", *arguments)


@pytest.mark.parametrize(
    ("find", "put", "message"),
    [
        ("seeds = 1", "seeds = 1\nsead = 2", "sead: unknown key; did you mean 'seeds'?"),
        ("seeds = 1", "seeds = -1", "seeds: input should be greater than or equal to 1"),
        ('tasks = ["co2", "digits"]', 'tasks = ["co3"]', "unknown task 'co3'; did you mean 'co2'?"),
        ('["bundled:glyphs"]', '["bundled:glyph"]', "unknown backbone 'bundled:glyph'; did you mean 'bundled:glyphs'?"),
        ('["bundled:glyphs"]', '["bundled:series"]', "task 'digits' is of the domain 'vision'"),
    ],
)
def test_a_mistake_in_the_config_is_one_line_too(
    capsys: pytest.CaptureFixture[str], find: str, put: str, message: str
) -> None:
    assert find in CONFIG
    Path("bench.toml").write_text(CONFIG.replace(find, put))
    assert message in mistake(capsys, "run")


def test_a_folder_of_a_newer_format_is_refused_and_kept(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path("results/all")
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"format": FORMAT + 1}))
    assert f"newer format {FORMAT + 1}" in mistake(capsys, "run")
    assert f"newer format {FORMAT + 1}" in mistake(capsys, "report", "results/all")
    assert json.loads((folder / "manifest.json").read_text()) == {"format": FORMAT + 1}


def test_a_folder_without_results_cannot_be_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert "there are no results in nowhere" in mistake(capsys, "report", "nowhere")


@pytest.mark.parametrize(
    "arguments", [["run", "--seeds", "0"], ["run", "--workers", "x"], ["fly"], ["list", "planets"], []]
)
def test_arguments_that_make_no_sense_are_exit_code_two(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_listing_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    for name in ("all", "co2", "digits", "bundled:glyphs", "linear_probe", "full"):
        assert name in said
    assert max(len(line) for line in said.splitlines()) <= 80


def test_the_projects_own_strategies_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "strategies", "--config", str(ROOT / "bench.toml")]) == 0
    said = capsys.readouterr().out
    assert "classical        classical: no backbone, but a classical model in its place" in said
    assert "scratch          finetune: trains 100% of the stages, from scratch" in said


DRAWING = {"matplotlib", "pandas"}
HEAVY = {"torch", "transformers", "timm", "sklearn", "skimage", "statsmodels"}
PROBE = ["run", "--task", "co2", "--strategy", "linear_probe", "--workers", "1"]


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--help"], {*HEAVY, *DRAWING, "numpy", "pydantic"}),
        (["list"], {*HEAVY, *DRAWING, "tqdm", "multiprocessing"}),
        (["list", "tasks"], HEAVY),
        (["run", "--dry-run"], {*HEAVY, *DRAWING}),
        (["cache"], HEAVY),
        (["report", "results/all"], {*HEAVY, "matplotlib", "scipy.stats"}),
        (PROBE, {*HEAVY, *DRAWING}),
        (["pretrain", "faces"], HEAVY),
        (["predict", "nowhere", "one.jpg"], HEAVY),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_what_runs_no_cell_never_loads_what_takes_long(arguments: list[str], heavy: set[str]) -> None:
    if arguments in (["report", "results/all"], PROBE):
        assert main(PROBE) == 0
    program = (
        "import sys; from bench.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit: pass\n"
        f"loaded = {heavy!r} & set(sys.modules)\n"
        "sys.exit(f'loaded {loaded}' if loaded else 0)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_backbone_that_is_not_bundled_cannot_be_remade(capsys: pytest.CaptureFixture[str]) -> None:
    assert "unknown bundled backbone 'glyph'; did you mean 'glyphs'?" in mistake(capsys, "pretrain", "glyph")


def test_the_cache_is_shown_and_cleared(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--task", "co2", "--strategy", "linear_probe", "--workers", "1"]) == 0
    capsys.readouterr()
    assert main(["cache"]) == 0
    assert "bundled:series" in capsys.readouterr().out
    assert main(["cache", "--clear"]) == 0
    assert "in 0 entries" in capsys.readouterr().out


def test_a_folder_of_other_things_is_not_taken_for_a_cache(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "home"))
    for name in ("notes.json", "notes.bin", "unpacked/ant.png"):
        (tmp_path / "home" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "home" / name).write_text('{"description": "", "size_bytes": 0}')
    assert "holds notes.bin, which is not of this program's cache" in mistake(capsys, "cache", "--clear")
    assert len([path for path in (tmp_path / "home").rglob("*") if path.is_file()]) == 3


def test_the_projects_own_suites_can_be_planned(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--config", str(ROOT / "bench.toml"), "--suite", "all", "--dry-run"]) == 0
    assert "750 cells, 0 finished, 750 to run" in capsys.readouterr().out
