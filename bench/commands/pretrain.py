"""The command `pretrain`: a bundled backbone made anew."""

from bench.backbones.catalog import BUNDLED
from bench.commands.options import PretrainOptions
from bench.errors import unknown_name
from bench.runtime.device import resolve_device


def main(options: PretrainOptions) -> int:
    """Make the backbone and return the exit code. Raises `UnknownNameError` if it is none of the bundled ones."""
    if options.name not in BUNDLED:
        raise unknown_name("bundled backbone", options.name, BUNDLED)
    from bench.pretraining.pretrain import pretrain  # noqa: PLC0415 (takes seconds, which a mistake need not wait)

    pretrain(options.name, resolve_device(options.device))
    return 0
