"""Image models of transformers as backbones: pictures prepared as the model's own processor does."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoImageProcessor, AutoModel, AutoModelForImageClassification, PreTrainedModel
from transformers.image_processing_utils import BaseImageProcessor
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES
from transformers.utils import ModelOutput

from bench.backbone import Backbone, Batch, Stage
from bench.backbones.huggingface.layers import checked, cut, find_layers
from bench.backbones.huggingface.slices import LayerSlice
from bench.backbones.huggingface.snapshot import Snapshot
from bench.domain import Raw
from bench.domains.vision.files import expect_pictures
from bench.domains.vision.raw import ImageArray
from bench.errors import WeightsError

AT_A_TIME: Final = 64
"""Pictures that a processor is given at once, which bounds how many are held at their own size."""


def build_images(snapshot: Snapshot) -> Backbone:
    """Return the image model of a snapshot as a backbone.

    Raises `WeightsError` if it cannot be cut into stages, or if its weights or its processor's settings are not there.
    """
    drawn = snapshot.load(_auto(snapshot))
    backbone = ImageModel(drawn.network, snapshot)
    snapshot.check_complete(backbone.stages, drawn)
    backbone.card = snapshot.card(backbone, "vision", backbone.prepare(_some_pictures()))
    return backbone


class ImageModel(Backbone):
    """An image model of transformers, whose features are what its own classifier takes."""

    def __init__(self, network: nn.Module, snapshot: Snapshot) -> None:
        super().__init__()
        self._snapshot = snapshot
        self._processor = _processor(snapshot)
        self.stages = self._cut(network)

    def initialise(self) -> None:
        self.stages.load_state_dict(self._cut(self._snapshot.draw(_auto(self._snapshot))).state_dict())

    def prepare(self, raw: Raw) -> Batch:
        """Return uint8 [n, 3, height, width], resized and cropped. Raises `WeightsError` if the sizes differ."""
        done: list[Tensor] = []
        waiting: list[NDArray[np.uint8]] = []
        for picture in expect_pictures(raw).pictures():
            waiting.append(np.broadcast_to(picture, (*picture.shape[:2], 3)))
            if len(waiting) == AT_A_TIME:
                done.append(self._processed(waiting))
                waiting.clear()
        if waiting:
            done.append(self._processed(waiting))
        return Batch(torch.cat(done))

    def _processed(self, pictures: list[NDArray[np.uint8]]) -> Tensor:
        """Return pictures of any size as uint8 [n, 3, height, width]."""
        channels_first = [np.ascontiguousarray(picture.transpose(2, 0, 1)) for picture in pictures]
        try:
            found = self._processor(
                channels_first,
                do_rescale=False,
                do_normalize=False,
                return_tensors="pt",
                input_data_format="channels_first",
            )
        except ValueError as error:
            raise WeightsError(
                f"the processor of {self._snapshot.name} does not bring all pictures to one size: {error}"
            ) from error
        pixels: Tensor = found["pixel_values"]
        return pixels.round().clamp(0, 255).to(torch.uint8)

    def _cut(self, network: PreTrainedModel) -> nn.ModuleList:
        """Return the stages of a network, which give what it gives before its classifier."""
        name, kind = self._snapshot.name, self._snapshot.config.model_type
        if _classifies(self._snapshot):
            _take_off_classifier(network, name)
        base = network.base_model
        inside = find_layers(base, kind, self._snapshot.settings.get("layers"), name)
        prefix = next(path for path, module in network.named_modules() if module is base)
        path = f"{prefix}.{inside}".removeprefix(".")
        batch = self.prepare(_some_pictures())
        normalise = Normalise(self._processor)
        pixels = normalise(batch.values)
        slices, features = cut(network, path, kind, lambda: _features(network(pixel_values=pixels)))
        shape = tuple(pixels.shape[1:])
        layers = [Layer(layer_slice, shape, last=layer_slice is slices[-1]) for layer_slice in slices[1:]]
        stages = nn.ModuleList([Embeddings(slices[0], normalise), *layers])
        return checked(name, stages, batch, features)


class Normalise(nn.Module):
    """Pictures uint8 [n, 3, height, width] to float32 on the scale that the model learnt from."""

    def __init__(self, processor: BaseImageProcessor) -> None:
        super().__init__()
        scale = processor.rescale_factor if processor.do_rescale else 1.0
        mean = processor.image_mean if processor.do_normalize else (0.0, 0.0, 0.0)
        deviation = processor.image_std if processor.do_normalize else (1.0, 1.0, 1.0)
        self.scale = float(scale)
        self.mean = nn.Buffer(torch.tensor(mean, dtype=torch.float32)[:, None, None], persistent=False)
        self.deviation = nn.Buffer(torch.tensor(deviation, dtype=torch.float32)[:, None, None], persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        return (pixels.float() * self.scale - self.mean) / self.deviation


class Embeddings(Stage):
    """Pictures uint8 [n, 3, height, width] to what the first layer takes."""

    def __init__(self, layer_slice: LayerSlice, normalise: Normalise) -> None:
        super().__init__()
        self.normalise = normalise
        self.layer_slice = layer_slice

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        hidden: Tensor = self.layer_slice(pixel_values=self.normalise(values))
        return hidden


class Layer(Stage):
    """Hidden states of one layer to those of the next, [n, …]; those of the last to features [n, width]."""

    def __init__(self, layer_slice: LayerSlice, shape: tuple[int, ...], *, last: bool) -> None:
        super().__init__()
        self.layer_slice = layer_slice
        self._shape = shape
        self._last = last

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        # Pictures of the right shape, which nobody looks at and which take no memory.
        blank = values.new_zeros(()).expand(len(values), *self._shape)
        found = self.layer_slice(hidden=values, pixel_values=blank)
        return _features(found) if self._last else found


def _classifies(snapshot: Snapshot) -> bool:
    return snapshot.config.model_type in MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES


def _auto(snapshot: Snapshot) -> type[AutoModel]:
    """Return what makes the network: with its classifier where there is one, as that says which features it takes."""
    auto: type[AutoModel] = AutoModelForImageClassification if _classifies(snapshot) else AutoModel
    return auto


def _features(output: ModelOutput) -> Tensor:
    """Return what a network without classifier gives in its place, or what one that never had any pools."""
    features: Tensor = output["logits"] if "logits" in output else output["pooler_output"]
    return features


def _processor(snapshot: Snapshot) -> BaseImageProcessor:
    try:
        return AutoImageProcessor.from_pretrained(
            snapshot.folder, local_files_only=True, trust_remote_code=snapshot.trust_remote_code
        )
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"{snapshot.name} does not say how pictures are to be prepared: there is no preprocessor_config.json that "
            f"can be read in {snapshot.folder}"
        ) from error


def _take_off_classifier(network: nn.Module, name: str) -> None:
    """Leave of a network's classifier only what makes one vector of each picture, such as flattening."""
    head = dict(network.named_children()).get("classifier")
    if isinstance(head, nn.Sequential):
        head[-1] = nn.Identity()
    elif isinstance(head, nn.Linear | nn.Identity):
        network.register_module("classifier", nn.Identity())
    else:
        raise WeightsError(
            f"{name} has no linear classifier in {type(network).__name__}, before which its features would be taken"
        )


def _some_pictures() -> ImageArray:
    """Return two pictures drawn the same way every time."""
    return ImageArray(np.random.default_rng(0).integers(0, 256, (2, 32, 40, 3), dtype=np.uint8))
