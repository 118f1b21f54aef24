"""Exported models: built again from their description, and asked for predictions."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from bench.backbone import Backbone
from bench.backbones.loading import load_backbone
from bench.column import Column
from bench.domain import Raw
from bench.errors import BenchError, WeightsError
from bench.prediction.exported import WEIGHTS, Exported
from bench.prediction.saving import together
from bench.runtime.arithmetic import Precision
from bench.runtime.cache import file_sha256
from bench.runtime.limits import DEFAULT_MEMORY_BYTES
from bench.runtime.precision import frozen_precision
from bench.training.adapted import Reader
from bench.training.inference import Recomputed, read_all
from bench.training.inputs import Inputs, MemoryBudget, Tapped, prepare


@dataclass(frozen=True, slots=True, eq=False)
class ExportedModel:
    """A backbone whose stages are adapted, and the head they were adapted for, on one device."""

    exported: Exported
    backbone: Backbone
    head: nn.Module
    device: torch.device

    def predict(self, raw: Raw, *, decoders: int = 1, memory_bytes: int = DEFAULT_MEMORY_BYTES) -> Column:
        """Return predictions on the scale of the labels, as those of the test split were made.

        Trained stages run in the precision they were trained in. `decoders` threads read files,
        and at most `memory_bytes` of examples are held.
        Raises `DataError` for a file that cannot be read.
        """
        target, boundary = self.exported.target, self.exported.boundary
        memory = MemoryBudget(memory_bytes)
        inputs = prepare(self.backbone, raw, memory=memory, decoders=decoders).to(self.device)
        stages, readout, frozen = self.backbone.stages, target.readout, frozen_precision(self.device)
        if boundary == len(stages):  # nothing is trained: in one go, as features are computed
            read = read_all(self.backbone, stages, inputs, readout, precision=frozen)
        else:

            def after(place: int) -> Inputs:
                return Recomputed(inputs, stages[:place], frozen) if place else inputs

            below = {tap: after(tap) for tap in readout.taps(len(stages)) if tap < boundary}
            hidden = Tapped(after(boundary), below) if below else after(boundary)
            precision: Precision = "bfloat16" if self.exported.result.precision == "bfloat16" else "float32"
            read = read_all(self.backbone, stages[boundary:], hidden, readout, precision=precision)
        codec = target.codec.restored(self.exported.codec)
        return Reader(readout, codec, target.objective, self.head).predict(read)


def load_model(folder: Path, exported: Exported, *, device: str, trust_remote_code: bool = False) -> ExportedModel:
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
            f"the model in {folder} is built and prepared for as {name} is, and that cannot be found here: {error}"
        ) from error
    head = exported.target.objective.head(backbone.widths(exported.target.readout))
    try:
        together(backbone.stages, head).load_state_dict(tensors)
    except RuntimeError as error:
        built = ", ".join(f"{library} {number}" for library, number in exported.libraries.items())
        raise WeightsError(
            f"{name} is not built any more as it was when the model in {folder} was exported, with {built}: "
            f"{' '.join(str(error).split())}"
        ) from error
    place = torch.device(device)
    return ExportedModel(exported, backbone.to(place), head.to(place), place)


def _read_weights(path: Path, exported: Exported) -> dict[str, Tensor]:
    try:
        if file_sha256(path) != exported.weights_sha256:
            raise WeightsError(f"{path} is not the file that its description names: export the model anew")
        tensors: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"cannot read the weights {path}: {error}; export the model anew") from error
    return tensors
