"""How far seeds scatter, known from a row's other cells too: few seeds say little of it, and many cells much.

With five seeds the mean square between seeds has four degrees of freedom, and Student's quantile at the level that many
cells ask for is 12 where it would be 4 with many. In proportion to the scatter of the rest (which examples flip, known
from blocks) the scatter between seeds is much the same in the cells of a row. So each cell's ratio is moderated towards
what the other cells of its row lead to expect (Smyth 2004, doi:10.2202/1544-6115.1027). They count the less, the more
ratios differ within the rows of the task beyond chance. A cell that scatters beyond what was to be expected keeps its
own mean square (after Phipson, Lee, Majewski, Alexander and Smyth 2016, Annals of Applied Statistics 10(2)).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy.special import digamma, fdtrc, polygamma  # `scipy.stats` takes a second to import, this does not

from bench.stats import FEWEST_BLOCKS, Floats, MeanSquares, Replicates, Uncertainty, combined_variance, mean_squares
from bench.stats.uncertainty import NEGLIGIBLE

FEWEST_CELLS: Final = 3  # of a row
FEWEST_RATIOS: Final = 8  # of a task, beyond one for each row: fewer do not tell how much ratios differ
ALIKE: Final = 0.05  # how unlikely a scatter of blocks is that is not by chance
UNEXPECTED: Final = 0.1  # how unlikely a scatter is that is left as it is


class _Cell(NamedTuple):
    """A cell that seeds and the rest of the table move, and the number of its row."""

    row: int
    place: int
    measured: Replicates
    squares: MeanSquares


def moderate(rows: Sequence[Sequence[Replicates]]) -> list[list[Uncertainty | None]]:
    """Return what is known of each cell of a task with the help of the others; None where these do not help."""
    found: list[list[Uncertainty | None]] = [[None] * len(row) for row in rows]
    cells = list(_cells(rows))
    counts = Counter(cell.row for cell in cells)
    cells = [cell for cell in cells if counts[cell.row] >= FEWEST_CELLS]
    if len(cells) - len({cell.row for cell in cells}) < FEWEST_RATIOS:
        return found
    seeds, freedom = _expected(cells)
    for cell, square, degrees in zip(cells, seeds.tolist(), freedom.tolist(), strict=True):
        found[cell.row][cell.place] = _known(cell, square, degrees)
    return found


def _cells(rows: Sequence[Sequence[Replicates]]) -> Iterator[_Cell]:
    """Yield the cells that have a mean square of seeds and one of the rest, neither of them 0."""
    for number, row in enumerate(rows):
        for place, measured in enumerate(row):
            if measured.overlap is None and len(measured) > 1 and measured.moved.shape[1] >= FEWEST_BLOCKS:
                squares = mean_squares(measured.values, measured.moved)
                if min(squares.seeds, squares.rest) > NEGLIGIBLE:
                    yield _Cell(number, place, measured, squares)


def _known(cell: _Cell, seeds: float, freedom: float) -> Uncertainty:
    """Return what is known of a cell whose mean square of seeds is known with so many degrees of freedom.

    Runs of the same code differ by their seeds alone: then no block moves more than the rest. Where blocks do, what
    changed is common to all seeds, and other test examples could be moved otherwise.
    """
    n_seeds, n_blocks = cell.measured.moved.shape
    squares = cell.squares
    variance, known = seeds / (n_seeds * n_blocks), freedom
    if fdtrc(n_blocks - 1, (n_seeds - 1) * (n_blocks - 1), squares.blocks / squares.rest) <= ALIKE:
        squares = squares._replace(seeds=np.array(seeds))
        spread, degrees = combined_variance(squares, n_seeds, n_blocks, cell.measured.n_blocks, seeds_freedom=freedom)
        variance, known = float(spread), float(degrees)
    return Uncertainty(float(cell.measured.values.mean()), variance, known)


def _expected(cells: Sequence[_Cell]) -> tuple[Floats, Floats]:
    """Return the moderated mean squares of seeds and their degrees of freedom, [cells]."""
    of_row = np.array([cell.row for cell in cells])
    n_cells = np.bincount(of_row)  # of each row
    seeds = np.array([cell.squares.seeds for cell in cells], dtype=np.float64)
    rest = np.array([cell.squares.rest for cell in cells], dtype=np.float64)
    own = np.array([len(cell.measured) - 1.0 for cell in cells])
    ratios = np.log(seeds / rest) - _bias(own)
    residuals = ratios - (np.bincount(of_row, ratios) / np.maximum(n_cells, 1))[of_row]
    spread = float((residuals**2).sum() / (n_cells - 1).clip(0).sum())
    beyond_chance = max(spread - float(polygamma(1, own / 2).mean()), 0.0)
    n_others = (n_cells - 1)[of_row]
    others = ratios - residuals * (n_others + 1) / n_others  # the mean of the other cells of the row
    freedom = 2 * _inverse_trigamma(beyond_chance + spread / n_others)
    expected = rest * np.exp(others + _bias(freedom))
    freedom = np.where(fdtrc(own, freedom, seeds / expected) < UNEXPECTED, 0.0, freedom)
    return (freedom * expected + own * seeds) / (freedom + own), freedom + own


def _bias(freedom: Floats) -> Floats:
    """Return how far the logarithm of a mean square is from that of its expectation, on average."""
    bias: Floats = digamma(freedom / 2) - np.log(freedom / 2)
    return bias


def _inverse_trigamma(values: Floats) -> Floats:
    """Return where the trigamma function has these values, by Newton's method (Smyth 2004, appendix)."""
    x = 0.5 + 1 / values
    for _ in range(20):
        trigamma = polygamma(1, x)
        x = x + trigamma * (1 - trigamma / values) / polygamma(2, x)
    found: Floats = x
    return found
