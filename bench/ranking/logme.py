"""LogME: how well a linear model could explain labels from features, without fitting one to a score.

The log evidence of a Bayesian linear regression of each target on the features, its two precisions set to where the
evidence is greatest, per example (You et al. 2021, LogME: Practical Assessment of Pre-trained Models for Transfer
Learning, arXiv:2102.11005; the fixed-point iteration is that of You et al. 2022, arXiv:2110.10545).
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

ITERATIONS: Final = 100
TOLERANCE: Final = 1e-3  # of the ratio of precisions, relative
LEAST: Final = 1e-12  # residues and weights that are nothing count as this much

Floats = NDArray[np.float64]


def logme(features: Floats, targets: Floats) -> float:
    """Return the mean over targets [n, k] of the log evidence per example, given `features` [n, width]; natural log.

    Classes are given one-hot. Higher is better; numbers of different examples or targets cannot be compared.
    """
    left, singular, _ = np.linalg.svd(features, full_matrices=False)  # [n, r], [r]
    squared = singular**2
    along = left.T @ targets  # [r, k]
    beyond = (targets**2).sum(axis=0) - (along**2).sum(axis=0)  # [k], what no weights explain
    evidences = [
        _evidence(squared, along[:, column], float(max(beyond[column], 0.0)), n=len(features), width=features.shape[1])
        for column in range(targets.shape[1])
    ]
    return float(np.mean(evidences))


def _evidence(squared: Floats, along: Floats, beyond: float, *, n: int, width: int) -> float:
    """Return the log evidence per example of one target, at the precisions of weights and of noise that maximise it.

    In the basis of the singular vectors everything is diagonal: `squared` [r] are the squared singular values, `along`
    [r] the target's coordinates, `beyond` its squared length outside their span. With the ratio t of weights' to noise
    precision, the posterior mean has the squared length sum(s a² / (s + t)²), the residue is sum((t a / (s + t))²) +
    beyond, and sum(s / (s + t)) weights are determined by the data.
    """
    ratio = 1.0
    for _ in range(ITERATIONS):
        weights = float((squared * along**2 / (squared + ratio) ** 2).sum())
        residue = float(((ratio * along / (squared + ratio)) ** 2).sum()) + beyond
        determined = float((squared / (squared + ratio)).sum())
        of_weights = max(determined, LEAST) / max(weights, LEAST)
        of_noise = max(n - determined, LEAST) / max(residue, LEAST)
        before, ratio = ratio, of_weights / of_noise
        if abs(ratio - before) <= TOLERANCE * before:
            break
    log_determinant = float(np.log(of_weights + of_noise * squared).sum()) + (width - len(squared)) * math.log(
        of_weights
    )
    return (
        0.5
        / n
        * (
            width * math.log(of_weights)
            + n * math.log(of_noise)
            - log_determinant
            - of_noise * residue
            - of_weights * weights
            - n * math.log(2 * math.pi)
        )
    )
