"""What is said after the '?' of a backbone's name is understood, or refused in the same way by every source."""

import pytest

from bench.backbones.loading import _opener, open_backbone
from bench.errors import UnknownNameError
from bench.registry import BACKBONES, BUILT_IN


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("bundled:glyphs?layer=1", r"setting of a bundled backbone 'layer' \(there are: none\)"),
        ("timm:test_resnet?layer=1", "setting of a timm backbone 'layer'; did you mean 'layers'"),
        ("torchvision:mobilenet_v2?weight=1", "setting of a torchvision backbone 'weight'; did you mean 'weights'"),
        ("torchaudio:WAV2VEC2_BASE?layers=1", r"setting of a torchaudio backbone 'layers' \(there are: none\)"),
        ("file:timm/test_resnet:none.pth?layer=1", "setting of a file: backbone 'layer'; did you mean 'layers'"),
        ("untrained:timm/test_resnet?layer=1", "setting of a randomly drawn backbone 'layer'; did you mean 'layers'"),
    ],
)
def test_a_setting_that_does_not_exist_is_told_with_those_that_do(name: str, told: str) -> None:
    with pytest.raises(UnknownNameError, match=told):
        open_backbone(name)


@pytest.mark.parametrize("source", BUILT_IN[BACKBONES])
def test_every_source_that_is_named_can_be_opened(source: str) -> None:
    assert callable(_opener(source))


def test_a_source_that_does_not_exist_is_told_with_those_that_do() -> None:
    with pytest.raises(UnknownNameError, match="unknown source of backbones 'tim'; did you mean 'timm'"):
        open_backbone("tim:resnet18")
