"""The plug-ins, found by their entry points while the tests of this folder run."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.installing import install_all


@pytest.fixture(scope="package", autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Install all plug-ins into a folder of their own, and put it on Python's path."""
    folder = tmp_path_factory.mktemp("installed")
    install_all(folder)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    yield folder
    sys.path.remove(str(folder))
    importlib.invalidate_caches()
