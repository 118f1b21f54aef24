"""The data sets of torchaudio that are classified: Speech Commands, with the split that comes with it."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from torchaudio.datasets import SPEECHCOMMANDS

from bench.config.data import DataSpec
from bench.errors import DataError, unknown_name
from bench.files.downloads import announce, fetching, refuse_unfinished, torch_home
from bench.runtime.cache import Cache
from bench_tasks.files.found import Found, refuse_groups, refuse_unused
from bench_tasks.files.listed import Listed, found_in_files
from bench_tasks.hubs.known import known_of
from bench_tasks.hubs.located import Located

NAMES: Final = ("SPEECHCOMMANDS",)
ARCHIVE: Final = "SpeechCommands"
SUBSETS: Final = {"train": "training", "test": "testing"}
SECONDS: Final = 1.0
"""How long its recordings last; a few are shorter."""

USED: Final = frozenset({"rate_hz", "seconds"})


def locate(spec: DataSpec, *, large: bool) -> Located:
    """Return the folder of a data set, fetched if it is not there; one that is large only if that is wanted.

    Raises `UnknownNameError` if torchaudio has no such data set and `DataError` if it cannot be had.
    """
    if spec.place not in NAMES:
        raise unknown_name("data set of torchaudio", spec.place, NAMES)
    folder = torch_home() / "datasets" / spec.place
    refuse_unfinished(spec.address, folder)
    if not (folder / ARCHIVE).is_dir():
        known = known_of(spec)
        announce(spec.address, known.size_bytes, known.licence, folder, large=large)
        with fetching(spec.address, folder):
            SPEECHCOMMANDS(folder, folder_in_archive=ARCHIVE, download=True)
    return Located((str(folder),))


def read(spec: DataSpec, located: Located, cache: Cache) -> Found:
    """Return the recordings, which are not decoded by torchaudio. Raises `DataError` if one is missing or damaged."""
    refuse_unused(spec, USED)
    refuse_groups(spec)
    folder = Path(located.roots[0])
    try:
        parts = {
            part: SPEECHCOMMANDS(folder, folder_in_archive=ARCHIVE, subset=subset) for part, subset in SUBSETS.items()
        }
    except (RuntimeError, OSError) as error:
        raise DataError(f"cannot read {spec.address} in {folder}: {error}; delete it, and fetch it again") from error
    listed = []
    for part, words in parts.items():
        for number in range(len(words)):
            path, _, label, _, _ = words.get_metadata(number)
            listed.append(Listed(folder / ARCHIVE / path, label, part))
    options = spec.options.model_copy(update={"seconds": spec.options.seconds or SECONDS})
    found = found_in_files(spec._replace(options=options), folder, listed, cache)
    return replace(
        found,
        split_as="as its testing_list.txt says",
        remarks=(*found.remarks, "the recordings of its validation_list.txt are not used"),
    )
