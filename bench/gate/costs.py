"""The verdict on time and memory: between like machines only, and apart from scores.

Costs are compared as ratios, on the logarithmic scale. Cells of one strategy on one task repeat each other, so each
such row has one value, the median over its cells; the interval is Student's, over rows. Only what is dearer by a
quarter, beyond that interval's doubt, is called so: machines have moods.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from bench.cell import Result
from bench.gate.matching import Pair
from bench.results.manifest import Curve
from bench.stats import student

DEARER: Final = 1.25
SHORTEST: Final = 0.05  # seconds: below it a clock measures the machine, not the cell

Cost = Callable[[Result], float]


class CostVerdict(StrEnum):
    """What is said of a cost."""

    DEARER = "dearer"
    CHEAPER = "cheaper"
    ALIKE = "alike"
    NOT_COMPARED = "not compared"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostJudgement:
    """A cost of the current run as a multiple of the baseline's, with its 95 % interval.

    `measure` is "time" or "memory"; `scope` a task, or None for all. Where nothing could be compared the ratio is nan
    and `reason` says why.
    """

    measure: str
    scope: str | None
    verdict: CostVerdict
    ratio: float
    lower: float
    upper: float
    n_cells: int
    reason: str = ""


MEASURES: Final[Mapping[str, Cost]] = {
    "time": lambda result: max(result.seconds, SHORTEST),
    "memory": lambda result: result.peak_mib,
}


def judge_costs(pairs: Mapping[Curve, Sequence[Pair]]) -> tuple[CostJudgement, ...]:
    """Return the verdicts on time and on memory, over all and by task."""
    like = {row: [pair for pair in several if not _unlike(pair)] for row, several in pairs.items()}
    like = {row: several for row, several in like.items() if several}
    unlike = dict.fromkeys(said for several in pairs.values() for pair in several if (said := _unlike(pair)))
    judged = []
    for measure, cost in MEASURES.items():
        judged.append(_judge(measure, None, cost, list(like.values()), "; ".join(unlike)))
        if like:
            tasks = dict.fromkeys(row.task for row in pairs)
            for task in tasks:
                of_task = [several for row, several in like.items() if row.task == task]
                judged.append(_judge(measure, task, cost, of_task, "; ".join(unlike)))
    return tuple(judged)


def _unlike(pair: Pair) -> str:
    """Return in what the machines of two results differ, or nothing."""
    ours, theirs = pair
    told = {
        "processor": (ours.provenance.processor, theirs.provenance.processor),
        "platform": (ours.provenance.platform, theirs.provenance.platform),
        "device": (ours.device, theirs.device),
        "precision": (ours.precision, theirs.precision),
        "torch": (ours.provenance.torch, theirs.provenance.torch),
    }
    differing = [f"{name} {before}, now {after}" for name, (before, after) in told.items() if before != after]
    return ", ".join(differing)


def _judge(measure: str, scope: str | None, cost: Cost, rows: Sequence[Sequence[Pair]], unlike: str) -> CostJudgement:
    n_cells = sum(len(several) for several in rows)
    nothing = float("nan")
    if not rows:
        return CostJudgement(
            measure=measure,
            scope=scope,
            verdict=CostVerdict.NOT_COMPARED,
            ratio=nothing,
            lower=nothing,
            upper=nothing,
            n_cells=0,
            reason=unlike or "no cell has a score in both",
        )
    logs = np.array([np.median([_log_ratio(pair, cost) for pair in several]) for several in rows])
    middle = float(np.median(logs))
    margin = student(logs).margin()
    verdict = CostVerdict.ALIKE
    if middle - margin > 0 and middle > np.log(DEARER):
        verdict = CostVerdict.DEARER
    if middle + margin < 0 and middle < -np.log(DEARER):
        verdict = CostVerdict.CHEAPER
    return CostJudgement(
        measure=measure,
        scope=scope,
        verdict=verdict,
        ratio=float(np.exp(middle)),
        lower=float(np.exp(middle - margin)),
        upper=float(np.exp(middle + margin)),
        n_cells=n_cells,
        reason=f"other cells ran on another machine: {unlike}" if unlike else "",
    )


def _log_ratio(pair: Pair, cost: Cost) -> float:
    before, after = cost(pair.baseline), cost(pair.current)
    return float(np.log(after / before)) if before > 0 and after > 0 else 0.0
