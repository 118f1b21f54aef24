"""Putting a plug-in where Python finds it, as an installer would, without one."""

import shutil
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

PLUGINS: Final = Path(__file__).parent
NAMES: Final = tuple(sorted(path.parent.name for path in PLUGINS.glob("*/pyproject.toml")))


def install(plugin: Path, folder: Path) -> None:
    """Copy the modules of a plug-in into a folder, and write beside them what its metadata offer."""
    said = tomllib.loads((plugin / "pyproject.toml").read_text())
    project = said["project"]
    for module in said["tool"]["setuptools"]["py-modules"]:
        shutil.copy(plugin / f"{module}.py", folder)
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    (info / "entry_points.txt").write_text("\n".join(_sections(project["entry-points"])))


def install_all(folder: Path, names: Iterable[str] = NAMES) -> None:
    """Install plug-ins into a folder, all of them if none are named."""
    for name in names:
        install(PLUGINS / name, folder)


def _sections(points: dict[str, dict[str, str]]) -> Iterable[str]:
    for point, offers in points.items():
        yield f"[{point}]"
        yield from (f"{name} = {value}" for name, value in offers.items())
