"""Small data of every kind that a user may name: written in a folder, and changed by a single label, file or value."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import soundfile
from PIL import Image

from bench.config.data import DataSpec
from bench.domains.options import DataOptions

EXAMPLE: Final = Path(__file__).parents[1] / "examples" / "clocks.py"
RATE_HZ: Final = 8_000


class Named(NamedTuple):
    """How data are written into a folder, which returns their description, and how they are changed there."""

    write: Callable[[Path], DataSpec]
    change: Callable[[Path], None]


def write_photos(folder: Path) -> DataSpec:
    """Write pictures by day and by night."""
    generator = np.random.default_rng(0)
    for label, brightness in (("day", 130), ("night", 0)):
        (folder / "photos" / label).mkdir(parents=True)
        for number in range(110):
            pixels = generator.integers(brightness, brightness + 120, (6, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / label / f"{number:03}.png")
    return DataSpec("image_classification", f"folder:{folder}/photos")


def change_photos(folder: Path) -> None:
    """Say of one picture that it shows the night."""
    (folder / "photos/day/000.png").rename(folder / "photos/night/000-day.png")


def write_recordings(folder: Path) -> DataSpec:
    """Write high and low tones by twelve speakers, whose names are in those of the files."""
    generator = np.random.default_rng(0)
    times = np.arange(RATE_HZ // 20) / RATE_HZ
    for label, hertz in (("high", 2_000), ("low", 400)):
        (folder / "tones" / label).mkdir(parents=True)
        for number in range(120):
            tone = 0.5 * np.sin(2 * np.pi * hertz * times) + 0.1 * generator.standard_normal(len(times))
            soundfile.write(folder / "tones" / label / f"speaker{number % 12}_{number}.wav", tone, RATE_HZ)
    options = DataOptions(group="(speaker[0-9]+)_", rate_hz=RATE_HZ)
    return DataSpec("audio_classification", f"folder:{folder}/tones", options)


def change_recordings(folder: Path) -> None:
    """Make one recording silent."""
    soundfile.write(folder / "tones/low/speaker0_0.wav", np.zeros(RATE_HZ // 20), RATE_HZ)


def write_texts(folder: Path) -> DataSpec:
    """Write a table of tickets by forty customers."""
    with (folder / "tickets.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["customer", "text", "label"])
        for number in range(240):
            about = ("the bill", "the parcel", "the password")[number % 3]
            rows.writerow([f"customer {number % 40}", f"ticket {number} about {about}", about.removeprefix("the ")])
    return DataSpec("text_classification", f"csv:{folder}/tickets.csv", DataOptions(group="customer"))


def change_texts(folder: Path) -> None:
    """Give one ticket another label."""
    path = folder / "tickets.csv"
    path.write_text(path.read_text().replace("about the bill,bill", "about the bill,parcel", 1))


def write_series(folder: Path) -> DataSpec:
    """Write the demand of three shops, of which the last opened later; no value comes twice in any series."""
    with (folder / "demand.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["unique_id", "ds", "y"])
        for shop, (opened, level) in {"north": (0, 100), "south": (0, 1_000), "west": (48, 5_000)}.items():
            for hour in range(opened, 288):
                value = level + 10 * np.sin(2 * np.pi * hour / 24) + 0.1237 * hour
                rows.writerow([shop, f"2024-01-{1 + hour // 24:02} {hour % 24:02}:00", f"{value:.4f}"])
    options = DataOptions(context=24, horizon=6)
    return DataSpec("forecasting", f"csv:{folder}/demand.csv", options)


def change_series(folder: Path) -> None:
    """Raise one value."""
    path = folder / "demand.csv"
    path.write_text(path.read_text().replace("north,2024-01-02 07:00,1", "north,2024-01-02 07:00,2"))


def write_own(folder: Path) -> DataSpec:
    """Write the task of the examples."""
    (folder / "clocks.py").write_text(EXAMPLE.read_text())
    return DataSpec("image_classification", f"python:{folder}/clocks.py")


def change_own(folder: Path) -> None:
    """Have it draw other clocks."""
    path = folder / "clocks.py"
    path.write_text(path.read_text().replace("draw(600, seed=0)", "draw(600, seed=2)"))


NAMED: Final[Mapping[str, Named]] = {
    "photos": Named(write_photos, change_photos),
    "tones": Named(write_recordings, change_recordings),
    "tickets": Named(write_texts, change_texts),
    "demand": Named(write_series, change_series),
    "clocks": Named(write_own, change_own),
}
