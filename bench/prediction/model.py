"""Exported models: built again from their description, and asked for predictions."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from bench.backbone import Backbone, Reader
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
from bench.training.inference import Recomputed, read_all
from bench.training.inputs import Inputs, MemoryBudget, Tapped, prepare


@dataclass(frozen=True, slots=True, eq=False)
class ExportedModel:
    """A backbone whose stages are adapted, and the reader they were adapted for, on one device."""

    exported: Exported
    backbone: Backbone
    reader: Reader
    device: torch.device

    def predict(self, raw: Raw, *, decoders: int = 1, memory_bytes: int = DEFAULT_MEMORY_BYTES) -> Column:
        """Return predictions on the scale of the labels, as those of the test split were made.

        Trained stages run in the precision they were trained in. `decoders` threads read files,
        and at most `memory_bytes` of examples are held.
        Raises `DataError` for a file that cannot be read.
        """
        boundary = self.exported.boundary
        memory = MemoryBudget(memory_bytes)
        inputs = prepare(self.backbone, raw, memory=memory, decoders=decoders).to(self.device)
        stages, readout, frozen = self.backbone.stages, self.reader.readout, frozen_precision(self.device)
        if boundary == len(stages):  # nothing is trained: in one go, as features are computed
            read = read_all(self.backbone, stages, inputs, readout, precision=frozen)
        else:

            def after(place: int) -> Inputs:
                return Recomputed(inputs, stages[:place], frozen) if place else inputs

            below = {tap: after(tap) for tap in readout.taps(len(stages)) if tap < boundary}
            hidden = Tapped(after(boundary), below) if below else after(boundary)
            precision: Precision = "bfloat16" if self.exported.result.precision == "bfloat16" else "float32"
            read = read_all(self.backbone, stages[boundary:], hidden, readout, precision=precision)
        return self.reader.predict(read.features, read.geometry)


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
    reader = _reader(backbone, exported)
    try:
        together(backbone.stages, reader.head).load_state_dict(tensors)
    except RuntimeError as error:
        built = ", ".join(f"{library} {number}" for library, number in exported.libraries.items())
        raise WeightsError(
            f"{name} is not built any more as it was when the model in {folder} was exported, with {built}: "
            f"{' '.join(str(error).split())}"
        ) from error
    place = torch.device(device)
    reader.head.to(place)
    return ExportedModel(exported, backbone.to(place), reader, place)


def _reader(backbone: Backbone, exported: Exported) -> Reader:
    """Return the reader of an export, whose head has other numbers yet.

    Raises `WeightsError` if the backbone does not bring it any more.
    """
    target = exported.target
    if not exported.brought:
        head = target.objective.head(backbone.widths(target.readout))
        return Reader(target.readout, target.codec.restored(exported.codec), target.objective, head)
    reader = backbone.brings(target)
    if not isinstance(reader, Reader):
        raise WeightsError(
            f"the model reads {backbone.card.name} as it came with its weights, and the one that is installed here "
            f"brings no reader for {target.name} any more: export the model anew with run --export"
        )
    return replace(reader, codec=reader.codec.restored(exported.codec))


def _read_weights(path: Path, exported: Exported) -> dict[str, Tensor]:
    try:
        if file_sha256(path) != exported.weights_sha256:
            raise WeightsError(f"{path} is not the file that its description names: export the model anew")
        tensors: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"cannot read the weights {path}: {error}; export the model anew") from error
    return tensors
