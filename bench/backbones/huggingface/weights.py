"""Owns reading the weights in a hub snapshot's folder into a network of transformers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Final

import torch
from safetensors import SafetensorError
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.utils import logging

from bench.errors import WeightsError

WEIGHTS: Final = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
"""Where weights lie, in the order in which transformers looks for them."""


def find_weights(folder: Path) -> tuple[Path, ...]:
    """Return the files of the weights in `folder`. Raises `WeightsError` if there are none."""
    for path in (folder / name for name in WEIGHTS):
        if not path.is_file():
            continue
        if path.suffix != ".json":
            return (path,)
        try:
            parts: dict[str, str] = json.loads(path.read_bytes())["weight_map"]
        except (ValueError, KeyError) as error:
            raise WeightsError(f"cannot read the list of weights {path}: {error!r}; fetch it anew") from error
        return tuple(folder / name for name in sorted(set(parts.values())))
    raise WeightsError(f"{folder} has no weights: expected {WEIGHTS[0]} or {WEIGHTS[2]} there")


def load_network(
    kind: type[PreTrainedModel], folder: Path, config: PreTrainedConfig, *, name: str, prefix: str | None = None
) -> PreTrainedModel:
    """Return a network of a kind with the weights in `folder`, float32.

    `prefix` is a regular expression for what precedes the network's own names in checkpoints that hold more than it.
    Raises `WeightsError`, in which the network is called `name`, if the weights cannot be read or do not fit.
    """
    mapping = {prefix: ""} if prefix else None
    try:
        with _quiet():
            network, found = kind.from_pretrained(
                folder,
                config=config,
                dtype=torch.float32,
                local_files_only=True,
                key_mapping=mapping,
                ignore_mismatched_sizes=True,  # the library names none of them in its error
                output_loading_info=True,
            )
    except UnpicklingError as error:
        raise WeightsError(
            f"the weights of {name} in {folder} are damaged, or hold more than tensors, such as code, which is never "
            "run: fetch them anew, or as safetensors"
        ) from error
    except (OSError, EOFError, RuntimeError, ValueError, SafetensorError) as error:
        first, *_ = str(error).splitlines() or [repr(error)]
        raise WeightsError(f"cannot read the weights of {name} in {folder}: {first}; fetch them anew") from error
    missing = sorted(found["missing_keys"])
    wrong = sorted(key for key, *_ in found["mismatched_keys"])
    if missing or wrong:
        raise WeightsError(
            f"the weights in {folder} are not for the network that its config.json describes: of the tensors of "
            f"{name}, {len(missing)} are missing and {len(wrong)} have another shape, such as "
            f"{', '.join((missing + wrong)[:3])}"
        )
    return network


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from reporting what heads it leaves out, and from drawing progress bars for files at hand."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
