"""The table of scores under shift, averaged over seeds."""

import numpy as np
import pandas as pd

from bench.analysis.points import Point
from bench.analysis.tables import CURVE, Tables


def shifted_scores(tables: Tables) -> pd.DataFrame:
    """Return a row per task, backbone, strategy, budget and shift, averaged over seeds; often without any.

    `mean`, `lower` and `upper` are those of the score under the shift, `chance` is that of chance under it. Only seeds
    with a score count: `n_seeds` says how many they are.
    """
    # Within a point shifts stay in the order in which they were taken: the rows are in that order, and `sort` is not.
    points = tables.shifts.groupby([*CURVE, "budget", "shift"], observed=True, sort=False, as_index=False).agg(
        title=("title", "first"),
        mean=("score", "mean"),
        chance=("chance", "mean"),
        n_seeds=("score", "count"),
    )
    points = points.merge(tables.curves[[*CURVE, "budget", "amount"]], how="left", on=[*CURVE, "budget"])
    metrics = {name: entry.metric for name, entry in tables.manifest.tasks.items()}
    names = points[[*Point._fields, "shift"]].itertuples(index=False)
    found = [tables.points.estimate(Point(*map(str, row[:4])), metrics[str(row[0])], str(row[4])) for row in names]
    points["lower"], points["upper"] = np.array([one[1:3] for one in found], dtype=np.float64).reshape(-1, 2).T
    return points[[*CURVE, "budget", "amount", "shift", "title", "mean", "lower", "upper", "chance", "n_seeds"]]
