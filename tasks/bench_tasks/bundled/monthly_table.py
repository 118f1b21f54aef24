"""The table of the task `monthly`, made from four files that packages carry.

    python -m pip download --no-deps plotnine==0.15.9 bokeh-sampledata==2026.1
    python -m pip download --no-deps statsmodels==0.15.0 --python-version 3.11 --only-binary :all:
    python -m bench_tasks.bundled.monthly_table FOLDER

`FOLDER` is where the wheels lie. Of these nothing is installed or run. The table has a row for each month and a column
for each series, with the values as they are written in the files.
"""

import csv
import gzip
import hashlib
import io
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from bench.errors import DataError

TABLE: Final = Path(__file__).parent / "data" / "monthly.csv.gz"
MONTH: Final = "month"
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Rows = list[dict[str, str]]
Dated = Iterator[tuple[str, str, str]]
"""Column, month as 1944-01, and value as it is written."""


class Package(NamedTuple):
    """A wheel, by name and version, and the sha256 of its file."""

    name: str
    version: str
    sha256: str


PLOTNINE: Final = Package("plotnine", "0.15.9", "36f4526235b3ddd9ea379dd677093ea2ee1b58ab98adec1bde891930283448cd")
BOKEH: Final = Package("bokeh_sampledata", "2026.1", "f40331a40ca30c64a1c1471835aad9006b61b0d9731a3f649ee8cbbf48d3822f")
STATSMODELS: Final = Package(
    "statsmodels", "0.15.0", "b67886b66d9c7ca118526accedb5c6de7ffd74c015dc0492ea0b1690192b65da"
)


class Origin(NamedTuple):
    """Where series come from: the `member` of a package, and by the columns there their names here, and who says them.

    `read` returns what is in each column of its rows.
    """

    package: Package
    member: str
    licence: str
    source: str
    series: Mapping[str, str]
    read: Callable[[Rows], Dated]


def by_dates(column: str, layout: str) -> Callable[[Rows], Dated]:
    """Return how to read rows of a month each, dated in a column in this layout."""

    def read(rows: Rows) -> Dated:
        for row in rows:
            month = datetime.strptime(row.pop(column), layout).strftime("%Y-%m")  # noqa: DTZ007 (a month has no zone)
            yield from ((name, month, value) for name, value in row.items())

    return read


def _by_years(rows: Rows) -> Dated:
    """Read rows of a year each, the months beside each other."""
    for row in rows:
        for number, month in enumerate(MONTHS, start=1):
            yield "unemployment", f"{row['Year']}-{number:02}", row[month]


FEDERAL: Final = "public domain (a work of the United States government)"

ORIGINS: Final = (
    Origin(
        PLOTNINE,
        "plotnine/data/meat.csv",
        FEDERAL,
        "USDA Economic Research Service, Livestock and Meat Domestic Data: production, million pounds",
        {name: name for name in ("beef", "veal", "pork", "lamb_and_mutton", "broilers", "other_chicken", "turkey")},
        by_dates("date", "%Y-%m-%d"),
    ),
    Origin(
        PLOTNINE,
        "plotnine/data/economics.csv",
        FEDERAL,
        "Bureau of Economic Analysis (pce, psavert), Census Bureau (pop), Bureau of Labor Statistics (uempmed, "
        "unemploy), through FRED: consumption, savings rate, population, weeks of unemployment, unemployed",
        {
            "pce": "consumption",
            "psavert": "savings_rate",
            "pop": "population",
            "uempmed": "weeks_unemployed",
            "unemploy": "unemployed",
        },
        by_dates("date", "%Y-%m-%d"),
    ),
    Origin(
        BOKEH,
        "bokeh_sampledata/_data/unemployment1948.csv",
        FEDERAL,
        "Bureau of Labor Statistics: unemployment rate, not seasonally adjusted",
        {"unemployment": "unemployment_rate"},
        _by_years,
    ),
    Origin(
        STATSMODELS,
        "statsmodels/tsa/holtwinters/tests/results/housing-data.csv",
        FEDERAL,
        "Census Bureau, through FRED (HOUSTNSA): housing starts, thousands, not seasonally adjusted",
        {"HOUSTNSA": "housing_starts"},
        by_dates("DATE", "%Y-%m-%d"),
    ),
    Origin(
        STATSMODELS,
        "statsmodels/datasets/elec_equip/elec_equip.csv",
        "public domain, as statsmodels says; Eurostat allows the reuse of its data with its name",
        "Eurostat (STS.M.I7.W.TOVT.NS0016.4.000): turnover of electrical equipment in the euro area",
        {"STS.M.I7.W.TOVT.NS0016.4.000": "electrical_equipment"},
        by_dates("DATE", "%b-%d-%Y"),
    ),
    Origin(
        STATSMODELS,
        "statsmodels/tsa/statespace/tests/results/frbny_nowcast/Nowcasting/data/US/2016-06-29.csv",
        "BSD-3-Clause (Federal Reserve Bank of New York), of figures in the public domain",
        "Federal Reserve Board (INDPRO), Census Bureau (HSN1F, DGORDER, RSAFS), Bureau of Labor Statistics (CPIAUCSL), "
        "as the nowcast of the Federal Reserve Bank of New York had them on 29 June 2016",
        {
            "INDPRO": "industrial_production",
            "HSN1F": "houses_sold",
            "DGORDER": "durable_goods_orders",
            "RSAFS": "retail_sales",
            "CPIAUCSL": "consumer_prices",
        },
        by_dates("Date", "%m/%d/%y"),
    ),
)


def read_wheels(folder: Path) -> dict[str, dict[str, str]]:
    """Return the values of each series by month, as they are written. Raises `DataError` for other wheels."""
    series: dict[str, dict[str, str]] = {name: {} for origin in ORIGINS for name in origin.series.values()}
    for origin in ORIGINS:
        with zipfile.ZipFile(_wheel(folder, origin.package)) as wheel:
            lines = io.StringIO(wheel.read(origin.member).decode("utf-8"))
        for column, month, value in origin.read(list(csv.DictReader(lines))):
            if column in origin.series and value:
                series[origin.series[column]][month] = value
    return series


def _wheel(folder: Path, package: Package) -> Path:
    for path in sorted(folder.glob(f"{package.name}-{package.version}-*.whl")):
        if hashlib.sha256(path.read_bytes()).hexdigest() == package.sha256:
            return path
    raise DataError(f"{folder} has no wheel of {package.name} {package.version} with sha256 {package.sha256[:12]}…")


def to_table(series: Mapping[str, Mapping[str, str]]) -> bytes:
    """Return series as comma-separated values, compressed: a month in a row, nothing where a series has none."""
    months = sorted({month for values in series.values() for month in values})
    lines = [",".join((MONTH, *series))]
    lines += [",".join((month, *(values.get(month, "") for values in series.values()))) for month in months]
    return gzip.compress("".join(f"{line}\n" for line in lines).encode("ascii"), mtime=0)


if __name__ == "__main__":
    TABLE.write_bytes(to_table(read_wheels(Path(sys.argv[1]))))
