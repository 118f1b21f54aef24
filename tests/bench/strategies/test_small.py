"""The small network of a domain is trained from random weights, sees no backbone, and says where there is none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.context import Context
from bench.domains import registered
from bench.domains.registered import all_domains
from bench.errors import DataError
from bench.runtime.cache import Cache
from bench.strategies.small import Small
from bench.strategy import BACKBONE, Seeds
from bench.targets.classes import Classes
from bench.targets.tags import Tags
from tests.fitting import drawn
from tests.toys import ToyTask, classes_of, toy_split

SMALL = Small(name="small", learning_rate=1e-3, head_learning_rate=1e-3, epochs=40)
SPLIT = toy_split(240)


def context_of(folder: Path) -> Context:
    needed = np.arange(len(SPLIT.train))
    return Context("toy", ToyTask.target, SPLIT, needed=needed, content="toy", cache=Cache(folder))


def test_it_learns_what_shows_in_pictures(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    [model] = SMALL.fit(context, [drawn(split=SPLIT)], [Seeds(0, 0)])
    right = model.predict(context.tested)["logit"].argmax(1) == classes_of(SPLIT.test)
    assert right.mean() > 0.9
    assert model.cost.trainable_parameters == model.cost.total_parameters > 600_000
    assert (model.cost.rates, model.cost.learning_rate) == ("shipped", 1e-3)
    assert {work.phase for work in model.cost.work} == {"loading"}


def test_it_needs_no_backbone_and_starts_from_nothing_pretrained() -> None:
    assert BACKBONE not in SMALL.requires
    assert (SMALL.start, SMALL.trained_fraction) == ("random", 1.0)


def test_it_says_where_there_is_no_small_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert SMALL.lacks(Classes(("a", "b")), "text") == ""
    assert (
        SMALL.lacks(Tags(("O", "B-x")), "text") == "tags needs sequence features, which a small network does not have"
    )
    without = {**all_domains(), "vision": replace(all_domains()["vision"], small=None)}
    monkeypatch.setattr(registered, "all_domains", lambda: without)
    assert SMALL.lacks(Classes(("a", "b")), "vision") == "the domain 'vision' names no small network"
    with pytest.raises(DataError, match="names no small network: leave out strategies of the kind small"):
        list(SMALL.fit(context_of(tmp_path), [drawn(split=SPLIT)], [Seeds(0, 0)]))
