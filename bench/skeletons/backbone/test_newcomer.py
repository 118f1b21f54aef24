"""The backbones keep the contract, on the first pictures of a bundled task."""

from pathlib import Path

import numpy as np
import pytest
from bench_tasks import load_family

from bench.backbones.loading import load_backbone
from bench.runtime.cache import Cache
from bench.testing import BACKBONE_CHECKS, BackboneCheck


@pytest.mark.parametrize("check", BACKBONE_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", ["newcomer:small", "newcomer:large"])
def test_the_contract_is_kept(name: str, check: BackboneCheck, tmp_path: Path) -> None:
    raw = load_family("digits").split(0, Cache(tmp_path)).test.raw
    check(load_backbone(name), raw.take(np.arange(8)))
