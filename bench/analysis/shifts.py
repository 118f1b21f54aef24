"""The table of scores under shift, averaged over seeds."""

import numpy as np
import pandas as pd

from bench import stats
from bench.analysis.tables import CURVE, Tables


def shifted_scores(tables: Tables) -> pd.DataFrame:
    """Return a row per task, backbone, strategy, budget and shift, averaged over seeds; often without any.

    `mean`, `lower` and `upper` are those of the score under the shift, `chance` is that of chance under it. With one
    seed there is no interval. Only seeds with a score count: `n_seeds` says how many they are.
    """
    # Within a point shifts stay in the order in which they were taken: the rows are in that order, and `sort` is not.
    points = tables.shifts.groupby([*CURVE, "budget", "shift"], observed=True, sort=False, as_index=False).agg(
        title=("title", "first"),
        mean=("score", "mean"),
        deviation=("score", "std"),
        chance=("chance", "mean"),
        n_seeds=("score", "count"),
    )
    points = points.merge(tables.curves[[*CURVE, "budget", "amount"]], how="left", on=[*CURVE, "budget"])
    metrics = {name: entry.metric for name, entry in tables.manifest.tasks.items()}
    limits = {name: metric.perfect if metric.higher_is_better else np.inf for name, metric in metrics.items()}
    deviation = points.pop("deviation").mask(lambda values: values < stats.ROUNDING, 0.0)
    margin = stats.half_width(deviation, points["n_seeds"])
    highest = points["task"].astype(str).map(limits).astype("float64")
    points["lower"], points["upper"] = stats.clipped_interval(points["mean"], margin, highest=highest)
    return points[[*CURVE, "budget", "amount", "shift", "title", "mean", "lower", "upper", "chance", "n_seeds"]]
