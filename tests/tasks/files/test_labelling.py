"""What the labels of a table are is guessed from them or said, and a split has what it can have of them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bench_tasks.files.found import Found
from bench_tasks.files.labelled import LabelledTask, labelled_task
from bench_tasks.files.labelling import guess_target
from bench_tasks.files.table import open_table

from bench.config.data import DataSpec, problems_of
from bench.domains.options import DataOptions
from bench.domains.text.raw import Texts
from bench.errors import DataError
from bench.runtime.cache import Cache
from bench.targets.classes import Classes
from bench.targets.labels import Labels
from bench.targets.value import Value
from bench.task import Examples
from tests.toys import groups_of

UNUSED = Cache(Path("unused"))

Open = Callable[..., LabelledTask]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Return how to open a table of texts with these columns and options."""
    monkeypatch.chdir(tmp_path)

    def open_it(columns: dict[str, Sequence[object]], **options: object) -> LabelledTask:
        n = len(next(iter(columns.values())))
        pd.DataFrame({"text": [f"text {number}" for number in range(n)], **columns}).to_csv("table.csv", index=False)
        spec = DataSpec("text_classification", "csv:table.csv", DataOptions.model_validate(options))
        return open_table("mine", spec, Cache(tmp_path / "kept"))

    return open_it


def both_sides(task: LabelledTask) -> tuple[Examples, Examples]:
    split = task.split(0, UNUSED)
    return split.train, split.test


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["yes", "no", "yes"], "classes"),
        ([f"{number % 10}" for number in range(200)], "classes"),
        ([f"{number % 100}" for number in range(6_000)], "classes"),
        ([f"{number * 1.37:.2f}" for number in range(40)], "value"),
        ([f"{1_000 + number}" for number in range(12)], "value"),
        ([f"{number % 60}" for number in range(240)], "value"),
        (["12.5", "13", "", "-4e3", "7"], "value"),
        (["12.5", "13", "unknown", "-4e3", "7"], "classes"),
        (["1", "2"], "classes"),
        (["nan", "inf", "1", "2", "3"], "classes"),
        (["dog;cat", "dog", "cat", "", "owl ; dog", "owl"], "labels"),
        (["yes; maybe", "no", "no", "yes; maybe"], "classes"),
    ],
)
def test_what_labels_are_is_guessed(cells: list[str], expected: str) -> None:
    assert guess_target(cells, ";").target == expected


def test_a_guess_is_remarked_on_with_what_would_overrule_it(opened: Open) -> None:
    told = 'labels are 40 different numbers, taken as values (else target = "classes")'
    assert guess_target([f"{number}" for number in range(40)], ";").remarks == (told,)
    assert told in opened({"price": range(40)}, label="price").card.remarks


def test_numbers_are_values_on_both_sides_over_their_range(opened: Open) -> None:
    prices = np.random.default_rng(0).permutation(np.arange(100) * 10.5)
    task = opened({"price": prices}, label="price", test="one")
    train, test = both_sides(task)
    assert task.target == Value()
    assert "100 texts with values from 0 to 1039.5: 75 to learn from and 25 to test on" in task.card.description
    assert sorted([*train.labels["value"]["value"], *test.labels["value"]["value"]]) == sorted(prices.tolist())
    tenths = (test.labels["value"]["value"] / 105).astype(int)
    assert set(np.bincount(tenths, minlength=10).tolist()) <= {2, 3}


def test_an_explicit_target_wins(opened: Open) -> None:
    assert isinstance(opened({"label": [1, 2] * 20}, target="value").target, Value)
    assert isinstance(opened({"label": [*range(20)] * 2}, target="classes").target, Classes)
    assert isinstance(opened({"label": ["a;b", "b"] * 20}, target="classes").target, Classes)
    assert opened({"label": ["a", "b"] * 20}, target="labels").target == Labels(("a", "b"))


def test_cells_with_separators_are_several_labels_and_empty_ones_none(opened: Open) -> None:
    task = opened({"label": ["dog; cat", "dog", "", "cat"] * 10}, test="one")
    assert task.target == Labels(("cat", "dog"))
    train, test = both_sides(task)
    assert (len(train), len(test)) == (30, 10)
    present = np.concatenate([train.labels["present"]["present"], test.labels["present"]["present"]])
    assert present.dtype == np.bool_
    assert present.sum(axis=0).tolist() == [20, 20]
    assert (~present.any(axis=1)).sum() == 10
    assert "40 texts with any of 2 labels (cat, dog)" in task.card.description
    other = opened({"label": ["dog|cat", "dog", "", "cat"] * 10}, separator="|", test="one")
    assert other.card.sha256 == task.card.sha256


def test_several_columns_of_yes_and_no_are_several_labels(opened: Open) -> None:
    dogs, cats = [1, 0, 1, 0] * 10, ["Yes", "no", "", "TRUE"] * 10
    task = opened({"dog": dogs, "cat": cats}, labels=["dog", "cat"])
    cells = opened({"label": ["dog;cat", "", "dog", "cat"] * 10})
    assert task.target == cells.target == Labels(("cat", "dog"))
    assert task.card.sha256 == cells.card.sha256
    with pytest.raises(DataError, match="row 2 has neither yes nor no as its cat"):
        opened({"dog": dogs, "cat": ["perhaps", *cats[1:]]}, labels=["dog", "cat"])


def test_rows_without_a_number_are_refused_or_left_out(opened: Open) -> None:
    prices: list[object] = [1.5, 2.5, "much", None, *range(20)]
    with pytest.raises(DataError, match=r"row 4 has no number as its label but 'much'; row 5 has no label"):
        opened({"label": prices}, target="value")
    assert opened({"label": prices}, target="value", skip_bad=True, test="one").card.n_train == 16


def test_a_word_among_numbers_is_named_where_they_cannot_be_classes(opened: Open) -> None:
    with pytest.raises(DataError, match=r"If they are values \(target = \"value\"\), these are no numbers: 'much'$"):
        opened({"label": ["much", *range(20)]})
    with pytest.raises(DataError, match=r"or leave the class out$"):
        opened({"label": ["much", "more", *["little"] * 20]})


def test_groups_of_values_and_labels_stay_on_one_side_even_if_each_has_its_own(opened: Open) -> None:
    for columns in ({"label": np.repeat([1.5, 2.5, 3.5, 4.5], 10)}, {"label": np.repeat(["a", "b", "a;b", ""], 10)}):
        groups = np.repeat(["one", "two", "three", "four"], 10)
        target = "value" if columns["label"].dtype == np.float64 else "labels"
        train, test = both_sides(opened({**columns, "house": groups}, group="house", target=target))
        assert (len(train), len(test)) == (30, 10)
    with pytest.raises(DataError, match="data with all examples in one group cannot be both learnt from"):
        opened({"label": np.arange(40) / 7, "house": ["one"] * 40}, group="house")


def test_what_cannot_be_learnt_is_refused(opened: Open) -> None:
    with pytest.raises(DataError, match=r"csv:table\.csv: values that differ are expected among the texts, but all 40"):
        opened({"label": [1.5] * 40}, target="value")
    for unit in ("e300", "e-300"):
        with pytest.raises(DataError, match=r"too far apart, or too close, to be squared: give them in another unit"):
            opened({"label": [f"{number}{unit}" for number in range(40)]}, target="value")
    with pytest.raises(DataError, match="tags of words are read from conll:PATH"):
        opened({"label": ["O"] * 4}, target="tags")


def test_options_that_do_not_go_together_are_told() -> None:
    def told(family: str, address: str, **options: object) -> list[str]:
        return list(problems_of(DataSpec(family, address, DataOptions.model_validate(options))))

    assert "tags are those of words" in told("image_classification", "csv:a.csv", target="tags")[0]
    assert "several labels" in told("text_classification", "csv:a.csv", target="value", labels=["a", "b"])[0]
    assert "says nothing of forecasting" in told("forecasting", "csv:a.csv", target="value")[0]
    assert "test: says nothing of forecasting" in told("forecasting", "csv:a.csv", test="folds")[0]
    assert (
        "leave split_seed and held_out out"
        in told("text_classification", "csv:a.csv", test="folds", held_out=("a",), split_seed=0, group="who")[0]
    )
    assert not told("text_classification", "csv:a.csv", test="one", test_share=0.2)
    assert not told("text_classification", "conll:a.txt")
    assert "holds text_classification" in told("image_classification", "conll:a.txt")[0]


def test_values_and_labels_are_dealt_into_folds_too() -> None:
    generator = np.random.default_rng(0)
    strings = tuple(f"text {number}" for number in range(60))
    cells = {
        "value": [f"{value:.3f}" for value in generator.normal(size=60)],
        "labels": [("a",) if number % 2 else ("a", "b") for number in range(59)] + [("rare",)],
    }
    for target, labels in cells.items():
        for groups in ([], [f"house {number % 7}" for number in range(60)]):
            found = Found(Texts(strings), labels, strings, strings, groups, target=target)  # type: ignore[arg-type]
            task = labelled_task("mine", DataSpec("text_classification", "csv:table.csv"), found)
            tested = [task.split(fold, UNUSED).test for fold in range(5)]
            names = [name for part in tested if part.names is not None for name in part.names.tolist()]
            assert sorted(names) == sorted(strings)
            if groups:
                where = [(group, fold) for fold, part in enumerate(tested) for group in set(groups_of(part))]
                assert len(where) == 7
