"""What the domain `series` says of itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from bench.domain import Raw
from bench.domains.contract import PASTS, Domain, Format, Noun, Request, Unlabelled, UnlabelledReader
from bench.domains.series.raw import UNIT_OF, expect_windows
from bench.domains.shift import Shift
from bench.files.suffixes import TABLE_SUFFIXES

if TYPE_CHECKING:
    from bench.backbone import Backbone


def _input_format(raw: Raw) -> Format:
    """Return what is seen of series, and the unit of each, by which flat stretches of it are scaled."""
    windows = expect_windows(raw)
    names = windows.names if windows.names is not None else np.full(len(windows), "")
    known, first = np.unique(names, return_index=True)
    units = {f"{UNIT_OF}{name}": float(windows.unit[row]) for name, row in zip(known, first, strict=True)}
    return {"context": windows.past.shape[1], "season": windows.season, **units}


def _read_unlabelled(request: Request) -> Unlabelled:
    from bench.domains.series import unlabelled  # noqa: PLC0415 (loads pandas)

    return unlabelled.read(request)


def _shifts() -> Sequence[Shift]:
    from bench.domains.series import shifts  # noqa: PLC0415 (when test splits are shifted)

    return shifts.SHIFTS


def _small(raw: Raw) -> "Backbone":
    from bench.domains.series import small  # noqa: PLC0415 (loads torch)

    return small.LastSeason(raw)


DOMAIN: Final = Domain(
    name="series",
    family="forecasting",
    noun=Noun("series", "series"),
    addresses=frozenset({"csv", "python"}),
    options=frozenset({"time", "series", "values", "context", "horizon", "season", "frequency", "counts", "fill"}),
    suffixes={"table": TABLE_SUFFIXES},
    backbone="bundled:series",
    series=True,
    unlabelled=UnlabelledReader(read=_read_unlabelled, most_columns=None),
    small=_small,
    shifts=_shifts,
    offers=frozenset({PASTS}),
    input_format=_input_format,
)
