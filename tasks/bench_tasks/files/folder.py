"""Tasks on a folder of pictures or recordings: a folder per class, split by folders or by us."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from bench.config.data import DataSpec
from bench.domains.registered import families
from bench.errors import DataError
from bench.files.archives import is_archive, sole_folder, unpack
from bench.files.folders import File, Listing, list_files, list_folder
from bench.runtime.cache import Cache
from bench_tasks.files.found import EXAMPLES, PARTS, Found, refuse_or_skip, refuse_unused
from bench_tasks.files.labelled import LabelledTask, labelled_task
from bench_tasks.files.media import FileDomain, check, in_files, perceive
from bench_tasks.files.splitting import shown
from bench_tasks.files.units import UNNAMED

EXPECTED: Final = "expected train/ and test/ (or val/) with a folder per class in each, or a folder per class"


class ClassFolder(NamedTuple):
    """A folder of one class: its path within, its label, and "train" or "test" if the folders say."""

    path: str
    label: str
    part: str


class Layout(NamedTuple):
    """All class folders, what else lies about, by path what is wrong, and how the folders split the data."""

    class_folders: list[ClassFolder]
    remarks: list[str]
    bad: dict[str, str]
    split_as: str = ""


def open_folder(name: str, spec: DataSpec, cache: Cache) -> LabelledTask:
    """Return the task on a folder, or on an archive of one, listed and checked now and read when it is used.

    Raises `DataError` for a folder that is missing, laid out otherwise, or with files that cannot be used.
    """
    kind = in_files(spec)
    if kind is None:
        raise DataError(
            f"{spec.address}: a folder is read for {' or '.join(families('folder'))}, not for {spec.family}"
        )
    refuse_unused(spec, kind.reader.options)
    root = _root(spec, cache)
    layout = _lay_out(spec, root, kind)
    listed = [(class_folder, list_files(root, class_folder.path)) for class_folder in layout.class_folders]
    folder_of = {file.path: class_folder for class_folder, listing in listed for file in listing.files}
    files = sorted(file for _, listing in listed for file in listing.files)
    checked = check(root, files, kind, cache)
    bad = {**layout.bad, **{path: why for _, listing in listed for path, why in listing.refused.items()}, **checked.bad}
    _refuse_empty(spec, listed, checked.files, bad)
    remarks = refuse_or_skip(spec, {path: bad[path] for path in sorted(bad)}, noun="file")
    class_folders = [folder_of[file.path] for file in checked.files]
    perceived = perceive(root, checked, kind.reader, spec.options)
    paths = [file.path for file in checked.files]
    found = Found(
        raw=perceived.raw,
        labels=[class_folder.label for class_folder in class_folders],
        contents=[finding.sha256 for finding in checked.findings],
        names=paths,
        groups=_found_in(paths, "group", spec.options.group, spec),
        units=_found_in(paths, "score_by", spec.options.score_by, spec),
        unit=_unit(spec.options.score_by),
        parts=[class_folder.part for class_folder in class_folders if class_folder.part],
        split_as=layout.split_as,
        remarks=(*layout.remarks, *remarks),
        settings=perceived.settings,
        said=perceived.said,
    )
    return labelled_task(name, spec, found)


def _root(spec: DataSpec, cache: Cache) -> Path:
    if not spec.place:
        raise DataError(f"{spec.address!r} names no folder: write folder:PATH")
    path = Path(spec.place).expanduser()
    if path.is_file() and is_archive(path):
        return sole_folder(unpack(path, cache))
    if not path.is_dir():
        found = (
            "is a file, but no archive that can be unpacked" if path.exists() else f"is not there ({path.absolute()})"
        )
        raise DataError(f"{spec.address}: {spec.place} {found}; expected a folder, or a .zip or .tar of one")
    return path


def _lay_out(spec: DataSpec, root: Path, kind: FileDomain) -> Layout:
    """Return where the classes are. Raises `DataError` if the folder is laid out otherwise."""
    layout = Layout([], [], {})
    tops = _note(layout, _level(spec, root, ""), kind)
    sides = _sides(spec, tops)
    split = "test" in sides.values()
    for side, part in sides.items():
        paths = _note(layout, _level(spec, root, side), kind)
        layout.class_folders.extend(ClassFolder(path, path.partition("/")[2], part if split else "") for path in paths)
    if not sides:
        layout.class_folders.extend(ClassFolder(top, top, "") for top in tops)
    if not layout.class_folders:
        raise DataError(f"{spec.address} has no folders of classes in it: {EXPECTED}")
    if split:
        layout.remarks.extend(f"{top}/ is not used" for top in tops if top not in sides)
        return layout._replace(split_as=f"as its folders {_slashed(sides)} say")
    return layout


def _sides(spec: DataSpec, tops: Sequence[str]) -> dict[str, str]:
    """Return which folders hold the training and the test split; none if the folders are those of classes.

    train/ alone is a set of classes, too, one level down.
    """
    parts: dict[str, list[str]] = {}
    for top in tops:
        parts.setdefault(PARTS.get(top.casefold(), ""), []).append(top)
    tested = "test" if "test" in parts else "val"
    if "train" not in parts and tops and "" not in parts:
        raise DataError(f"{spec.address} has {_slashed(tops)} but no train/: {EXPECTED}")
    if "train" not in parts or (tested not in parts and "" in parts):
        return {}
    for names in (parts["train"], parts.get(tested, [])):
        if len(names) > 1:
            raise DataError(f"{spec.address} has {_slashed(names)}: one of them is expected")
    return dict.fromkeys(parts["train"], "train") | dict.fromkeys(parts.get(tested, []), "test")


def _level(spec: DataSpec, root: Path, folder: str) -> Listing:
    try:
        return list_folder(root, folder)
    except OSError as error:
        raise DataError(f"{spec.address}: cannot list {folder or 'the folder'}: {error.strerror}") from error


def _note(layout: Layout, level: Listing, kind: FileDomain) -> list[str]:
    """Return the folders of a level, and note what lies beside them.

    Examples there have no label, which is a fault; other files, such as a licence, do no harm.
    """
    layout.bad.update(level.refused)
    layout.bad.update(
        {file.path: "lies in no class's folder" for file in level.files if kind.domain.is_example(file.path)}
    )
    others = [file.path for file in level.files if not kind.domain.is_example(file.path)]
    if others:
        layout.remarks.append(f"not used, since in no class's folder: {shown(others, at_most=EXAMPLES)}")
    return sorted([*level.folders, *level.linked])


def _slashed(names: Iterable[str]) -> str:
    return " and ".join(f"{name}/" for name in names)


def _refuse_empty(
    spec: DataSpec, listed: Sequence[tuple[ClassFolder, Listing]], sound: Sequence[File], bad: dict[str, str]
) -> None:
    """Raise `DataError` for folders of classes that have no file which can be used, with all that is wrong."""
    usable = {file.path for file in sound}
    empty = [folder.path for folder, listing in listed if not any(file.path in usable for file in listing.files)]
    if empty:
        wrong = f". Besides, {shown(f'{path} {bad[path]}' for path in sorted(bad))}" if bad else ""
        raise DataError(
            f"{spec.address}: there is no file that can be used in {shown(f'{path}/' for path in empty)}; fill or "
            f"remove what is empty{wrong}"
        )


def _found_in(paths: Sequence[str], option: str, said: str | None, spec: DataSpec) -> list[str]:
    """Return what the regular expression of an option finds in each path, or nothing if the option says none."""
    if not said:
        return []
    try:
        pattern = re.compile(said)
    except re.error as error:
        raise DataError(f"{option} is no regular expression: {said!r}: {error}") from error
    if pattern.groups != 1:
        raise DataError(f"{option} has to have one group in brackets, got {said!r}; such as '_([a-z]+)_'")
    matches = [pattern.search(path) for path in paths]
    lost = [path for path, match in zip(paths, matches, strict=True) if match is None]
    if lost:
        raise DataError(
            f"{spec.address}: {option} {said!r} is not found in {len(lost):,} of {len(paths):,} paths, such as "
            f"{lost[0]!r}"
        )
    return [match.group(1) or "" for match in matches if match]


def _unit(said: str | None) -> str:
    """Return what people call that which a pattern finds: the name of its group, as in `(?P<patient>p[0-9]+)`."""
    return next(iter(re.compile(said).groupindex), UNNAMED) if said else ""
