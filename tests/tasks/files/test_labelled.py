"""Data that came without a split are dealt into folds if that is asked for: every example is tested once."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from bench_tasks.files import parts
from bench_tasks.files.found import Found
from bench_tasks.files.labelled import LabelledTask, labelled_task
from hypothesis import given
from hypothesis import strategies as st

from bench.budget import ALL, Share
from bench.card import ScoredUnits
from bench.config.data import DataSpec
from bench.domains.options import DataOptions, DomainOptions
from bench.domains.registered import domain_of
from bench.domains.text.raw import Texts
from bench.errors import DataError
from bench.planning.budgets import Budgets
from bench.runtime.cache import Cache
from bench.task import fingerprint
from tests.toys import classes_of, groups_of

UNUSED = Cache(Path("unused"))
FAMILY: Final = "text_classification"
ADDRESS: Final = "csv:table.csv"


def found(**columns: Sequence[str]) -> Found:
    """Return sixty texts of three classes, none a copy of another unless `contents` says so."""
    strings = [f"text {number}" for number in range(60)]
    labels = ["abc"[number % 3] for number in range(60)]
    plain = Found(Texts(tuple(strings)), labels, contents=strings, names=strings)
    return replace(plain, **columns)  # type: ignore[arg-type]  # which column each is, its name says


def opened(what: Found, folds: int = 5, **options: object) -> LabelledTask:
    told = options if folds > 1 else {"test": "one", **options}
    return labelled_task("mine", DataSpec(FAMILY, ADDRESS, DataOptions.model_validate(told), folds), what)


def names_by_fold(task: LabelledTask) -> list[list[str]]:
    """Return the names of the examples that each fold tests on."""
    splits = [task.split(fold, UNUSED) for fold in range(task.card.folds)]
    return [split.test.names.tolist() for split in splits if split.test.names is not None]


def test_every_example_is_tested_once_and_learnt_from_in_all_other_folds() -> None:
    task = opened(found())
    assert sorted(name for names in names_by_fold(task) for name in names) == sorted(found().names)
    for fold in range(5):
        split = task.split(fold, UNUSED)
        assert (len(split.train), len(split.test)) == (task.card.n_train, 12) == (48, 12)
        assert np.bincount(classes_of(split.test)).tolist() == [4, 4, 4]
    assert task.card.folds == 5
    assert "60 texts of 3 classes (a, b, c): dealt into 5 folds." in task.card.description


def test_seeds_beyond_the_folds_begin_anew_with_the_first() -> None:
    task = opened(found())
    assert fingerprint(task.split(7, UNUSED)) == fingerprint(task.split(2, UNUSED))
    assert fingerprint(task.split(7, UNUSED)) != fingerprint(task.split(1, UNUSED))


def test_folds_are_the_same_whoever_deals_them_and_others_for_other_data() -> None:
    assert names_by_fold(opened(found())) == names_by_fold(opened(found()))
    other = [f"another {name}" for name in found().names]
    assert names_by_fold(opened(found())) != names_by_fold(opened(found(contents=other)))


def test_the_hash_tells_numbers_of_folds_and_groups_apart() -> None:
    groups = [str(number // 2) for number in range(60)]
    tasks = [opened(found(), 1), opened(found(), 4), opened(found(), 5), opened(found(groups=groups), 5, group="who")]
    assert len({task.card.sha256 for task in tasks}) == 4


@pytest.mark.parametrize("how", ["came split", "one share", "folds"])
def test_the_hash_tells_groups_apart_where_the_sides_are_the_same(how: str) -> None:
    sides = ["test" if number >= 48 else "train" for number in range(60)]
    columns = {"parts": sides} if how == "came split" else {}
    one = [f"person {number}" for number in range(60)]
    plain = opened(found(**columns), 5 if how == "folds" else 1)
    grouped = opened(found(groups=one, **columns), 5 if how == "folds" else 1, group="who")
    assert names_by_fold(grouped) == names_by_fold(plain), "groups of one example each change no side"
    assert grouped.card.sha256 != plain.card.sha256
    pairs = [f"person {number // 2}" for number in range(60)]
    again = opened(found(groups=pairs, **columns), 5 if how == "folds" else 1, group="who")
    assert again.card.sha256 not in {plain.card.sha256, grouped.card.sha256}


class Sampled(DomainOptions):
    """What a package says of its domain; a later version of it has another default."""

    steps: int = 10


class SampledLater(DomainOptions):
    """The same options in the later version."""

    steps: int = 20


def test_a_default_of_a_package_is_part_of_the_hash_said_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def hashed(offered: type[DomainOptions], own: DomainOptions | None) -> str:
        domain = replace(domain_of("text_classification"), own_options=offered)
        monkeypatch.setattr(parts, "domain_of", lambda family: domain)
        return opened(found(), 1, own=own).card.sha256

    assert hashed(Sampled, None) == hashed(Sampled, Sampled()) == hashed(SampledLater, SampledLater(steps=10))
    assert hashed(SampledLater, None) == hashed(SampledLater, SampledLater()) == hashed(Sampled, Sampled(steps=20))
    assert hashed(Sampled, None) != hashed(SampledLater, None)


def test_groups_and_copies_are_in_one_fold() -> None:
    groups = [f"person {number // 4}" for number in range(60)]
    contents = [*found().contents[:-1], found().contents[0]]
    task = opened(found(groups=groups, contents=contents), group="who")
    for fold in range(5):
        split = task.split(fold, UNUSED)
        assert not set(groups_of(split.train)) & set(groups_of(split.test))
        assert ("person 0" in groups_of(split.test)) == ("person 14" in groups_of(split.test))
    assert "dealt into 5 folds, whole groups of them." in task.card.description
    assert task.card.remarks[0] == "copies among the texts: 1, each on the same side of the split as what it copies"


def test_the_card_says_how_many_there_are_to_learn_from_at_least() -> None:
    groups = [f"person {min(number // 10, 3)}" for number in range(60)]
    task = opened(found(groups=groups), 3, group="who")
    counts = [len(task.split(fold, UNUSED).train) for fold in range(3)]
    assert task.card.n_train == min(counts) < max(counts)


def test_copies_that_tie_too_many_groups_are_told() -> None:
    groups = [f"person {number // 4}" for number in range(60)]
    contents = ["hello" if number % 4 == 0 else f"text {number}" for number in range(60)]
    task = opened(found(groups=groups, contents=contents), group="who")
    assert task.card.remarks[0].startswith("of the 60 texts to test on, 15 can be learnt from, too: text ")


@pytest.mark.parametrize("given", ["parts", "held out"])
def test_data_whose_split_is_given_have_no_folds(given: str) -> None:
    parts = ["test" if number % 4 == 0 else "train" for number in range(60)]
    groups = ["w" if number < 12 else "v" for number in range(60)]
    if given == "parts":
        task = opened(found(parts=parts))
    else:
        task = opened(found(groups=groups), group="who", held_out=("w",))
    assert task.card.folds == 1
    assert fingerprint(task.split(3, UNUSED)) == fingerprint(task.split(0, UNUSED))


def test_five_folds_are_dealt_where_nothing_is_said() -> None:
    assert labelled_task("mine", DataSpec(FAMILY, ADDRESS), found()).card == opened(found(), 5).card


@pytest.mark.parametrize("said", [{"test": "one"}, {"test_share": 0.25}, {"split_seed": 0}])
def test_what_only_one_split_has_keeps_one(said: dict[str, object]) -> None:
    task = opened(found(), 5, **said)
    assert task.card.folds == 1
    assert "45 to learn from and 15 to test on, 25 %, stratified by class, drawn with seed 0" in task.card.description
    assert task.card == opened(found(), 1).card


@pytest.mark.parametrize(("n", "said", "folds"), [(4_999, {}, 5), (5_000, {}, 1), (5_000, {"test": "folds"}, 5)])
def test_from_five_thousand_examples_on_a_share_is_held_out(n: int, said: dict[str, object], folds: int) -> None:
    strings = [f"text {number}" for number in range(n)]
    many = Found(Texts(tuple(strings)), ["ab"[number % 2] for number in range(n)], contents=strings, names=strings)
    assert opened(many, 5, **said).card.folds == folds


def test_folds_asked_of_data_that_come_split_are_refused() -> None:
    parts = ["test" if number % 4 == 0 else "train" for number in range(60)]
    with pytest.raises(DataError, match=r'comes split, as the data say: leave test = "folds" out'):
        opened(replace(found(parts=parts), split_as="as the data say"), test="folds")


def test_fewer_groups_make_fewer_folds_and_that_is_told() -> None:
    task = opened(found(groups=[str(number % 4) for number in range(60)]), group="who")
    assert task.card.folds == 4
    assert task.card.remarks == (
        "dealt into 4 folds, not 5: they are to be about even, of whole groups, with two or more texts each",
    )


def few(labels: str) -> Found:
    names = [f"text {number}" for number in range(len(labels))]
    return Found(Texts(tuple(names)), list(labels), contents=names, names=names)


def test_so_few_examples_that_folds_would_test_single_ones_make_fewer_or_none() -> None:
    assert opened(few("abababab")).card.folds == 4
    assert "dealt into 4 folds, not 5" in opened(few("abababab")).card.remarks[0]
    assert opened(few("aabb")).card.folds == 2


def test_groups_of_which_one_has_most_examples_keep_one_split_and_that_is_told() -> None:
    groups = ["a", "b", "c", *["most"] * 57]
    labels = [["a", "b"][number % 2] for number in range(60)]
    uneven = found(groups=groups, labels=labels)
    task = opened(uneven, group="who")
    assert task.card.folds == 1
    assert task.card.remarks[0] == (
        "tested on one held-out share, since there are no folds: they are to be about even, of whole groups, with two "
        "or more texts each"
    )
    with pytest.raises(DataError, match=r'csv:table\.csv: there are no such folds: .* leave test = "folds" out'):
        opened(uneven, group="who", test="folds")


def test_a_unit_that_is_scored_as_one_is_not_alone_in_its_fold() -> None:
    patients = [f"p{number % 6}" for number in range(60)]  # of one class each, two of every class
    task = opened(replace(found(units=patients), unit="patient"), score_by="patient")
    assert task.card.folds == 3
    [remark] = task.card.remarks
    assert remark.endswith("of whole groups, with two or more of what is scored (patient) each")


groupings = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 15)), min_size=12, max_size=80)
"""Pairs of a class and a group."""


@given(pairs=groupings, folds=st.integers(5, 8), grouped=st.booleans())
def test_no_seed_tests_what_it_learnt_and_no_two_test_the_same(
    pairs: list[tuple[int, int]], folds: int, *, grouped: bool
) -> None:
    names = [f"text {number}" for number in range(len(pairs))]
    groups = [f"person {group}" for _, group in pairs] if grouped else []
    labels = ["abcd"[label] for label, _ in pairs]
    what = Found(Texts(tuple(names)), labels, contents=names, names=names, groups=groups)
    try:
        task = opened(what, folds, **({"group": "who"} if grouped else {}))
    except DataError:
        return  # a class in one group or example alone, or one class only
    splits = [task.split(fold, UNUSED) for fold in range(task.card.folds)]
    for split in splits:
        learnt, tested = (set() if part.names is None else set(part.names) for part in (split.train, split.test))
        assert not learnt & tested
        assert not set(groups_of(split.train)) & set(groups_of(split.test))
        if task.card.folds > 1:
            assert learnt | tested == set(names)
            assert set(classes_of(split.train)) == set(range(len(set(labels))))
            assert len(tested) >= 2
    if task.card.folds > 1:
        assert sorted(name for tested in names_by_fold(task) for name in tested) == sorted(names)
        for fold, split in enumerate(splits):
            budgets = Budgets(task.target, split.train.labels[task.target.reads], None)
            rows = [set(budgets.draw(share, fold).rows) for share in (Share(0.5), ALL)]
            assert rows[0] < rows[1] == set(range(len(split.train)))


def test_folds_of_what_is_scored_as_one_are_those_of_groups_and_test_every_unit_once() -> None:
    patients = [f"p{number % 12}" for number in range(60)]  # of one class each
    grouped = opened(found(groups=patients), 4, group="who")
    scored = opened(replace(found(units=patients), unit="who"), 4, score_by="who")
    assert names_by_fold(scored) == names_by_fold(grouped)
    assert scored.card.scored == ScoredUnits(name="who", n=12, examples=60, combined="mean")
    tested = [split.test.units for split in (scored.split(fold, UNUSED) for fold in range(4))]
    assert sorted(unit for units in tested if units is not None for unit in set(units.tolist())) == sorted(
        set(patients)
    )
