"""Many problems at once end where each would alone."""

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.probing.lbfgs import minimise


@dataclass(frozen=True, slots=True)
class Bowls:
    """Convex functions [s, p] with known minima: sum of curvature * (cosh(x - minimum) - 1)."""

    minima: Tensor  # [s, p, d]
    curvature: Tensor  # [s, p, d]

    def evaluate(self, points: Tensor) -> tuple[Tensor, Tensor]:
        away = points - self.minima
        return (self.curvature * (away.cosh() - 1)).sum(2), self.curvature * away.sinh()

    def take(self, sets: Tensor, problems: Tensor) -> "Bowls":
        return Bowls(self.minima[sets][:, problems], self.curvature[sets][:, problems])


def bowls() -> Bowls:
    generator = torch.Generator().manual_seed(0)
    minima = torch.randn(4, 3, 7, generator=generator, dtype=torch.float64)
    minima[2, 1] = 0.0  # solved before it begins
    return Bowls(minima, torch.rand(4, 3, 7, generator=generator, dtype=torch.float64) + 0.02)


def test_every_problem_ends_in_its_minimum() -> None:
    problems = bowls()
    found = minimise(problems, torch.zeros_like(problems.minima), tolerance=1e-10)
    torch.testing.assert_close(found, problems.minima, rtol=0, atol=1e-7)


def test_a_problem_ends_where_it_ends_whatever_it_is_solved_with() -> None:
    problems = bowls()
    together = minimise(problems, torch.zeros_like(problems.minima), tolerance=1e-3)
    for s in range(4):
        for p in range(3):
            one = Bowls(problems.minima[s, p][None, None], problems.curvature[s, p][None, None])
            alone = minimise(one, torch.zeros(1, 1, 7, dtype=torch.float64), tolerance=1e-3)
            torch.testing.assert_close(together[s, p], alone[0, 0], rtol=0, atol=1e-12)
