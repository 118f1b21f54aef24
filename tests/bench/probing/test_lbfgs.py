"""Many problems at once end where each would alone."""

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.probing.lbfgs import LANES, minimise


@dataclass(frozen=True, slots=True)
class Bowls:
    """Convex functions [s, p] with known minima: sum of curvature * (cosh(x - minimum) - 1)."""

    minima: Tensor  # [s, p, d]
    curvature: Tensor  # [s, p, d]

    def evaluate(self, points: Tensor) -> tuple[Tensor, Tensor]:
        away = points - self.minima
        return (self.curvature * (away.cosh() - 1)).sum(2), self.curvature * away.sinh()

    def take(self, sets: Tensor) -> "Bowls":
        return Bowls(self.minima[sets], self.curvature[sets])


def bowls() -> Bowls:
    generator = torch.Generator().manual_seed(0)
    minima = torch.randn(4, 3, LANES, generator=generator, dtype=torch.float64)
    minima[2, 1] = 0.0  # solved before it begins
    return Bowls(minima, torch.rand(4, 3, LANES, generator=generator, dtype=torch.float64) + 0.02)


def test_every_problem_ends_in_its_minimum() -> None:
    problems = bowls()
    found = minimise(problems, torch.zeros_like(problems.minima), tolerance=1e-10)
    torch.testing.assert_close(found, problems.minima, rtol=0, atol=1e-7)


def test_the_problems_of_a_data_set_end_at_the_same_bits_whatever_they_are_solved_with() -> None:
    problems = bowls()
    together = minimise(problems, torch.zeros_like(problems.minima), tolerance=1e-3)
    for s in range(4):
        alone = minimise(problems.take(torch.arange(4) == s), torch.zeros(1, 3, LANES).double(), tolerance=1e-3)
        assert torch.equal(together[s], alone[0])
