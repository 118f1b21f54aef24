"""What to use at a budget, and why: clearly best, enough within a tolerance, cheaper, or the highest mean alone."""

from pathlib import Path

import pytest

from bench.analysis.advice import Advice, advise
from bench.analysis.findings import sentences
from bench.analysis.verdicts import judge_page
from tests.bench.analysis.drawn import around, drawn_curves

CALM = 0.005  # a spread that decides a difference of .002 within .01


def moving(deviation: float) -> list[float]:
    """Return how 20 test blocks move a mean whose deviation over them is this: each by 19 times its step."""
    step = deviation / 19**0.5
    return [step, -step] * 10


def test_a_strategy_that_clearly_beats_all_others_is_best(tmp_path: Path) -> None:
    curves = drawn_curves(tmp_path, {"linear_probe": around(0.7), "full": around(0.72)})
    assert advise(curves, 10) == Advice("best", "full", "full", 0.01)


def test_of_equal_means_the_cheapest_leads(tmp_path: Path) -> None:
    found = advise(drawn_curves(tmp_path, {"full": [[1.0]], "linear_probe": [[1.0]], "scratch": [[1.0]]}), 10)
    assert (found.kind, found.strategy, found.others) == ("highest mean", "linear_probe", ("scratch", "full"))


def test_the_only_strategy_is_best(tmp_path: Path) -> None:
    assert advise(drawn_curves(tmp_path, {"full": around(0.7)}), 10).kind == "best"


def test_the_cheapest_that_no_other_beats_by_the_tolerance_is_enough(tmp_path: Path) -> None:
    scores = {"linear_probe": around(0.7, spread=CALM), "full": around(0.702, spread=CALM, shift=2)}
    assert advise(drawn_curves(tmp_path / "cheap", scores), 10) == Advice("enough", "linear_probe", "full", 0.01)
    # .008 behind, and with 2.132 x .0031 beside it by more than .01, the probe is not; full fine-tuning is
    scores = {"linear_probe": around(0.7, spread=CALM), "full": around(0.708, spread=CALM, shift=2)}
    assert advise(drawn_curves(tmp_path / "dear", scores), 10).strategy == "full"


def test_to_be_best_is_corrected_for_how_many_are_beaten(tmp_path: Path) -> None:
    # The probe is behind by 0.02 with p = 0.031: clear by itself, but not as the clearest of two comparisons.
    probe = [[0.68 + step for step in (0.02, -0.01, 0.0, -0.015, 0.005)]]
    flat = [[0.7] * 5]
    assert advise(drawn_curves(tmp_path / "two", {"linear_probe": probe, "full": flat}), 10).kind == "best"
    three = drawn_curves(tmp_path / "three", {"linear_probe": probe, "partial": around(0.69), "full": flat})
    assert advise(three, 10) == Advice("enough", "full", "full", 0.01)


def test_what_seeds_leave_open_has_the_highest_mean_and_more_seeds_would_decide(tmp_path: Path) -> None:
    # differences deviate by .05 x 1.369 / sqrt(5) = .031, and 2.132 times that is more than .01 + .02
    scores = {"linear_probe": around(0.7, spread=0.05), "full": around(0.72, spread=0.05, shift=2)}
    found = advise(drawn_curves(tmp_path, scores), 10)
    assert found == Advice("highest mean", "full", "full", 0.01, ("linear_probe",), "more seeds")


def test_a_cheaper_strategy_within_the_tolerance_is_named_where_seeds_leave_open_whether_it_is_enough(
    tmp_path: Path,
) -> None:
    scores = {"linear_probe": around(0.7, spread=0.05), "full": around(0.702, spread=0.05, shift=2)}
    found = advise(drawn_curves(tmp_path, scores), 10)
    assert found == Advice("cheaper", "linear_probe", "full", 0.01, ("full",), "more seeds")


def test_what_test_examples_leave_open_says_how_many_would_decide(tmp_path: Path) -> None:
    # The probe is .004 behind with a deviation of .01 over the blocks of 100,000 test examples: 100,000 x (1.645 x .01
    # / .006)^2 would do, 752,000, in two digits and not below.
    scores = {"linear_probe": around(0.700, spread=0.0), "full": around(0.704, spread=0.0)}
    found = advise(drawn_curves(tmp_path, scores, moved={"full": moving(0.01)}), 10)
    assert (found.kind, found.strategy) == ("cheaper", "linear_probe")
    assert found.wanted == "about 760,000 test examples"


def test_one_seed_has_a_highest_mean_and_nothing_says_what_would_decide(tmp_path: Path) -> None:
    curves = drawn_curves(tmp_path, {"linear_probe": [[0.7]], "full": [[0.9]]})
    assert advise(curves, 10) == Advice("highest mean", "full", "full", 0.01, ("linear_probe",), "")


def test_a_cheaper_strategy_that_the_test_examples_cannot_tell_from_any_other_is_advised(tmp_path: Path) -> None:
    # Partial fine-tuning deviates by .03 over blocks, so that 1.645 x .03 = .0494 is the least that can be told. The
    # probe is .012 behind the leader, for certain: it is not advised, cheap as it is.
    curves = drawn_curves(
        tmp_path,
        {
            "linear_probe": around(0.698, spread=0.0),
            "partial": around(0.690, spread=0.0),
            "full": around(0.710, spread=0.0),
        },
        moved={"partial": moving(0.03)},
    )
    found = advise(curves, 10)
    assert (found.kind, found.strategy, found.leader) == ("cheaper", "partial", "full")
    assert found.tolerance == pytest.approx(1.645 * 0.03, rel=1e-3)
    assert found.others == ("full", "linear_probe")
    said = sentences(curves, judge_page([curves]))[0]
    assert said.startswith("With 10 labelled examples, full fine-tuning has the best mean (0.710")
    assert (
        " is cheaper and behind by less than 0.05, the least that these test examples can tell. Whether it is as good "
        "as full fine-tuning and a linear probe is not decided."
    ) in said


@pytest.mark.parametrize("spread", [0.001, 0.01, 0.03])
@pytest.mark.parametrize("gap", [0.0, 0.005, 0.009, 0.02, 0.1])
def test_a_mean_behind_by_more_than_the_tolerance_is_never_advised_as_decided(
    gap: float, spread: float, tmp_path: Path
) -> None:
    scores = {"linear_probe": around(0.7, spread=spread), "full": around(0.7 + gap, spread=spread, shift=2)}
    found = advise(drawn_curves(tmp_path, scores), 10)
    behind = gap if found.strategy == "linear_probe" else 0.0
    assert behind < found.tolerance or found.kind in {"cheaper", "highest mean"}
