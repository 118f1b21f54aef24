"""Owns an adapted model with its weights: written, built again from its description, and asked for predictions."""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from bench.backbone import Backbone
from bench.backbones.cards import LIBRARIES
from bench.backbones.loading import load_backbone
from bench.domain import Raw, Waveforms, Windows
from bench.errors import BenchError, WeightsError
from bench.files.media import Recordings
from bench.prediction.exported import WEIGHTS, Exported, Hearing, Past, write_exported
from bench.runtime.arithmetic import Precision
from bench.runtime.cache import file_sha256
from bench.runtime.precision import frozen_precision
from bench.target import Outputs
from bench.training.inference import Recomputed, forward_all
from bench.training.inputs import MEMORY_BYTES, Allowance, prepare


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A backbone whose stages are adapted, and the head they were adapted for, on one device."""

    exported: Exported
    backbone: Backbone
    head: nn.Linear
    device: torch.device

    def predict(self, raw: Raw, *, decoders: int = 1) -> Outputs:
        """Return predictions, float32 [n, width] on the scale of the labels, as those of the test split were made.

        Trained stages run in the precision they were trained in. `decoders` threads read files.
        Raises `DataError` for a file that cannot be read.
        """
        inputs = prepare(self.backbone, raw, allowance=Allowance(MEMORY_BYTES), decoders=decoders).to(self.device)
        boundary, frozen = self.exported.boundary, frozen_precision(self.device)
        below, above = self.backbone.stages[:boundary], self.backbone.stages[boundary:]
        if len(above):
            trained: Precision = "bfloat16" if self.exported.result.precision == "bfloat16" else "float32"
            hidden = Recomputed(inputs, below, frozen) if boundary else inputs
            features = forward_all(above, hidden, precision=trained).values
        else:
            features = forward_all(below, inputs, precision=frozen).values
        with torch.inference_mode():
            outputs = self.head(features).cpu().numpy()
        return self.exported.target.decode(outputs, raw).astype(np.float32)


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that build networks."""
    return {name: version(name) for name in LIBRARIES}


def hearing_of(raw: Raw) -> Hearing | None:
    """Return how these examples are heard, if they are recordings."""
    if isinstance(raw, Waveforms):
        return Hearing(raw.rate_hz, raw.samples.shape[1])
    return Hearing(raw.rate_hz, raw.length) if isinstance(raw, Recordings) else None


def past_of(raw: Raw) -> Past | None:
    """Return what these examples show of their series, if they are windows.

    Of several units it is the smallest: it is what tells a past that is constant from one that is not.
    """
    return Past(raw.past.shape[1], raw.season, float(raw.unit.min())) if isinstance(raw, Windows) else None


def save_model(folder: Path, exported: Exported, stages: nn.ModuleList, head: nn.Linear) -> None:
    """Write a model into a folder: all its stages, whole, and its head. Raises `StoreError` if that cannot be."""
    # Copies, because parameters may share memory and kernels lie with their channels last: a file holds neither.
    tensors = {name: tensor.cpu().clone().contiguous() for name, tensor in _together(stages, head).state_dict().items()}
    write_exported(folder, exported, lambda path: save_file(tensors, path))


def load_model(folder: Path, exported: Exported, *, device: str, trust_remote_code: bool = False) -> Model:
    """Return the model in a folder, its backbone built by the source it came from.

    Raises `WeightsError` if the weights are not those of the description, or the backbone cannot be built or is another
    one by now.
    """
    tensors = _read_weights(folder / WEIGHTS, exported)
    name = exported.backbone.name
    try:
        backbone = load_backbone(name, trust_remote_code=trust_remote_code)
    except BenchError as error:
        raise WeightsError(
            f"the model in {folder} is built and prepared for as {name} is, and that is not to be had here: {error}"
        ) from error
    head = nn.Linear(exported.backbone.width, exported.target.width)
    try:
        _together(backbone.stages, head).load_state_dict(tensors)
    except RuntimeError as error:
        built = ", ".join(f"{library} {number}" for library, number in exported.libraries.items())
        raise WeightsError(
            f"{name} is not built any more as it was when the model in {folder} was exported, with {built}: "
            f"{' '.join(str(error).split())}"
        ) from error
    place = torch.device(device)
    return Model(exported, backbone.to(place), head.to(place), place)


def _together(stages: nn.ModuleList, head: nn.Linear) -> nn.ModuleDict:
    return nn.ModuleDict({"stages": stages, "head": head})


def _read_weights(path: Path, exported: Exported) -> dict[str, Tensor]:
    try:
        if file_sha256(path) != exported.weights_sha256:
            raise WeightsError(f"{path} is not the file that its description names: export the model anew")
        tensors: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"cannot read the weights {path}: {error}; export the model anew") from error
    return tensors
