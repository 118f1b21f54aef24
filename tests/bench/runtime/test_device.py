"""How many processes share a device follows from what they need of it."""

import os
from types import SimpleNamespace

import pytest
import torch

from bench.runtime.device import MOST_WORKERS, default_decoders, default_workers

SMALL, LARGE = 22_000_000, 300_000_000


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: range(6), raising=False)


def gpu(monkeypatch: pytest.MonkeyPatch, gib: int) -> None:
    properties = SimpleNamespace(total_memory=gib * 2**30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: properties)


@pytest.mark.usefixtures("cores")
def test_a_cpu_has_a_process_per_core() -> None:
    assert default_workers("cpu", parameters=LARGE) == 6 <= MOST_WORKERS


@pytest.mark.usefixtures("cores")
@pytest.mark.parametrize(("gib", "expected"), [(6, 1), (16, 2), (140, 3)])
def test_small_networks_share_a_gpu_as_far_as_memory_and_cores_go(
    gib: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu(monkeypatch, gib)
    assert default_workers("cuda", parameters=SMALL) == expected


@pytest.mark.usefixtures("cores")
def test_a_large_network_has_a_gpu_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu(monkeypatch, 140)
    assert default_workers("cuda", parameters=LARGE) == 1


@pytest.mark.usefixtures("cores")
def test_the_cores_of_a_process_read_its_pictures() -> None:
    assert [default_decoders(workers) for workers in (1, 2, 6, 8)] == [6, 3, 1, 1]
