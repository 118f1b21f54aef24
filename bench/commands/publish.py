"""`publish`: copy the parts of a results folder that belong in git, as a folder that is read as any other."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.commands.options import PublishOptions
from bench.errors import StoreError
from bench.report.writing import write_report
from bench.results.published import CELLS, to_published
from bench.results.store import Store

MANIFEST: Final = "manifest.json"

KEPT: Final = (MANIFEST, CELLS, "*.csv", "report.md", "charts/*.svg")
"""What goes into git: small, and text of which a change can be read. The page and PNGs are made anew by `report`."""

OURS: Final = (*KEPT, "charts/*.png", "index.html", "stamp.json")
"""What `publish`, or a `report` after it, leaves in a folder."""


def main(options: PublishOptions) -> int:
    """Publish a results folder, say what was written, and return the exit code."""
    files = publish(Store(options.folder), options.target)
    kib = sum(path.stat().st_size for path in files) / 2**10
    print(f"published {options.folder} in {options.target}: {len(files)} files, {kib:.0f} KiB")
    return 0


def publish(store: Store, target: Path) -> list[Path]:
    """Write what is worth keeping of a results folder into `target`, in place of what was published there before.

    Tables and charts are made of the cells as they are published, so that they can be made again from them. Raises
    `StoreError` if there are no results, or if `target` holds what no publication left there.
    """
    planned = store.manifest.cells
    outcomes = [outcome for outcome in store.outcomes().values() if outcome is not None]
    if not outcomes:
        raise StoreError(f"none of the {len(planned)} cells in {store.root} was run yet: there is nothing to publish")
    _refuse_strangers(target)
    with TemporaryDirectory() as folder:
        made = Store(Path(folder))
        made.extend(store.manifest)
        made.write_bytes(CELLS, to_published(outcomes))
        write_report(Store(made.root))
        wanted = _matching(made.root, KEPT)
        for path in _matching(target, OURS):
            path.unlink()
        kept = Store(target)
        return [kept.write_bytes(path.relative_to(made.root).as_posix(), path.read_bytes()) for path in wanted]


def _refuse_strangers(target: Path) -> None:
    ours = set(_matching(target, OURS))
    for path in target.rglob("*"):
        if path.is_file() and path not in ours:
            raise StoreError(
                f"{target} holds {path.relative_to(target)}, which is not of published results: name another folder, "
                "a new or an empty one"
            )


def _matching(root: Path, patterns: tuple[str, ...]) -> list[Path]:
    """Return the files of a folder that match a pattern, by name."""
    return sorted({path for pattern in patterns for path in root.glob(pattern) if path.is_file()})
