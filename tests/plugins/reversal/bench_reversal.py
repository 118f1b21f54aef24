"""The strategy `reversal`: features that do not tell labelled from unlabelled inputs (DANN, Ganin et al. 2016)."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Interval

from bench.budget import Budget
from bench.column import Column
from bench.context import Context
from bench.readout import POOLED
from bench.strategy import BACKBONE, LABELS, UNLABELLED, LoopRecipe, Model, Seeds, Start, Strategy, boundary
from bench.subsets.seeds import VARIED, Purpose, torch_seed

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from bench.backbone import Batch, Reader
    from bench.training.context import NetworkContext
    from bench.training.loop import Forward, Term


class Reversal(Strategy, LoopRecipe):
    """Fine-tuning with a critic beside the head, whose gradient the network gets with the sign reversed.

    The critic, a module of its own, is to tell training inputs from unlabelled ones. `strength` is the weight that its
    loss grows to over the steps.
    """

    kind: ClassVar[str] = "reversal"
    requires: ClassVar[frozenset[str]] = frozenset({LABELS, BACKBONE, UNLABELLED})
    trained: Annotated[float, Interval(gt=0, le=1)] = 1.0
    strength: Annotated[float, Interval(ge=0)] = 0.1

    @property
    def start(self) -> Start:
        return "pretrained"

    @property
    def streams(self) -> tuple[Purpose, ...]:
        return VARIED

    @property
    def trained_fraction(self) -> float:
        return self.trained

    def boundaries(self, n_stages: int) -> frozenset[int]:
        return frozenset({boundary(self.trained, n_stages)})

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        from bench.training.adapted import stages_from  # noqa: PLC0415 (loads torch)
        from bench.training.context import network_of  # noqa: PLC0415 (loads torch)
        from bench.training.fitting import NetworkPlan, fit_network, stage_rates  # noqa: PLC0415 (loads torch)

        network = network_of(context)
        frozen = boundary(self.trained, network.n_stages)
        for budget, seed in zip(budgets, seeds, strict=True):
            plan = NetworkPlan(
                frozen,
                self,
                begin=partial(stages_from, network, frozen),
                learns=partial(stage_rates, recipe=self),
                along=partial(self._along, network, frozen, budget, seed),
                brought=True,
            )
            yield fit_network(network, budget, seed, plan)

    def _along(
        self,
        context: "NetworkContext",
        frozen: int,
        budget: Budget[Column],
        seed: Seeds,
        stages: "nn.ModuleList",
        reader: "Reader",
    ) -> "list[Term]":
        """Return what is paid beside the labels: the loss of a critic on as many inputs of either side."""
        import torch  # noqa: PLC0415 (takes seconds)

        from bench.training.loop import Term  # noqa: PLC0415 (loads torch)

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(seed.initialisation, "initialisation"))
            critic = torch.nn.Linear(context.backbone.widths(POOLED)[0], 1).to(context.device)
        ours = context.examples(budget.rows, frozen, POOLED)

        def loss(forward: "Forward", theirs: "Batch", rows: "Tensor", generator: "torch.Generator") -> "Tensor":
            drawn = torch.randint(len(ours), (len(theirs),), generator=generator, device=generator.device)
            (own,) = ours.batches([drawn.cpu()])
            told_own, told_theirs = (critic(_reverse(forward(side, POOLED)[0])) for side in (own, theirs))
            softplus = torch.nn.functional.softplus
            return softplus(told_own).mean() + softplus(-told_theirs).mean()

        unlabelled = context.unlabelled_inputs(frozen, POOLED)
        return [Term(unlabelled, loss, (critic,), lambda progress: self.strength * progress)]


def _reverse(features: "Tensor") -> "Tensor":
    """Return features as they are, whose gradient has the other sign."""
    return 2 * features.detach() - features
