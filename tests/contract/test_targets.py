"""Every target keeps the contract on small data of its own."""

import numpy as np
import pytest

from bench.backbone import Backbone
from bench.backbones.catalog import MINILM
from bench.backbones.loading import load_backbone
from bench.column import dense, ragged
from bench.domain import Raw
from bench.domains.series.raw import Windows
from bench.domains.text.raw import Texts
from bench.registry import TARGETS, names
from bench.target import Target
from bench.targets.classes import Classes
from bench.targets.forecast import Forecast
from bench.targets.labels import Labels
from bench.targets.tags import Tags
from bench.targets.value import Value
from bench.task import Examples, Split
from bench.testing import TARGET_CHECKS, TargetCase, TargetCheck
from tests.toys import ToyBackbone, toy_split

CASES = ("classes", "value", "labels", "tags", "forecast")
GENERATOR = np.random.default_rng(3)


def split_in_half(examples: Examples) -> Split:
    rows = np.arange(len(examples))
    return Split(examples.take(rows[: len(rows) // 2]), examples.take(rows[len(rows) // 2 :]))


def pictures(target: Target, **label: np.ndarray) -> TargetCase:
    """Return a case of the pictures of the toys under other labels."""
    split = toy_split()
    n = len(split.train)
    train, test = (
        Examples(part.raw, {target.reads: dense(**{name: array[rows] for name, array in label.items()})})
        for part, rows in ((split.train, slice(n)), (split.test, slice(n, None)))
    )
    return TargetCase(target, Split(train, test), ToyBackbone())


def classes() -> TargetCase:
    return pictures(Classes(("a", "b", "c")), **{"class": np.arange(60) % 3})


def value() -> TargetCase:
    return pictures(Value(), value=50 + 3 * (np.arange(60) % 3) + GENERATOR.normal(size=60))


def labels() -> TargetCase:
    return pictures(Labels(("a", "b", "c")), present=np.arange(60)[:, None] % np.array([2, 3, 5]) == 0)


def tags() -> TargetCase:
    words = tuple(tuple("Ann" if word % 3 == row % 3 else "ran" for word in range(2 + row % 4)) for row in range(24))
    found = ragged(tag=[np.array([1 if word == "Ann" else 0 for word in text]) for text in words])
    raw: Raw = Texts(tuple(map(" ".join, words)), words)
    return TargetCase(Tags(("O", "B-PER")), split_in_half(Examples(raw, {"tag": found})), load_backbone(MINILM.name))


def forecast() -> TargetCase:
    steps, context, n = 4, 48, 40
    series = 100 + np.sin(np.arange(n + context + steps) / 2) + 0.1 * GENERATOR.normal(size=n + context + steps)
    past, future = (
        np.stack([series[start + first : start + last] for start in range(n)])
        for first, last in ((0, context), (context, context + steps))
    )
    facts = dense(
        unit=np.full(n, 0.5),
        moment=np.arange(n),
        series=np.zeros(n, dtype=np.int64),
        step=np.arange(n),
        steps=np.full(n, context + steps),
    )
    raw = Windows(past, season=12, unit=np.full(n, 0.5))
    backbone: Backbone = load_backbone("bundled:series")
    return TargetCase(Forecast(steps), split_in_half(Examples(raw, {"future": dense(future=future)}, facts)), backbone)


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> TargetCase:
    found: TargetCase = globals()[request.param]()
    return found


def test_every_target_is_here() -> None:
    assert set(CASES) == set(names(TARGETS))


@pytest.mark.parametrize("check", TARGET_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("case", CASES, indirect=True)
def test_the_contract_is_kept(check: TargetCheck, case: TargetCase) -> None:
    check(case)
