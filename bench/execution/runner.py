"""A run: what is pending, in which order it goes out, and every outcome kept as it comes."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from bench.card import BackboneCard
from bench.cell import Failure, Outcome, Result
from bench.execution.output import CellOutput
from bench.planning.plan import Job, PlannedCell, group_into_jobs
from bench.results.store import Store

log = logging.getLogger(__name__)

Execute = Callable[[Sequence[Job]], Iterator[CellOutput]]

NO_UNITS: Final[Mapping[str, str]] = MappingProxyType({})

SAME: Final = 5e-5
"""What two scores may differ by and be the same in four decimals."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many cells were found finished, were scored now and failed now; cells that are the same work count each."""

    found: int
    scored: int
    failed: int


def pending_cells(
    plan: Sequence[PlannedCell], store: Store, backbones: Mapping[str, BackboneCard], *, again: Collection[str] = ()
) -> list[PlannedCell]:
    """Return the cells without a result, and those of the keys `again`, in the order to run them.

    Strategies that are fitted together go first: they take seconds, what they compute serves the others, and soon there
    is something to see. Then the largest backbone and the largest budgets, so that no long cell is left for the end.
    Cells that are fitted together lie next to each other, and so do those of one fold of the data.
    """
    work = {planned.key: planned for planned in reversed(plan)}  # cells of one key are the same work, the first does it
    extents = {extent: place for place, extent in enumerate(sorted({planned.extent for planned in plan}))}
    return sorted(
        (planned for key, planned in work.items() if key in again or store.get(key) is None),
        key=lambda planned: (
            not planned.strategy.together,
            -backbones[planned.cell.backbone].parameters,
            planned.cell.task,
            planned.cell.backbone,
            not planned.seen_through,  # which see the data without it
            planned.fold,
            planned.cell.strategy if planned.strategy.together else "",
            -extents[planned.extent],
            -planned.strategy.trained_fraction,
            planned.cell,
        ),
    )


def run_cells(
    plan: Sequence[PlannedCell],
    store: Store,
    backbones: Mapping[str, BackboneCard],
    execute: Execute,
    *,
    again: Collection[str] = (),
    follow: Callable[[Outcome], None] | None = None,
    units: Mapping[str, str] = NO_UNITS,
) -> Tally:
    """Run what is pending and keep each outcome as it comes. An interrupt leaves all that was finished on disk.

    Cells of the keys `again` are run even if they have a result, which stays the one that is kept. `follow` is told of
    each outcome once it is on disk. `units` says by task what labels are counted in, in the plural.
    """
    pending = pending_cells(plan, store, backbones, again=again)
    found, scored, failed = count_found(plan, pending), 0, 0
    if pending:
        alike = Counter(planned.key for planned in plan)
        bar = tqdm(total=len(plan), initial=found, unit="cell", dynamic_ncols=True, disable=None)
        unfinished = dict.fromkeys(planned.cell for planned in pending)
        with bar, logging_redirect_tqdm():
            bar.set_postfix_str(str(pending[0].cell))
            for delivered in execute(group_into_jobs(pending)):
                _keep(delivered, store)
                if follow:
                    follow(delivered.outcome)
                done = alike[delivered.outcome.key]
                failed += done * isinstance(delivered.outcome, Failure)
                scored += done * isinstance(delivered.outcome, Result)
                log.info("%s", describe(delivered.outcome, units.get(delivered.outcome.cell.task, "labels")))
                del unfinished[delivered.outcome.cell]
                present = next(iter(unfinished), None)  # the one that has been running longest
                bar.set_postfix_str(str(present or "done"), refresh=False)
                bar.update(done)
    return Tally(found=found, scored=scored, failed=failed)


def count_found(plan: Sequence[PlannedCell], pending: Sequence[PlannedCell]) -> int:
    """Return how many cells of a plan are finished before what is pending is run."""
    waiting = {planned.key for planned in pending}
    return sum(planned.key not in waiting for planned in plan)


def find_unscored(plan: Sequence[PlannedCell], pending: Sequence[PlannedCell], store: Store) -> list[Failure]:
    """Return the cells of a plan that are not run, and of which no score of the metric that ranks is kept."""
    waiting = {planned.key for planned in pending}
    kept = (store.outcome(planned.cell, planned.key) for planned in plan if planned.key not in waiting)
    return [outcome for outcome in kept if isinstance(outcome, Failure)]


def describe(outcome: Outcome, unit: str) -> str:
    """Return one line that says the outcome of a cell, its labels in the unit of the target."""
    if isinstance(outcome, Failure):
        return f"{outcome.cell}: FAILED: {outcome.reason}"
    return f"{outcome.cell}: {outcome.score:.4f} with {outcome.amount:g} {unit}, {outcome.seconds:.1f} s"


def _says_more(result: Result, found: Result) -> bool:
    """Return whether a result has a metric that the one that was found lacks, or one as it is now."""
    return bool(result.scores.values.keys() - found.scores.values.keys()) or result.metric_files != found.metric_files


def _keep(output: CellOutput, store: Store) -> None:
    """Keep an outcome with what belongs to it.

    A result stays that was kept before: a failure takes nothing away from it, and another result has to say more.
    """
    outcome = output.outcome
    if output.choice is not None:
        store.keep_choice(output.choice)
    if isinstance(outcome, Failure):
        if store.unranked(outcome.key) is None:
            store.put(outcome)
        return
    if output.tested is not None:
        store.put_tested(outcome, output.tested)
    found = store.get(outcome.key)
    if found is None or _says_more(outcome, found):
        store.put(outcome, output.predictions, output.shifted)
    elif abs(outcome.score - found.score) > SAME:
        log.warning(
            "%s: trained again it scores %.4f, but the result that is kept is %.4f: another precision, other hardware "
            "or versions of libraries train another model",
            found.cell,
            outcome.score,
            found.score,
        )
