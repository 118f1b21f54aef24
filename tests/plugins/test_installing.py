"""Plug-ins are found by their entry points alone: in a process of its own, in workers, and in a wheel."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import setuptools
from setuptools import build_meta

from bench import registry
from bench.registry import names
from tests.plugins.installing import NAMES, PLUGINS, install
from tests.plugins.test_runs import config

BUILDS_WHEELS = (70, 1)
"""Older versions of setuptools need another package to build wheels."""


def run(folder: Path, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line where only `path` is added to what Python finds."""
    there = [str(path), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(there), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_every_point_that_is_asked_for_is_known_and_every_plug_in_is_one_file() -> None:
    for name in NAMES:
        assert len(list((PLUGINS / name).glob("*.py"))) == 1
    assert {"boxes", "transcript", "grade"} <= set(names(registry.TARGETS))
    assert {"reversal", "as_it_came", "budget_baseline"} <= set(names(registry.STRATEGIES))
    assert {"places", "frames", "colours"} <= set(names(registry.BACKBONES))
    assert {"lights", "melodies", "apples-grade", "apples-weight", "paint"} <= set(names(registry.TASKS))
    assert "clouds" in names(registry.DOMAINS)
    assert "worst" in names(registry.METRICS)
    assert "notebook" in names(registry.TRACKERS)
    assert "backwards" in names(registry.EXECUTORS)
    assert "dusk" in names(registry.SHIFTS)


def test_nothing_in_the_product_names_a_plug_in() -> None:
    product = Path(registry.__file__).parent
    modules = [path.stem for name in NAMES for path in (PLUGINS / name).glob("*.py")]
    code = "\n".join(path.read_text() for path in product.rglob("*.py"))
    assert len(modules) == len(NAMES)
    assert not [module for module in modules if module in code]


def test_workers_find_a_plug_in_as_their_parent_does(tmp_path: Path, installed: Path) -> None:
    (tmp_path / "bench.toml").write_text(config())
    asked = ["--suite", "melodies", "--strategy", "probe", "--strategy", "as_it_came", "--seeds", "1"]
    done = run(tmp_path, installed, "run", *asked, "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert "4 cells: 4 scored now" in done.stderr


def test_without_the_package_its_names_are_unknown(tmp_path: Path) -> None:
    (tmp_path / "bench.toml").write_text(
        '[tasks.lights]\nbackbones = ["places:toy"]\n[suites.all]\ntasks = ["lights"]\n'
    )
    done = run(tmp_path, tmp_path, "list")
    assert done.returncode == 2
    assert "unknown task family 'lights'" in done.stderr


@pytest.mark.skipif(
    tuple(map(int, setuptools.__version__.split(".")[:2])) < BUILDS_WHEELS, reason="setuptools builds no wheels"
)
def test_a_wheel_of_a_plug_in_offers_what_its_project_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, unpacked, laid_out = tmp_path / "source", tmp_path / "unpacked", tmp_path / "laid out"
    laid_out.mkdir()
    install(PLUGINS / "budget_baseline", laid_out)
    source.mkdir()
    for path in (PLUGINS / "budget_baseline").iterdir():
        if path.is_file():
            (source / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(source)
    built = build_meta.build_wheel(str(tmp_path))
    zipfile.ZipFile(tmp_path / built).extractall(unpacked)
    (theirs,), (ours,) = unpacked.glob("*.dist-info/entry_points.txt"), laid_out.glob("*.dist-info/entry_points.txt")
    assert theirs.read_text().split() == ours.read_text().split()
    (tmp_path / "bench.toml").write_text('[strategies.plain]\nkind = "budget_baseline"\n')
    done = run(tmp_path, unpacked, "list", "strategies")
    assert done.returncode == 0, done.stderr
    assert "budget_baseline" in done.stdout
