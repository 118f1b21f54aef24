"""A description of data that does not go together is told, whatever it is."""

import re

import pytest

from bench.config.data import DataSpec, problems_of
from bench.domains.options import DataOptions


def problems(family: str, address: str, **options: object) -> str:
    return "; ".join(problems_of(DataSpec(family, address, DataOptions.model_validate(options))))


@pytest.mark.parametrize(
    ("family", "address", "options"),
    [
        ("image_classification", "folder:photos", {"test_share": 0.2, "group": "_(a)_"}),
        ("text_classification", "csv:tickets.csv", {"text": "body", "label": "queue"}),
        ("audio_classification", "folder:calls", {"seconds": 2.0}),
        ("forecasting", "csv:demand.csv", {"horizon": 12, "fill": True}),
        ("image_classification", "torchvision:CIFAR10", {}),
        ("digits", "", {}),
    ],
)
def test_what_goes_together_is_no_problem(family: str, address: str, options: dict[str, object]) -> None:
    assert not problems(family, address, **options)


@pytest.mark.parametrize(
    ("family", "address", "options", "said"),
    [
        (
            "image_classification",
            "foldr:photos",
            {},
            "data: an address is one of folder:…, .*got 'foldr:photos'; did you mean 'folder'",
        ),
        ("image_classification", "folder:", {}, "an address is one of"),
        ("image_classification", "photos", {}, "an address is one of"),
        (
            "forecasting",
            "folder:photos",
            {},
            "folder: holds image_classification or audio_classification, not forecasting",
        ),
        (
            "image_classification",
            "folder:photos",
            {"horizon": 3},
            r"horizon: says nothing of image_classification \(only of series\)",
        ),
        ("forecasting", "csv:a.csv", {"seconds": 3}, r"seconds: says nothing of forecasting \(only of audio\)"),
        ("digits", "", {"horizon": 3}, "horizon: a bundled task has no such option"),
    ],
)
def test_what_does_not_is_told(family: str, address: str, options: dict[str, object], said: str) -> None:
    assert re.search(said, problems(family, address, **options))


def test_an_address_is_a_kind_and_a_place() -> None:
    spec = DataSpec("image_classification", "folder:C:/photos")
    assert (spec.kind, spec.place) == ("folder", "C:/photos")
