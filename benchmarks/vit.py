"""The row `vit`: how much of a GPU's matrix products full fine-tuning of a ViT-B/16 turns into training.

A step of the product's loop on a timm ViT-B/16 with random weights and pixels at 224 x 224, in batches of 128 and in
bfloat16. Its floating-point operations, forward and backward, are counted by `torch.utils.flop_counter`; the ceiling is
what a large product of bfloat16 matrices reaches on the same GPU, turn by turn.
"""

import itertools
from collections.abc import Iterator
from functools import partial
from typing import Final

import timm
import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import ours
from benchmarks.harness import Settings, side_by_side, spread, stopwatch
from benchmarks.table import Row

MODEL: Final = "vit_base_patch16_224"
SIDE: Final = 224
BATCH: Final = 128
BATCHES: Final = 4
CLASSES: Final = 10
STEPS: Final = 30
QUICK_STEPS: Final = 5
REPETITIONS: Final = 5
MATRIX_SIDE: Final = 8192
PRODUCTS: Final = 50


class Embeddings(nn.Module):
    """Pixels [n, 3, 224, 224] to tokens [n, 197, width]."""

    def __init__(self, network: VisionTransformer) -> None:
        super().__init__()
        self.patches, self.dropout = network.patch_embed, network.pos_drop
        self.first, self.positions = network.cls_token, network.pos_embed

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the tokens with their positions, the class token first."""
        patches = self.patches(pixels)
        tokens = torch.cat([self.first.expand(len(patches), -1, -1), patches], dim=1)
        out: Tensor = self.dropout(tokens + self.positions)
        return out


class ClassToken(nn.Module):
    """Tokens [n, 197, width] to features [n, width]."""

    def __init__(self, network: VisionTransformer) -> None:
        super().__init__()
        self.norm = network.norm

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the class token, normalised."""
        out: Tensor = self.norm(tokens)[:, 0]
        return out


def measure(settings: Settings) -> Iterator[Row]:
    """Yield the row."""
    steps = QUICK_STEPS if settings.quick else STEPS
    start = vit(settings.device)
    flops = steps * flops_of_step(start)
    seconds = side_by_side(
        {
            "ceiling": partial(matrix_products, settings.device),
            "ours": partial(our_steps, start, steps, settings.device),
        },
        repetitions=settings.repetitions(REPETITIONS),
        warm_up=True,
    )
    ceilings = [PRODUCTS * 2 * MATRIX_SIDE**3 / one for one in seconds["ceiling"]]  # operations a second
    reached = [flops / one for one in seconds["ours"]]
    yield Row(
        name="vit",
        compares="ours / bf16 matmul",
        value=spread([ours / ceiling for ours, ceiling in zip(reached, ceilings, strict=True)]),
        note=f"share of the ceiling: {spread(reached).median / 1e12:.0f} of {spread(ceilings).median / 1e12:.0f} "
        f"TFLOP/s; {steps} steps of {BATCH} pictures, {BATCH * steps / spread(seconds['ours']).median:.0f} a second.",
    )


def vit(device: str) -> ours.Trainable:
    """Return the network, freshly drawn, with drawn pixels and labels on the device."""
    network = timm.create_model(MODEL, pretrained=False, num_classes=0)
    pixels = torch.randn(BATCH * BATCHES, 3, SIDE, SIDE, device=device)
    labels = torch.randint(CLASSES, (BATCH * BATCHES,), device=device)
    parts = [Embeddings(network), *network.blocks, ClassToken(network)]
    return ours.classifier(parts, pixels, labels, width=network.num_features, classes=CLASSES, batch_size=BATCH)


def flops_of_step(start: ours.Trainable) -> int:
    """Return the operations of one forward and backward pass over a batch."""
    copied = start.copy()
    batch, labels = copied.batches(1)[0]
    counter = FlopCounterMode(display=False)
    with counter:
        nn.functional.cross_entropy(copied.outputs(batch).float(), labels).backward()
    return counter.get_total_flops()


def our_steps(start: ours.Trainable, steps: int, device: str) -> float:
    """Return the seconds of so many steps of the product's loop."""
    copied = start.copy()
    return stopwatch(lambda: copied.fit(steps), device)


def matrix_products(device: str) -> float:
    """Return the seconds of `PRODUCTS` products of large matrices."""
    left, right = (torch.randn(MATRIX_SIDE, MATRIX_SIDE, device=device, dtype=torch.bfloat16) for _ in range(2))

    def work() -> None:
        for _ in itertools.repeat(None, PRODUCTS):
            torch.mm(left, right)

    return stopwatch(work, device)
