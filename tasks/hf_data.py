"""Owns data sets of the Hugging Face hub, or of a folder that is laid out like one: found, fetched and split."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import datasets
from datasets.exceptions import DatasetNotFoundError, DatasetsError
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

from bench.cache import Cache
from bench.data import DataSpec
from bench.downloads import announce, not_to_be_had, offline_switch
from bench.errors import DataError
from tasks.hf_columns import found_in_columns, label_names
from tasks.kept import Located, stamp
from tasks.known import known_of
from tasks.labelled import PARTS, Found, refuse_unused

USED: Final = frozenset({"text", "image", "audio", "label", "config", "revision", "rate_hz", "seconds"})

REMOTE_CODE: Final = "scripts are no longer supported"

# What `datasets` raises when a hub does not answer: it has no kind of its own for that.
UNREACHABLE: Final = (ConnectionError, TimeoutError, HfHubHTTPError, OfflineModeIsEnabled)


def locate(spec: DataSpec, *, large: bool) -> Located:
    """Return the files of the splits to learn from and to test on, fetched if they are not there.

    What is large is fetched only if that is wanted. Raises `DataError` if the data cannot be had or are not split in a
    way that is understood.
    """
    refuse_unused(spec, USED)
    splits = _prepared(spec, large=large)
    names, remarks = _choose(spec, splits)
    parts = {part: tuple(file["filename"] for file in splits[split].cache_files) for part, split in names.items()}
    folder = Path(spec.place).expanduser()
    sources = (str(folder.resolve()),) if folder.is_dir() else ()
    return Located((*sources, *(file for files in parts.values() for file in files)), parts, remarks)


def read(spec: DataSpec, located: Located, cache: Cache) -> Found:
    """Return what is in the files. Raises `DataError` for columns that are missing or of the wrong kind."""
    parts = {
        part: datasets.concatenate_datasets([datasets.Dataset.from_file(file) for file in files])
        for part, files in located.parts.items()
    }
    identity = " ".join(stamp(Path(root)) for root in located.roots)
    return found_in_columns(spec, parts, located.remarks, identity=identity, cache=cache)


def _prepared(spec: DataSpec, *, large: bool) -> Mapping[str, Any]:
    """Return the splits of a data set, as `datasets` keeps them in its cache."""
    place = str(Path(spec.place).expanduser()) if Path(spec.place).expanduser().is_dir() else spec.place
    caches = Path(datasets.config.HF_DATASETS_CACHE)
    patience = datasets.DownloadConfig(max_retries=0)
    options = spec.options
    try:
        builder = datasets.load_dataset_builder(
            place, options.config, revision=options.revision, download_config=patience
        )
        if not Path(builder.cache_dir).is_dir() and not Path(place).is_dir():
            licence = options.licence if options.licence != known_of(spec).licence else builder.info.license
            announce(spec.address, builder.info.download_size or 0, licence or options.licence, caches, large=large)
        builder.download_and_prepare(download_config=patience)
        splits: Mapping[str, Any] = builder.as_dataset()
    except UNREACHABLE as error:
        switch = offline_switch()
        why = f"{switch} is set" if switch else "the hub does not answer"
        raise not_to_be_had(spec.address, caches, why) from error
    except DatasetNotFoundError as error:
        raise DataError(f"{spec.address}: {_line(error)}; is the name right, and is it open to all?") from error
    except RuntimeError as error:
        if REMOTE_CODE not in str(error):
            raise
        raise DataError(
            f"{spec.address} brings code of its own to be read with, which is refused: look for a copy in Parquet, or "
            "save it as files and use a folder of them"
        ) from error
    except (DatasetsError, ValueError, OSError) as error:  # of files that cannot be read, and configs that are none
        raise DataError(f"cannot read {spec.address}: {_line(error)}") from error
    return splits


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _choose(spec: DataSpec, splits: Mapping[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return which split is which part ("train" alone if the test split is to be made), and remarks on the choice."""
    by_part: dict[str, str] = {}
    for split in splits:
        by_part.setdefault(PARTS.get(str(split).casefold(), ""), str(split))
    if "train" not in by_part:
        if len(splits) > 1:
            raise DataError(
                f"{spec.address} has the splits {', '.join(splits)}; expected one called train, to learn from"
            )
        return {"train": str(next(iter(splits)))}, ()
    train, test, validation = (by_part.get(part) for part in ("train", "test", "val"))
    remarks = []
    if test and _hidden(spec, splits[test]):
        remarks.append(f"the labels of its split {test!r} are hidden, so that it is not used")
        test = None
    if not test and validation:
        remarks.append(f"its split {validation!r} is the one that is tested on")
        return {"train": str(train), "test": validation}, tuple(remarks)
    if validation:
        remarks.append(f"its split {validation!r} is not used")
    return {"train": str(train)} | ({"test": test} if test else {}), tuple(remarks)


def _hidden(spec: DataSpec, split: Any) -> bool:  # noqa: ANN401 (`datasets` ships no types)
    """Whether a split has no labels to be seen: none at all, or -1 for all of them."""
    return spec.options.label not in split.column_names or not any(label_names(spec, split))
