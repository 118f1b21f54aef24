"""Metrics: what is said of one, and how it is computed from predictions, labels and facts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.column import Column

Compute = Callable[[Column, Column, Column | None], float | None]
"""From predictions, labels and facts of the same examples to a value; None where these examples do not define one."""


@dataclass(frozen=True, slots=True)
class MetricCard:
    """What a table or chart must know of a metric.

    `name` is its name in config and CSV, `title` the one that people read. `perfect` is the value of a faultless
    prediction. `sha256` is that of the file of a user's that it is a function in, "" of any other metric. Of a
    `proportion` each scored example is right or wrong, and the value is the share of the right ones.
    """

    name: str
    title: str
    higher_is_better: bool
    perfect: float
    sha256: str = ""
    proportion: bool = False

    @property
    def direction(self) -> int:
        """1 if higher is better, else -1."""
        return 1 if self.higher_is_better else -1


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """A metric: its card, and `compute`."""

    card: MetricCard
    compute: Compute


def files_of(metrics: Iterable[Metric]) -> dict[str, str]:
    """Return the sha256 of the file of each metric that is a function in one, by its name."""
    return {metric.card.name: metric.card.sha256 for metric in metrics if metric.card.sha256}
