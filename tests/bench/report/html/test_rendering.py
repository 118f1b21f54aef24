"""The page: one file that asks for nothing, says what the Markdown says, and can be read without a script."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from bench.analysis.curves import find_curves
from bench.analysis.tables import read_tables
from bench.report.content import contents
from bench.report.document import Bullets, Document, Paragraph, Section, Table
from bench.report.html.rendering import write_html
from bench.report.page import write_markdown
from bench.results.store import Store
from tests.bench.analysis.example import example


def said(store: Store) -> Document:
    """Return what the report of a folder says."""
    tables = read_tables(store)
    return contents(tables, find_curves(tables))


class Words(HTMLParser):
    """The words of a page, whatever stands between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.feed(html)
        self.words = " ".join("".join(self.parts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.targets += [given["href"] or ""] if tag == "a" else []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def texts(section: Section) -> list[str]:
    """Return all texts of a section."""
    found = [section.title]
    for block in (*section.blocks, *section.closing):
        match block:
            case Paragraph():
                found += [block.lead, block.text]
            case Bullets():
                found += block.items
            case Table():
                found += [block.caption, *(column.title for column in block.columns)]
                found += [text for row in block.rows for value in row for text in (value.text, *value.details)]
            case _:
                pass
    return [*found, *(text for inner in section.sections for text in texts(inner))]


def unescaped(markdown: str) -> str:
    """Return Markdown as it reads, on one line."""
    plain = re.sub(r"\\([\\`*_\[\]#~$|!])", r"\1", markdown.replace("**", ""))
    for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&#64;", "@"), ("&amp;", "&")):
        plain = plain.replace(entity, letter)
    return " ".join(plain.split())


@pytest.mark.parametrize("gaps", [{}, {"seeds": 1}, {"not_run": [{"task": "series"}]}, {"failed": [{"seed": 1}]}])
def test_page_and_markdown_say_everything_that_the_report_says(gaps: dict[str, object], tmp_path: Path) -> None:
    document = said(example(tmp_path, **gaps))  # type: ignore[arg-type]  # one option at a time
    page, markdown = Words(write_html(document)).words, unescaped(write_markdown(document))
    for text in (document.title, document.lead, *(text for one in document.sections for text in texts(one))):
        words = " ".join(text.split())
        assert words in page
        assert words in markdown


def test_the_page_asks_for_no_other_file(tmp_path: Path) -> None:
    html = write_html(said(example(tmp_path)))
    assert not re.search(r"<(script|img|iframe|object|embed|source|video|audio)[^>]*\b(src|data)=", html)
    assert re.findall(r"<link[^>]*href=\"([^\"]*)\"", html) == ["data:,"]
    style = re.search(r"<style>(.*?)</style>", html, flags=re.DOTALL)
    assert style
    assert "@import" not in style[1]
    assert "url(" not in style[1]


def test_the_policy_of_the_page_knows_its_own_style_and_script_and_nothing_else(tmp_path: Path) -> None:
    html = write_html(said(example(tmp_path)))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy
    for tag in ("style", "script"):
        (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, flags=re.DOTALL)
        hashed = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src &#39;sha256-{hashed}&#39;" in policy[1]
    assert "default-src &#39;none&#39;" in policy[1]
    assert "unsafe" not in policy[1]
    assert not re.search(r"<[^>]* (style|on[a-z]+)=", html)


def test_anchors_are_unique_and_every_link_within_the_page_leads_somewhere(tmp_path: Path) -> None:
    page = Words(write_html(said(example(tmp_path))))
    assert len(set(page.ids)) == len(page.ids)
    assert {target[1:] for target in page.targets if target.startswith("#")} <= set(page.ids)


def test_the_same_results_give_the_same_page(tmp_path: Path) -> None:
    store = example(tmp_path)
    assert write_html(said(store)) == write_html(said(Store(tmp_path)))


def test_the_numbers_behind_a_chart_can_be_taken_along(tmp_path: Path) -> None:
    html = write_html(said(example(tmp_path)))
    links = dict(re.findall(r'<a download="([^"]*)" href="data:text/csv;charset=utf-8,([^"]*)"', html))
    assert set(links) == {"leaderboard.csv", "pictures.csv", "series.csv"}
    heading, *rows = unquote(links["pictures.csv"]).splitlines()
    assert heading.startswith("task,backbone,strategy,budget,amount,metric,mean,lower,upper")
    assert len(rows) == 6


def test_sections_stand_in_the_order_of_the_questions(tmp_path: Path) -> None:
    order = [section.anchor for section in said(example(tmp_path, failed=[{"seed": 1}])).sections]
    wanted = [
        "answers",
        "leaderboard",
        "curves",
        "metrics",
        "savings",
        "claims",
        "more",
        "cost",
        "provenance",
        "missing",
    ]
    assert order == [anchor for anchor in wanted if anchor in order]
    assert {"answers", "leaderboard", "curves", "metrics", "cost", "provenance", "missing"} <= set(order)
