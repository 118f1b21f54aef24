"""Owns predictions as they are shown: tables of at most 80 columns, or records for JSON."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.analysis.wording import shortened
from bench.prediction.unlabelled import Source
from bench.target import Outputs

WIDEST: Final = 80
GAP: Final = "  "
LONGEST_LABEL: Final = 28
DIGITS: Final = 6  # significant, of a forecast
SMALLEST: Final = 1e-2  # what is forecast below this is written with an exponent


def class_records(sources: Sequence[Source], outputs: Outputs, names: Sequence[str], top: int) -> list[dict[str, Any]]:
    """Return where each example comes from, its most probable class, and the `top` ones if they are several."""
    records = []
    for source, chances in zip(sources, probabilities(outputs), strict=True):
        best = [
            {"label": names[place], "probability": round(float(chances[place]), 6)} for place in _best(chances, top)
        ]
        records.append({**_where(source), **best[0], **({"top": best} if top > 1 else {})})
    return records


def forecast_records(sources: Sequence[Source], predictions: Outputs) -> list[dict[str, Any]]:
    """Return where each series comes from, the values of the steps to come, and their times if these are known."""
    return [
        {**_where(source), "forecast": [float(f"{value:.{DIGITS}g}") for value in values]}
        for source, values in zip(sources, predictions, strict=True)
    ]


def class_table(sources: Sequence[Source], outputs: Outputs, names: Sequence[str], top: int) -> str:
    """Return a line for each example with its most probable class, and below it the next ones of the `top`."""
    heading = ("text" if sources[0].text else "file", "label", "probability")
    rows = [
        ("" if rank else " ".join((source.text or source.file).split()), names[place], f"{chances[place]:.3f}")
        for source, chances in zip(sources, probabilities(outputs), strict=True)
        for rank, place in enumerate(_best(chances, top))
    ]
    label = min(LONGEST_LABEL, max(len(one[1]) for one in (heading, *rows)))
    first = min(WIDEST - label - len(heading[2]) - 2 * len(GAP), max(len(one[0]) for one in (heading, *rows)))
    return "\n".join(
        f"{shortened(where, first):<{first}}{GAP}{shortened(name, label):<{label}}{GAP}{chance:>{len(heading[2])}}"
        for where, name, chance in (heading, *rows)
    )


def forecast_table(sources: Sequence[Source], predictions: Outputs) -> str:
    """Return for each file a line for each step to come, its series side by side as far as they fit."""
    rows = zip(sources, predictions, strict=True)
    blocks = []
    for (file, times), several in groupby(rows, key=lambda row: (row[0].file, row[0].times)):
        steps = times or tuple(str(step + 1) for step in range(predictions.shape[1]))
        stub = _column("time" if times else "step", steps)
        columns = [_column(source.series, _numbers(values)) for source, values in several]
        blocks += [f"{shortened(file, WIDEST)}\n{block}" for block in _side_by_side(stub, columns)]
    return "\n\n".join(blocks)


def probabilities(outputs: Outputs) -> NDArray[np.float64]:
    """Return the softmax of outputs [n, classes]."""
    raised = np.exp(outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return shares


def _best(chances: NDArray[np.float64], top: int) -> list[int]:
    """Return the classes of the highest chances, highest first; of equal ones the first."""
    return [int(place) for place in np.argsort(-chances, kind="stable")[:top]]


def _where(source: Source) -> dict[str, Any]:
    said = {"file": source.file, "row": source.row, "text": source.text, "series": source.series}
    return {**{key: value for key, value in said.items() if value}, **({"times": source.times} if source.times else {})}


def _numbers(values: Outputs) -> list[str]:
    """Return numbers with as many decimals as give the largest of them six significant digits."""
    whole = len(f"{abs(values).max():.0f}")
    if whole > 2 * DIGITS or abs(values).max() < SMALLEST:
        return [f"{value:.{DIGITS - 1}e}" for value in values]
    return [f"{value:.{max(0, DIGITS - whole)}f}" for value in values]


def _column(title: str, cells: Sequence[str]) -> list[str]:
    width = max(map(len, cells))
    heading = shortened(title, max(width, 16))
    return [cell.rjust(max(width, len(heading))) for cell in (heading, *cells)]


def _side_by_side(stub: list[str], columns: Sequence[list[str]]) -> Iterator[str]:
    """Yield blocks of lines, each with the stub and as many of the columns as fit beside it."""
    block: list[list[str]] = []
    for column in (*columns, None):
        used = len(stub[0]) + sum(len(GAP) + len(one[0]) for one in block)
        if block and (column is None or used + len(GAP) + len(column[0]) > WIDEST):
            yield "\n".join(GAP.join(cells) for cells in zip(stub, *block, strict=True))
            block = []
        if column is not None:
            block.append(column)
