"""What the domain `text` says of itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from bench.domain import Raw
from bench.domains.contract import (
    LABELLED,
    WORDS,
    CellReader,
    Domain,
    Noun,
    Perceived,
    Request,
    Unlabelled,
    UnlabelledReader,
)
from bench.domains.shift import Shift
from bench.domains.text.raw import Texts
from bench.files.suffixes import TABLE_SUFFIXES

if TYPE_CHECKING:
    from bench.backbone import Backbone


def _read(cells: Sequence[str]) -> Perceived:
    return Perceived(Texts(tuple(cells)))


def _read_unlabelled(request: Request) -> Unlabelled:
    from bench.domains.text import unlabelled  # noqa: PLC0415 (loads what reads tables)

    return unlabelled.read(request)


def _shifts() -> Sequence[Shift]:
    from bench.domains.text import shifts  # noqa: PLC0415 (when test splits are shifted)

    return shifts.SHIFTS


def _small(raw: Raw) -> "Backbone":
    from bench.domains.text import small  # noqa: PLC0415 (loads torch)

    return small.BagOfWords()


DOMAIN: Final = Domain(
    name="text",
    family="text_classification",
    noun=Noun("text", "texts"),
    addresses=frozenset({"csv", "conll", "hf", "python"}),
    options=LABELLED | {"text"},
    suffixes={"text": (".txt",), "table": TABLE_SUFFIXES},
    backbone="hf:sentence-transformers/all-MiniLM-L6-v2",
    column="text",
    cells=CellReader(read=_read, tagged=True),
    unlabelled=UnlabelledReader(read=_read_unlabelled, texts=True, most_columns=1),
    small=_small,
    shifts=_shifts,
    offers=frozenset({WORDS}),
)
