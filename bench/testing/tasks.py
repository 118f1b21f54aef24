"""What every task is held to: checks of one task."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from bench.card import TaskCard
from bench.column import Column, digest
from bench.runtime.cache import Cache
from bench.shifts.scoring import shifts_of
from bench.target import Target, combination
from bench.task import Examples, Split, Task, fingerprint, verify


class FirstExamples(Task):
    """The first `count` examples of another task, and as many of those it tests on: enough to check strategies.

    Of its shifts that are from elsewhere it has as many each.
    """

    def __init__(self, task: Task, count: int) -> None:
        self.card = task.card
        self.target = task.target
        self._task = task
        self._count = count

    def split(self, fold: int, cache: Cache) -> Split:
        whole = self._task.split(fold, cache)
        elsewhere = tuple(replace(other, examples=self._first(other.examples)) for other in whole.elsewhere)
        return replace(whole, train=self._first(whole.train), test=self._first(whole.test), elsewhere=elsewhere)

    def _first(self, examples: Examples) -> Examples:
        return examples.take(np.arange(min(self._count, len(examples))))


TaskCheck = Callable[[Task, Cache], None]


def check_task(task: Task, cache: Cache) -> None:
    """Assert all that a task is held to; what it has to generate is kept in `cache`."""
    for check in TASK_CHECKS:
        check(task, cache)


def the_card_says_where_the_data_come_from_and_under_which_terms(task: Task, cache: Cache) -> None:
    card: TaskCard = task.card
    for name in ("name", "title", "description", "source", "licence", "citation"):
        assert getattr(card, name).strip(), f"the card says nothing under {name}"
    assert card.version >= 1, "versions count from 1"
    assert card.folds >= 1, "data that came split have one fold"


def the_data_are_those_of_the_card_each_time(task: Task, cache: Cache) -> None:
    one, other = task.split(0, cache), task.split(0, cache)
    assert fingerprint(one) == fingerprint(other), "a fold is the same twice"
    if task.card.pinned:
        assert fingerprint(one) == task.card.sha256, f"set sha256 of the card to {fingerprint(one)}"
    assert verify(task, one) == task.card.sha256, "data that are not pinned are known by the hash of the card"


def data_that_came_split_are_split_alike_for_every_seed(task: Task, cache: Cache) -> None:
    if task.card.folds == 1:
        assert fingerprint(task.split(3, cache)) == fingerprint(task.split(0, cache))


def every_example_of_folds_is_tested_once(task: Task, cache: Cache) -> None:
    if task.card.folds == 1:
        return
    splits = [task.split(fold, cache) for fold in range(task.card.folds)]
    tested = sum(len(split.test) for split in splits)
    for split in splits:
        assert len(split.train) + len(split.test) == tested, "what is not tested in a fold is learnt from"


def raw_examples_are_of_the_cards_domain(task: Task, cache: Cache) -> None:
    split = task.split(0, cache)
    unlabelled = [] if split.unlabelled is None else [split.unlabelled]
    source = [] if split.source is None else [split.source.raw]
    elsewhere = [other.examples.raw for other in split.elsewhere]
    for raw in (split.train.raw, split.test.raw, *unlabelled, *source, *elsewhere):
        assert raw.domain == task.card.domain, f"the card says {task.card.domain}, the examples are of {raw.domain}"


def the_card_says_what_there_is_beside_labelled_examples(task: Task, cache: Cache) -> None:
    beside = task.split(0, cache).beside
    assert sorted(task.card.beside) == sorted(beside), f"set `beside` of the card to {beside}: plans go by it"


def no_example_of_train_is_in_test(task: Task, cache: Cache) -> None:
    split = task.split(0, cache)
    shared = _contents(split.train) & _contents(split.test)
    assert not shared, f"{len(shared)} examples are on both sides"


def no_example_of_the_source_is_in_test(task: Task, cache: Cache) -> None:
    split = task.split(0, cache)
    shared = set() if split.source is None else _contents(split.source) & _contents(split.test)
    assert not shared, f"{len(shared)} examples of the source are tested on"


def no_example_that_is_learnt_from_is_in_a_shift_of_the_task(task: Task, cache: Cache) -> None:
    split = task.split(0, cache)
    learnt = _contents(split.train) | (set() if split.source is None else _contents(split.source))
    for other in split.elsewhere:
        shared = learnt & _contents(other.examples)
        assert not shared, f"{len(shared)} examples of the shift {other.name!r} are learnt from"


def shifts_of_the_task_have_names_of_their_own_and_titles(task: Task, cache: Cache) -> None:
    of_domain = {shift.name for shift in shifts_of(task.card.domain)}
    for other in task.split(0, cache).elsewhere:
        assert other.name not in of_domain, f"the domain {task.card.domain!r} has a shift called {other.name!r}"
        assert other.title.strip(), f"a report says what the shift {other.name!r} is by its title"
        assert len(other.examples), f"the shift {other.name!r} has examples"


def _contents(examples: Examples) -> set[tuple[bytes, ...]]:
    return {examples.raw.take(np.array([row])).columns() for row in range(len(examples))}


def labels_of_the_target_are_there(task: Task, cache: Cache) -> None:
    split = task.split(0, cache)
    parts = (split.train, split.test, *(other.examples for other in split.elsewhere))
    for part in parts:
        assert task.target.reads in part.labels, f"the target reads {task.target.reads}: there are {[*part.labels]}"
    learnt, *tested = (labels_of(task.target, part).arrays().keys() for part in parts)
    assert all(names == learnt for names in tested), "labels are of one kind on both sides and in every shift"


def what_is_scored_as_one_can_be(task: Task, cache: Cache) -> None:
    split = task.split(0, cache)
    test = split.test
    for other in (other.examples for other in split.elsewhere if other.examples.units is not None):
        _combined(task.target, other)
    if test.units is None:
        assert task.card.scored is None, "the card says what is scored as one, the examples have no units"
        return
    assert task.card.scored is not None, "examples with units: the card says what is scored as one"
    n_units = _combined(task.target, test)
    if task.card.folds == 1:
        counts = task.card.scored.n, task.card.scored.examples
        assert counts == (n_units, len(test)), f"the card counts units and their examples, got {counts}"


def _combined(target: Target, examples: Examples) -> int:
    """Return how many units examples have, each with one prediction."""
    assert examples.units is not None, "these examples are scored as one"
    labels = labels_of(target, examples)
    predictions = target.baselines[0].predict(labels, examples.raw, examples.facts)
    combined = combination(target)(predictions, labels, examples.units)
    n_units = len(set(examples.units.tolist()))
    assert len(combined.predictions) == len(combined.labels) == n_units, "a prediction each"
    return n_units


def examples_are_taken_with_all_that_is_known_of_them(task: Task, cache: Cache) -> None:
    train, rows = task.split(0, cache).train, np.array([2, 0])
    few = train.take(rows)
    assert len(few) == 2, "two examples were taken"
    assert few.raw.columns() == train.raw.take(rows).columns()
    for known, taken in ((train.groups, few.groups), (train.units, few.units), (train.names, few.names)):
        assert (known is None) == (taken is None), "what is known of examples is taken with them"
        assert known is None or taken is None or taken.tolist() == known[rows].tolist()
    for name, column in train.labels.items():
        assert digest(few.labels[name]) == digest(column.take(rows)), f"labels {name} are taken with their examples"
    one = train.raw.take(rows[:1]).columns()
    assert one == few.raw.take(np.array([0])).columns() != few.raw.take(np.array([1])).columns(), (
        "rows keep their order"
    )


TASK_CHECKS: Final[tuple[TaskCheck, ...]] = (
    the_card_says_where_the_data_come_from_and_under_which_terms,
    the_data_are_those_of_the_card_each_time,
    data_that_came_split_are_split_alike_for_every_seed,
    every_example_of_folds_is_tested_once,
    raw_examples_are_of_the_cards_domain,
    the_card_says_what_there_is_beside_labelled_examples,
    no_example_of_train_is_in_test,
    no_example_of_the_source_is_in_test,
    no_example_that_is_learnt_from_is_in_a_shift_of_the_task,
    shifts_of_the_task_have_names_of_their_own_and_titles,
    labels_of_the_target_are_there,
    what_is_scored_as_one_can_be,
    examples_are_taken_with_all_that_is_known_of_them,
)
"""Each asserts one thing of a task."""


def labels_of(target: Target, examples: Examples) -> Column:
    """Return the label column that a target reads."""
    return examples.labels[target.reads]
