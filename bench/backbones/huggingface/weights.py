"""The weights in a model's folder: which files they are, their hash and licence, and reading them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Final

import torch
from huggingface_hub.repocard import metadata_load
from safetensors import SafetensorError
from transformers import PreTrainedConfig
from transformers.utils import logging

from bench.runtime.cache import file_sha256

WEIGHTS: Final = ("model.safetensors", "model-*-of-*.safetensors", "pytorch_model.bin", "pytorch_model-*-of-*.bin")
"""What weights files are called, the first kind that is there being used."""

UNREADABLE: Final = (OSError, EOFError, RuntimeError, ValueError, SafetensorError, UnpicklingError)
"""What reading weights raises that are damaged, of another shape, or more than tensors, which are never run."""


def weights_in(folder: Path) -> tuple[Path, ...]:
    """Return the weights files in a folder, none if it has none."""
    return next((found for pattern in WEIGHTS if (found := tuple(sorted(folder.glob(pattern))))), ())


def weights_hash(weights: tuple[Path, ...]) -> str:
    """Return the sha256 of a weights file; of several, that of their hashes in order."""
    hashes = [file_sha256(path) for path in weights]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def readme_in(folder: Path) -> tuple[Path, ...]:
    """Return the model's README, none if it has none."""
    readme = folder / "README.md"
    return (readme,) if readme.exists() else ()


def licence_in(folder: Path) -> str:
    """Return the licence that the model's README gives."""
    said = next((metadata_load(readme) for readme in readme_in(folder)), None) or {}
    return str(said.get("license", "not said: see the source"))


def read_network(
    kind: Any,  # noqa: ANN401 - a class of networks, or of transformers' auto classes, which have no common type
    folder: Path,
    config: PreTrainedConfig,
    **arguments: object,
) -> tuple[Any, dict[str, Any]]:
    """Return the network that `kind` makes of the weights in `folder`, float32, and what the library says of its keys.

    `arguments` are further ones of the library's. Raises one of `UNREADABLE`.
    """
    with _quietly():
        network, said = kind.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            local_files_only=True,
            output_loading_info=True,
            **arguments,
        )
    return network, said


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep transformers from reporting what it loads: missing heads are expected, all else is checked by who reads."""
    verbosity = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
