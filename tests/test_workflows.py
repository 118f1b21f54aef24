"""Workflows are sound, ask for little, and do by make what a person does."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROGRAMS = Path(sys.executable).parent


def complaints(folder: Path) -> str:
    """Return what linters say of the workflows and actions under a folder: nothing if they are sound.

    One holds them against their schemas, the other against the usual ways to be unsafe. Neither asks a network.
    """
    schema = str(PROGRAMS / "check-jsonschema")
    several = [
        [schema, "--builtin-schema", "vendor.github-workflows", *map(str, folder.glob("workflows/*.yml"))],
        [schema, "--builtin-schema", "vendor.github-actions", *map(str, folder.glob("actions/*/action.yml"))],
        [str(PROGRAMS / "zizmor"), "--offline", "--no-progress", "--strict-collection", str(folder)],
    ]
    ran = [subprocess.run(command, check=False, capture_output=True, text=True) for command in several]
    return "".join(one.stdout + one.stderr for one in ran if one.returncode)


def jobs(workflow: Path) -> dict[str, Any]:
    """Return the jobs of a workflow by name."""
    found: dict[str, Any] = yaml.safe_load(workflow.read_text())["jobs"]
    return found


def commands() -> list[str]:
    """Return every line that some workflow gives to a shell."""
    steps = [step for workflow in WORKFLOWS for job in jobs(workflow).values() for step in job["steps"]]
    return [line.strip() for step in steps for line in step.get("run", "").splitlines()]


def makefile_targets() -> dict[str, str]:
    """Return the recipes of the Makefile by target."""
    text = (ROOT / "Makefile").read_text()
    rules = re.findall(r"^([a-z]+):(?!=)[^\n]*\n((?:\t[^\n]*\n)*)", text, flags=re.MULTILINE)
    return dict(rules)


def test_linters_of_workflows_find_nothing() -> None:
    assert complaints(ROOT / ".github") == ""


@pytest.mark.parametrize(
    ("sound", "broken"),
    [
        ("timeout-minutes: 20", "timeout_minutes: 20"),
        ("run: make lint", "rum: make lint"),
        ("run: make lint", "run: echo ${{ github.event.pull_request.title }}"),
        ("permissions:\n  contents: read", "permissions: write-all"),
    ],
    ids=["unknown key of a job", "unknown key of a step", "a title of a stranger in a shell", "all permissions"],
)
def test_linters_of_workflows_would_find_it(sound: str, broken: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ROOT / ".github", tmp_path / ".github"))
    workflow = folder / "workflows" / "ci.yml"
    assert sound in workflow.read_text()
    workflow.write_text(workflow.read_text().replace(sound, broken, 1))
    assert complaints(folder)


def test_every_make_target_of_a_workflow_is_one_of_the_makefile() -> None:
    called = [line.split() for line in commands() if line.startswith("make ")]
    targets = {word for words in called for word in words[1:] if not word.startswith("-")}
    assert targets == {"lint", "test", "smoke", "nightly"}
    assert targets <= set(makefile_targets())


def test_a_workflow_runs_nothing_but_make_and_shows_what_it_made() -> None:
    other = [line for line in commands() if not line.startswith("make ")]
    assert all(line.startswith("sed ") and line.endswith('>> "$GITHUB_STEP_SUMMARY"') for line in other)
    assert len(other) == 1


def test_what_the_summary_shows_is_what_make_writes() -> None:
    (summary,) = (line for line in commands() if line.startswith("sed "))
    shown = re.findall(r"[\w/]+\.md", summary)
    written = "".join(makefile_targets().values()).replace("$(RESULTS)", "results/all")
    assert shown == ["results/all/comparison.md", "nights/history.md", "results/all/report.md"]
    assert all(f"--out {name}" in written for name in shown[:2])


def matrix_of(workflow: str) -> dict[str, Any]:
    """Return the matrix of the job `test` in a workflow."""
    matrix: dict[str, Any] = jobs(ROOT / ".github" / "workflows" / workflow)["test"]["strategy"]["matrix"]
    return matrix


def test_tests_run_on_the_oldest_python_that_is_supported_and_on_a_newer_one() -> None:
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    first, *newer = matrix_of("ci.yml")["python"]
    assert first == oldest
    assert newer


def test_tests_run_as_on_every_imitated_processor() -> None:
    rows = matrix_of("processors.yml")["include"]
    variables = jobs(ROOT / ".github" / "workflows" / "processors.yml")["test"]["env"]
    assert {row["aten"] for row in rows} == {"default", "avx2"}
    assert {row["branch"] for row in rows} == {"", "COMPATIBLE"}
    used = set(re.findall(r"matrix\.(\w+)", " ".join(variables.values())))
    assert all(row.keys() == used | {"processor"} for row in rows)  # a misspelt one would be no setting at all


def test_no_job_runs_for_ever() -> None:
    assert all("timeout-minutes" in job for workflow in WORKFLOWS for job in jobs(workflow).values())


@pytest.mark.parametrize("target", ["run", "compare", "history", "reference"])
def test_a_target_says_what_it_would_do(target: str) -> None:
    said = subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S607 - whichever make there is
    command = {"reference": "publish"}.get(target, target)
    assert f".venv/bin/python -m bench {command} " in said
