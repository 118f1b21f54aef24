"""Probes of series whose scales differ by powers of ten, and which stand still now and then."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from bench_tasks.forecasts.forecasting import open_forecasting

from bench.backbones.loading import load_backbone
from bench.budget import ALL, NONE, Asked, Share
from bench.column import Column, Dense
from bench.config.data import DataSpec
from bench.domains.options import DataOptions
from bench.domains.series.raw import expect_windows, scaled
from bench.planning.budgets import Budgets
from bench.probing.heads import Penalties
from bench.runtime.cache import Cache
from bench.task import Split
from bench.training.context import NetworkContext
from bench.training.fitting import fit_heads

PENALTIES = Penalties((1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1e3, 1e5), 1e5)  # as they ship
HOURS = 720


def table(several: int) -> pd.DataFrame:
    """Return hourly series like those of ETT: days and weeks, wandering levels, noise, and stretches of one value."""
    generator, hours = np.random.default_rng(several), np.arange(HOURS)
    found = {}
    for number in range(several):
        day = np.sin(2 * np.pi * hours / 24 + generator.uniform(0, 6)) + 0.5 * np.sin(2 * np.pi * hours / 168)
        level = 0.05 * np.cumsum(generator.standard_normal(HOURS))
        values = day + level + 0.3 * generator.standard_normal(HOURS)
        for start in generator.integers(0, HOURS - 130, size=2):
            values[start : start + 60] = values[start] + 1e-7 * generator.standard_normal(60)
        found[f"s{number}"] = 10.0 ** generator.uniform(-3, 4) * (values + generator.uniform(0, 100))
    times = pd.date_range("2016-07-01", periods=HOURS, freq="h").strftime("%Y-%m-%d %H:%M:%S")
    return pd.DataFrame({"date": times, **found})


def mase(predictions: Column, split: Split) -> float:
    errors = np.abs(predictions["future"] - split.test.labels["future"]["future"])
    assert split.test.facts is not None
    return float((errors / split.test.facts["unit"][:, None]).mean())


@pytest.mark.parametrize(("several", "horizon"), [(7, 24), (12, 24), (7, 12), (7, 36)])
def test_more_labels_cost_no_tenth_and_a_probe_does_as_well_as_a_guess(
    several: int, horizon: int, tmp_path: Path
) -> None:
    table(several).to_csv(tmp_path / "many.csv", index=False)
    spec = DataSpec("forecasting", f"csv:{tmp_path / 'many.csv'}", DataOptions(horizon=horizon, test_share=0.3))
    cache = Cache(tmp_path / "cache")
    task = open_forecasting("many", spec, cache)
    split, backbone = task.split(0, cache), load_backbone("bundled:series")
    context = NetworkContext(
        "many",
        task.target,
        split,
        backbone,
        needed=np.arange(len(split.train)),
        boundaries=frozenset({len(backbone.stages)}),
        content="many",
        cache=cache,
        device=torch.device("cpu"),
    )
    budgets = Budgets(task.target, split.train.labels["future"], split.train.facts)
    asked: list[Asked] = [*([NONE] if context.brought is not None else []), Share(0.01), Share(0.1), Share(0.3), ALL]
    models = fit_heads(context, [budgets.draw(one, 0) for one in asked], PENALTIES)
    errors = [mase(model.predict(split.test.raw), split) for model in models]
    for place, error in enumerate(errors[1:], start=1):
        assert error <= 1.1 * min(errors[:place]), f"MASE by budget: {errors}"
    past = expect_windows(split.test.raw).past
    mean = np.repeat(past.mean(1, keepdims=True), horizon, axis=1)
    again = past[:, np.arange(horizon) % 24 - 24]
    level, best = mase(Dense({"future": mean}), split), mase(Dense({"future": again}), split)
    assert best < level
    assert errors[-1] <= 1.1 * best, f"{errors}, {best}"
    # What begins with a forecaster's head contains it from the first label on; what begins with nothing, the level.
    assert max(errors) <= 1.1 * (best if context.brought is not None else level), f"{errors}, {best}, {level}"


def test_no_hundredth_of_the_windows_has_most_of_the_loss(tmp_path: Path) -> None:
    table(12).to_csv(tmp_path / "many.csv", index=False)
    spec = DataSpec("forecasting", f"csv:{tmp_path / 'many.csv'}", DataOptions())
    task = open_forecasting("many", spec, Cache(tmp_path / "cache"))
    train = task.split(0, Cache(tmp_path / "cache")).train
    geometry = scaled(expect_windows(train.raw))[1]
    encoded = torch.from_numpy(task.target.codec.encode(train.labels["future"], geometry)["future"])
    losses = np.array(
        [float(task.target.objective.loss((torch.zeros(1, 24),), {"future": row[None]}, None)) for row in encoded]
    )
    worst = np.sort(losses)[-len(losses) // 100 :]
    assert worst.sum() < 0.2 * losses.sum()
