"""The task on labelled data that a user names: checked, split and described."""

from dataclasses import replace

import numpy as np

from bench.card import ScoredUnits, TaskCard
from bench.config.data import DataSpec
from bench.domains.registered import domain_of
from bench.errors import DataError
from bench.runtime.cache import Cache
from bench.target import Target, combine_by
from bench.task import Examples, Split, WholeTask
from bench.written import Labelling
from bench_tasks.files.found import EXAMPLES, Found
from bench_tasks.files.labelling import label_as
from bench_tasks.files.parts import Parts, content_sha256, part_data
from bench_tasks.files.splitting import Mask, shown
from bench_tasks.files.units import count_units, refuse_divided, refuse_mixed


class LabelledTask(WholeTask):
    """Labelled examples that a user names; `held_out` [folds, n] are those that each fold tests on."""

    def __init__(self, card: TaskCard, target: Target, everything: Examples, held_out: Mask) -> None:
        self.card = card
        self.target = target
        self._everything = everything
        self._held_out = held_out

    def split(self, fold: int, cache: Cache) -> Split:
        held_out = self._held_out[fold % len(self._held_out)]
        return Split(
            train=self._everything.take(np.flatnonzero(~held_out)), test=self._everything.take(np.flatnonzero(held_out))
        )

    def everything(self, cache: Cache) -> Examples:
        return self._everything


def labelled_task(name: str, spec: DataSpec, found: Found) -> LabelledTask:
    """Return the task on what was found. Raises `DataError` if it cannot be learnt from or tested on.

    Data that come without a split are dealt into folds, so that every example is tested once, or a share of them is
    held out (see `bench.domains.options.DataOptions`). Data that come split, or of which the user says what is held
    out, have that split alone.
    """
    try:
        labelling = label_as(found.target, found.labels, domain_of(spec.family).noun.many)
        if spec.options.score_by:
            target = combine_by(labelling.target, spec.options.combine or "")
            found, labelling = _in_units(spec, found), replace(labelling, target=target)
    except DataError as error:
        raise DataError(f"{spec.address}: {error}") from error
    parts = part_data(spec, found, labelling)
    everything = Examples(
        found.raw,
        {labelling.target.reads: labelling.column},
        groups=np.array(found.groups) if found.groups else None,
        names=np.array(found.names),
        units=np.array(found.units) if found.units else None,
    )
    card = TaskCard(
        name=name,
        title=spec.options.title or name,
        domain=domain_of(spec.family).name,
        description=_description(spec, found, labelling, parts),
        source=spec.options.source or spec.address,
        licence=spec.options.licence,
        citation=spec.options.citation,
        version=1,
        sha256=content_sha256(spec, found, parts.sides, labelling),
        pinned=False,
        n_train=int((~parts.held_out).sum(axis=1).min()),
        folds=len(parts.held_out),
        remarks=(*found.remarks, *labelling.remarks, *parts.remarks, *_copies(spec, found, parts)),
        scored=_scored(spec, found, labelling, parts),
    )
    return LabelledTask(card, labelling.target, everything, parts.held_out)


def _in_units(spec: DataSpec, found: Found) -> Found:
    """Return what was found with its units as groups where it has no others, and without them if they are examples.

    Each example alone is scored alike with units and without; they are groups then only where some are named to be
    tested on. Raises `DataError` for a unit in two groups.
    """
    if len(set(found.units)) == len(found.units):
        noun = domain_of(spec.family).noun
        remark = f"every {found.unit} has a single {noun.one}, so that {noun.many} are scored, as without score_by"
        groups = found.groups or (found.units if spec.options.held_out else ())
        return replace(found, groups=groups, units=(), unit="", remarks=(*found.remarks, remark))
    refuse_divided(spec.address, found.units, found.groups)
    return replace(found, groups=found.groups or found.units)


def _scored(spec: DataSpec, found: Found, labelling: Labelling[Target], parts: Parts) -> ScoredUnits | None:
    """Return what is scored in place of examples, if anything is. Raises `DataError` for a unit of several labels."""
    if not found.units:
        return None
    tested = np.flatnonzero(parts.held_out.any(axis=0))
    units = np.array(found.units)[tested]
    refuse_mixed(spec.address, units.tolist(), labelling.column.take(tested), np.array(found.names)[tested].tolist())
    return count_units(found.unit, units, labelling.target)


def _copies(spec: DataSpec, found: Found, parts: Parts) -> list[str]:
    """Return remarks on examples that are on both sides of a split, and on copies with different labels."""
    noun = domain_of(spec.family).noun.many
    shared = [said for held_out in parts.held_out for said in _also_learnt(found, held_out)]
    remarks = []
    if shared:
        remarks.append(
            f"of the {int(parts.held_out.sum()):,} {noun} to test on, {len(shared):,} can be learnt from, too: "
            f"{shown(shared, at_most=EXAMPLES)}"
        )
    first: dict[str, int] = {}
    contrary: dict[str, str] = {}
    for index, content in enumerate(found.contents):
        earlier = first.setdefault(content, index)
        if found.labels[earlier] != found.labels[index]:
            contrary.setdefault(content, f"{found.names[earlier]} and {found.names[index]}")
    if contrary:
        remarks.append(
            f"copies among the {noun} with different labels: {len(contrary):,}, such as "
            f"{shown(contrary.values(), at_most=EXAMPLES)}"
        )
    return remarks


def _also_learnt(found: Found, held_out: Mask) -> list[str]:
    """Return which of the examples to test on have a copy to learn from, and which."""
    trained: dict[str, int] = {}
    for index in np.flatnonzero(~held_out).tolist():
        trained.setdefault(found.contents[index], index)
    return [
        f"{found.names[index]} (as {found.names[trained[found.contents[index]]]})"
        for index in np.flatnonzero(held_out).tolist()
        if found.contents[index] in trained
    ]


def _description(spec: DataSpec, found: Found, labelling: Labelling[Target], parts: Parts) -> str:
    counts = f"{len(found.labels):,} {domain_of(spec.family).noun.many} {labelling.counted}"
    tested = int(parts.held_out.sum())
    sides = f"{len(found.labels) - tested:,} to learn from and {tested:,} to test on, "
    return f"{counts}: {sides if len(parts.held_out) == 1 else ''}{parts.how}.{found.said}"
