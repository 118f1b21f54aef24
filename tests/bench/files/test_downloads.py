"""Libraries that unpack what they fetch write nothing outside their folder."""

import tarfile
from pathlib import Path

import pytest

from bench.errors import DataError
from bench.files.downloads import fetching
from tests.bench.files.escapes import member, must_escape, write_escape, write_tar


def unpacked(archive: Path, folder: Path) -> None:
    """Unpack as a library does, in the place in which a data set is fetched."""
    with fetching("torchvision:Ants", folder), tarfile.open(archive) as tape:
        tape.extractall(folder)  # noqa: S202 (what keeps it inside is tested)


def test_a_chain_of_long_links_writes_nothing_outside(tmp_path: Path) -> None:
    folder, outside = tmp_path / "fetched", tmp_path / "outside"
    outside.mkdir()
    archive = write_escape(tmp_path / "a.tar.gz", folder, outside)
    must_escape(archive, folder, outside)
    with pytest.raises(DataError, match="could not be unpacked"):
        unpacked(archive, folder)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(("name", "link"), [("ants/link", "../bees"), (".", "outside"), ("ants/../a.png", "")])
def test_what_goes_up_is_refused(name: str, link: str, tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "a.tar.gz", [member("ants/a.png"), member(name, link=link)])
    with pytest.raises(DataError, match="could not be unpacked"):
        unpacked(archive, tmp_path / "fetched")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_that_only_go_down_are_kept(kind: bytes, tmp_path: Path) -> None:
    target = "a.png" if kind == tarfile.SYMTYPE else "ants/a.png"
    archive = write_tar(tmp_path / "a.tar.gz", [member("ants/a.png"), member("ants/b.png", link=target, kind=kind)])
    unpacked(archive, tmp_path / "fetched")
    assert (tmp_path / "fetched" / "ants" / "b.png").read_bytes() == b"xxx"


def test_the_rules_of_tarfile_hold_again_afterwards(tmp_path: Path) -> None:
    before = tarfile.TarFile.extraction_filter
    unpacked(write_tar(tmp_path / "a.tar.gz", [member("ants/a.png")]), tmp_path / "fetched")
    assert tarfile.TarFile.extraction_filter is before
