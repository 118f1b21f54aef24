"""Examples in files that a data set lists with their labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.config.data import DataSpec
from bench.errors import DataError
from bench.files.folders import list_files
from bench.runtime.cache import Cache
from bench_tasks.files.found import EXAMPLES, Found, refuse_or_skip
from bench_tasks.files.media import check, in_files, perceive
from bench_tasks.files.splitting import shown


class Listed(NamedTuple):
    """A file with its label, and its part: "train" or "test", empty where the data set is not split."""

    path: Path
    label: str
    part: str


def found_in_files(spec: DataSpec, folder: Path, listed: Sequence[Listed], cache: Cache) -> Found:
    """Return what lies in files under a folder. Raises `DataError` for files that are missing or damaged."""
    kind = in_files(spec)
    assert kind is not None, "what a data set lists are files"
    present = {file.path: file for file in list_files(folder, "").files}
    paths = [one.path.relative_to(folder).as_posix() for one in listed]
    missing = [path for path in paths if path not in present]
    if missing:
        raise DataError(
            f"{len(missing):,} of {len(paths):,} files of {spec.address} are missing in {folder} "
            f"({shown(missing, at_most=EXAMPLES)}): delete that folder, and fetch the data again"
        )
    checked = check(folder, [present[path] for path in paths], kind, cache)
    remarks = refuse_or_skip(spec, checked.bad, noun="file")
    perceived = perceive(folder, checked, kind.reader, spec.options)
    used = [one for one, path in zip(listed, paths, strict=True) if path not in checked.bad]
    return Found(
        raw=perceived.raw,
        labels=[one.label for one in used],
        contents=[finding.sha256 for finding in checked.findings],
        names=[file.path for file in checked.files],
        parts=[one.part for one in used if one.part],
        remarks=remarks,
        settings=perceived.settings,
        said=perceived.said,
    )
