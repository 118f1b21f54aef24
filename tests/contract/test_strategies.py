"""Every strategy that adapts a backbone keeps its word about what is trained and what stays frozen."""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from bench_tasks import FAMILIES

from bench.backbone import state_hash
from bench.config.reading import read_config
from bench.errors import DataError, FreezeError
from bench.planning.plan import Needs
from bench.runtime.arithmetic import Precision
from bench.runtime.cache import Cache
from bench.strategy import Strategy
from bench.target import Outputs
from bench.training import adapt
from bench.training.adapt import run_cell
from bench.training.group import Group
from tests.toys import FULL, PARTIAL, PROBE, QUICK, SCRATCH, STAGES, ToyBackbone, ToyTask, toy_cell, toy_splits

CONFIG = Path(__file__).parents[2] / "bench.toml"

STRATEGIES = [one for one in read_config(CONFIG, FAMILIES).suite("all").entries[0].strategies if not one.classical]


def toy_group(folder: Path, *, restless: bool = False) -> Group:
    backbone = ToyBackbone(restless=restless)
    return Group(
        ToyTask.target,
        toy_splits(),
        backbone,
        needs=Needs(depths=frozenset({0.0, 0.5}), budgets=frozenset({(1.0, 0)})),
        content="toy",
        cache=Cache(folder),
        device=torch.device("cpu"),
    )


def quick(strategy: Strategy) -> Strategy:
    """Return the strategy with a recipe that takes no time."""
    return strategy._replace(recipe=QUICK.model_copy(update={"head": strategy.recipe.head}))


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_exactly_the_stages_above_the_boundary_are_trained(
    strategy: Strategy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = toy_group(tmp_path)
    hashes: list[str] = []
    boundaries: list[int] = []

    def watch(adapted: adapt.Adapted, group: Group, boundary: int, precision: Precision) -> object:
        hashes.extend(state_hash(stage) for stage in adapted.stages)
        boundaries.append(boundary)
        return predict(adapted, group, boundary, precision)

    predict = adapt._predict
    monkeypatch.setattr(adapt, "_predict", watch)
    result, *_ = run_cell(toy_cell(quick(strategy)), group)
    before = [state_hash(stage) for stage in group.backbone.stages]
    trained = round(strategy.depth * len(STAGES))
    assert boundaries == [len(STAGES) - trained]
    assert len(hashes) == trained
    assert all(after != was for after, was in zip(hashes, before[len(STAGES) - trained :], strict=True))
    head = 3 * (group.backbone.card.width + 1)
    in_stages = sum(p.numel() for stage in group.backbone.stages[len(STAGES) - trained :] for p in stage.parameters())
    assert result.trainable_parameters == in_stages + head


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_no_cell_changes_the_shared_backbone(strategy: Strategy, tmp_path: Path) -> None:
    group = toy_group(tmp_path)
    before = state_hash(group.backbone)
    run_cell(toy_cell(quick(strategy)), group)
    assert state_hash(group.backbone) == before


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_a_cell_scores_the_same_alone_and_after_others(strategy: Strategy, tmp_path: Path) -> None:
    planned = toy_cell(quick(strategy), seed=1)
    alone, predictions, *_ = run_cell(planned, toy_group(tmp_path / "alone"))
    group = toy_group(tmp_path / "shared")
    torch.manual_seed(99)
    for other in (PROBE, FULL, SCRATCH, PARTIAL):
        run_cell(toy_cell(other, fraction=0.5), group)
    again, predictions_again, *_ = run_cell(planned, group)
    assert again.score == alone.score
    assert (predictions == predictions_again).all()


@pytest.mark.parametrize("strategy", [strategy for strategy in STRATEGIES if strategy.depth > 0], ids=lambda s: s.name)
def test_another_seed_is_another_run(strategy: Strategy, tmp_path: Path) -> None:
    group = toy_group(tmp_path)
    one, other = (run_cell(toy_cell(quick(strategy), seed=seed), group)[1] for seed in (0, 1))
    assert (one != other).any()


@pytest.mark.parametrize("strategy", [PROBE, PARTIAL], ids=lambda strategy: strategy.name)
def test_a_frozen_stage_that_moves_a_buffer_fails_the_cell(strategy: Strategy, tmp_path: Path) -> None:
    with pytest.raises(FreezeError, match="stage 'first' of toy:dense was to stay frozen"):
        run_cell(toy_cell(strategy), toy_group(tmp_path, restless=True))


def test_a_stage_that_is_trained_may_move_its_buffers(tmp_path: Path) -> None:
    full = FULL._replace(recipe=QUICK.model_copy(update={"head": "zero"}))
    result, *_ = run_cell(toy_cell(full), toy_group(tmp_path, restless=True))
    assert result.n_labels == 30


def test_batch_norm_below_the_boundary_keeps_its_statistics(tmp_path: Path) -> None:
    group = toy_group(tmp_path)
    before = copy.deepcopy(group.backbone.stages[0].state_dict())
    run_cell(toy_cell(PARTIAL), group)
    for name, tensor in group.backbone.stages[0].state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_a_budget_without_room_for_every_class_says_which_fraction_would_do(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"a budget of 1 labels, too few for one example of each of 3 classes.*at least 0\.1"
    ):
        run_cell(toy_cell(PROBE, fraction=0.04), toy_group(tmp_path))


def test_fine_tuning_from_the_solved_head_starts_where_the_probe_ends(tmp_path: Path) -> None:
    group = toy_group(tmp_path)
    rows = group.budget(1.0, 0)
    start = adapt._starting_point(toy_cell(FULL), group, group.heads.solve(rows, recipe=FULL.recipe))
    _, of_probe, *_ = run_cell(toy_cell(PROBE), group)
    np.testing.assert_allclose(adapt._predict(start, group, 0, "float32"), of_probe, atol=1e-4)


def test_a_cell_that_varies_one_stream_differs_by_that_stream_alone(tmp_path: Path) -> None:
    group = toy_group(tmp_path)

    def predictions(strategy: Strategy, seed: int, varied: str, fraction: float = 1.0) -> Outputs:
        planned = toy_cell(strategy, fraction=fraction, seed=seed)
        return run_cell(replace(planned, cell=replace(planned.cell, varied=varied)), group).predictions

    first, second = (predictions(SCRATCH, seed, "all") for seed in (0, 1))
    order, weights = (predictions(SCRATCH, 1, varied) for varied in ("order", "initialisation"))
    assert np.array_equal(predictions(SCRATCH, 1, "subset"), first), "with all labels the subset is the same"
    assert not any(np.array_equal(one, other) for one in (order, weights) for other in (first, second))
    assert not np.array_equal(order, weights)
    half = [
        predictions(PROBE, seed, varied, 0.5) for seed, varied in ((0, "all"), (1, "all"), (1, "order"), (1, "subset"))
    ]
    assert np.array_equal(half[2], half[0]), "the labels of seed 0"
    assert np.array_equal(half[3], half[1]), "the labels of seed 1"
    assert not np.array_equal(half[0], half[1])
