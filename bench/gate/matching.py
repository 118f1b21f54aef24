"""Which cells of two results folders measure the same, and the reasons why others do not."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from bench.cell import ALL_STREAMS, Cell, Failure, Outcome, Result
from bench.errors import StoreError
from bench.metric import MetricCard
from bench.results.manifest import Curve, Manifest
from bench.results.store import Store

UNSET: Final = "not set"
SAME_CHANCE: Final = 1e-9  # the level of chance follows from the data; what differs by more is scored otherwise


class Run(NamedTuple):
    """A results folder, read once."""

    folder: str
    manifest: Manifest
    outcomes: Mapping[Cell, Outcome | None]

    def narrowed(self, tasks: Collection[str]) -> "Run":
        """Return what is there of these tasks, or of all if none is named."""
        if not tasks:
            return self
        return self._replace(outcomes={cell: one for cell, one in self.outcomes.items() if cell.task in tasks})

    @property
    def n_results(self) -> int:
        """How many cells have a score."""
        return sum(isinstance(outcome, Result) for outcome in self.outcomes.values())


class Pair(NamedTuple):
    """Two results of one cell."""

    baseline: Result
    current: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """What two runs have in common and what they do not, every part in the order of the cells.

    `pairs` measure the same; of the rows in `other_recipes` the keys differ all the same: another recipe, whose changes
    are said, or another version of the algorithm under the same settings, which may be the very change under test, and
    of which nothing is said. `other_precisions` says of
    rows in which precision they were computed before and are now, if not in the same. `not_compared` has the rows that
    measure something else, with the reasons. `missing` are cells that the baseline planned and the current run has
    nothing of, `new_failures` failed in the current run alone, `old_failures` in both, `added` are planned by the
    current run alone, and `unmatched` have a score that the baseline has not.
    """

    pairs: Mapping[Curve, tuple[Pair, ...]]
    other_recipes: Mapping[Curve, str]
    other_precisions: Mapping[Curve, str]
    not_compared: Mapping[Curve, str]
    missing: tuple[Cell, ...]
    new_failures: tuple[Failure, ...]
    old_failures: tuple[Failure, ...]
    added: tuple[Cell, ...]
    unmatched: tuple[Cell, ...]


def read_run(store: Store) -> Run:
    """Return what a results folder holds, without the cells that vary one random stream alone.

    Raises `StoreError` if nothing was ever run into it.
    """
    ordinary = {cell: outcome for cell, outcome in store.outcomes().items() if cell.varied == ALL_STREAMS}
    return Run(str(store.root), store.manifest, ordinary)


def match(baseline: Run, current: Run) -> Matched:
    """Match the cells of two runs.

    Raises `StoreError` if the baseline has no score, or if they plan no cell in common or measure nothing alike.
    """
    if baseline.n_results == 0:
        raise StoreError("no cell of the baseline has a score: `bench run` finishes it, or name another")
    shared = [cell for cell in baseline.outcomes if cell in current.outcomes]
    if not shared:
        raise StoreError(
            f"the two folders have no cell in common: the baseline is of {_summary(baseline)}, the current one of "
            f"{_summary(current)}; compare runs of one suite"
        )
    both = {
        cell: Pair(ours, theirs)
        for cell in shared
        if isinstance(ours := baseline.outcomes[cell], Result) and isinstance(theirs := current.outcomes[cell], Result)
    }
    reasons = dict(_differences(baseline, current, shared, both))
    if all(_row(cell) in reasons for cell in shared):
        said = "; ".join(dict.fromkeys(reasons.values()))
        raise StoreError(f"nothing in the two folders measures the same ({said}): compare runs of the same data")
    pairs: dict[Curve, list[Pair]] = {}
    for cell, pair in both.items():
        if _row(cell) not in reasons:
            pairs.setdefault(_row(cell), []).append(pair)
    recipes = [row for row, several in pairs.items() if any(one.baseline.key != one.current.key for one in several)]
    failures = [outcome for outcome in current.outcomes.values() if isinstance(outcome, Failure)]
    known = {cell for cell, outcome in baseline.outcomes.items() if isinstance(outcome, Failure)}
    return Matched(
        pairs={row: tuple(several) for row, several in pairs.items()},
        other_recipes={row: recipe_changes(baseline.manifest, current.manifest, row) for row in recipes},
        other_precisions={row: said for row, several in pairs.items() if (said := _precision_change(several))},
        not_compared=reasons,
        missing=tuple(cell for cell in baseline.outcomes if current.outcomes.get(cell) is None),
        new_failures=tuple(failure for failure in failures if failure.cell not in known),
        old_failures=tuple(failure for failure in failures if failure.cell in known),
        added=tuple(cell for cell in current.outcomes if cell not in baseline.outcomes),
        unmatched=tuple(
            cell
            for cell in shared
            if isinstance(current.outcomes[cell], Result) and not isinstance(baseline.outcomes[cell], Result)
        ),
    )


def _row(cell: Cell) -> Curve:
    return Curve(cell.task, cell.backbone, cell.strategy)


def _differences(
    baseline: Run, current: Run, shared: list[Cell], both: Mapping[Cell, Pair]
) -> Iterator[tuple[Curve, str]]:
    """Yield the rows that measure something else, and in what: by their cards, else by their results."""
    found = {}
    for row in dict.fromkeys(_row(cell) for cell in shared):
        found[row] = changed(baseline.manifest, current.manifest, row)
    for cell, pair in both.items():
        found[_row(cell)] = found[_row(cell)] or _scored_otherwise(pair, current.manifest.tasks[cell.task].unit)
    yield from ((row, reason) for row, reason in found.items() if reason)


def changed(before: Manifest, after: Manifest, row: Curve) -> str:
    """Return in what the cards of a row differ between two plans that have it, or nothing."""
    ours, theirs = before.tasks[row.task], after.tasks[row.task]
    if ours.metric != theirs.metric:
        return _metric_change(ours.metric, theirs.metric)
    if ours.card.version != theirs.card.version:
        return f"other data: version {ours.card.version} of the task, now {theirs.card.version}"
    if ours.card.sha256 != theirs.card.sha256:
        return f"other data: sha256 {ours.card.sha256[:8]}, now {theirs.card.sha256[:8]}"
    eyes, other_eyes = before.backbones[row.backbone].sha256, after.backbones[row.backbone].sha256
    if eyes != other_eyes and after.strategies[row.strategy].start != "nothing":  # which has no network
        return f"another backbone: sha256 {eyes[:8]}, now {other_eyes[:8]}"
    return ""


def _metric_change(ours: MetricCard, theirs: MetricCard) -> str:
    """Return in what two cards of metrics differ: functions of one name in files are versions of one metric."""
    if bool(ours.sha256) != bool(theirs.sha256):
        before, after = (card.title + " in a file" * bool(card.sha256) for card in (ours, theirs))
        return f"another metric: {before}, now {after}"
    if ours.name != theirs.name:
        return f"another metric: {ours.title}, now {theirs.title}"
    version = f"another version of {ours.title}" + " in its file" * bool(ours.sha256)
    if ours.higher_is_better == theirs.higher_is_better:
        return version
    before, after = ("higher" if card.higher_is_better else "lower" for card in (ours, theirs))
    return f"{version}, {before} was better, now {after}"


def recipe_changes(before: Manifest, after: Manifest, row: Curve) -> str:
    """Return what is set otherwise in the recipe of a row, or nothing: it is the same, or one of them is not known."""
    ours, theirs = (manifest.recipes.get(Curve(*row), {}) for manifest in (before, after))
    if not ours or not theirs:
        return ""
    return ", ".join(_setting_changes(ours, theirs))


def _setting_changes(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is set otherwise, and of a setting that has settings of its own those of them that differ."""
    for name in dict.fromkeys((*ours, *theirs)):
        before, after = ours.get(name, UNSET), theirs.get(name, UNSET)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from (f"{name}.{said}" for said in _setting_changes(before, after))
        elif before != after:
            yield f"{name} was {before}, now {after}"


def precision_change(before: Collection[str], after: Collection[str]) -> str:
    """Return how the precisions of a row's results changed, or nothing: they did not, or there are none to compare."""
    ours, theirs = (" and ".join(sorted(set(precisions))) for precisions in (before, after))
    return f"precision was {ours}, now {theirs}" if ours and theirs and ours != theirs else ""


def _precision_change(pairs: Sequence[Pair]) -> str:
    return precision_change([pair.baseline.precision for pair in pairs], [pair.current.precision for pair in pairs])


def _scored_otherwise(pair: Pair, unit: str) -> str:
    """Return in what two results of one cell were scored on different data, or nothing; labels are in this unit."""
    ours, theirs = pair
    if ours.data_sha256 != theirs.data_sha256:
        return f"other data: sha256 {ours.data_sha256[:8]}, now {theirs.data_sha256[:8]}"
    if ours.n_test != theirs.n_test:
        return f"other data: {ours.n_test} test examples, now {theirs.n_test}"
    if ours.block_sizes and theirs.block_sizes and ours.block_sizes != theirs.block_sizes:
        return "other data: test blocks of other sizes"
    if ours.amount != theirs.amount:
        return f"other data: {ours.amount:g} {unit}, now {theirs.amount:g}"
    if abs(ours.chance - theirs.chance) > SAME_CHANCE:
        return f"other data: chance is {ours.chance:.3f}, now {theirs.chance:.3f}"
    return ""


def _summary(run: Run) -> str:
    """Return the tasks and seeds of a run, which is what two runs most often differ in."""
    tasks = ", ".join(dict.fromkeys(cell.task for cell in run.outcomes)) or "no tasks"
    seeds = sorted({cell.seed for cell in run.outcomes})
    return f"{tasks} (seeds {', '.join(map(str, seeds))})"
