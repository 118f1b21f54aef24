"""Domains and shifts of packages are found by their entry points, and none can pass for another."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.domains.audio.raw import AudioArray
from bench.domains.contract import LABELLED
from bench.domains.registered import all_domains, domain_named, domain_of, families
from bench.domains.series.raw import Windows
from bench.domains.vision.raw import ImageArray
from bench.errors import PluginError, UnknownNameError
from bench.shifts.scoring import offered_shifts, shifts_of

Install = Callable[[str, str, str], None]

SPECTRA = """
from dataclasses import replace
from bench.domains.vision.domain import DOMAIN
SPECTRA = replace(DOMAIN, name={name!r}, family={family!r})
"""
SHIFT = """
from bench.domains.shift import Shift
FLIP = Shift({name!r}, "upside down", lambda examples: examples, {domain!r})
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return what puts a package with one module and an entry point where Python finds it."""

    def add(package: str, entry: str, code: str) -> None:
        place = tmp_path / package
        info = place / f"{package}-1.0.dist-info"
        info.mkdir(parents=True)
        (place / f"{package}.py").write_text(code)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        point, name, attribute = entry.split()
        (info / "entry_points.txt").write_text(f"[{point}]\n{name} = {package}:{attribute}\n")
        monkeypatch.syspath_prepend(place)

    return add


def test_built_in_domains_are_found_by_name_and_by_family() -> None:
    assert tuple(all_domains()) == ("vision", "text", "audio", "series")
    assert all(domain_named(name).name == name for name in all_domains())
    assert [domain_of(family).name for family in families()] == list(all_domains())
    assert families("folder") == ("image_classification", "audio_classification")
    assert families("conll") == ("text_classification",)


def test_an_unknown_domain_or_family_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown domain 'visoin'; did you mean 'vision'"):
        domain_named("visoin")
    with pytest.raises(UnknownNameError, match="unknown task family 'forecast'; did you mean 'forecasting'"):
        domain_of("forecast")


def test_a_package_offers_a_domain_with_a_family_of_its_own(install: Install) -> None:
    install("outside_spectra", "bench.domains spectra SPECTRA", SPECTRA.format(name="spectra", family="spectra_tasks"))
    assert tuple(all_domains())[-1] == "spectra"
    assert domain_of("spectra_tasks").name == "spectra"
    assert "spectra_tasks" in families("folder")


@pytest.mark.parametrize(
    ("name", "family", "refusal"),
    [
        ("spectrum", "spectra_tasks", "the domain 'spectra' calls itself 'spectrum'"),
        ("spectra", "forecasting", "the domains 'series' and 'spectra' both call their tasks 'forecasting'"),
    ],
)
def test_a_domain_that_could_be_taken_for_another_is_refused(
    name: str, family: str, refusal: str, install: Install
) -> None:
    install(f"outside_{name}_{family}", "bench.domains spectra SPECTRA", SPECTRA.format(name=name, family=family))
    with pytest.raises(PluginError, match=refusal):
        all_domains()


def test_a_package_offers_a_shift_of_one_domain(install: Install) -> None:
    install("outside_flip", "bench.shifts flip FLIP", SHIFT.format(name="flip", domain="vision"))
    assert [shift.name for shift in shifts_of("vision")] == ["noise", "blur", "contrast", "flip"]
    assert [shift.name for shift in offered_shifts("vision")] == ["flip"]
    assert [shift.name for shift in shifts_of("text")] == ["typos"]


def test_two_shifts_of_a_domain_cannot_have_one_name(install: Install) -> None:
    install("outside_noise", "bench.shifts noise FLIP", SHIFT.format(name="noise", domain="vision"))
    assert [shift.name for shift in shifts_of("series")] == ["noise"]
    with pytest.raises(PluginError, match="two shifts of the domain 'vision' are called 'noise'"):
        shifts_of("vision")


def test_what_labels_need_concerns_domains_that_have_some() -> None:
    labelled = {name for name, domain in all_domains().items() if domain.options >= LABELLED}
    assert labelled == {name for name, domain in all_domains().items() if domain.files or domain.cells}


def test_asking_domains_loads_no_library_that_takes_time() -> None:
    code = (
        "import sys; from bench.domains.registered import all_domains; all_domains(); "
        "print([name for name in ('PIL', 'pandas', 'pyarrow', 'scipy', 'soundfile', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_inputs_are_read_again_as_an_export_says() -> None:
    recordings = AudioArray(np.zeros((2, 50), dtype=np.float32), 8_000)
    windows = Windows(np.zeros((2, 5)), 3, np.array([2.0, 0.5]), np.array(["north", "south"]))
    assert domain_named("audio").input_format(recordings) == {"rate_hz": 8_000, "length": 50}
    assert domain_named("series").input_format(windows) == {
        "context": 5,
        "season": 3,
        "unit of north": 2.0,
        "unit of south": 0.5,
    }
    assert domain_named("vision").input_format(ImageArray(np.zeros((2, 8, 8, 1), dtype=np.uint8))) == {}
