"""The target keeps the contract, and so does the task that has it."""

from pathlib import Path

import pytest
from bench_tasks import load_family

from bench.backbones.loading import load_backbone
from bench.runtime.cache import Cache
from bench.testing import TARGET_CHECKS, TASK_CHECKS, TargetCase, TargetCheck, TaskCheck


@pytest.mark.parametrize("check", TARGET_CHECKS, ids=lambda check: check.__name__)
def test_the_contract_of_targets_is_kept(check: TargetCheck, tmp_path: Path) -> None:
    task = load_family("newcomer-task")
    check(TargetCase(task.target, task.split(0, Cache(tmp_path)), load_backbone("bundled:glyphs")))


@pytest.mark.parametrize("check", TASK_CHECKS, ids=lambda check: check.__name__)
def test_the_contract_of_tasks_is_kept(check: TaskCheck, tmp_path: Path) -> None:
    check(load_family("newcomer-task"), Cache(tmp_path))
