"""The small residual network of the bundled picture and speech backbones, and its stages."""

from typing import Final

from timm.models.resnet import BasicBlock, ResNet
from torch import nn

from bench.backbone import Layers

CHANNELS: Final = (32, 64, 128, 256)
WIDTH: Final = CHANNELS[-1]
STAGES: Final = ("stem", "layer1", "layer2", "layer3", "layer4")


def build() -> ResNet:
    """Return a timm ResNet of one basic block per stage for one-channel inputs of about 32 x 32, freshly drawn.

    1.2 million parameters. The stem keeps its stride of 2 but not its pooling: at 32 pixels a further halving costs
    more than it saves.
    """
    network = ResNet(BasicBlock, (1, 1, 1, 1), num_classes=0, in_chans=1, channels=CHANNELS)
    network.maxpool = nn.Identity()
    return network


def as_stages(network: ResNet) -> nn.ModuleList:
    """Return stem and four layers, the last pooled to features [n, 256], sharing the network's parameters."""
    return nn.ModuleList(
        [
            Layers(network.conv1, network.bn1, network.act1),
            Layers(network.layer1),
            Layers(network.layer2),
            Layers(network.layer3),
            Layers(network.layer4, network.global_pool),
        ]
    )
