"""Series of which nobody knows how they go on."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.domains.contract import Request, Source, Unlabelled
from bench.domains.options import DataOptions
from bench.domains.series.histories import last_values, read_histories, times_to_come
from bench.domains.series.raw import UNIT_OF, Values, Windows, typical_change
from bench.domains.unlabelled import read_each
from bench.errors import DataError


def read(request: Request) -> Unlabelled:
    """Return the last steps of the series that a model is asked about, as many as it sees.

    The unit of a series that it has learnt, by its name, is the one it had there; that of any other is what it would
    have been, from the history in the file.
    """
    context, season = (int(request.format[name]) for name in ("context", "season"))

    def read_file(path: Path) -> Iterator[tuple[Source, tuple[Values, float]] | DataError]:
        for history in read_histories(path, request.columns, request.options):
            try:
                values = last_values(history, context)
            except DataError as error:
                yield DataError(f"{path}: {error}")
            else:
                times = times_to_come(history, request.target.horizon)
                learnt = request.format.get(f"{UNIT_OF}{history.name}")
                unit = learnt or _unit_of(history.values, season, request.options)
                yield Source(str(path), series=history.name, times=times), (values, unit)

    found, problems = read_each(request, read_file)
    pasts = np.array([values for _, (values, _) in found], dtype=np.float64).reshape(-1, context)  # [n, context]
    windows = Windows(pasts, season=season, unit=np.array([unit for _, (_, unit) in found], dtype=np.float64))
    return Unlabelled(windows, tuple(source for source, _ in found), problems)


def _unit_of(history: Values, season: int, options: DataOptions) -> float:
    """Return the unit of a series that was not learnt; 1 for one without any change, which is scaled by no other."""
    known = history[np.isfinite(history)]
    return typical_change(known, season if season < len(known) else 1, options.error) or 1.0
