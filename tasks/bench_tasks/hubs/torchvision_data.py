"""The data sets of torchvision: which it has that are classified, and reading them through it."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from torchvision import datasets

from bench.config.data import DataSpec
from bench.domains.vision.raw import ImageArray
from bench.errors import DataError, unknown_name
from bench.files.downloads import announce, fetching, refuse_unfinished, torch_home
from bench.runtime.cache import Cache
from bench_tasks.files.found import Found, refuse_groups, refuse_unused
from bench_tasks.files.listed import Listed, found_in_files
from bench_tasks.hubs.known import known_of
from bench_tasks.hubs.located import Located

Arguments = Mapping[str, Any]


class Form(NamedTuple):
    """How torchvision offers a data set: what its class is given for each split, none for `test` if it has none.

    `unused` names a split that is left alone. `option` is the argument that `config` sets, with its default. Pictures
    come as `arrays`, or through a `loader` that is given their paths; of sets that take none, `paths` names the
    attributes with paths and labels, or with pairs of them. `named` is whether it knows the names of the classes.
    """

    train: Arguments
    test: Arguments | None
    unused: str = ""
    option: tuple[str, str] | None = None
    arrays: bool = False
    paths: tuple[str, ...] = ()
    named: bool = True


_FLAGS: Final = ({"train": True}, {"train": False})
_SPLITS: Final = ({"split": "train"}, {"split": "test"})
_LARGER_SPLITS: Final = ({"split": "trainval"}, {"split": "test"})

FORMS: Final[Mapping[str, Form]] = {
    "CIFAR10": Form(*_FLAGS, arrays=True),
    "CIFAR100": Form(*_FLAGS, arrays=True),
    "MNIST": Form(*_FLAGS, arrays=True),
    "FashionMNIST": Form(*_FLAGS, arrays=True),
    "KMNIST": Form(*_FLAGS, arrays=True),
    "EMNIST": Form(*_FLAGS, arrays=True, option=("split", "balanced")),
    "SVHN": Form(*_SPLITS, arrays=True, named=False),
    "STL10": Form(*_SPLITS, arrays=True),
    "Flowers102": Form(*_SPLITS, unused="val"),
    "DTD": Form(*_SPLITS, unused="val"),
    "Food101": Form(*_SPLITS),
    "GTSRB": Form(*_SPLITS, paths=("_samples",), named=False),
    "OxfordIIITPet": Form(*_LARGER_SPLITS, paths=("_images", "_labels")),
    "FGVCAircraft": Form(*_LARGER_SPLITS, option=("annotation_level", "variant")),
    "EuroSAT": Form({}, None),
}
"""The data sets, by the names of their classes in torchvision."""

USED: Final = frozenset({"config"})


def locate(spec: DataSpec, *, large: bool) -> Located:
    """Return the folder of a data set, fetched if it is not there; one that is large only if that is wanted.

    Raises `UnknownNameError` if torchvision has no such data set and `DataError` if it cannot be had.
    """
    if spec.place not in FORMS:
        raise unknown_name("data set of torchvision", spec.place, FORMS)
    folder = torch_home() / "datasets" / spec.place
    refuse_unfinished(spec.address, folder)
    try:
        _open(spec, folder)
    except (RuntimeError, FileNotFoundError):
        known = known_of(spec)
        announce(spec.address, known.size_bytes, known.licence, folder, large=large)
        with fetching(spec.address, folder):
            _open(spec, folder, download=True)
    return Located((str(folder),))


def read(spec: DataSpec, located: Located, cache: Cache) -> Found:
    """Return what is in a data set. Raises `DataError` if a file is missing or damaged."""
    refuse_unused(spec, USED)
    refuse_groups(spec)
    form, folder = FORMS[spec.place], Path(located.roots[0])
    try:
        parts = _open(spec, folder)
    except (RuntimeError, OSError) as error:
        raise DataError(f"cannot read {spec.address} in {folder}: {error}; delete it, and fetch it again") from error
    split = form.test is not None
    found = _arrays(parts, form) if form.arrays else _files(spec, folder, parts, form, cache)
    return replace(
        found,
        parts=found.parts if split else (),
        split_as="as torchvision gives it" if split else "",
        remarks=(*found.remarks, *((f"its split {form.unused!r} is not used",) if form.unused else ())),
    )


def _open(spec: DataSpec, folder: Path, *, download: bool = False) -> dict[str, Any]:
    """Return the data sets of torchvision for train and test, or one that is to be split."""
    form = FORMS[spec.place]
    shared: dict[str, Any] = {"root": folder, "download": download}
    if form.option:
        argument, default = form.option
        shared[argument] = spec.options.config or default
    elif spec.options.config:
        raise DataError(f"{spec.address} has no configs to choose from: leave config = {spec.options.config!r} out")
    if not form.arrays and not form.paths:
        shared["loader"] = Path
    make = getattr(datasets, spec.place)
    sides = {"train": form.train} | ({"test": form.test} if form.test is not None else {})
    try:
        return {side: make(**shared, **arguments) for side, arguments in sides.items()}
    except ValueError as error:  # of an option that is none, with those that are
        raise DataError(f"{spec.address}: config = {spec.options.config!r}: {error}") from error


def _arrays(parts: Mapping[str, Any], form: Form) -> Found:
    """Return the pictures of data sets that hold them all, all of one size."""
    pixels, labels, sides, names = [], [], [], []
    for side, part in parts.items():
        for number, (picture, label) in enumerate(part):
            pixels.append(np.asarray(picture))
            labels.append(_name(part, form, label))
            sides.append(side)
            names.append(f"picture {number} of {side}")
    stacked = np.stack(pixels)  # [n, height, width] or [n, height, width, 3]
    return Found(
        raw=ImageArray(stacked if stacked.ndim == 4 else stacked[..., None]),
        labels=labels,
        contents=[hashlib.sha256(picture.tobytes()).hexdigest() for picture in pixels],
        names=names,
        parts=sides,
    )


def _files(spec: DataSpec, folder: Path, parts: Mapping[str, Any], form: Form, cache: Cache) -> Found:
    listed = [
        Listed(path, _name(part, form, label), side)
        for side, part in parts.items()
        for path, label in _paths_and_labels(part, form)
    ]
    return found_in_files(spec, folder, listed, cache)


def _paths_and_labels(part: Any, form: Form) -> Iterator[tuple[Path, int]]:  # noqa: ANN401 (torchvision has no type for it)
    pairs: Iterable[tuple[Path, int]]
    if not form.paths:
        pairs = (part[number] for number in range(len(part)))
    elif len(form.paths) == 1:
        pairs = getattr(part, form.paths[0])
    else:
        pairs = zip(*(getattr(part, attribute) for attribute in form.paths), strict=True)
    yield from ((Path(path), int(label)) for path, label in pairs)


def _name(part: Any, form: Form, label: int) -> str:  # noqa: ANN401
    return str(part.classes[label]) if form.named else str(label)
