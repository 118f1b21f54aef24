"""Data sets of torchvision are read by torchvision from their real formats, and refused where they are not whole."""

import os
import pickle
import struct
import sys
import tarfile
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from bench_tasks.hubs.kept import KeptTask, fetch_kept
from bench_tasks.opening import open_task
from PIL import Image
from scipy.io import savemat
from torchvision import datasets

from bench.config.data import DataSpec
from bench.domains.options import DataOptions
from bench.domains.vision.files import ImageFiles
from bench.domains.vision.raw import ImageArray
from bench.errors import DataError, UnknownNameError
from bench.runtime.cache import Cache
from bench.targets.classes import Classes
from bench.task import Task
from tests.formats import CIFAR_CLASSES, cifar_batch, md5, write_cifar10
from tests.offline import cut_network
from tests.toys import classes_of


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home for torch's downloads, without a network."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for switch in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.delenv(switch, raising=False)
    cut_network(monkeypatch)
    return tmp_path / "torch" / "datasets"


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def open_by_name(place: str, cache: Cache, **options: object) -> Task:
    spec = DataSpec("image_classification", f"torchvision:{place}", DataOptions.model_validate(options))
    return open_task("pictures", spec, cache)


@pytest.fixture
def cifar(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return write_cifar10(home, monkeypatch)


def test_cifar_is_read_from_its_batches_with_its_own_split(cifar: Path, cache: Cache) -> None:
    task = open_by_name("CIFAR10", cache)
    split = task.split(0, cache)
    assert isinstance(task.target, Classes)
    assert task.target.names == tuple(CIFAR_CLASSES)
    assert (len(split.train), len(split.test), task.card.n_train) == (30, 6, 30)
    assert isinstance(split.test.raw, ImageArray)
    planes = cifar_batch(5)["data"].reshape(6, 3, 32, 32)
    np.testing.assert_array_equal(split.test.raw.pixels, planes.transpose(0, 2, 3, 1))
    assert classes_of(split.test).tolist() == [0, 1, 2, 0, 1, 2]
    assert (task.card.title, task.card.pinned) == ("CIFAR-10", False)
    assert "Krizhevsky" in task.card.citation


def test_a_second_look_needs_no_library_and_gives_the_same_card_and_data(
    cifar: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_by_name("CIFAR10", cache)
    with monkeypatch.context() as unloaded:
        unloaded.setitem(sys.modules, "bench_tasks.hubs.torchvision_data", None)
        unloaded.delattr("bench_tasks.hubs.torchvision_data")
        again = open_by_name("CIFAR10", cache)
    assert isinstance(again, KeptTask)
    assert (again.card, again.target) == (first.card, first.target)
    np.testing.assert_array_equal(classes_of(again.split(0, cache).train), classes_of(first.split(0, cache).train))


class Boom:
    """A pickle that leaves a file behind when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_a_tampered_batch_is_refused_before_it_is_unpickled(cifar: Path, cache: Cache, tmp_path: Path) -> None:
    (cifar / "data_batch_3").write_bytes(pickle.dumps(Boom(tmp_path / "boom")))
    with pytest.raises(DataError, match=r"is not whole or has been changed in .*CIFAR10, and could not be fetched"):
        open_by_name("CIFAR10", cache)
    assert not (tmp_path / "boom").exists()


def test_files_that_change_after_the_first_look_are_looked_at_again(cifar: Path, cache: Cache, tmp_path: Path) -> None:
    open_by_name("CIFAR10", cache)
    (cifar / "test_batch").write_bytes(pickle.dumps(Boom(tmp_path / "boom")))
    with pytest.raises(DataError, match="has been changed"):
        open_by_name("CIFAR10", cache)
    assert not (tmp_path / "boom").exists()


def write_idx(path: Path, values: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    """Write an array as MNIST's files are: a magic number, the sizes, the bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    path.write_bytes(header + values.tobytes())


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
def test_the_mnist_family_is_read_from_idx_files(home: Path, cache: Cache, name: str) -> None:
    generator = np.random.default_rng(0)
    raw = home / name / name / "raw"
    pictures = {}
    for side, count in (("train", 20), ("t10k", 10)):
        pictures[side] = generator.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        write_idx(raw / f"{side}-images-idx3-ubyte", pictures[side])
        write_idx(raw / f"{side}-labels-idx1-ubyte", (np.arange(count) % 10).astype(np.uint8))
    task = open_by_name(name, cache)
    split = task.split(0, cache)
    assert isinstance(split.train.raw, ImageArray)
    np.testing.assert_array_equal(split.train.raw.pixels, pictures["train"][..., None])
    assert isinstance(task.target, Classes)
    assert (len(split.test), len(task.target.names)) == (10, 10)


def test_emnist_takes_its_split_from_the_option_config(home: Path, cache: Cache) -> None:
    raw = home / "EMNIST" / "EMNIST" / "raw"
    for side in ("train", "test"):
        write_idx(
            raw / f"emnist-letters-{side}-images-idx3-ubyte", np.arange(784 * 4, dtype=np.uint8).reshape(4, 28, 28)
        )
        write_idx(raw / f"emnist-letters-{side}-labels-idx1-ubyte", np.array([1, 2, 1, 2], dtype=np.uint8))
    task = open_by_name("EMNIST", cache, config="letters")
    assert isinstance(task.target, Classes)
    assert task.target.names == ("a", "b")
    with pytest.raises(DataError, match=r"config = 'leters'.*'letters'"):
        open_by_name("EMNIST", cache, config="leters")


def write_picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (8 + seed % 3, 9, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def flowers(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write Flowers102's pictures, labels and splits, small: four to learn from, two to test on."""
    folder = home / "Flowers102" / "flowers-102"
    for number in range(1, 9):
        write_picture(folder / "jpg" / f"image_{number:05d}.jpg", number)
    savemat(folder / "imagelabels.mat", {"labels": [[1, 2, 1, 2, 1, 2, 1, 2]]})
    savemat(folder / "setid.mat", {"trnid": [[1, 2, 3, 4]], "valid": [[5, 6]], "tstid": [[7, 8]]})
    files = {
        "label": ("imagelabels.mat", md5(folder / "imagelabels.mat")),
        "setid": ("setid.mat", md5(folder / "setid.mat")),
    }
    monkeypatch.setattr(datasets.Flowers102, "_file_dict", {**datasets.Flowers102._file_dict, **files})
    return folder


def test_pictures_in_files_are_left_there_and_read_when_they_are_looked_at(flowers: Path, cache: Cache) -> None:
    task = open_by_name("Flowers102", cache)
    split = task.split(0, cache)
    assert isinstance(split.train.raw, ImageFiles)
    assert isinstance(split.test.raw, ImageFiles)
    assert [picture.shape for picture in split.test.raw.pictures()] == [(9, 9, 3), (10, 9, 3)]
    assert classes_of(split.test).tolist() == classes_of(split.train).tolist()[:2]
    assert "its split 'val' is not used" in task.card.remarks


def test_a_picture_that_is_missing_is_named(flowers: Path, cache: Cache) -> None:
    (flowers / "jpg" / "image_00003.jpg").unlink()
    with pytest.raises(DataError, match=r"1 of 6 files .* are missing .*image_00003.jpg\): delete that folder"):
        open_by_name("Flowers102", cache)


def test_a_set_without_a_test_split_is_split_by_us(home: Path, cache: Cache) -> None:
    for number in range(12):
        write_picture(home / "EuroSAT/eurosat/2750" / ("Forest" if number % 2 else "River") / f"{number}.jpg", number)
    split = open_by_name("EuroSAT", cache, test_share=0.5).split(0, cache)
    assert np.bincount(classes_of(split.test)).tolist() == [3, 3]


def test_pets_are_read_through_the_lists_beside_them(home: Path, cache: Cache) -> None:
    folder = home / "OxfordIIITPet" / "oxford-iiit-pet"
    for number, breed in enumerate(["Abyssinian_1", "Abyssinian_2", "pug_1", "pug_2"]):
        write_picture(folder / "images" / f"{breed}.jpg", number)
    (folder / "annotations").mkdir()
    (folder / "annotations/trainval.txt").write_text("Abyssinian_1 1 1 1\npug_1 2 2 1\n")
    (folder / "annotations/test.txt").write_text("Abyssinian_2 1 1 1\npug_2 2 2 1\n")
    task = open_by_name("OxfordIIITPet", cache)
    split = task.split(0, cache)
    assert isinstance(task.target, Classes)
    assert task.target.names == ("Abyssinian", "Pug")
    assert isinstance(split.test.raw, ImageFiles)
    assert [Path(str(path)).name for path in split.test.raw.paths] == ["Abyssinian_2.jpg", "pug_2.jpg"]


def test_traffic_signs_are_read_from_folders_to_learn_from_and_a_table_to_test_on(home: Path, cache: Cache) -> None:
    folder = home / "GTSRB" / "gtsrb"
    for number in range(4):
        write_picture(folder / "GTSRB" / "Training" / f"{number % 2:05d}" / f"{number:05d}.ppm", number)
        write_picture(folder / "GTSRB" / "Final_Test" / "Images" / f"{number:05d}.ppm", 10 + number)
    rows = "".join(f"{number:05d}.ppm;8;9;0;0;8;9;{1 - number % 2}\n" for number in range(4))
    (folder / "GT-final_test.csv").write_text(f"Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n{rows}")
    task = open_by_name("GTSRB", cache)
    split = task.split(0, cache)
    assert isinstance(task.target, Classes)
    assert task.target.names == ("0", "1")
    assert (classes_of(split.train).tolist(), classes_of(split.test).tolist()) == ([0, 0, 1, 1], [1, 0, 1, 0])


def test_house_numbers_are_read_from_matlab_files(home: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home / "SVHN"
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 6), dtype=np.uint8)
    hashes = {}
    for side, pictures in (("train", pixels), ("test", pixels[..., :2])):
        name = f"{side}_32x32.mat"
        savemat(folder / name, {"X": pictures, "y": [[10 if row % 2 else 1] for row in range(pictures.shape[-1])]})
        hashes[side] = ["no address", name, md5(folder / name)]
    monkeypatch.setattr(datasets.SVHN, "split_list", hashes)
    task = open_by_name("SVHN", cache)
    raw = task.split(0, cache).train.raw
    assert isinstance(task.target, Classes)
    assert task.target.names == ("0", "1")
    assert isinstance(raw, ImageArray)
    np.testing.assert_array_equal(raw.pixels[3], pixels[..., 3])


def test_textures_are_read_through_the_lists_of_their_first_partition(home: Path, cache: Cache) -> None:
    folder = home / "DTD" / "dtd" / "dtd"
    (folder / "labels").mkdir(parents=True)
    for number, kind in enumerate(["dotted", "striped"] * 3):
        write_picture(folder / "images" / kind / f"{kind}_{number}.jpg", number)
    for side, numbers in (("train", (0, 1)), ("val", (2, 3)), ("test", (4, 5))):
        lines = [f"{kind}/{kind}_{number}.jpg\n" for number, kind in zip(numbers, ("dotted", "striped"), strict=True)]
        (folder / "labels" / f"{side}1.txt").write_text("".join(lines))
    split = open_by_name("DTD", cache).split(0, cache)
    assert isinstance(split.test.raw, ImageFiles)
    assert [Path(str(path)).name for path in split.test.raw.paths] == ["dotted_4.jpg", "striped_5.jpg"]


def test_without_a_network_one_sentence_says_where_it_was_looked_for_and_what_to_run(home: Path, cache: Cache) -> None:
    start = time.monotonic()
    with pytest.raises(DataError) as caught:
        open_by_name("CIFAR10", cache)
    said = str(caught.value)
    assert f"torchvision:CIFAR10 is not in {home / 'CIFAR10'}, and could not be fetched" in said
    assert "run `bench fetch --data torchvision:CIFAR10` where there is a network" in said
    assert "\n" not in said
    assert time.monotonic() - start < 5


def test_nothing_is_tried_if_the_user_is_offline(home: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = cut_network(monkeypatch)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DataError, match=r"is not in .*, and HF_HUB_OFFLINE is set: run"):
        open_by_name("MNIST", cache)
    assert tried == []


def test_what_is_large_is_fetched_only_if_that_is_asked_for(
    home: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = cut_network(monkeypatch)
    with pytest.raises(DataError, match=r"4,765 MiB are too much to fetch unasked .*fetch --data torchvision:Food101"):
        open_by_name("Food101", cache)
    assert tried == []
    with pytest.raises(DataError, match="could not be fetched"):
        fetch_kept("food", DataSpec("image_classification", "torchvision:Food101"), cache)
    assert tried


def test_an_archive_whose_members_leave_the_folder_is_refused(
    home: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = home / "CIFAR10" / "cifar-10-python.tar.gz"
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("../outside")
        member.size = 4
        tar.addfile(member, BytesIO(b"boom"))
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", md5(archive))
    with pytest.raises(DataError, match=r"could not be unpacked .*outside.*delete that folder"):
        open_by_name("CIFAR10", cache)
    assert not (home / "outside").exists()
    with pytest.raises(DataError, match="was not fetched to its end: delete"):
        open_by_name("CIFAR10", cache)


def test_an_unknown_data_set_is_told_with_the_nearest(cache: Cache) -> None:
    with pytest.raises(UnknownNameError, match="unknown data set of torchvision 'CIFAR'; did you mean 'CIFAR10'"):
        open_by_name("CIFAR", cache)


def test_an_option_that_says_nothing_here_is_refused(cifar: Path, cache: Cache) -> None:
    with pytest.raises(DataError, match="config"):
        open_by_name("CIFAR10", cache, config="plain")
    with pytest.raises(DataError, match="split does not apply"):
        open_by_name("CIFAR10", cache, split="side")
    with pytest.raises(DataError, match="says nothing of groups"):
        open_by_name("CIFAR10", cache, group="author")
    with pytest.raises(DataError, match="says nothing of groups: leave score_by = 'author' out"):
        open_by_name("CIFAR10", cache, score_by="author")
