"""Run a Python file of a user's."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from bench.errors import DataError


def run_script(path: Path) -> ModuleType:
    """Return the module that a Python file makes. Raises `DataError` if there is no such file or it cannot be run."""
    spec = importlib.util.spec_from_file_location(f"bench_own_{path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise DataError(f"there is no Python file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look the module of their annotations up there
    try:
        spec.loader.exec_module(module)
    except (ImportError, SyntaxError) as error:
        raise DataError(f"cannot run {path}: {error}") from error
    return module
