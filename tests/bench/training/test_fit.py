"""The gradient loop sees what it is given, at the rates it is given, and says when it fails."""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from bench.backbone import Batch, Stage
from bench.planning.seeds import stream
from bench.strategy import Recipe
from bench.target import Classes
from bench.training.fit import Augment, DivergedError, batches, fit, parameter_groups, rate_share
from tests.toys import SIDE, WIDTH, Dense

TARGET = Classes(("a", "b"))


class Fitted(NamedTuple):
    head: nn.Linear
    losses: tuple[float, ...]


def train(recipe: Recipe, *, steps: int = 5, inputs: Tensor | None = None, augment: Augment | None = None) -> Fitted:
    torch.manual_seed(0)
    stages, head = nn.ModuleList([Dense(SIDE, WIDTH)]), nn.Linear(WIDTH, 2)
    values = torch.randn(20, SIDE) if inputs is None else inputs
    labels = torch.arange(20) % 2
    losses = fit(
        stages,
        head,
        Batch(values),
        labels,
        target=TARGET,
        recipe=recipe,
        steps=steps,
        order=stream(0, "order"),
        augment=augment,
    )
    return Fitted(head, losses)


@given(st.integers(1, 50), st.integers(1, 20), st.integers(1, 60), st.integers(0, 9))
def test_batches_are_full_and_go_through_all_examples_before_any_comes_again(
    n: int, size: int, steps: int, seed: int
) -> None:
    drawn = list(batches(n, size, steps, stream(seed, "order")))
    assert len(drawn) == steps
    assert {len(batch) for batch in drawn} == {min(size, n)}
    seen = np.concatenate(drawn)
    for start in range(0, len(seen) - n + 1, n):
        assert sorted(seen[start : start + n].tolist()) == list(range(n))


@given(st.integers(1, 200), st.integers(1, 20), st.integers(1, 40), st.integers(0, 9))
def test_batches_of_sequences_go_through_all_examples_too(n: int, size: int, steps: int, seed: int) -> None:
    lengths = np.random.default_rng(seed).integers(1, 50, n)
    drawn = list(batches(n, size, steps, stream(seed, "order"), lengths=lengths))
    assert len(drawn) == steps
    assert {len(batch) for batch in drawn} == {min(size, n)}
    counts = np.bincount(np.concatenate(drawn), minlength=n)
    assert counts.max() - counts.min() <= 2


def test_sequences_of_a_batch_are_of_about_one_length_and_batches_are_not_sorted() -> None:
    lengths = np.random.default_rng(0).integers(1, 50, 3200)
    drawn = [lengths[batch] for batch in batches(3200, 32, 100, stream(0, "order"), lengths=lengths)]
    longest = np.array([batch.max() for batch in drawn])
    assert np.mean([batch.mean() for batch in drawn] / longest) > 0.8
    assert 20 < (np.diff(longest) > 0).sum() < 80


def test_a_stage_learns_more_slowly_the_lower_it_lies_and_the_head_at_its_own_rate() -> None:
    stages = nn.ModuleList([Dense(SIDE, WIDTH), Dense(WIDTH, WIDTH), Dense(WIDTH, WIDTH)])
    recipe = Recipe(learning_rate=1.0, head_learning_rate=5.0, layer_decay=0.5, weight_decay=0.1)
    groups = parameter_groups(stages, nn.Linear(WIDTH, 2), recipe)
    rates = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    assert [rates[id(next(stage.parameters()))] for stage in stages] == [0.25, 0.5, 1.0]
    assert {group["lr"] for group in groups} == {0.25, 0.5, 1.0, 5.0}
    decayed = [parameter for group in groups if group["weight_decay"] for parameter in group["params"]]
    assert all(parameter.ndim > 1 for parameter in decayed)


def test_the_rate_rises_then_falls_to_nothing() -> None:
    shares = [rate_share(step, 100, 0.1) for step in range(100)]
    assert shares[:10] == sorted(shares[:10])
    assert shares[10:] == sorted(shares[10:], reverse=True)
    assert shares[10] == 1.0
    assert 0 < shares[0] < 0.2
    assert shares[-1] < 1e-3


def test_the_same_order_trains_to_the_same_weights() -> None:
    one, other = (train(Recipe(batch_size=4)) for _ in range(2))
    assert torch.equal(one.head.weight, other.head.weight)


def test_augmented_values_are_what_is_learnt_from() -> None:
    seen = []

    def blank(values: Tensor, generator: torch.Generator) -> Tensor:
        seen.append(len(values))
        return torch.zeros_like(values)

    plain, blanked = train(Recipe(batch_size=4)), train(Recipe(batch_size=4), augment=blank)
    assert seen == [4] * 5
    assert not torch.equal(plain.head.weight, blanked.head.weight)


def test_the_losses_are_means_of_stretches_of_all_steps_and_fall() -> None:
    few, many = train(Recipe(batch_size=5), steps=7), train(Recipe(batch_size=20, learning_rate=0.1), steps=50)
    assert len(few.losses) == 7
    assert len(many.losses) == 20
    assert few.losses[0] == pytest.approx(np.log(2), rel=0.5)  # of a guess; a mean of steps, not their sum
    assert many.losses[-1] < 0.8 * many.losses[0]


def test_a_loss_that_is_no_number_is_an_error_that_says_what_to_lower() -> None:
    with pytest.raises(DivergedError, match="the loss became nan within 5 steps: lower learning_rate"):
        train(Recipe(batch_size=4), inputs=torch.full((20, SIDE), float("nan")))


@pytest.mark.parametrize(("n_labels", "steps"), [(1, 12), (8, 12), (80, 20), (4000, 50)])
def test_steps_are_passes_over_the_budget_within_bounds(n_labels: int, steps: int) -> None:
    assert Recipe(batch_size=8, epochs=2, min_steps=12, max_steps=50).steps(n_labels) == steps


class Convolution(Stage):
    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Conv2d(2, WIDTH, 3)

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.kernel(values).relu().mean((2, 3))  # type: ignore[no-any-return]  # a module returns anything


def test_kernels_learn_the_same_in_either_memory_order() -> None:
    values = torch.randn(20, 2, 6, 6, generator=torch.Generator().manual_seed(1))
    trained = []
    for order in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(0)
        stage, head = Convolution(), nn.Linear(WIDTH, 2)
        before = stage.kernel.weight.detach().clone()
        stage.kernel.weight.data = stage.kernel.weight.data.to(memory_format=order)
        labels, recipe = torch.arange(20) % 2, Recipe(batch_size=4, learning_rate=1e-2)
        rows = stream(0, "order")
        fit(nn.ModuleList([stage]), head, Batch(values), labels, target=TARGET, recipe=recipe, steps=8, order=rows)
        assert (stage.kernel.weight - before).abs().mean() > 1e-3
        trained.append(stage.kernel.weight.detach())
    torch.testing.assert_close(trained[1], trained[0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("batch_norm", "moves"), [("batch", True), ("pretrained", False)])
def test_batch_norms_keep_what_they_came_with_if_asked_to_while_their_weights_learn(
    batch_norm: str, *, moves: bool
) -> None:
    stages, head = nn.ModuleList([Dense(SIDE, WIDTH)]), nn.Linear(WIDTH, 2)
    norm = stages[0].get_submodule("norm")
    mean, weight = (norm.state_dict()[name].clone() for name in ("running_mean", "weight"))
    fit(
        stages,
        head,
        Batch(torch.randn(20, SIDE) + 1),
        torch.arange(20) % 2,
        target=TARGET,
        recipe=Recipe.model_validate({"batch_norm": batch_norm}),
        steps=3,
        order=stream(0, "order"),
    )
    assert torch.equal(norm.state_dict()["running_mean"], mean) != moves
    assert not torch.equal(norm.state_dict()["weight"], weight)
