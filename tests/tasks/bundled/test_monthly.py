"""The task `monthly`: every series has an origin, seeds draw which are learnt from, and all are tested."""

import gzip
from pathlib import Path

import numpy as np
from bench_tasks.bundled.monthly import Monthly, read_series
from bench_tasks.bundled.monthly_table import BOKEH, MONTH, ORIGINS, PLOTNINE, STATSMODELS, TABLE, to_table

from bench.budget import ALL, Share
from bench.planning.budgets import Budgets
from bench.runtime.cache import Cache

SPLIT = Monthly().split(0, Cache(Path("unused")))


def test_every_series_has_an_origin_with_its_licence_and_the_card_names_the_packages() -> None:
    named = [name for origin in ORIGINS for name in origin.series.values()]
    assert [series.name for series in read_series()] == named
    assert len(set(named)) == len(named) == 20
    assert all(origin.licence and origin.source for origin in ORIGINS)
    for package in (PLOTNINE, BOKEH, STATSMODELS):
        assert f"{package.name} {package.version} (sha256 {package.sha256})" in Monthly.card.source
    assert (TABLE.parent / "LICENSES-monthly.txt").read_text().count("----") == 4


def test_the_table_is_what_is_written_of_its_values() -> None:
    rows = [line.split(",") for line in gzip.decompress(TABLE.read_bytes()).decode().splitlines()]
    series = {name: {row[0]: row[place] for row in rows[1:] if row[place]} for place, name in enumerate(rows[0])}
    del series[MONTH]
    assert to_table(series) == TABLE.read_bytes()


def test_series_have_no_gap() -> None:
    for series in read_series():
        assert (np.diff(series.moments) == 1).all(), series.name
        assert np.isfinite(series.values).all()


def test_each_seed_draws_other_series_nested_and_all_are_tested() -> None:
    facts, tested = SPLIT.train.facts, SPLIT.test.facts
    assert facts is not None
    assert tested is not None
    assert set(tested["series"].tolist()) == set(range(20))
    budgets = Budgets(Monthly.target, SPLIT.train.labels["future"], facts)
    drawn = []
    for seed in range(5):
        few, many = (set(facts["series"][budgets.draw(Share(share), seed).rows].tolist()) for share in (0.1, 0.3))
        assert few < many < set(range(20))
        drawn.append(frozenset(many))
    assert len(set(drawn)) == 5
    assert budgets.draw(ALL, 0).amount == sum(len(one) - round(0.3 * len(one)) for one in read_series())


def test_test_blocks_are_the_series() -> None:
    assert SPLIT.test.facts is not None
    blocks = Monthly.target.sampling.blocks(SPLIT.test.labels["future"], SPLIT.test.facts, None, "it")
    pairs = set(zip(blocks.tolist(), SPLIT.test.facts["series"].tolist(), strict=True))
    assert len(pairs) == len(set(blocks.tolist())) == 20
