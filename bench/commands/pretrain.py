"""Owns `pretrain`: a bundled backbone made anew."""

import argparse
import importlib

from bench.backbones.catalog import BUNDLED
from bench.errors import unknown_name
from bench.runtime.device import resolve_device


def answer(options: argparse.Namespace) -> int:
    """Make the backbone and return the exit code. Raises `UnknownNameError` if it is none of the bundled ones."""
    if options.name not in BUNDLED:
        raise unknown_name("bundled backbone", options.name, BUNDLED)
    pretraining = importlib.import_module("bench.pretraining.pretrain")  # takes seconds, which a mistake need not wait
    pretraining.pretrain(options.name, resolve_device(options.device))
    return 0
