"""Every backbone that is there without being fetched keeps the contract."""

from pathlib import Path

import numpy as np
import pytest
from bench_tasks import FAMILIES

from bench.backbone import Backbone, state_hash
from bench.backbones import catalog
from bench.backbones.loading import load_backbone
from bench.domain import Raw
from bench.runtime.cache import Cache
from bench.testing import BACKBONE_CHECKS, BackboneCheck

N = 24


@pytest.fixture(scope="module", params=catalog.names())
def backbone(request: pytest.FixtureRequest) -> Backbone:
    return load_backbone(request.param)


@pytest.fixture(scope="module")
def raw(backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> Raw:
    """Return a few test examples of the first task that the backbone can read."""
    task = next(task for task in FAMILIES.values() if task.card.domain == backbone.card.domain)
    examples = task.split(0, Cache(tmp_path_factory.mktemp("data"))).test
    return examples.raw.take(np.arange(N) * (len(examples) // N))


@pytest.mark.parametrize("check", BACKBONE_CHECKS)
def test_the_contract_is_kept(check: BackboneCheck, backbone: Backbone, raw: Raw) -> None:
    check(backbone, raw)


def test_weights_and_data_are_found_without_the_working_folder(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert state_hash(load_backbone(backbone.card.name)) == state_hash(backbone)
