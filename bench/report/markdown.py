"""Owns Markdown: text that nothing in it can turn into markup, and tables."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

MARKUP: Final = re.compile(r"([\\`*_\[\]#~$|!])")


def escape(text: str) -> str:
    """Return text that Markdown and HTML show as it is, on one line, also within a table."""
    marked = MARKUP.sub(r"\\\1", " ".join(text.split()))
    return marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "&#64;")


def bold(text: str) -> str:
    """Return escaped text in bold."""
    return f"**{text}**"


def table(heading: Sequence[str], lines: Iterable[Sequence[str]], *, left: int) -> str:
    """Return a table of escaped texts; the first `left` columns are text, the others numbers."""
    rule = [":--" if place < left else "--:" for place in range(len(heading))]
    return "\n".join(f"| {' | '.join(line)} |" for line in [heading, rule, *lines])
