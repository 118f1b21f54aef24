"""What cannot be is left out of a plan by what tasks, backbones and strategies say of themselves."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

import pytest

from bench.budget import ALL, NONE, Asked, Budget
from bench.card import BackboneCard
from bench.column import Column
from bench.config.data import DataSpec
from bench.config.suite import Entry, Suite
from bench.context import Context
from bench.domains.options import DataOptions
from bench.errors import ConfigError
from bench.planning.pairs import Possible, leave_out_impossible, tell_left_out, tell_unused_heads
from bench.planning.plan import plan_cells
from bench.readout import Kind, Readout
from bench.results.manifest import Curve
from bench.strategies.classical import Classical
from bench.strategies.nearest import Nearest
from bench.strategy import BACKBONE, BROUGHT_HEAD, LABELS, SOURCE, UNLABELLED, Model, Seeds, Strategy
from bench.target import Target
from bench.targets.classes import Classes
from bench.targets.forecast import Forecast
from bench.targets.tags import Tags
from tests.toys import FULL, PROBE, SCRATCH, STRATEGIES, ToyBackbone, ToyTask

CARD = ToyBackbone().card
SEQUENCES = replace(CARD, name="toy:sequences", domain="text", readouts=(Kind.POOLED, Kind.SEQUENCE))
NEAREST, CLASSICAL = Nearest(name="nearest"), Classical(name="classical")


class Along(Nearest):
    """A strategy that learns from inputs without labels, and from another place."""

    kind: ClassVar[str] = "along"
    requires: ClassVar[frozenset[str]] = frozenset({LABELS, BACKBONE, UNLABELLED, SOURCE})


class AsBrought(Nearest):
    """A strategy that is nothing without a head that came with the backbone."""

    kind: ClassVar[str] = "as_brought"
    requires: ClassVar[frozenset[str]] = frozenset({BACKBONE, BROUGHT_HEAD})


class LowerStages(Classes):
    """Classes that are read of two stages."""

    readout: ClassVar[Readout] = Readout(stages=(1, -1))


class Theta(Forecast):
    """A forecast whose classical model has nothing to learn."""

    @property
    def rivals(self) -> tuple[str, ...]:
        return ("theta",)


class Alone(Strategy):
    """A strategy without a backbone."""

    kind: ClassVar[str] = "alone"
    requires: ClassVar[frozenset[str]] = frozenset({LABELS})

    @property
    def start(self) -> str:  # type: ignore[override]  # of no network
        return "nothing"

    @property
    def streams(self) -> tuple[str, ...]:  # type: ignore[override]  # none
        return ()

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        raise AssertionError("nothing is fitted when a plan is made")


ALONE = Alone(name="alone")


def task_of(target: Target, domain: str = "vision", beside: tuple[str, ...] = ()) -> ToyTask:
    task = ToyTask()
    task.target = target  # type: ignore[assignment]  # of any kind
    task.card = replace(task.card, domain=domain, beside=beside)
    return task


def reasons(task: ToyTask, backbone: BackboneCard, *strategies: Strategy) -> dict[str, str]:
    """Return why strategies are left out of a suite of one task and backbone, which has a strategy that never is."""
    entry = Entry("toy", DataSpec("toy"), backbone.name, (*strategies, ALONE))
    suite, left_out, _ = leave_out_impossible(
        Suite("all", (ALL,), 1, (entry,)), {"toy": task}, {backbone.name: backbone}
    )
    left = {one.strategy: reason for one, reason in left_out.items()}
    [kept] = suite.entries
    assert [one.name for one in kept.strategies] == [
        one.name for one in (*strategies, ALONE) if one.name not in left
    ], "what is left out is told, and all else is kept"
    return left


def test_nothing_is_left_out_where_all_fits() -> None:
    assert reasons(task_of(Classes(("a", "b"))), CARD, SCRATCH, PROBE, FULL, NEAREST, CLASSICAL) == {}
    both = task_of(Classes(("a", "b")), beside=("unlabelled", "source"))
    assert reasons(both, CARD, Along(name="along")) == {}


def test_labels_without_a_mean_or_one_vector_of_features_have_no_neighbours() -> None:
    tags = task_of(Tags(("O", "B-PER")), "text")
    assert reasons(tags, SEQUENCES, PROBE, NEAREST) == {"nearest": "labels of tags cannot be averaged"}
    lower = task_of(LowerStages(("a", "b")))
    assert reasons(lower, CARD, PROBE, NEAREST) == {"nearest": "labels of classes cannot be averaged"}


def test_a_target_has_a_classical_model_only_where_the_domain_offers_what_that_needs() -> None:
    tags = task_of(Tags(("O", "B-PER")), "text")
    assert reasons(tags, SEQUENCES, CLASSICAL) == {
        "classical": "there is no classical model that predicts tags in the domain 'text'"
    }
    forecast = task_of(Forecast(2))
    assert reasons(forecast, CARD, CLASSICAL) == {
        "classical": "there is no classical model that predicts forecast in the domain 'vision'"
    }


def test_a_backbone_that_cannot_be_read_as_the_target_reads_it_leaves_what_needs_none() -> None:
    said = "tags needs sequence features, but toy:dense offers only pooled ones"
    tags = task_of(Tags(("O", "B-PER")), "text")
    assert reasons(tags, replace(CARD, domain="text"), PROBE, FULL) == {"linear_probe": said, "full": said}
    lower = task_of(LowerStages(("a", "b")))
    few = replace(CARD, stages=("only",))
    assert reasons(lower, few, PROBE) == {
        "linear_probe": "classes reads the stages 1, -1, but toy:dense has 1 of them",
    }


@pytest.mark.parametrize(
    ("beside", "lacking"), [((), UNLABELLED), (("source",), UNLABELLED), (("unlabelled",), SOURCE)]
)
def test_a_strategy_that_learns_from_more_is_left_out_where_the_task_has_none(
    beside: tuple[str, ...], lacking: str
) -> None:
    task = task_of(Classes(("a", "b")), beside=beside)
    assert reasons(task, CARD, PROBE, Along(name="along")) == {"along": f"it needs {lacking}, and the task has none"}


def test_a_strategy_that_needs_a_brought_head_is_left_out_where_the_card_names_none_for_the_target() -> None:
    task, needs = task_of(Classes(("a", "b"))), AsBrought(name="brought")
    said = "it needs a head that came with the backbone, and toy:dense brings none for classes"
    assert reasons(task, replace(CARD, brings=("forecast",)), PROBE, needs) == {"brought": said}
    assert reasons(task, replace(CARD, brings=("classes",)), PROBE, needs) == {}
    assert reasons(task, replace(CARD, brings=(task.target.identity,)), PROBE, needs) == {}


def test_a_head_that_came_for_a_shorter_horizon_is_told_to_be_of_no_use() -> None:
    card = replace(CARD, brings=(Forecast(24).identity,))

    def told(horizon: int) -> list[str]:
        tasks = {"task": task_of(Forecast(horizon))}
        suite = Suite("some", (ALL,), 1, (Entry("task", DataSpec("task", "", DataOptions()), card.name, (PROBE,)),))
        return tell_unused_heads(suite, tasks, {card.name: card})

    assert told(24) == told(12) == []
    [line] = told(48)
    said = "toy:dense was pretrained with a head for Forecast (steps: 24), which does not serve Forecast (steps: 48)"
    assert line == f"task: {said}: heads are learnt from nothing"


def test_what_has_one_reason_on_a_task_is_told_in_one_line() -> None:
    curves = [Curve("toy", backbone, name) for backbone in ("a", "b") for name in ("one", "two")]
    assert tell_left_out(
        {**dict.fromkeys(curves, "why not"), Curve("other", "a", "one"): "why not"},
        dict.fromkeys(curves, "it is so"),
    ) == [
        "toy: left out one, two: why not",
        "other: left out one: why not",
        "toy: left out one, two: at a budget of 0 it is so",
    ]


def test_a_suite_of_which_nothing_is_left_is_refused_with_the_reason() -> None:
    task = task_of(Tags(("O", "B-PER")), "text")
    suite = Suite("all", (ALL,), 1, (Entry("toy", DataSpec("toy"), SEQUENCES.name, (NEAREST,)),))
    with pytest.raises(ConfigError, match="nothing is left to be run: toy: left out nearest: labels of tags cannot"):
        leave_out_impossible(suite, {"toy": task}, {SEQUENCES.name: SEQUENCES})


def test_entries_without_a_strategy_are_no_part_of_the_suite() -> None:
    tags, classes = task_of(Tags(("O", "B-PER")), "text"), task_of(Classes(("a", "b")))
    entries = (
        Entry("tags", DataSpec("tags"), SEQUENCES.name, (NEAREST,)),
        Entry("classes", DataSpec("classes"), CARD.name, (NEAREST,)),
    )
    suite, left_out, _ = leave_out_impossible(
        Suite("all", (ALL,), 1, entries),
        {"tags": tags, "classes": classes},
        {SEQUENCES.name: SEQUENCES, CARD.name: CARD},
    )
    assert suite.entries == entries[1:]
    assert left_out == {Curve("tags", SEQUENCES.name, "nearest"): "labels of tags cannot be averaged"}


def without_labels(
    task: ToyTask, backbone: BackboneCard, budgets: tuple[Asked, ...], *strategies: Strategy
) -> Possible:
    entry = Entry("toy", DataSpec("toy"), backbone.name, strategies)
    return leave_out_impossible(Suite("all", budgets, 1, (entry,)), {"toy": task}, {backbone.name: backbone})


LEARNS = "there are no labels to learn from"


@pytest.mark.parametrize("said", [ToyTask.target.identity, ToyTask.target.name], ids=["the target", "its kind"])
def test_without_labels_a_probe_can_be_where_the_card_says_that_a_head_came_with_the_weights(said: str) -> None:
    needing = {Curve("toy", CARD.name, name): LEARNS for name in ("scratch", "partial", "full", "nearest")}
    brings = replace(CARD, brings=(said,))
    suite, left_out, need_labels = without_labels(ToyTask(), brings, (NONE, ALL), *STRATEGIES, NEAREST)
    assert (left_out, need_labels) == ({}, needing)
    assert [one.name for one in suite.entries[0].strategies] == [one.name for one in (*STRATEGIES, NEAREST)]
    plan = plan_cells(suite, {"toy": ToyTask().card}, {CARD.name: brings}, need_labels=need_labels)
    assert [one.cell.strategy for one in plan if one.cell.budget == NONE] == ["linear_probe"]
    assert {one.cell.strategy for one in plan if one.cell.budget == ALL} == {one.name for one in (*STRATEGIES, NEAREST)}
    alone, _, _ = without_labels(ToyTask(), brings, (NONE,), *STRATEGIES, NEAREST)
    assert [one.name for one in alone.entries[0].strategies] == ["linear_probe"]
    assert without_labels(ToyTask(), brings, (ALL,), *STRATEGIES).need_labels == {}, "nobody asked for no labels"


@pytest.mark.parametrize("brings", [(), ("forecast", "another target")])
def test_without_labels_a_probe_is_left_out_where_no_head_of_the_target_came(brings: tuple[str, ...]) -> None:
    need_labels = without_labels(ToyTask(), replace(CARD, brings=brings), (NONE, ALL), PROBE).need_labels
    assert need_labels == {
        Curve("toy", CARD.name, PROBE.name): f"{LEARNS}, and toy:dense brings no head for this target"
    }


def test_without_labels_a_classical_model_can_be_that_has_nothing_to_learn() -> None:
    curve = Curve("toy", CARD.name, "classical")
    assert without_labels(ToyTask(), CARD, (NONE, ALL), CLASSICAL).need_labels == {curve: LEARNS}
    card = replace(CARD, domain="series")
    assert without_labels(task_of(Forecast(2), "series"), card, (NONE, ALL), CLASSICAL).need_labels == {curve: LEARNS}
    assert without_labels(task_of(Theta(2), "series"), card, (NONE, ALL), CLASSICAL).need_labels == {}


@pytest.mark.parametrize("strategy", [*STRATEGIES, CLASSICAL], ids=lambda strategy: strategy.name)
def test_where_nothing_is_left_without_labels_the_suite_is_refused(strategy: Strategy) -> None:
    said = (
        f"nothing is left to be run: toy: left out {strategy.name}: at a budget of 0 there are no labels to learn from"
    )
    with pytest.raises(ConfigError, match=said):
        without_labels(ToyTask(), CARD, (NONE,), strategy)
