"""Series of which nobody knows how they go on."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.domains.contract import Request, Source, Unlabelled
from bench.domains.series.histories import last_values, read_histories, times_to_come
from bench.domains.series.raw import Windows
from bench.domains.unlabelled import read_each
from bench.errors import DataError


def read(request: Request) -> Unlabelled:
    """Return the last steps of the series that a model is asked about, as many as it sees."""
    context, season, unit = (request.format[name] for name in ("context", "season", "unit"))

    def read_file(path: Path) -> Iterator[tuple[Source, NDArray[np.float32]] | DataError]:
        for history in read_histories(path, request.columns, request.options):
            try:
                values = last_values(history, int(context))
            except DataError as error:
                yield DataError(f"{path}: {error}")
            else:
                times = times_to_come(history, request.target.horizon)
                yield Source(str(path), series=history.name, times=times), values

    found, problems = read_each(request, read_file)
    pasts = np.array([values for _, values in found], dtype=np.float64).reshape(-1, int(context))  # [n, context]
    windows = Windows(pasts, season=int(season), unit=np.full(len(pasts), unit))
    return Unlabelled(windows, tuple(source for source, _ in found), problems)
