"""Run a Python file of a user's, and say in one line what went wrong in it."""

import importlib.util
import sys
import traceback
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
    except (Exception, SystemExit) as error:  # a user's code: whatever it raises, its file is what has to be named
        raise DataError(f"cannot run {path}: {describe_raised(error, path)}") from error
    return module


def describe_raised(error: BaseException, path: Path | None = None) -> str:
    """Return an exception in one line, with the last line of a user's file that it came through, if it did."""
    text = " ".join(str(error).split())
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__) if path else ()
    lines = [frame.lineno for frame in frames if path and Path(frame.filename).resolve() == path.resolve()]
    return f"{said} (line {lines[-1]})" if lines else said
