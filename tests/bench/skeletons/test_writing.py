"""A new package is whole, has the name that was given everywhere, and passes its contract tests as it stands."""

import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from bench.cli import main
from bench.skeletons.writing import PLACEHOLDER, POINTS, Skeleton, renamed
from tests.plugins.installing import install

KINDS = get_args(Skeleton)


def run(folder: Path, installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module of Python in a folder, where a package is installed."""
    there = [str(installed), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(there), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("kind", "name"), [("task", "mine"), ("target", "my-own"), ("strategy", "mine_too"), ("backbone", "mine")]
)
def test_a_new_package_passes_its_contract_tests(kind: str, name: str, tmp_path: Path) -> None:
    assert main(["new", kind, name, "--folder", str(tmp_path)]) == 0
    folder, installed = tmp_path / f"bench-{name.replace('_', '-')}", tmp_path / "installed"
    assert len(list(folder.iterdir())) == 4
    assert not [path for path in folder.iterdir() if PLACEHOLDER in path.read_text().lower()]
    installed.mkdir()
    install(folder, installed)
    done = run(folder, installed, "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    planned = run(folder, installed, "bench", "run", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "0 finished" in planned.stdout


def test_every_kind_has_its_point_and_says_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert set(POINTS) == set(KINDS)
    assert main(["new", "target", "mine", "--folder", str(tmp_path)]) == 0
    assert f"cd {tmp_path / 'bench-mine'}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Mine", "a name begins with a small letter and goes on in small letters and digits, with - or _ between them"),
        ("2x", "a name begins with a small letter"),
        ("import", "'import' is a word of Python's own: choose another name"),
        ("tasks", "there is a module bench_tasks here already, which the package would hide"),
        ("test", "pytest would take the classes of 'test' for tests"),
        ("classes", "there is a target 'classes' already: choose another name"),
    ],
)
def test_a_name_that_cannot_be_is_refused(
    name: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "target", name, "--folder", str(tmp_path)]) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bench-mine").mkdir()
    assert main(["new", "task", "mine", "--folder", str(tmp_path)]) == 2
    assert "File exists; choose another name or folder" in capsys.readouterr().err


def test_every_spelling_of_a_name_fits_its_place() -> None:
    text = "bench-newcomer bench_newcomer test_newcomer.py open_newcomer Newcomer newcomer"
    assert renamed(text, "my_own-1") == "bench-my-own-1 bench_my_own_1 test_my_own_1.py open_my_own_1 MyOwn1 my_own-1"


def test_a_strategy_is_not_called_as_one_that_every_config_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "strategy", "full", "--folder", str(tmp_path)]) == 2
    assert "there is a kind of strategy 'full' already: choose another name" in capsys.readouterr().err
