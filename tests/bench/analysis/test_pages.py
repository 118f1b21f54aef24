"""What a whole page claims: rarely anything that is not so, and a recommendation that says when it is not decided."""

from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.analysis.advice import advise
from bench.analysis.findings import sentences
from bench.analysis.verdicts import Verdicts, judge_page, tolerance_of
from tests.bench.analysis.pages_drawn import BUDGETS, ENTRIES, drawn_page
from tests.bench.stats.answers_drawn import Setting

N_PAGES: Final = 1000
ALIKE: Final = (0.60, 0.70, 0.80, 0.90, 0.95)


@pytest.mark.slow
@pytest.mark.parametrize("setting", [Setting(450, 20, 5), Setting(450, 60, 3)], ids=str)
def test_where_pretraining_has_no_effect_at_most_one_page_of_twenty_says_that_it_has(setting: Setting) -> None:
    rng, false = np.random.default_rng([9, setting.n_seeds]), 0
    for _ in range(N_PAGES):
        page = drawn_page(setting, dict.fromkeys(ENTRIES, ALIKE), rng, n_tasks=5)
        verdicts = judge_page(page)
        false += any(verdict in {"helps", "hurts"} for verdict in verdicts.known.values())
    print(f"{setting}: {false / N_PAGES:.3f} of pages have a false verdict, and with it perhaps false savings")
    assert false / N_PAGES <= 0.05


def test_savings_are_told_only_where_pretraining_clearly_helps() -> None:
    curves = {"linear_probe": (0.80, 0.90, 0.95), "scratch": (0.40, 0.60, 0.80)}
    page = drawn_page(Setting(450, 20, 3), curves, np.random.default_rng(10))
    assert any("worth" in said for said in sentences(page[0], judge_page(page)))
    undecided = Verdicts(dict.fromkeys(judge_page(page).known, "not decided"))
    assert not any("worth" in said for said in sentences(page[0], undecided))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([1, 2, 3, 5]),
    st.sampled_from([100, 300, 1800]),
    st.lists(st.sampled_from([0.55, 0.6, 0.7, 0.72, 0.73, 0.8, 0.9, 0.95]), min_size=2, max_size=5),
)
def test_no_recommendation_is_behind_another_by_more_than_the_tolerance_without_saying_that_it_is_not_decided(
    seed: int, n_seeds: int, n_test: int, accuracies: list[float]
) -> None:
    named = {name: [accuracy] for name, accuracy in zip(ENTRIES, accuracies, strict=False)}
    (curves,) = drawn_page(Setting(n_test, 20, n_seeds), named, np.random.default_rng(seed))
    means = curves.ranking[BUDGETS[0]]["mean"]
    found = advise(curves, BUDGETS[0])
    said = " ".join(sentences(curves, judge_page([curves])))
    if means[found.strategy] < means.max() - tolerance_of(curves):
        assert "not decided" in said
    if found.kind in {"best", "enough"}:
        assert means[found.strategy] > means.max() - tolerance_of(curves)
