"""Stands in for what is not there yet."""

from dataclasses import dataclass

from bench.report.findings import Curves, savings


@dataclass(frozen=True, slots=True)
class LabelSavings:
    ours: str
    theirs: str
    n_labels: int
    kind: str
    needed: float
    ratio: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Crossover:
    ours: str
    theirs: str
    kind: str
    n_labels: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class MoreLabels:
    strategy: str
    n_labels: int
    measured: float
    foretold: float
    off: float
    doubled_labels: int
    doubled_score: float
    gain: float


@dataclass(frozen=True, slots=True)
class Claim:
    name: str
    title: str
    verdict: str
    said: str


def label_savings_of(curves: Curves) -> list[LabelSavings]:
    found = []
    for n_labels in curves.budgets:
        one = savings(curves, n_labels)
        if one:
            ours, theirs, saved = one
            low, high = (
                (saved.ratio * 0.8, saved.ratio * 1.3) if saved.kind == "exactly" else (saved.ratio, float("inf"))
            )
            found.append(LabelSavings(ours, theirs, n_labels, saved.kind, saved.n_labels, saved.ratio, low, high))
    return found


def crossovers_of(curves: Curves) -> list[Crossover]:
    return [
        Crossover("full", "linear_probe", "from", 120.0, 80.0, 160.0),
        Crossover("full", "scratch", "everywhere", 0, 0, 0),
    ]


def more_labels_of(curves: Curves) -> list[MoreLabels]:
    return (
        [MoreLabels("full", curves.budgets[-1], 0.92, 0.915, -0.005, curves.budgets[-1] * 2, 0.93, 0.01)]
        if curves.budgets
        else []
    )


TITLES = (
    "Better scores at equal labels",
    "Less time to a given score",
    "Fewer labels to a given score",
    "Better generalisation under shift",
    "A better cold start",
    "Transfer across domains",
)


def claims_of(tables: object, task: str, curves: Curves) -> list[Claim]:
    verdicts = ("supported", "not supported", "not decided")
    return [
        Claim(f"claim{i}", title, verdicts[(i + len(task)) % 3], "Measured so and so, 0.123 [0.100, 0.146].")
        for i, title in enumerate(TITLES)
    ]


def padded(board):
    rows = board.rows.assign(
        rank_low=board.rows["rank"],
        rank_high=board.rows["rank"] + 1,
        tied=board.rows["rank"] < 3,
        mean_lower=board.rows["mean"] - 0.012,
        mean_upper=board.rows["mean"] + 0.012,
        iqm=board.rows["mean"],
        failed=0,
    )
    from types import SimpleNamespace

    return SimpleNamespace(rows=rows, areas=board.areas, areas_lower=board.areas - 0.02, areas_upper=board.areas + 0.02)
