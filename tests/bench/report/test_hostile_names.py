"""Names that mean harm come out harmless, wherever they stand and whatever they are written into."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt

from bench.report.spreadsheets import FORMULA_STARTS
from bench.report.writing import write_report
from bench.results.store import Store
from tests.bench.analysis import example as examples
from tests.bench.analysis.example import TASKS, backbone, example, failure

ALERT = "<script>alert(1)</script>"
BREAKS = "\"quoted\" 'single', commas\r\nand, lines | `ticks` --> ]]> </style></svg> {{ 7*7 }} ${x} # h"
LINK = "](javascript:alert(1)) <img src=x onerror=alert(1)> [a](javascript:alert(1))"
FORMULA = '=cmd("/c calc")'
TASK, EYES, OTHER = f"{FORMULA}{ALERT}", f"@{ALERT}{LINK}", f"+{BREAKS}"
STRATEGY = f"-{ALERT}|`{LINK}"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the report of a run whose every name means harm."""
    root = tmp_path_factory.mktemp("hostile")
    card = replace(
        TASKS["pictures"].card,
        name=TASK,
        title=f"{FORMULA} {ALERT}",
        description=f"{ALERT}{BREAKS}",
        source="javascript:alert(1)//https",
        licence=f"{LINK}{ALERT}",
        citation=BREAKS,
        remarks=(f"{ALERT}{LINK}", BREAKS),
    )
    first, second = TASKS["pictures"].metrics
    metrics = (first, replace(second, title=f"{ALERT}{BREAKS}"))
    entry = replace(TASKS["pictures"], card=card, metrics=metrics)
    backbones = {EYES: backbone(EYES, f"{ALERT}{BREAKS}", "vision"), OTHER: backbone(OTHER, LINK, "vision")}
    backbones[OTHER] = replace(backbones[OTHER], source='https://example.org/"><script>alert(1)</script>?a=(b)')
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(examples.SCORES, TASK, examples.SCORES["pictures"])
        patch.setitem(examples.N_TRAIN, TASK, 200)
        patch.setitem(examples.CHANCE, TASK, 0.1)
        store = example(
            root,
            tasks={TASK: entry},
            backbones=backbones,
            reads={TASK: (EYES, OTHER)},
            strategies=("scratch", STRATEGY),
        )
    cell, key = next(iter(store.manifest.cells.items()))
    store.put(replace(failure(cell, key), reason=f"{FORMULA}{ALERT}{BREAKS}{LINK}"))
    write_report(Store(root))
    return root


class Elements(HTMLParser):
    """Every element of a page with its attributes, and the text outside of style and script."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._raw = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._raw = tag in {"style", "script"}

    def handle_endtag(self, tag: str) -> None:
        self._raw = False

    def handle_data(self, data: str) -> None:
        if not self._raw:
            self.text.append(data)


def elements(html: str) -> Elements:
    parser = Elements()
    parser.feed(html)
    return parser


def check(parser: Elements, scripts: int) -> None:
    """Check that nothing acts: no script but our own, no handler, and links that lead to pages only."""
    assert sum(tag == "script" for tag, _ in parser.found) == scripts
    assert not {tag for tag, _ in parser.found} & {"iframe", "object", "embed", "base", "form"}
    for tag, attributes in parser.found:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        address = attributes.get("href") or attributes.get("src") or ""
        assert re.match(r"(https?://|#|data:(text/csv|,)|charts/|$)", address), address
        if address.startswith("data:text/csv"):
            assert "download" in attributes


def test_the_page_shows_them_as_text(written: Path) -> None:
    html = (written / "index.html").read_text(encoding="utf-8")
    parser = elements(html)
    check(parser, scripts=1)
    assert not [tag for tag, _ in parser.found if tag == "img"]
    said = " ".join("".join(parser.text).split())
    assert f"{FORMULA} {ALERT}" in said
    assert "javascript:alert(1)//https" in said
    assert "{{ 7*7 }}" in said
    followed = {attributes["href"] for tag, attributes in parser.found if tag == "a"}
    assert not [address for address in followed if address and "script>" in address]


def test_the_page_s_script_and_style_end_where_they_should(written: Path) -> None:
    html = (written / "index.html").read_text(encoding="utf-8")
    assert html.count("</script>") == 1
    assert html.count("</style>") == 1


def test_markdown_shows_them_as_text(written: Path) -> None:
    text = (written / "report.md").read_text(encoding="utf-8")
    parser = elements(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
    check(parser, scripts=0)
    pictures = [attributes["src"] for tag, attributes in parser.found if tag == "img"]
    assert pictures
    assert all(picture and (written / picture).is_file() for picture in pictures)
    assert ALERT in "".join(parser.text)
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1, table


def test_charts_show_them_as_text(written: Path) -> None:
    charts = list((written / "charts").iterdir())
    assert {path.name for path in charts} == {"task-1.svg", "cost-task-1.svg"}
    for path in charts:
        tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(path.read_bytes()).iter()}  # noqa: S314
        assert tags <= {"svg", "rect", "text", "g", "path", "clipPath", "title"}


def spreadsheets(root: Path) -> Iterator[str]:
    yield from (path.read_text(encoding="utf-8") for path in root.glob("*.csv"))


def test_no_cell_of_a_spreadsheet_is_a_formula(written: Path) -> None:
    found = list(spreadsheets(written))
    assert len(found) == 3
    for text in found:
        heading, *rows = csv.reader(io.StringIO(text))
        assert all(len(row) == len(heading) for row in rows)
        for value in (one for row in (heading, *rows) for one in row):
            assert not value.startswith(FORMULA_STARTS) or re.fullmatch(r"-?[\d.]+", value), value


@pytest.mark.parametrize("folder", ["../../etc", "a/b", "overview", "cost-x", ""])
def test_a_task_s_charts_stay_in_their_folder_and_apart(folder: str, tmp_path: Path) -> None:
    entry = replace(TASKS["pictures"], card=replace(TASKS["pictures"].card, name=folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(examples.SCORES, folder, examples.SCORES["pictures"])
        patch.setitem(examples.N_TRAIN, folder, 200)
        patch.setitem(examples.CHANCE, folder, 0.1)
        write_report(example(tmp_path / "out", tasks={folder: entry}, reads={folder: ("bundled:eyes",)}))
    assert {path.name for path in tmp_path.rglob("*.svg")} == {"task-1.svg", "cost-task-1.svg"}
