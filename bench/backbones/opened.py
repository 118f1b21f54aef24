"""What a source of backbones answers, and how a backbone's name is read."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl

from bench.backbone import Backbone
from bench.errors import unknown_name


class Reference(NamedTuple):
    """A backbone's name taken apart: `source:place?key=value&…`.

    `settings` are the keys and values, such as `layers`, the dotted path of the list of layers in a network whose
    structure is not known. `trust_remote_code` allows a model of a hub to bring code of its own, `large` to fetch what
    is too large to be fetched unasked.
    """

    name: str
    source: str
    place: str
    settings: dict[str, str]
    trust_remote_code: bool = False
    large: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A backbone with its card, and the `files` it was read from: as long as these are the same, so is the backbone."""

    backbone: Backbone
    files: tuple[Path, ...]


def read_reference(name: str) -> Reference:
    """Return a backbone's name taken apart."""
    address, _, query = name.partition("?")
    source, _, place = address.partition(":")
    return Reference(name, source, place, dict(parse_qsl(query)))


def refuse_unknown_settings(reference: Reference, known: Collection[str], kind: str) -> None:
    """Raise `UnknownNameError` for a setting that backbones of this kind, such as "timm", do not have."""
    for setting in reference.settings:
        if setting not in known:
            raise unknown_name(f"setting of a {kind} backbone", setting, known)
