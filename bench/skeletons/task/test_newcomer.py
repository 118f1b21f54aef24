"""The task keeps the contract."""

from pathlib import Path

import pytest
from bench_tasks import load_family

from bench.runtime.cache import Cache
from bench.testing import TASK_CHECKS, TaskCheck


@pytest.mark.parametrize("check", TASK_CHECKS, ids=lambda check: check.__name__)
def test_the_contract_is_kept(check: TaskCheck, tmp_path: Path) -> None:
    check(load_family("newcomer"), Cache(tmp_path))
