"""Whether two sides learnt the same: a faster side that learnt less has won nothing."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accuracies:
    """What both sides scored on the same test split of `n_test` examples."""

    peer: float
    ours: float
    n_test: int

    @property
    def standard_error(self) -> float:
        """The standard error of one such accuracy, by the binomial of their mean."""
        mean = (self.peer + self.ours) / 2
        return math.sqrt(mean * (1 - mean) / self.n_test)

    @property
    def agree(self) -> bool:
        """Whether they differ by at most one standard error."""
        return abs(self.peer - self.ours) <= self.standard_error

    def __str__(self) -> str:
        verdict = "they agree within" if self.agree else "they differ by more than"
        error = f"one standard error ({self.standard_error:.4f})"
        return f"accuracy peer {self.peer:.4f}, ours {self.ours:.4f}: {verdict} {error}"
