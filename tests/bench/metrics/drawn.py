"""Random labels and predictions of every kind of target."""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.column import Dense, dense
from bench.metric import Metric

seeds = st.integers(0, 2**32 - 1)


def value_of(metric: Metric, predictions: Dense, labels: Dense, facts: Dense | None = None) -> float:
    """Return a metric that these examples define."""
    value = metric.compute(predictions, labels, facts)
    assert isinstance(value, float)
    return value


def logits_drawn(rng: np.random.Generator, n: int, k: int, *, ties: bool) -> NDArray[np.float32]:
    """Return logits [n, k]; with ties of few kinds of examples, so that many score alike."""
    logits = rng.normal(scale=3, size=(n, k)).astype(np.float32)
    return logits[rng.integers(0, min(n, 4), n)] if ties else logits


@st.composite
def classified(draw: st.DrawFn, min_size: int = 1) -> tuple[Dense, Dense]:
    """Predictions and labels of two to five classes, of which some may not occur."""
    rng = np.random.default_rng(draw(seeds))
    n, k = draw(st.integers(min_size, 40)), draw(st.integers(2, 5))
    logits = logits_drawn(rng, n, k, ties=draw(st.booleans()))
    return dense(logit=logits), dense(**{"class": rng.integers(0, k, n)})


@st.composite
def labelled(draw: st.DrawFn, min_size: int = 1) -> tuple[Dense, Dense]:
    """Predictions and labels of one to four labels per example, of which some may not occur."""
    rng = np.random.default_rng(draw(seeds))
    n, k = draw(st.integers(min_size, 30)), draw(st.integers(1, 4))
    logits = logits_drawn(rng, n, k, ties=draw(st.booleans()))
    return dense(logit=logits), dense(present=rng.random((n, k)) < draw(st.sampled_from([0.0, 0.1, 0.5, 1.0])))


@st.composite
def valued(draw: st.DrawFn, min_size: int = 1) -> tuple[Dense, Dense]:
    """Predictions and labels of one value per example, at times with many ties."""
    rng = np.random.default_rng(draw(seeds))
    n = draw(st.integers(min_size, 40))
    found = rng.integers(0, 4, (2, n)).astype(np.float64) if draw(st.booleans()) else rng.normal(5, 20, (2, n))
    return dense(value=found[0]), dense(value=found[1])
