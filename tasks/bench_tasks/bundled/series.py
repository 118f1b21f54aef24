"""The tasks `co2` and `elnino`: forecasts of one measured series each, from windows of its past."""

import csv
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from bench.card import TaskCard
from bench.domains.series.raw import Series, seasonal_difference
from bench.runtime.cache import Cache
from bench.targets.forecast import Forecast
from bench.task import Split, Task, packaged_file
from bench_tasks.forecasts.windowing import Shape, bounds_by_share, cut_split

CONTEXT: Final = 96
HORIZON: Final = 24
TEST_SHARE: Final = 0.3  # of time, at the end
WEEKS_A_YEAR: Final = 52
MONTHS_A_YEAR: Final = 12


@final
class Co2(Task):
    """Weekly CO2 at Mauna Loa, March 1958 to December 2001.

    The 59 weeks without a mean (18 in a row at most) are interpolated linearly between their neighbours. All of them
    lie before 1986, within the training history, so that no training value is interpolated from a held-out one.
    The file is read where statsmodels keeps it: importing statsmodels or pandas takes longer than all the rest.
    """

    card = TaskCard(
        name="co2",
        title="Atmospheric CO2",
        domain="series",
        description="Weekly mean CO2 at Mauna Loa, ppmv, 1958-2001: 96 weeks forecast the next 24; season 52 weeks.",
        source="http://cdiac.ornl.gov/trends/co2/sio-keel-flask/sio-keel-flaskmlo_c.html, as packaged in "
        "statsmodels (datasets/co2/co2.csv)",
        licence="public domain",
        citation="Keeling and Whorf (2004), Atmospheric CO2 concentrations derived from flask air samples at sites in "
        "the SIO network, in Trends: A Compendium of Data on Global Change, CDIAC, Oak Ridge National Laboratory",
        version=2,
        subjects=("measured series", "atmosphere"),
        sha256="59670f5bb0c445db146cd6dd858fdd223d790616500952c8bae330e781e38473",
    )
    target = Forecast(HORIZON)

    def split(self, fold: int, cache: Cache) -> Split:
        with packaged_file("statsmodels", "datasets/co2/co2.csv").open(newline="") as lines:
            cells = [row["co2"] for row in csv.DictReader(lines)]
        weekly = np.array([float(cell) if cell else np.nan for cell in cells])
        weeks = np.arange(len(weekly))
        known = ~np.isnan(weekly)
        return forecasting_split(np.interp(weeks, weeks[known], weekly[known]), season=WEEKS_A_YEAR)


@final
class ElNino(Task):
    """Monthly sea-surface temperature off Peru and Ecuador, 1950 to 2010.

    The file is read where statsmodels keeps it: importing statsmodels or pandas takes longer than all the rest.
    """

    card = TaskCard(
        name="elnino",
        title="El Niño sea temperature",
        domain="series",
        description="Monthly mean sea-surface temperature of the region Niño 1+2, degrees Celsius, 1950-2010: 96 "
        "months forecast the next 24; season 12 months.",
        source="NOAA, ERSST.V3B, https://www.cpc.ncep.noaa.gov/data/indices/, as packaged in statsmodels "
        "(datasets/elnino/elnino.csv)",
        licence="public domain",
        citation="Smith, Reynolds, Peterson and Lawrimore (2008), Improvements to NOAA's historical merged land-ocean "
        "surface temperature analysis (1880-2006), J. Climate 21, 2283-2296; doi:10.1175/2007JCLI2100.1",
        version=2,
        subjects=("measured series", "sea temperature"),
        sha256="9107ee36f29518fadd6be4d6a03553ce4a4ef4e9a4bd0a2731ae8d4cbbcdf214",
    )
    target = Forecast(HORIZON)

    def split(self, fold: int, cache: Cache) -> Split:
        path = packaged_file("statsmodels", "datasets/elnino/elnino.csv")
        by_year = np.loadtxt(path, delimiter=",", skiprows=1)  # [61 years, the year and 12 months]
        return forecasting_split(by_year[:, 1:].reshape(-1), season=MONTHS_A_YEAR)


def forecasting_split(values: NDArray[np.float64], *, season: int) -> Split:
    """Return every window of past and future in a series [length], the last 30 % of time held out.

    Windows are cut from either side of that moment and lie wholly on it: no observation is in both splits. The unit of
    errors comes from the training history alone.
    """
    bounds = bounds_by_share(len(values), TEST_SHARE)
    unit = seasonal_difference(values[: bounds.train_end], season)
    series = Series("", values, np.arange(len(values)))
    return cut_split([series], [bounds], [unit], Shape(CONTEXT, HORIZON, season))
