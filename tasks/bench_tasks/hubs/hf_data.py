"""Data sets of the Hugging Face hub, or of a folder that is laid out like one: found, fetched and split."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import datasets
from datasets.exceptions import DatasetNotFoundError, DatasetsError
from datasets.packaged_modules.cache.cache import Cache as CachedBuilder
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

from bench.config.data import DataSpec
from bench.domains.registered import domain_of
from bench.errors import DataError
from bench.files.changes import is_settled
from bench.files.downloads import announce, hub_answers, not_to_be_had, offline_switch
from bench.runtime.cache import Cache
from bench_tasks.files.found import PARTS, Found, refuse_unused
from bench_tasks.hubs.hf_columns import found_in_columns, label_names
from bench_tasks.hubs.located import Located, stamp

USED: Final = frozenset({"label", "config", "revision"})

REMOTE_CODE: Final = "scripts are no longer supported"

# What `datasets` raises when a hub does not answer: it has no kind of its own for that.
UNREACHABLE: Final = (ConnectionError, TimeoutError, HfHubHTTPError, OfflineModeIsEnabled)


def locate(spec: DataSpec, *, large: bool) -> Located:
    """Return the files of the splits to learn from and to test on, fetched if they are not there.

    What is large is fetched only if that is wanted. Raises `DataError` if the data cannot be had or are not split in a
    way that is understood.
    """
    domain = domain_of(spec.family)
    refuse_unused(spec, USED | {domain.column} | (domain.files.options if domain.files else frozenset()))
    splits = _prepared(spec, large=large)
    names, remarks = _choose(spec, splits)
    parts = {part: tuple(file["filename"] for file in splits[split].cache_files) for part, split in names.items()}
    folder = Path(spec.place).expanduser()
    sources = (str(folder.resolve()),) if folder.is_dir() else ()
    return Located((*sources, *(file for files in parts.values() for file in files)), parts, remarks)


def read(spec: DataSpec, located: Located, cache: Cache) -> Found:
    """Return what is in the files. Raises `DataError` for columns that are missing or of the wrong kind."""
    stamps = [stamp(Path(root)) for root in located.roots]
    settled = all(is_settled(one.changed_ns) for one in stamps)
    identity = " ".join(one.sha256 for one in stamps) if settled else None
    parts = {
        part: datasets.concatenate_datasets([datasets.Dataset.from_file(file) for file in files])
        for part, files in located.parts.items()
    }
    return found_in_columns(spec, parts, located.remarks, identity=identity, cache=cache)


def _prepared(spec: DataSpec, *, large: bool) -> Mapping[str, Any]:
    """Return the splits of a data set, as `datasets` keeps them in its cache."""
    datasets.logging.set_verbosity_error()  # which otherwise warns of everything that is found in its cache
    try:
        builder = _builder(spec, large=large)
        builder.download_and_prepare()
        splits: Mapping[str, Any] = builder.as_dataset()
    except UNREACHABLE as error:
        raise not_to_be_had(spec.address, _caches(), f"could not be fetched ({error})") from error
    except DatasetNotFoundError as error:
        raise DataError(f"{spec.address}: {_line(error)} Is the name right, and is it open to all?") from error
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


def _builder(spec: DataSpec, *, large: bool) -> Any:  # noqa: ANN401
    """Return the builder of a data set: of a folder, else of what is in the cache, else of the hub."""
    folder, options = Path(spec.place).expanduser(), spec.options
    if folder.is_dir():
        return datasets.load_dataset_builder(str(folder), options.config)
    cached = None if options.revision else _cached(spec)  # where the cache does not say which revision is in it
    if cached is not None:
        return cached
    switch = offline_switch()
    if switch or not hub_answers():
        why = f"{switch} is set" if switch else "the hub does not answer"
        raise not_to_be_had(spec.address, _caches(), why)
    builder = datasets.load_dataset_builder(spec.place, options.config, revision=options.revision)
    if not Path(builder.cache_dir).is_dir():
        licence = builder.info.license or options.licence
        announce(spec.address, builder.info.download_size or 0, licence, _caches(), large=large)
    return builder


def _cached(spec: DataSpec) -> Any:  # noqa: ANN401
    """Return the builder of what is in the cache of `datasets`, or None if there is nothing, or several configs."""
    try:
        return CachedBuilder(
            repo_id=spec.place,
            dataset_name=spec.place.rpartition("/")[2],
            config_name=spec.options.config,
            version="auto",
            hash="auto",
        )
    except ValueError:
        return None


def _caches() -> Path:
    return Path(datasets.config.HF_DATASETS_CACHE)


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
