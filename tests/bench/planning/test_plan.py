"""A plan has every cell once, and a key changes with everything a score depends on and with nothing else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.budget import ALL, Asked, Count, Share
from bench.cell import Cell
from bench.config.data import DataSpec
from bench.config.suite import Entry, Suite
from bench.errors import ConfigError
from bench.planning import plan
from bench.planning.plan import PlannedCell, Requirements, cell_key, group_into_jobs, plan_cells
from bench.strategies.classical import Classical
from bench.strategies.probe import Probe
from bench.strategy import boundary
from bench.subsets.seeds import VARIED, Purpose, seed_of
from bench.versions import SHIFTS
from tests.bench.planning.test_budgets import Minutes
from tests.toys import FULL, PARTIAL, PROBE, SCRATCH, STRATEGIES, ToyBackbone, ToyTask

TASK = ToyTask().card
BACKBONE = ToyBackbone().card
CELL = Cell("toy", "toy:dense", "full", Share(0.1), 0)
BUDGETS = st.builds(Share, st.floats(0.001, 1)) | st.builds(Count, st.integers(1, 1000))
KEY = cell_key(CELL, task=TASK, backbone=BACKBONE, strategy=FULL)


def suite(budgets: tuple[Asked, ...] = (Share(0.1), ALL), seeds: int = 2) -> Suite:
    return Suite("toys", budgets, seeds, (Entry("toy", DataSpec("toy"), "toy:dense", STRATEGIES),))


@given(st.sets(BUDGETS, min_size=1, max_size=5), st.integers(1, 4))
def test_a_plan_has_every_cell_once_and_no_key_twice(budgets: set[Asked], seeds: int) -> None:
    plan = plan_cells(suite(tuple(sorted(budgets)), seeds), {"toy": TASK}, {"toy:dense": BACKBONE})
    assert len(plan) == len({planned.cell for planned in plan}) == len({planned.key for planned in plan})
    assert len(plan) == len(STRATEGIES) * len(budgets) * seeds


def test_budgets_are_ordered_by_their_labels_where_the_number_of_examples_is_known() -> None:
    asked = (Count(40), Share(0.1), Share(0.5), ALL, Count(10))
    for n_train, expected in (
        (50, [Share(0.1), Count(10), Share(0.5), Count(40), ALL]),
        (0, [Count(10), Count(40), Share(0.1), Share(0.5), ALL]),  # not known
    ):
        plan = plan_cells(suite(asked, 1), {"toy": replace(TASK, n_train=n_train)}, {"toy:dense": BACKBONE})
        probes = [planned for planned in plan if planned.strategy == PROBE]
        assert [one.cell.budget for one in sorted(probes, key=lambda one: one.extent)] == expected


def test_counts_of_another_unit_are_not_ordered_by_the_number_of_examples() -> None:
    asked, tasks = (Count(40), Share(0.1)), {"toy": replace(TASK, n_train=50)}
    for target, expected in (
        (Minutes(("a", "b", "c")), [Count(40), Share(0.1)]),
        (ToyTask.target, [Share(0.1), Count(40)]),
    ):
        plan = plan_cells(suite(asked, 1), tasks, {"toy:dense": BACKBONE}, targets={"toy": target})
        probes = sorted((one for one in plan if one.strategy == PROBE), key=lambda one: one.extent)
        assert [one.cell.budget for one in probes] == expected


def test_planning_twice_gives_the_same_keys() -> None:
    once, again = (plan_cells(suite(), {"toy": TASK}, {"toy:dense": BACKBONE}) for _ in range(2))
    assert once == again


CLASSICAL = Classical(name="classical")


def test_cells_of_a_classical_model_are_the_same_work_on_every_backbone() -> None:
    other = replace(BACKBONE, sha256="other weights")
    cell = replace(CELL, strategy="classical")
    ours = cell_key(cell, task=TASK, backbone=BACKBONE, strategy=CLASSICAL)
    theirs = cell_key(replace(cell, backbone="toy:other"), task=TASK, backbone=other, strategy=CLASSICAL)
    assert ours == theirs
    assert ours != cell_key(cell, task=TASK, backbone=BACKBONE, strategy=PROBE)


def test_with_variance_each_stream_a_strategy_draws_from_follows_the_seed_alone() -> None:
    plan = plan_cells(suite((ALL,), 3), {"toy": TASK}, {"toy:dense": BACKBONE}, variance=True)
    drawn = {name: [one for one in plan if one.cell.strategy == name] for name in ("scratch", "full", "linear_probe")}
    assert [(one.cell.varied, one.cell.seed) for one in drawn["scratch"]] == [
        *(("all", seed) for seed in (0, 1, 2)),
        *((varied, seed) for varied in ("subset", "initialisation", "order") for seed in (1, 2)),
    ]
    assert len({one.key for one in drawn["scratch"]}) == 9
    assert {one.cell.varied for one in drawn["full"]} == {"all", "subset", "order"}, "its weights are not drawn"
    assert {one.cell.varied for one in drawn["linear_probe"]} == {"all", "subset", "order"}, "the loop may train it"
    assert len({one.key for one in drawn["linear_probe"]}) == 7, "no two of them are the same work"


def test_a_cell_that_varies_one_stream_has_seed_zero_in_the_others() -> None:
    cell = replace(CELL, seed=4, varied="order")
    assert [seed_of(cell, purpose) for purpose in VARIED] == [0, 0, 4]
    assert [seed_of(replace(cell, varied="all"), purpose) for purpose in VARIED] == [4, 4, 4]


@pytest.mark.parametrize(
    "key",
    [
        cell_key(replace(CELL, budget=Share(0.2)), task=TASK, backbone=BACKBONE, strategy=FULL),
        cell_key(replace(CELL, seed=1), task=TASK, backbone=BACKBONE, strategy=FULL),
        cell_key(CELL, task=replace(TASK, sha256="other bytes"), backbone=BACKBONE, strategy=FULL),
        cell_key(CELL, task=replace(TASK, version=2), backbone=BACKBONE, strategy=FULL),
        cell_key(CELL, task=TASK, backbone=replace(BACKBONE, sha256="other weights"), strategy=FULL),
        cell_key(CELL, task=TASK, backbone=BACKBONE, strategy=FULL.model_copy(update={"trained": 0.75})),
        cell_key(CELL, task=TASK, backbone=BACKBONE, strategy=SCRATCH.model_copy(update={"name": "full"})),
        cell_key(
            CELL,
            task=TASK,
            backbone=BACKBONE,
            strategy=FULL.model_copy(update={"learning_rate": 0.5}),
        ),
    ],
    ids=["budget", "seed", "data", "version", "weights", "trained", "start", "recipe"],
)
def test_what_a_score_depends_on_is_in_the_key(key: str) -> None:
    assert key != KEY


def test_a_result_without_shifts_is_not_one_with_them() -> None:
    plain, shifted = (
        plan_cells(replace(suite(), shifts=shifts), {"toy": TASK}, {"toy:dense": BACKBONE}) for shifts in (False, True)
    )
    assert [one.cell for one in plain] == [one.cell for one in shifted]
    assert not {one.key for one in plain} & {one.key for one in shifted}
    assert ({one.shifts for one in plain}, {one.shifts for one in shifted}) == ({False}, {True})
    assert cell_key(CELL, task=TASK, backbone=BACKBONE, strategy=FULL, shifts=False) == KEY


def test_shifts_that_are_made_otherwise_make_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = cell_key(CELL, task=TASK, backbone=BACKBONE, strategy=FULL, shifts=True)
    monkeypatch.setattr(plan, "SHIFTS", SHIFTS + 1)
    assert cell_key(CELL, task=TASK, backbone=BACKBONE, strategy=FULL, shifts=True) != before
    assert cell_key(CELL, task=TASK, backbone=BACKBONE, strategy=FULL) == KEY


def test_words_on_a_card_are_not_in_the_key() -> None:
    reworded = replace(TASK, description="Said better.", title="Nicer")
    assert cell_key(CELL, task=reworded, backbone=BACKBONE, strategy=FULL) == KEY


def test_a_backbone_of_another_domain_is_refused_by_both_names() -> None:
    deaf = {"toy:dense": replace(BACKBONE, domain="audio")}
    with pytest.raises(
        ConfigError, match="task 'toy' is of the domain 'vision', but backbone 'toy:dense' reads 'audio'"
    ):
        plan_cells(suite(), {"toy": TASK}, deaf)


@pytest.mark.parametrize(
    ("share", "n_stages", "first"), [(0, 5, 5), (1, 5, 0), (0.5, 5, 3), (0.5, 4, 2), (0.5, 7, 4), (0.01, 5, 4)]
)
def test_a_share_of_trained_stages_is_a_boundary_counted_from_the_top(share: float, n_stages: int, first: int) -> None:
    assert boundary(share, n_stages) == first


def test_activations_are_frozen_below_what_is_trained_and_as_a_whole_where_a_head_is_solved() -> None:
    assert PROBE.boundaries(4) == {4}
    assert PARTIAL.boundaries(4) == {2, 4}
    assert PARTIAL.model_copy(update={"head": "zero"}).boundaries(4) == {2}
    assert FULL.boundaries(4) == {0, 4}
    assert SCRATCH.boundaries(4) == {0}


def trains(planned: PlannedCell) -> bool:
    return planned.strategy.trained_fraction > 0


def test_the_probes_of_a_task_and_backbone_are_one_pack_and_every_other_cell_its_own() -> None:
    plan = sorted(plan_cells(suite(), {"toy": TASK}, {"toy:dense": BACKBONE}), key=trains)
    jobs = group_into_jobs(plan)
    assert [planned for job in jobs for planned in job.cells] == plan
    probes, *others = jobs
    assert {planned.strategy.name for planned in probes.cells} == {PROBE.name}
    assert len(probes.cells) == 4
    assert all(len(job.cells) == 1 for job in others)
    assert {job.requirements for job in jobs} == {
        Requirements(frozenset(STRATEGIES), frozenset({(Share(0.1), 0), (Share(0.1), 1), (ALL, 0), (ALL, 1)}))
    }


def test_cells_of_several_folds_share_no_pack_and_need_the_budgets_of_their_own_fold() -> None:
    folded = replace(TASK, pinned=False, folds=2)
    plan = sorted(plan_cells(suite(seeds=3), {"toy": folded}, {"toy:dense": BACKBONE}), key=trains)
    assert {(planned.cell.seed, planned.fold) for planned in plan} == {(0, 0), (1, 1)}, "each fold is tested once"
    jobs = group_into_jobs(plan)
    assert all(len({planned.fold for planned in job.cells}) == 1 for job in jobs)
    for job in jobs:
        assert {seed for _, seed in job.requirements.budgets} == {job.cells[0].fold}


class Constant(Probe):
    """A strategy that draws nothing by chance."""

    @property
    def streams(self) -> tuple[Purpose, ...]:
        return ()


def test_cells_that_draw_nothing_are_the_same_work_in_one_fold_alone() -> None:
    strategy, folded = Constant(name="constant"), replace(TASK, pinned=False, folds=2)
    keys = [
        [cell_key(replace(CELL, seed=seed), task=task, backbone=BACKBONE, strategy=strategy) for seed in range(3)]
        for task in (TASK, folded)
    ]
    assert len(set(keys[0])) == 1
    assert keys[1][0] == keys[1][2] != keys[1][1]


def test_a_cell_that_varies_another_stream_is_tested_on_the_fold_of_seed_zero() -> None:
    folded = replace(TASK, pinned=False, folds=2)
    plan = plan_cells(suite((ALL,), 2), {"toy": folded}, {"toy:dense": BACKBONE}, variance=True)
    folds = {one.cell.varied: one.fold for one in plan if one.cell.strategy == "scratch" and one.cell.seed == 1}
    assert folds == {"all": 1, "subset": 0, "initialisation": 0, "order": 0}
