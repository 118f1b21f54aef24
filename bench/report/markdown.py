"""Markdown: text that nothing in it can turn into markup, links that only lead to pages, and tables."""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote

MARKUP: Final = re.compile(r"([\\`*_\[\]#~$|!])")
PAGE_ADDRESS: Final = re.compile(r"https?://[^\s\x00-\x1f]+", flags=re.IGNORECASE)
ADDRESS_LETTERS: Final = "/:?&=%#+,;~@"  # that stand for themselves in an address, besides letters, digits and _.-


def escape(text: str) -> str:
    """Return text that Markdown and HTML show as it is, on one line, also within a table."""
    marked = MARKUP.sub(r"\\\1", " ".join(text.split()))
    return marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "&#64;")


def address(text: str) -> str:
    """Return an address that may be followed: that of a page, made safe to stand in markup; otherwise nothing."""
    return quote(text, safe=ADDRESS_LETTERS) if PAGE_ADDRESS.fullmatch(text) else ""


def link(text: str, to: str) -> str:
    """Return text that leads to a page, or the text alone where `to` is no page's address."""
    target = address(to)
    return f"[{escape(text)}](<{target}>)" if target else escape(text)


def bold(text: str) -> str:
    """Return escaped text in bold."""
    return f"**{text}**"


def table(heading: Sequence[str], lines: Iterable[Sequence[str]], left: Sequence[bool]) -> str:
    """Return a table of escaped texts; `left` says which columns are text, the others are numbers."""
    rule = [":--" if text else "--:" for text in left]
    return "\n".join(f"| {' | '.join(line)} |" for line in [heading, rule, *lines])
