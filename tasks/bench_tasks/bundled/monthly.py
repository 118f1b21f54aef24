"""The task `monthly`: forecasts of twenty measured series, by one model."""

import csv
import gzip
from typing import Final, final

import numpy as np

from bench.card import TaskCard
from bench.domains.series.raw import Series, seasonal_difference
from bench.runtime.cache import Cache
from bench.targets.forecast import Forecast
from bench.task import Split, Task
from bench_tasks.bundled.monthly_table import BOKEH, MONTH, PLOTNINE, STATSMODELS, TABLE, Package
from bench_tasks.forecasts.windowing import Bounds, Shape, cut_split

SHAPE: Final = Shape(context=96, horizon=24, season=12)
TEST_SHARE: Final = 0.3  # of the months of each series, at the end


def _told(package: Package) -> str:
    return f"{package.name} {package.version} (sha256 {package.sha256})"


@final
class Monthly(Task):
    """Twenty monthly series of 257 to 960 months; of each the last 30 % are forecast.

    A budget learns from some of the histories, all series are tested. The pasts of test windows reach back into the
    history, since 30 % of the shortest series are less than a window; no month that is forecast was learnt from.
    `bench_tasks.bundled.monthly_table` says where each series comes from and makes the table.
    """

    card = TaskCard(
        name="monthly",
        title="Monthly series",
        domain="series",
        description="Twenty monthly series of the United States and the euro area, 257 to 960 months long: meat "
        "production, employment, prices, trade and building. 96 months forecast the next 24; season 12 months. All "
        "series are tested on their last 30 %; a budget learns from the histories of some.",
        source="USDA, Bureau of Economic Analysis, Bureau of Labor Statistics, Census Bureau, Federal Reserve Board, "
        f"Eurostat; from {_told(PLOTNINE)}: meat.csv, economics.csv; from {_told(BOKEH)}: unemployment1948.csv; from "
        f"{_told(STATSMODELS)}, the wheel for Linux and Python 3.11: housing-data.csv, elec_equip.csv and "
        "2016-06-29.csv of the nowcast by the Federal Reserve Bank of New York. Which series is from which file, with "
        "source and licence, stands in bench_tasks/bundled/monthly_table.py",
        licence="public domain (figures of United States agencies; Eurostat's are free to reuse with its name), "
        "BSD-3-Clause for the nowcast's file",
        citation="as the source says",
        version=1,
        subjects=("measured series", "economy", "agriculture"),
        sha256="f0906d23593c8de71c339c399a7495cfb85cce9fe5d1109d6f1cf381d9feb752",
    )
    target = Forecast(SHAPE.horizon)

    def split(self, fold: int, cache: Cache) -> Split:
        series = read_series()
        ends = [len(one) - round(TEST_SHARE * len(one)) for one in series]
        bounds = [Bounds(end, end - SHAPE.context, len(one)) for one, end in zip(series, ends, strict=True)]
        units = [seasonal_difference(one.values[:end], SHAPE.season) for one, end in zip(series, ends, strict=True)]
        return cut_split(series, bounds, units, SHAPE)


def read_series() -> list[Series]:
    """Return the series of the table, each from its first month to its last; moments count months."""
    with gzip.open(TABLE, "rt", encoding="ascii", newline="") as lines:
        rows = list(csv.DictReader(lines))
    months = np.array([int(row[MONTH][:4]) * 12 + int(row[MONTH][5:]) - 1 for row in rows], dtype=np.int64)
    found = []
    for name in (name for name in rows[0] if name != MONTH):
        known = np.array([bool(row[name]) for row in rows])
        values = np.array([float(row[name]) for row in rows if row[name]])
        found.append(Series(name, values, months[known]))
    return found
