"""What is installed brings no package of a common name, and runs beside whatever a user calls their own files."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest
from setuptools import build_meta

ROOT: Final = Path(__file__).parents[1]
SOURCES: Final = ("bench", "tasks", "pyproject.toml", "README.md", "LICENSE")
HOSTILE: Final = "raise SystemExit('this is the tasks.py of a user')\n"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what the wheel of this checkout holds."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(ROOT / name, source / name)
    before = Path.cwd()
    os.chdir(source)  # where the back end looks for the project
    try:
        built = build_meta.build_wheel(str(folder))
    finally:
        os.chdir(before)
    with zipfile.ZipFile(folder / built) as wheel:
        wheel.extractall(folder / "unpacked")
    return folder / "unpacked"


def run(unpacked: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder where what the wheel holds comes before any other installation."""
    environment = {**os.environ, "PYTHONPATH": str(unpacked), "BENCH_CACHE": str(folder / "cache")}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_two_packages_are_installed_and_none_called_tasks(unpacked: Path) -> None:
    assert {path.name for path in unpacked.iterdir() if not path.name.endswith(".dist-info")} == {
        "bench",
        "bench_tasks",
    }


def test_a_users_own_tasks_do_not_get_in_the_way(unpacked: Path, tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(HOSTILE)
    place = run(unpacked, tmp_path, "-c", "import bench; print(bench.__file__)")
    assert place.stdout.startswith(str(unpacked)), "the wheel is what is looked at"
    listed = run(unpacked, tmp_path, "-m", "bench", "list", "--config", str(ROOT / "bench.toml"))
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "spoken-digits" in listed.stdout


def test_the_data_that_come_with_the_project_are_installed_with_their_licence(unpacked: Path, tmp_path: Path) -> None:
    said = run(
        unpacked,
        tmp_path,
        "-c",
        "from bench_tasks.bundled import reviews; print(len(reviews.read_table()))",
    )
    assert (said.stdout.strip(), said.stderr) == ("18513", "")
    licence = unpacked / "bench_tasks" / "bundled" / "data" / "LICENSE-vaderSentiment.txt"
    assert "Copyright (c) 2016 C.J. Hutto" in licence.read_text()
