"""A plan has every cell once, and a key changes with everything a score depends on and with nothing else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cell import Cell
from bench.data import DataSpec
from bench.errors import ConfigError
from bench.plan import Needs, cell_key, pack_cells, plan_cells
from bench.suite import Entry, Suite
from tests.toys import FULL, PROBE, STRATEGIES, ToyBackbone, ToyTask

TASK = ToyTask().card
BACKBONE = ToyBackbone().card
CELL = Cell("toy", "toy:dense", "full", 0.1, 0)
KEY = cell_key(CELL, task=TASK, backbone=BACKBONE, strategy=FULL)


def suite(fractions: tuple[float, ...] = (0.1, 1.0), seeds: int = 2) -> Suite:
    return Suite("toys", fractions, seeds, (Entry("toy", DataSpec("toy"), "toy:dense", STRATEGIES),))


@given(st.sets(st.floats(0.001, 1), min_size=1, max_size=5), st.integers(1, 4))
def test_a_plan_has_every_cell_once_and_no_key_twice(fractions: set[float], seeds: int) -> None:
    plan = plan_cells(suite(tuple(sorted(fractions)), seeds), {"toy": TASK}, {"toy:dense": BACKBONE})
    assert len(plan) == len({planned.cell for planned in plan}) == len({planned.key for planned in plan})
    assert len(plan) == len(STRATEGIES) * len(fractions) * seeds


def test_planning_twice_gives_the_same_keys() -> None:
    once, again = (plan_cells(suite(), {"toy": TASK}, {"toy:dense": BACKBONE}) for _ in range(2))
    assert once == again


@pytest.mark.parametrize(
    "key",
    [
        cell_key(replace(CELL, fraction=0.2), task=TASK, backbone=BACKBONE, strategy=FULL),
        cell_key(replace(CELL, seed=1), task=TASK, backbone=BACKBONE, strategy=FULL),
        cell_key(CELL, task=replace(TASK, sha256="other bytes"), backbone=BACKBONE, strategy=FULL),
        cell_key(CELL, task=replace(TASK, version=2), backbone=BACKBONE, strategy=FULL),
        cell_key(CELL, task=TASK, backbone=replace(BACKBONE, sha256="other weights"), strategy=FULL),
        cell_key(CELL, task=TASK, backbone=BACKBONE, strategy=FULL._replace(depth=0.75)),
        cell_key(CELL, task=TASK, backbone=BACKBONE, strategy=FULL._replace(pretrained=False)),
        cell_key(
            CELL,
            task=TASK,
            backbone=BACKBONE,
            strategy=FULL._replace(recipe=FULL.recipe.model_copy(update={"learning_rate": 0.5})),
        ),
    ],
    ids=["fraction", "seed", "data", "version", "weights", "depth", "pretrained", "recipe"],
)
def test_what_a_score_depends_on_is_in_the_key(key: str) -> None:
    assert key != KEY


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
    ("depth", "n_stages", "boundary"), [(0, 5, 5), (1, 5, 0), (0.5, 5, 3), (0.5, 4, 2), (0.5, 7, 4), (0.01, 5, 4)]
)
def test_a_depth_is_a_boundary_counted_from_the_top(depth: float, n_stages: int, boundary: int) -> None:
    assert PROBE._replace(depth=depth).boundary(n_stages) == boundary


def test_the_probes_of_a_task_and_backbone_are_one_pack_and_every_other_cell_its_own() -> None:
    plan = plan_cells(suite(), {"toy": TASK}, {"toy:dense": BACKBONE})
    packs = pack_cells(sorted(plan, key=lambda planned: planned.strategy.depth > 0))
    assert [planned for pack in packs for planned in pack.cells] == sorted(plan, key=lambda p: p.strategy.depth > 0)
    probes, *others = packs
    assert {planned.strategy.name for planned in probes.cells} == {PROBE.name}
    assert len(probes.cells) == 4
    assert all(len(pack.cells) == 1 for pack in others)
    assert {pack.needs for pack in packs} == {
        Needs(frozenset({0.0, 0.5, 1.0}), frozenset({(0.1, 0), (0.1, 1), (1.0, 0), (1.0, 1)}))
    }
