"""The gradient loop sees what it is given, at the rates it is given, and says when it fails."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bench.backbone import Batch, Features, Stage, run_stages
from bench.errors import FreezeError
from bench.probing.linear import zero_head
from bench.readout import POOLED, Readout
from bench.strategy import LoopRecipe
from bench.subsets.seeds import stream
from bench.training.fitting import stage_rates
from bench.training.loop import (
    Adaptation,
    DivergedError,
    Forward,
    Rate,
    Term,
    batches,
    parameter_groups,
    rate_share,
    train,
)
from tests.toys import SIDE, WIDTH, Dense, Restless

LABELS = torch.arange(20) % 2

See = Callable[[Batch, torch.Generator], Batch]


def as_it_is(batch: Batch, generator: torch.Generator) -> Batch:
    return batch


def drawn_head(*, seed: int = 1) -> nn.Module:
    """Return a head of two classes whose numbers are drawn, so that its gradients reach the stages at once."""
    head = zero_head([WIDTH], 2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head.reset_parameters()
    return head


def classify(head: nn.Module, inputs: Batch, *, see: See = as_it_is) -> Term:
    """Return the cross-entropy of a head on 20 examples of two classes that take turns."""

    def loss(forward: Forward, batch: Batch, rows: Tensor, generator: torch.Generator) -> Tensor:
        (outputs,) = head(forward(see(batch, generator), POOLED))
        return cross_entropy(outputs, LABELS[rows])

    return Term(inputs, loss, (head,))


def adaptation_of(stages: nn.ModuleList, rates: Sequence[Rate], *terms: Term) -> Adaptation:
    def forward(batch: Batch, readout: Readout) -> Features:
        return (run_stages(stages, batch).values,)

    return Adaptation(stages, forward, rates, terms)


class Fitted(NamedTuple):
    stages: nn.ModuleList
    head: nn.Module
    losses: tuple[float, ...]

    @property
    def weight(self) -> Tensor:
        return self.head.get_parameter("weight")


def trained(
    recipe: LoopRecipe,
    *,
    steps: int = 5,
    inputs: Tensor | None = None,
    see: See = as_it_is,
    stages: nn.ModuleList | None = None,
) -> Fitted:
    torch.manual_seed(0)
    stages, head = stages or nn.ModuleList([Dense(SIDE, WIDTH)]), drawn_head()
    values = torch.randn(20, SIDE) if inputs is None else inputs
    term = classify(head, Batch(values), see=see)
    rates = [*stage_rates(stages, recipe), Rate(list(head.parameters()), recipe.head_learning_rate)]
    losses = train(adaptation_of(stages, rates, term), recipe, steps=steps, order=stream(0, "order"))
    return Fitted(stages, head, losses)


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
    recipe = LoopRecipe(learning_rate=1.0, head_learning_rate=5.0, layer_decay=0.5, weight_decay=0.1)
    head = Rate(list(drawn_head().parameters()), recipe.head_learning_rate)
    groups = parameter_groups([*stage_rates(stages, recipe), head], recipe)
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
    one, other = (trained(LoopRecipe(batch_size=4)) for _ in range(2))
    assert torch.equal(one.weight, other.weight)


def test_what_a_loss_makes_of_a_batch_is_what_is_learnt_from() -> None:
    seen = []

    def blank(batch: Batch, generator: torch.Generator) -> Batch:
        seen.append(len(batch))
        return Batch(torch.zeros_like(batch.values))

    plain, blanked = trained(LoopRecipe(batch_size=4)), trained(LoopRecipe(batch_size=4), see=blank)
    assert seen == [4] * 5
    assert not torch.equal(plain.weight, blanked.weight)


def test_what_a_loss_draws_follows_the_order_alone() -> None:
    def noisy(batch: Batch, generator: torch.Generator) -> Batch:
        return Batch(batch.values + torch.randn(batch.values.shape, generator=generator))

    one, other = (trained(LoopRecipe(batch_size=4), see=noisy) for _ in range(2))
    assert torch.equal(one.weight, other.weight)
    assert not torch.equal(one.weight, trained(LoopRecipe(batch_size=4)).weight)


def test_the_losses_are_means_of_stretches_of_all_steps_and_fall() -> None:
    few = trained(LoopRecipe(batch_size=5), steps=7)
    many = trained(LoopRecipe(batch_size=20, learning_rate=0.1), steps=50)
    assert len(few.losses) == 7
    assert len(many.losses) == 20
    assert few.losses[0] == pytest.approx(np.log(2), rel=0.5)  # of a guess; a mean of steps, not their sum
    assert many.losses[-1] < 0.8 * many.losses[0]


def test_a_loss_that_is_no_number_is_an_error_that_says_what_to_lower() -> None:
    with pytest.raises(DivergedError, match="the loss became nan within 5 steps: lower learning_rate"):
        trained(LoopRecipe(batch_size=4), inputs=torch.full((20, SIDE), float("nan")))


@pytest.mark.parametrize(("n_labels", "steps"), [(0, 0), (1, 12), (8, 12), (80, 20), (4000, 50)])
def test_steps_are_passes_over_the_budget_within_bounds(n_labels: int, steps: int) -> None:
    assert LoopRecipe(batch_size=8, epochs=2, min_steps=12, max_steps=50).steps(n_labels) == steps


class Convolution(Stage):
    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Conv2d(2, WIDTH, 3)

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.kernel(values).relu().mean((2, 3))  # type: ignore[no-any-return]  # a module returns anything


def test_kernels_learn_the_same_in_either_memory_order() -> None:
    values = torch.randn(20, 2, 6, 6, generator=torch.Generator().manual_seed(1))
    found = []
    for order in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(0)
        stage = Convolution()
        before = stage.kernel.weight.detach().clone()
        stage.kernel.weight.data = stage.kernel.weight.data.to(memory_format=order)
        recipe = LoopRecipe(batch_size=4, learning_rate=1e-2)
        trained(recipe, steps=8, inputs=values, stages=nn.ModuleList([stage]))
        assert (stage.kernel.weight - before).abs().mean() > 1e-3
        found.append(stage.kernel.weight.detach())
    torch.testing.assert_close(found[1], found[0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("batch_norm", "moves"), [("batch", True), ("pretrained", False)])
def test_batch_norms_keep_what_they_came_with_if_asked_to_while_their_weights_learn(
    batch_norm: str, *, moves: bool
) -> None:
    stages = nn.ModuleList([Dense(SIDE, WIDTH)])
    norm = stages[0].get_submodule("norm")
    mean, weight = (norm.state_dict()[name].clone() for name in ("running_mean", "weight"))
    recipe = LoopRecipe.model_validate({"batch_norm": batch_norm})
    trained(recipe, steps=3, inputs=torch.randn(20, SIDE) + 1, stages=stages)
    assert torch.equal(norm.state_dict()["running_mean"], mean) != moves
    assert not torch.equal(norm.state_dict()["weight"], weight)


class Fidgety(nn.ModuleList):
    """Two stages of which the first moves a weight of its own at every step, whatever learns."""

    def __init__(self) -> None:
        super().__init__([Dense(SIDE, WIDTH), Dense(WIDTH, WIDTH)])

    def shift(self) -> None:
        with torch.no_grad():
            self[0].get_parameter("linear.weight").add_(1e-3)


def upper_stage_alone(stages: nn.ModuleList, *, see: See = as_it_is) -> None:
    """Train the second of two stages and a head for three steps."""
    head = drawn_head()
    rates = [Rate([*stages[1].parameters(), *head.parameters()], 1e-2)]
    adaptation = adaptation_of(stages, rates, classify(head, Batch(torch.randn(20, SIDE)), see=see))
    train(adaptation, LoopRecipe(batch_size=4), steps=3, order=stream(0, "order"))


def test_what_has_no_rate_stays_as_it_is_with_the_statistics_of_its_batch_norms() -> None:
    stages = nn.ModuleList([Dense(SIDE, WIDTH), Dense(WIDTH, WIDTH)])
    before = [{name: values.clone() for name, values in stage.state_dict().items()} for stage in stages]
    upper_stage_alone(stages)
    assert all(torch.equal(values, before[0][name]) for name, values in stages[0].state_dict().items())
    assert not any(
        torch.equal(values, before[1][name])
        for name, values in stages[1].state_dict().items()
        if name in ("linear.weight", "norm.weight", "norm.running_mean")
    )


def test_a_weight_that_moves_without_a_rate_is_named() -> None:
    stages = Fidgety()

    def shift(batch: Batch, generator: torch.Generator) -> Batch:
        stages.shift()
        return batch

    with pytest.raises(FreezeError, match=r"0\.linear\.weight was to stay frozen, but it moved"):
        upper_stage_alone(stages, see=shift)


def test_a_buffer_that_moves_in_a_stage_where_nothing_learns_is_named() -> None:
    with pytest.raises(FreezeError, match=r"0\.calls was to stay frozen, but it moved"):
        upper_stage_alone(nn.ModuleList([Restless(SIDE, WIDTH), Dense(WIDTH, WIDTH)]))


def test_a_buffer_may_move_in_a_stage_that_learns() -> None:
    stages = nn.ModuleList([Dense(SIDE, WIDTH), Restless(WIDTH, WIDTH)])
    upper_stage_alone(stages)
    assert stages[1].get_buffer("calls").item() == 3


@pytest.mark.parametrize(("place", "moves"), [(0, False), (1, True)])
def test_a_batch_norm_without_weights_goes_by_its_stage(place: int, *, moves: bool) -> None:
    stages = nn.ModuleList([Dense(SIDE, WIDTH), Dense(WIDTH, WIDTH)])
    stages[place].set_submodule("norm", nn.BatchNorm1d(WIDTH, affine=False))
    upper_stage_alone(stages)
    mean = stages[place].get_buffer("norm.running_mean")
    assert torch.equal(mean, torch.zeros(WIDTH)) != moves


def weighted(inputs: Batch, head: nn.Module, weight: Callable[[float], float], drawn: list[list[int]]) -> Term:
    plain = classify(head, inputs)

    def loss(forward: Forward, batch: Batch, rows: Tensor, generator: torch.Generator) -> Tensor:
        drawn.append(rows.tolist())
        return plain.loss(forward, batch, rows, generator)

    return Term(inputs, loss, (head,), weight)


def two_terms(weight: Callable[[float], float]) -> tuple[nn.Module, nn.Module, list[list[int]], list[list[int]]]:
    """Train one stage on two terms, of which the second has this weight; return both heads and what each drew."""
    torch.manual_seed(0)
    stages, inputs = nn.ModuleList([Dense(SIDE, WIDTH)]), Batch(torch.randn(20, SIDE))
    recipe = LoopRecipe(batch_size=4)
    heads = drawn_head(seed=1), drawn_head(seed=2)
    drawn: tuple[list[list[int]], list[list[int]]] = ([], [])
    terms = (
        weighted(inputs, heads[0], lambda progress: 1.0, drawn[0]),
        weighted(inputs, heads[1], weight, drawn[1]),
    )
    rates = [*stage_rates(stages, recipe), *(Rate(list(head.parameters()), 1e-3) for head in heads)]
    train(adaptation_of(stages, rates, *terms), recipe, steps=4, order=stream(0, "order"))
    return (*heads, *drawn)


def test_each_term_draws_batches_of_its_own_and_the_first_those_it_would_draw_alone() -> None:
    *_, first, second = two_terms(lambda progress: 1.0)
    order = stream(0, "order")
    order.integers(2**63)  # of the views
    alone = [rows.tolist() for rows in batches(20, 4, 4, order)]
    assert first == alone
    assert second != alone
    assert len(second) == 4


def test_a_term_has_its_weight_in_the_sum_by_progress() -> None:
    told: list[float] = []

    def nothing(progress: float) -> float:
        told.append(progress)
        return 0.0

    before = drawn_head(seed=2).get_parameter("weight")
    first, second, *_ = two_terms(nothing)
    assert told == [0.0, 0.25, 0.5, 0.75]
    # Without gradient there is only decay, at most 1 % of 1e-3 a step.
    torch.testing.assert_close(second.get_parameter("weight"), before, rtol=1e-4, atol=0)
    assert not torch.allclose(first.get_parameter("weight"), drawn_head(seed=1).get_parameter("weight"), rtol=1e-4)


@pytest.mark.parametrize("weight", [0.0, 1.0, 3.0])
def test_a_term_that_is_left_alone_has_its_weight_too(weight: float) -> None:
    torch.manual_seed(0)
    stages, head, inputs = nn.ModuleList([Dense(SIDE, WIDTH)]), drawn_head(), Batch(torch.randn(20, SIDE))
    labels = classify(head, inputs)
    adaptation = adaptation_of(stages, [Rate(list(head.parameters()), 1e-9)], labels)
    (plain,) = train(adaptation, LoopRecipe(batch_size=20), steps=1, order=stream(0, "order"))
    alone = replace(adaptation, terms=[weighted(inputs, head, lambda progress: weight, [])])
    (paid,) = train(alone, LoopRecipe(batch_size=20), steps=1, order=stream(0, "order"))
    assert paid == pytest.approx(weight * plain, rel=1e-4)


def test_a_term_without_examples_is_dropped_and_without_any_term_nothing_is_trained() -> None:
    stages, head = nn.ModuleList([Dense(SIDE, WIDTH)]), drawn_head()
    before = {name: values.clone() for name, values in stages.state_dict().items()}
    empty = classify(head, Batch(torch.empty(0, SIDE)))
    rates = [Rate(list(stages.parameters()), 1e-2)]
    assert train(adaptation_of(stages, rates, empty), LoopRecipe(), steps=3, order=stream(0, "order")) == ()
    assert all(torch.equal(values, before[name]) for name, values in stages.state_dict().items())
    both = adaptation_of(stages, rates, classify(head, Batch(torch.randn(20, SIDE))), empty)
    assert len(train(both, LoopRecipe(), steps=3, order=stream(0, "order"))) == 3


@pytest.mark.parametrize(("loss", "share"), [(0.0, 0.0), (0.002, 0.125), (0.0026, 0.25), (0.011, 1.0), (3.0, 1.0)])
def test_rates_shrink_with_a_loss_below_that_of_a_fit(loss: float, share: float) -> None:
    """The loss is the same at every step, its gradient is 1: AdamW would go as far at any loss."""

    def moved(fits: float) -> float:
        layer = Dense(SIDE, WIDTH)
        weight = layer.get_parameter("linear.weight")
        before = weight.detach().clone()

        def constant(forward: Forward, batch: Batch, rows: Tensor, generator: torch.Generator) -> Tensor:
            return weight.sum() - weight.sum().detach() + loss

        term = Term(Batch(torch.zeros(20, SIDE)), constant)
        rates = [Rate([weight], 0.1)]
        recipe = LoopRecipe(weight_decay=0.0)
        train(adaptation_of(nn.ModuleList([layer]), rates, term), recipe, steps=8, order=stream(0, "order"), fits=fits)
        return float((before - weight.detach()).mean())

    assert moved(0.01) == pytest.approx(share * moved(0.0), rel=1e-3, abs=1e-6)
    assert moved(0.0) > 0.1
