"""How recordings are prepared for networks of transformers: by the feature extractors that come with them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from torch import Tensor
from transformers import (
    SequenceFeatureExtractor,
)

from bench.errors import WeightsError

FILES: Final = ("processor_config.json", "preprocessor_config.json")
"""Where it is said how clips are prepared, in the order in which transformers looks for it."""


def find_extractor(folder: Path) -> tuple[Path, ...]:
    """Return those of `FILES` that are in `folder`."""
    return tuple(folder / name for name in FILES if (folder / name).is_file())


def read_extractor(kind: type[SequenceFeatureExtractor], folder: Path) -> SequenceFeatureExtractor:
    """Return the feature extractor that `folder` describes. Raises `WeightsError` if it describes none."""
    remedy = "fetch it from where the weights came from"
    if not find_extractor(folder):
        raise WeightsError(f"{folder} has no {FILES[1]}, which says how recordings are prepared: {remedy}")
    try:
        return kind.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, TypeError) as error:
        raise WeightsError(f"cannot read how recordings are prepared in {folder}: {error}; {remedy}") from error


def usual_extractor(kind: type[SequenceFeatureExtractor], settings: Mapping[str, int]) -> SequenceFeatureExtractor:
    """Return the feature extractor that is usual for networks of a kind, but for `settings`."""
    return kind(**settings)


def own_features(extractor: SequenceFeatureExtractor, clips: Tensor) -> Tensor:
    """Return what a network's own extractor makes of clips [n, samples], which are at its rate."""
    extracted = extractor(list(clips.numpy()), sampling_rate=extractor.sampling_rate, return_tensors="pt")
    out: Tensor = extracted[extractor.model_input_names[0]]
    return out
