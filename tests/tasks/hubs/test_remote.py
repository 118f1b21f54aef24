"""Data at an address of the web are fetched once, whole or not at all."""

from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from bench_tasks.hubs.remote import brought_here
from bench_tasks.opening import guess_family

from bench.config.data import DataSpec
from bench.errors import DataError
from bench.runtime.cache import Cache
from tests.offline import cut_network


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Broken(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer with less than was promised."""
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"half")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve(handler: object) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)  # type: ignore[arg-type] # a class, or what makes one
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve a folder with a table on this machine."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "tickets.csv").write_text("text,label\n")
    yield from serve(partial(Quiet, directory=str(tmp_path / "site")))


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    yield from serve(Broken)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def table_at(place: str) -> DataSpec:
    return DataSpec("text_classification", f"csv:{place}")


def test_a_table_is_fetched_once_and_then_a_file_like_any_other(
    site: str, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = brought_here(table_at(f"{site}/tickets.csv"), cache, large=False)
    assert Path(first.place).read_text() == "text,label\n"
    assert first.options.source == f"{site}/tickets.csv"
    tried = cut_network(monkeypatch)
    assert brought_here(table_at(f"{site}/tickets.csv"), cache, large=False) == first
    assert tried == []


@pytest.mark.parametrize("page", ["missing.csv", "nowhere/tickets.csv"])
def test_what_is_not_there_is_told(site: str, cache: Cache, page: str) -> None:
    with pytest.raises(DataError, match=r"could not be fetched \(HTTP Error 404"):
        brought_here(table_at(f"{site}/{page}"), cache, large=False)


def test_half_a_file_is_not_taken_for_the_whole(broken: str, cache: Cache) -> None:
    for _ in range(2):
        with pytest.raises(DataError, match=r"could not be fetched"):
            brought_here(table_at(f"{broken}/tickets.csv"), cache, large=False)


def test_a_large_file_is_fetched_only_if_that_is_asked_for(
    site: str, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.files.downloads.LARGE_BYTES", 5)
    with pytest.raises(DataError, match="too much to fetch unasked"):
        brought_here(table_at(f"{site}/tickets.csv"), cache, large=False)
    assert brought_here(table_at(f"{site}/tickets.csv"), cache, large=True).place.endswith("tickets.csv")


def test_a_place_that_names_no_file_is_refused(site: str, cache: Cache) -> None:
    with pytest.raises(DataError, match="names no file"):
        brought_here(table_at(f"{site}/"), cache, large=False)


def test_other_data_stay_as_they_are(cache: Cache) -> None:
    for spec in (table_at("tickets.csv"), DataSpec("image_classification", "torchvision:MNIST"), DataSpec("digits")):
        assert brought_here(spec, cache, large=False) is spec


def test_what_it_is_has_to_be_said_before_it_is_here(cache: Cache) -> None:
    with pytest.raises(DataError, match=r"is not here yet: say with --family what it is: image_classification, "):
        guess_family("csv:https://example.org/tickets.csv", {}, cache)
