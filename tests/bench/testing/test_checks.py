"""The checks of `bench.testing` find what they are for: of every kind something broken fails its check."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from bench.backbone import Backbone, Batch, Pretrained, Reader
from bench.budget import Budget
from bench.column import Column, Dense, dense
from bench.context import Context
from bench.domain import Raw
from bench.errors import DataError
from bench.metric import Metric, MetricCard
from bench.metrics.grouping import Combine, Grouped, combine_classes
from bench.runtime.cache import Cache
from bench.strategies.probe import Probe
from bench.strategy import Model, Seeds, Strategy
from bench.target import Codec, Objective, Sampling
from bench.targets.classes import AsTheyAre, Classes, CrossEntropy, Stratified
from bench.task import Elsewhere, Split, Task, fingerprint
from bench.testing import (
    BACKBONE_CHECKS,
    STRATEGY_CHECKS,
    TARGET_CHECKS,
    TASK_CHECKS,
    StrategyCase,
    TargetCase,
    strategies,
)
from bench.training.context import NetworkContext, network_of
from tests.toys import FULL, PROBE, QUICK, ToyBackbone, ToyTask, classes_of, toy_split

CLASSES = ToyTask.target


def failing(checks: Sequence[Any], *arguments: Any) -> set[str]:  # noqa: ANN401 (what checks of any kind take)
    """Return the names of the checks that fail."""
    found = set()
    for check in checks:
        try:
            check(*arguments)
        except Exception:  # whatever it raises, it did not pass
            found.add(check.__name__)
    return found


def toy_backbone(kind: type[ToyBackbone] = ToyBackbone) -> Backbone:
    """Return a toy whose card counts its parameters."""
    backbone = kind()
    count = sum(parameter.numel() for parameter in backbone.parameters())
    backbone.card = replace(backbone.card, parameters=count)
    return backbone


# --- backbones
class Nosy(ToyBackbone):
    """Looks at the other examples of a batch."""

    def prepare(self, raw: Raw) -> Batch:
        batch = super().prepare(raw)
        return Batch(batch.values - batch.values.mean(0))


class Forgetful(ToyBackbone):
    """Is not drawn anew."""

    def initialise(self) -> None:
        pass


class Moody(ToyBackbone):
    """Prepares otherwise each time."""

    def prepare(self, raw: Raw) -> Batch:
        batch = super().prepare(raw)
        return Batch(batch.values + 0.01 * torch.rand(batch.values.shape))


class Idle(ToyBackbone):
    """Has a layer that nothing runs through."""

    def __init__(self) -> None:
        super().__init__()
        first = self.stages[0]
        assert isinstance(first, nn.Module)
        first.idle = nn.Linear(2, 2)


def test_a_backbone_that_is_sound_fails_nothing() -> None:
    assert not failing(BACKBONE_CHECKS, toy_backbone(), toy_split().test.raw)


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (Nosy, "features_do_not_depend_on_the_other_examples"),
        (Forgetful, "initialising_forgets_the_weights_and_follows_the_seed"),
        (Moody, "preparation_is_deterministic"),
        (Idle, "every_parameter_matters"),
    ],
)
def test_a_backbone_that_is_not_fails_the_check_for_it(kind: type[ToyBackbone], check: str) -> None:
    assert check in failing(BACKBONE_CHECKS, toy_backbone(kind), toy_split().test.raw)


def test_a_card_that_does_not_count_the_parameters_fails() -> None:
    assert failing(BACKBONE_CHECKS, ToyBackbone(), toy_split().test.raw) == {"stages_partition_the_parameters"}


class Bringing(ToyBackbone):
    """Came with a whole reader for the toy task, and says so on its card if it is `honest`."""

    def __init__(self, *, honest: bool = True, objective: Objective | None = None) -> None:
        super().__init__()
        self.card = replace(self.card, brings=(CLASSES.identity,) if honest else ())
        learns = objective or CLASSES.objective
        head = learns.head(self.widths(CLASSES.readout))
        self.pretrained = Pretrained(CLASSES, Reader(CLASSES.readout, CLASSES.codec, learns, head))


def sound(backbone: Bringing) -> Bringing:
    """Return a backbone whose card counts its parameters."""
    backbone.card = replace(backbone.card, parameters=sum(one.numel() for one in backbone.parameters()))
    return backbone


def test_what_is_brought_stands_on_the_card() -> None:
    raw = toy_split().test.raw
    assert not failing(BACKBONE_CHECKS, sound(Bringing()), raw)
    assert failing(BACKBONE_CHECKS, sound(Bringing(honest=False)), raw) == {"a_head_that_is_brought_fits_its_readout"}


# --- tasks
class Leaking(ToyTask):
    """Tests on an example that is learnt from."""

    def split(self, fold: int, cache: Cache) -> Split:
        return Split(toy_split().train, toy_split().train.take(np.arange(9)))


class Changing(ToyTask):
    """Is another one each time."""

    def __init__(self) -> None:
        super().__init__()
        self.seed = 0

    def split(self, fold: int, cache: Cache) -> Split:
        self.seed += 1
        return toy_split(seed=self.seed)


class Unsaid(ToyTask):
    """Has examples that are scored as one, of which its card says nothing."""

    def split(self, fold: int, cache: Cache) -> Split:
        split = toy_split()
        return Split(split.train, replace(split.test, units=np.array(["one", "two", "three"] * 10)))


class Unlabelled(ToyTask):
    """Has no labels of the name that its target reads."""

    target = replace(CLASSES, column="colour")


class Richer(ToyTask):
    """Has inputs without labels, which its card says nothing of."""

    def split(self, fold: int, cache: Cache) -> Split:
        split = toy_split()
        return replace(split, unlabelled=split.test.raw)


class Borrowing(ToyTask):
    """Learns along from labelled examples that are tested on, and says that it has them."""

    def __init__(self) -> None:
        super().__init__()
        self.card = replace(self.card, beside=("source",))

    def split(self, fold: int, cache: Cache) -> Split:
        split = toy_split()
        return replace(split, source=split.test.take(np.arange(9)))


class AlsoElsewhere(ToyTask):
    """Is tested on other examples too, which are no more than a handful."""

    def __init__(self, name: str = "ward", *, title: str = "another ward", split: Split | None = None) -> None:
        super().__init__()
        examples = (split or toy_split(seed=1)).train.take(np.arange(9))
        self._elsewhere = (Elsewhere(name, title, examples),)
        self.card = replace(self.card, sha256=fingerprint(self.split(0, Cache(Path()))))

    def split(self, fold: int, cache: Cache) -> Split:
        return replace(toy_split(), elsewhere=self._elsewhere)


OTHER_LABELS = replace(
    toy_split(seed=1), train=replace(toy_split(seed=1).train, labels={"colour": dense(**{"class": [0] * 30})})
)


@pytest.mark.parametrize(
    ("task", "caught"),
    [
        (AlsoElsewhere(), ()),
        (AlsoElsewhere("blur"), ("shifts_of_the_task_have_names_of_their_own_and_titles",)),
        (AlsoElsewhere(title=" "), ("shifts_of_the_task_have_names_of_their_own_and_titles",)),
        (AlsoElsewhere(split=toy_split()), ("no_example_that_is_learnt_from_is_in_a_shift_of_the_task",)),
        (AlsoElsewhere(split=OTHER_LABELS), ("labels_of_the_target_are_there",)),
    ],
    ids=["sound", "a name of the domain", "no title", "learnt from", "other labels"],
)
def test_what_is_wrong_with_a_shift_of_the_task_is_found(task: Task, caught: tuple[str, ...], tmp_path: Path) -> None:
    assert failing(TASK_CHECKS, task, Cache(tmp_path)) == set(caught)


def test_a_task_that_is_sound_fails_nothing(tmp_path: Path) -> None:
    assert not failing(TASK_CHECKS, ToyTask(), Cache(tmp_path))


@pytest.mark.parametrize(
    ("task", "check"),
    [
        (Leaking(), "no_example_of_train_is_in_test"),
        (Borrowing(), "no_example_of_the_source_is_in_test"),
        (Changing(), "the_data_are_those_of_the_card_each_time"),
        (Unlabelled(), "labels_of_the_target_are_there"),
        (Unsaid(), "what_is_scored_as_one_can_be"),
        (Richer(), "the_card_says_what_there_is_beside_labelled_examples"),
    ],
)
def test_a_task_that_is_not_fails_the_check_for_it(task: Task, check: str, tmp_path: Path) -> None:
    assert check in failing(TASK_CHECKS, task, Cache(tmp_path))


def test_a_task_on_other_data_than_its_card_names_is_told_their_hash(tmp_path: Path) -> None:
    task = ToyTask()
    task.card = replace(task.card, sha256="0" * 64)
    with pytest.raises(AssertionError, match=fingerprint(toy_split())):
        TASK_CHECKS[1](task, Cache(tmp_path))


# --- targets
class Lossy(AsTheyAre):
    """Decodes something else."""

    def decode(self, encoded: Column, geometry: Column | None) -> Column:
        return dense(**{name: array * 0 for name, array in encoded.values.items()})


class Summed(CrossEntropy):
    """Sums losses instead of averaging them."""

    def loss(self, outputs: tuple[Tensor, ...], encoded: Mapping[str, Tensor], geometry: Column | None) -> Tensor:
        return super().loss(outputs, encoded, geometry) * len(outputs[0])


class Opinionated(CrossEntropy):
    """Begins with an opinion."""

    def head(self, widths: Sequence[int]) -> nn.Module:
        head = super().head(widths)
        nn.init.ones_(head.get_parameter("bias"))
        return head


def _backwards(predictions: Column, labels: Column, groups: ArrayLike) -> Grouped:
    """Combine the logits of classes into those of others."""
    found = combine_classes(predictions, labels, groups)
    return Grouped(Dense({"logit": found.predictions["logit"][:, ::-1].copy()}), found.labels, found.rows)


class Growing(Stratified):
    """Counts backwards."""

    def amounts(self, labels: Column, facts: Column | None, order: np.ndarray) -> np.ndarray:
        return super().amounts(labels, facts, order)[::-1]


def _of_the_first(predictions: Column, labels: Column, facts: Column | None) -> float:
    return float(predictions.values["logit"][0].argmax() == labels.values["class"][0]) + 1e-3 * float(
        predictions.values["logit"][0, 0]
    )


FIRST = Metric(MetricCard("first", "the first", higher_is_better=True, perfect=1.0), _of_the_first)


@dataclass(frozen=True, slots=True)
class Broken(Classes):
    """Classes with one part that is broken."""

    part: Any = None

    def of(self, kind: type, own: Any) -> Any:  # noqa: ANN401 (a part of any kind)
        """Return the broken part, if it is of this kind."""
        return self.part if isinstance(self.part, kind) else own

    @property
    def codec(self) -> Codec:
        found: Codec = self.of(Codec, AsTheyAre())
        return found

    @property
    def objective(self) -> Objective:
        found: Objective = self.of(Objective, CrossEntropy(3))
        return found

    @property
    def sampling(self) -> Stratified:
        found: Stratified = self.of(Sampling, Stratified(3))
        return found

    @property
    def combinations(self) -> Mapping[str, Combine]:
        return {"mean": self.part if callable(self.part) else combine_classes}

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return (self.of(Metric, FIRST),) if isinstance(self.part, Metric) else Classes.metrics.fget(self)  # type: ignore[attr-defined]  # it is a property


def test_a_target_that_is_sound_fails_nothing() -> None:
    assert not failing(TARGET_CHECKS, TargetCase(CLASSES, toy_split(), ToyBackbone()))


@pytest.mark.parametrize(
    ("part", "check"),
    [
        (Lossy(), "decoding_undoes_encoding"),
        (Summed(3), "the_loss_of_a_batch_is_a_mean"),
        (Opinionated(3), "a_head_begins_as_nothing_and_learns"),
        (Growing(3), "budgets_nest_and_count_in_the_unit"),
        (FIRST, "metrics_do_not_depend_on_the_order_of_examples"),
        (_backwards, "combined_predictions_are_scored_like_single_ones"),
    ],
    ids=lambda one: one if isinstance(one, str) else type(one).__name__,
)
def test_a_target_with_a_broken_part_fails_the_check_for_it(part: object, check: str) -> None:
    target = Broken(CLASSES.names, part=part)
    assert check in failing(TARGET_CHECKS, TargetCase(target, toy_split(), ToyBackbone()))


class Deaf(CrossEntropy):
    """Has a loss that no head can change."""

    def loss(self, outputs: tuple[Tensor, ...], encoded: Mapping[str, Tensor], geometry: Column | None) -> Tensor:
        return 0 * super().loss(outputs, encoded, geometry)


def test_a_whole_reader_that_is_brought_is_on_the_card_and_learns_by_its_loss() -> None:
    def broken(backbone: Backbone) -> set[str]:
        return failing(TARGET_CHECKS, TargetCase(CLASSES, toy_split(), backbone))

    check = "what_the_backbone_brings_is_on_its_card_and_predicts"
    assert not broken(Bringing())
    assert broken(Bringing(honest=False)) == {check}
    assert broken(Bringing(objective=Deaf(3))) == {check}
    silent = ToyBackbone()
    silent.card = replace(silent.card, brings=(CLASSES.identity,))
    assert broken(silent) == {check}, "a card that says what is not so"


# --- strategies
class Careless(Probe):
    """Trains the shared backbone."""

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        with torch.no_grad():
            next(network_of(context).backbone.stages[-1].parameters()).add_(0.01)
        return super().fit(context, budgets, seeds)


class Random(Probe):
    """Draws from whatever was drawn before."""

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        for model in super().fit(context, budgets, seeds):
            with torch.no_grad():
                model.parts().head.get_parameter("bias").add_(torch.rand(()))  # type: ignore[union-attr]  # it has some
            yield model


class Peeping(Probe):
    """Learns from the labels that it finds, if a context has any."""

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        labels = context.found["class"]  # type: ignore[attr-defined]  # of a context that leaks
        rows = np.arange(len(labels))
        everything = [replace(budget, rows=rows, labels=labels) for budget in budgets]
        return super().fit(context, everything, seeds)


class ReadingNames(Probe):
    """Learns from the classes that names of examples end with, if a context has names."""

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        names = context.train.names
        if names is not None:
            labels = dense(**{"class": np.array([int(name[-1]) for name in names.tolist()])})
            budgets = [replace(budget, rows=np.arange(len(names)), labels=labels) for budget in budgets]
        return super().fit(context, budgets, seeds)


class Meddling(Probe):
    """Trains what came with the backbone instead of a copy."""

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        brought = network_of(context).brought
        assert isinstance(brought, Reader)
        with torch.no_grad():
            next(brought.head.parameters()).add_(0.01)
        return super().fit(context, budgets, seeds)


class Refusing(Probe):
    """Wants labels, although it says that what came with the backbone is enough."""

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        if not all(len(budget.rows) for budget in budgets):
            raise DataError("it needs labels")
        return super().fit(context, budgets, seeds)


class LeakingContext(NetworkContext):
    """Holds the labels that no context has."""

    def __init__(self, task: str, target: Classes, split: Split, backbone: Backbone, **others: Any) -> None:  # noqa: ANN401
        super().__init__(task, target, split, backbone, **others)
        self.found = split.train.labels


def case_of(strategy: Strategy, folder: Path) -> StrategyCase:
    return StrategyCase(strategy, ToyTask(), ToyBackbone(), folder)


@pytest.mark.parametrize("strategy", [PROBE, FULL], ids=lambda one: one.name)
def test_a_strategy_that_is_sound_fails_nothing(strategy: Strategy, tmp_path: Path) -> None:
    assert not failing(STRATEGY_CHECKS, case_of(strategy, tmp_path))


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (Careless, "the_shared_backbone_stays_as_it_was"),
        (Random, "a_model_is_the_same_whatever_was_drawn_before"),
    ],
)
def test_a_strategy_that_is_not_fails_the_check_for_it(kind: type[Probe], check: str, tmp_path: Path) -> None:
    assert check in failing(STRATEGY_CHECKS, case_of(kind(name="broken", penalties=(0.1,)), tmp_path))


def test_labels_that_reach_a_strategy_past_its_budget_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strategies, "NetworkContext", LeakingContext)
    with pytest.raises(AssertionError, match="labels outside the budget reached the strategy"):
        strategies.labels_reach_it_through_its_budget_alone(case_of(Peeping(penalties=(0.1,)), tmp_path))


class NamedTask(ToyTask):
    """A toy whose examples are named after their classes, as files in a folder of each class are."""

    def split(self, fold: int, cache: Cache) -> Split:
        split = super().split(fold, cache)
        names = np.array([f"class_{number}" for number in classes_of(split.train).tolist()])
        return replace(split, train=replace(split.train, names=names))


class NamingContext(NetworkContext):
    """Holds the names that no context has."""

    def __init__(self, task: str, target: Classes, split: Split, backbone: Backbone, **others: Any) -> None:  # noqa: ANN401
        super().__init__(task, target, split, backbone, **others)
        self.train = replace(self.train, names=split.train.names)


def test_a_context_has_no_names_which_may_say_the_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = StrategyCase(ReadingNames(penalties=(0.1,)), NamedTask(), ToyBackbone(), tmp_path)
    assert case.split.train.names is not None
    assert case.context("any").train.names is None
    strategies.a_context_holds_no_labels(case)
    strategies.labels_reach_it_through_its_budget_alone(case)
    monkeypatch.setattr(strategies, "NetworkContext", NamingContext)
    again = replace(case, folder=tmp_path / "again")
    with pytest.raises(AssertionError, match="names of examples may say their labels"):
        strategies.a_context_holds_no_labels(again)
    with pytest.raises(AssertionError, match="labels outside the budget reached the strategy"):
        strategies.labels_reach_it_through_its_budget_alone(again)


def test_labels_that_reach_a_strategy_at_a_budget_without_any_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strategies, "NetworkContext", LeakingContext)
    with pytest.raises(AssertionError, match="labels reached the strategy at a budget that has none"):
        strategies.without_labels_it_says_what_it_can_do(case_of(Peeping(penalties=(0.1,)), tmp_path))


def test_what_a_backbone_brings_is_left_as_it_is_and_is_enough(tmp_path: Path) -> None:
    def broken(strategy: Strategy) -> set[str]:
        return failing(
            STRATEGY_CHECKS, StrategyCase(strategy, ToyTask(), Bringing(), tmp_path / type(strategy).__name__)
        )

    assert not broken(Probe(name="sound", **QUICK))
    assert "the_shared_backbone_stays_as_it_was" in broken(Meddling(name="broken", **QUICK))
    assert broken(Refusing(name="broken", **QUICK)) == {"without_labels_it_says_what_it_can_do"}


def test_the_checks_need_no_test_runner() -> None:
    code = "import sys, bench.testing; print([name for name in ('pytest', '_pytest', 'tests') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
