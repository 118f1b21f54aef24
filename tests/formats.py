"""Files as well-known data sets have them, only fewer and smaller."""

import hashlib
import pickle
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
import torchvision
from numpy.typing import NDArray

CIFAR_BATCHES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
CIFAR_CLASSES = ["airplane", "automobile", "bird"]

SPEAKERS = ("0a7c2a8d", "1b88bf70", "2aca1e72", "3b4f8f24")
WORDS = ("left", "right")
RATE_HZ = 16_000


def md5(path: Path) -> str:
    """Return the hash that torchvision checks files by."""
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def cifar_batch(seed: int) -> dict[str, Any]:
    """Return six pictures as CIFAR-10's batches hold them: the planes of red, green and blue one after the other."""
    data = np.random.default_rng(seed).integers(0, 256, (6, 3072), dtype=np.uint8)
    return {"batch_label": "a batch", "labels": [0, 1, 2, 0, 1, 2], "data": data, "filenames": ["x.png"] * 6}


def write_cifar10(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write CIFAR-10's pickled batches, have torchvision expect these, and return their folder."""
    folder = home / "CIFAR10" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    for seed, name in enumerate(CIFAR_BATCHES):
        (folder / name).write_bytes(pickle.dumps(cifar_batch(seed), protocol=2))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": CIFAR_CLASSES}, protocol=2))
    hashes = [[name, md5(folder / name)] for name in CIFAR_BATCHES]
    ours = torchvision.datasets.CIFAR10
    monkeypatch.setattr(ours, "train_list", hashes[:-1])
    monkeypatch.setattr(ours, "test_list", hashes[-1:])
    monkeypatch.setattr(ours, "meta", {**ours.meta, "md5": md5(folder / "batches.meta")})
    return folder


def tone(seed: int, length: int) -> NDArray[np.int16]:
    """Return a recording."""
    return np.random.default_rng(seed).integers(-9_000, 9_000, length, dtype=np.int16)


def write_speech_commands(home: Path) -> Path:
    """Write two words by four speakers, the third of them for validation and the fourth to test on."""
    folder = home / "SPEECHCOMMANDS" / "SpeechCommands" / "speech_commands_v0.02"
    for word, label in enumerate(WORDS):
        (folder / label).mkdir(parents=True)
        for number, speaker in enumerate(SPEAKERS):
            length = RATE_HZ if number else RATE_HZ * 3 // 4
            soundfile.write(folder / label / f"{speaker}_nohash_0.wav", tone(10 * word + number, length), RATE_HZ)
    (folder / "_background_noise_").mkdir()
    soundfile.write(folder / "_background_noise_" / "pink_noise.wav", tone(99, 2 * RATE_HZ), RATE_HZ)
    for name, speaker in (("validation", SPEAKERS[2]), ("testing", SPEAKERS[3])):
        (folder / f"{name}_list.txt").write_text("".join(f"{word}/{speaker}_nohash_0.wav\n" for word in WORDS))
    return folder


def write_parquet(folder: Path, splits: dict[str, dict[str, Any]], features: datasets.Features) -> Path:
    """Write splits, by column, as a repository of the Hugging Face hub has them."""
    (folder / "data").mkdir(parents=True)
    for split, columns in splits.items():
        table = pa.table({name: list(cells) for name, cells in columns.items()}, schema=features.arrow_schema)
        pq.write_table(table, folder / "data" / f"{split}-00000-of-00001.parquet")
    return folder


def write_sst2(folder: Path) -> Path:
    """Write a repository like SST-2's: a validation split, and a test split whose labels are hidden."""
    sentiments = datasets.ClassLabel(names=["negative", "positive"])
    features = datasets.Features(
        {"idx": datasets.Value("int32"), "sentence": datasets.Value("string"), "label": sentiments}
    )
    splits = {
        split: {
            "idx": range(count),
            "sentence": [f"sentence {row} of {split}" for row in range(count)],
            "label": [-1 if split == "test" else row % 2 for row in range(count)],
        }
        for split, count in {"train": 20, "validation": 6, "test": 4}.items()
    }
    return write_parquet(folder, splits, features)


def put_in_hub_cache(folder: Path, name: str) -> None:
    """Put a data set into the cache of `datasets` as if it had been fetched from the hub."""
    builder = datasets.load_dataset_builder(str(folder))
    builder.download_and_prepare()
    place = Path(datasets.config.HF_DATASETS_CACHE) / name.replace("/", "___") / "default" / "0.0.0" / ("a" * 40)
    place.parent.mkdir(parents=True)
    Path(builder.cache_dir).rename(place)
