"""The errors a user can cause and put right.

Every message says what was got, what was expected and what to do. The command line turns a `BenchError` into one line
on standard error and exit code 2; any other exception is a bug of ours and keeps its traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class BenchError(Exception):
    """A mistake the user can put right; the message says how."""


class ConfigError(BenchError):
    """The config cannot be read or does not say what it must."""


class UnknownNameError(BenchError):
    """A suite, task, backbone, strategy or other name that does not exist."""


class DataError(BenchError):
    """Data that are missing, damaged or too few."""


class WeightsError(BenchError):
    """Weights that are missing, damaged or not for this architecture."""


class DeviceError(BenchError):
    """A device that this machine does not have."""


class StoreError(BenchError):
    """A results folder that cannot be read or written."""


class TrackerError(BenchError):
    """A tracker of experiments that is not installed or cannot be started."""


class PluginError(BenchError):
    """An installed package that offers what cannot be used."""


class FreezeError(BenchError):
    """A parameter or buffer below the boundary moved while a cell ran."""


def unknown_name(kind: str, got: str, known: Iterable[str]) -> UnknownNameError:
    """Return the error for a name that is not among the known ones, with the nearest and all of them.

    `kind` is the singular noun for what was named, such as "suite".
    """
    names = sorted(known)
    return UnknownNameError(f"unknown {kind} {got!r}{nearest(got, names)} (there are: {', '.join(names) or 'none'})")


def nearest(got: str, names: Iterable[str]) -> str:
    """Return '; did you mean …?' for the name closest to `got`, or nothing if none is close."""
    close = get_close_matches(got, list(names), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""
