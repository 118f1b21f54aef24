"""What is said in words is what the numbers bear out: advice, ties, crossovers, the worth of pretraining."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from bench.analysis.curves import Curves, find_curves
from bench.analysis.extrapolation import more_labels_of
from bench.analysis.findings import headline, sentences
from bench.analysis.horizontal import savings_against
from bench.analysis.tables import read_tables
from bench.analysis.verdicts import judge_page
from tests.bench.analysis.drawn import around, drawn_curves
from tests.bench.analysis.example import TASKS, example
from tests.bench.analysis.measured import measured

GAP = [math.nan] * 5


def told(curves: Curves) -> list[str]:
    """Return the sentences about curves that are alone on their page."""
    return sentences(curves, judge_page([curves]), next(iter(more_labels_of([curves]).values())))


def said(root: Path, **scores: list[list[float]]) -> str:
    """Return the sentences about curves at 10, 100 and 1,000 labels."""
    return " ".join(told(drawn_curves(root, scores)))


def test_a_strategy_that_is_clearly_best_is_to_be_used(tmp_path: Path) -> None:
    curves = drawn_curves(tmp_path, {"linear_probe": around(0.7), "full": around(0.8)})
    # the spread is 0.01 * sqrt(2.5 / 4), t(0.975; 4) = 2.776445, over sqrt(5)
    assert told(curves) == ["With 10 labelled examples, use full fine-tuning: 0.800\xa0±\xa00.010."]


def test_the_cheapest_to_which_no_other_is_superior_by_the_tolerance_is_enough(tmp_path: Path) -> None:
    # The probe is behind by .002; differences deviate by .005 x sqrt(1.875), over sqrt(5) .0031, t(.95; 4) = 2.132:
    # with 95 % confidence by less than .0085.
    curves = drawn_curves(
        tmp_path,
        {
            "scratch": around(0.3),
            "linear_probe": around(0.7, spread=0.005),
            "full": around(0.702, spread=0.005, shift=2),
        },
    )
    assert told(curves)[0] == (
        "With 10 labelled examples, a linear probe is enough: 0.700\xa0±\xa00.005; "
        "full fine-tuning (0.702) is better by less than 0.01."
    )


def test_a_cheapest_strategy_that_also_leads_and_is_enough_says_so(tmp_path: Path) -> None:
    text = said(
        tmp_path,
        linear_probe=around(0.702, spread=0.005),
        partial=around(0.7, spread=0.005, shift=1),
        full=around(0.7, spread=0.005, shift=2),
    )
    assert "a linear probe is enough: 0.702\xa0±\xa00.005; no other is better by 0.01 or more." in text


def test_a_tie_that_seeds_leave_open_is_not_decided(tmp_path: Path) -> None:
    # as above with twice the spread: the probe may be behind by .002 + 2.132 x .0061 = .015
    text = said(tmp_path, linear_probe=around(0.7), full=around(0.702, shift=2))
    assert text.startswith(
        "With 10 labelled examples, full fine-tuning has the best mean (0.702\xa0±\xa00.010); a linear probe "
        "(0.700\xa0±\xa00.010) is cheaper and behind by less than 0.01. Whether it is as good as full fine-tuning is "
        "not decided"
    )


def test_it_says_from_how_many_labels_on_another_strategy_wins(tmp_path: Path) -> None:
    text = said(tmp_path, linear_probe=around(0.6, 0.7, 0.75), full=around(0.5, 0.7, 0.85, shift=1))
    assert text.startswith("With 10 labelled examples, use a linear probe: 0.600\xa0±\xa00.010. From about 100 [")
    assert "] labelled examples on, full fine-tuning beats it: 0.850\xa0±\xa00.010 with 1,000." in text


def test_a_crossing_that_seeds_do_not_decide_is_not_told(tmp_path: Path) -> None:
    text = said(tmp_path, linear_probe=around(0.6, 0.7, 0.75), full=around(0.5, 0.68, 0.755, shift=2))
    assert "From about" not in text
    assert "With 1,000 labelled examples, full fine-tuning is enough: 0.755" in text


def test_it_says_what_pretraining_is_worth_in_labels_with_its_interval(tmp_path: Path) -> None:
    # scratch goes from 0.3 at 10 to 0.7 at 100 labels, so that it reaches the probe's 0.6 at 10 ** 1.75 = 56
    curves = drawn_curves(tmp_path, {"scratch": around(0.3, 0.7, 0.9), "linear_probe": around(0.6, 0.8, 0.9, shift=1)})
    worth = next(one for one in told(curves) if "worth" in one)
    assert worth.startswith("Pretraining is worth about 5.6 times the labels [5.")
    assert worth.endswith("]: a linear probe with 10 labelled examples matches training from scratch on about 56.")
    assert headline(curves, judge_page([curves])) == worth


def test_what_scratch_never_reaches_is_worth_at_least_as_many_labels_as_were_measured(tmp_path: Path) -> None:
    text = said(tmp_path, scratch=around(0.3, 0.4, 0.5), linear_probe=around(0.6, 0.8, 0.9))
    assert "Pretraining helps at every budget. " in text
    assert (
        "Pretraining is worth at least 100 times the labels: a linear probe with 10 labelled examples beats "
        "training from scratch with 1,000." in text
    )


def test_savings_that_were_measured_are_told_before_those_that_leave_the_range(tmp_path: Path) -> None:
    # With 10 labels the probe has what scratch has with about 1,000, which seeds leave open; with 100 it is certain.
    steps = [0.03, -0.02, 0.01, -0.03, 0.01]
    probe = [[0.68 + step for step in steps], [0.65] * 5, [0.9] * 5]
    curves = drawn_curves(tmp_path, {"scratch": around(0.3, 0.5, 0.7, spread=0.0), "linear_probe": probe})
    assert savings_against(curves, "random", 10).upper == math.inf  # type: ignore[union-attr]  # there are some
    assert "Pretraining is worth about 5.6 times the labels [5.6, 5.6]: a linear probe with 100 " in " ".join(
        told(curves)
    )


def test_savings_that_seeds_leave_open_say_so(tmp_path: Path) -> None:
    steps = [0.03, -0.02, 0.01, -0.03, 0.01]
    scratch = around(0.3, 0.5, 0.7, spread=0.0)
    reached = said(tmp_path / "reached", scratch=scratch, linear_probe=[[0.68 + step for step in steps]])
    # the interval of the probe's mean, 0.68 -+ 0.0304, begins at 10 ** 2.748 labels of scratch
    assert "worth about 79 times the labels [at least 55]: a linear probe with 10 labelled examples matches" in reached
    above = said(tmp_path / "above", scratch=scratch, linear_probe=[[0.71 + step for step in steps]])
    assert "worth at least 79 times the labels: a linear probe with 10 labelled examples scores above" in above
    assert above.endswith("training from scratch with 1,000.")


def test_it_says_when_transfer_hurts_and_when_nothing_beats_chance(tmp_path: Path) -> None:
    text = " ".join(told(find_curves(read_tables(example(tmp_path)))["series"][0]))
    assert text.startswith(
        "The baseline, which learns nothing (seasonal naive, 1.250), is not beaten by a linear probe, full fine-tuning "
        "and training from scratch with 5 observations. With 5 observations, nothing beats the baseline."
    )
    assert "Pretraining helps at 5 observations and hurts at 50." in text
    assert "worth" not in text


def test_training_from_scratch_that_learned_nothing_is_no_rival_in_labels(tmp_path: Path) -> None:
    text = said(tmp_path, scratch=around(0.1, 0.105, 0.09), linear_probe=around(0.6, 0.7, 0.8, shift=1))
    assert "Pretraining helps at every budget." in text
    assert (
        "What pretraining is worth in labels of training from scratch is not told: it never clearly beats the baseline "
        "here." in text
    )
    assert "times the labels" not in text


def test_several_strategies_from_random_weights_that_learned_nothing_are_named_together(tmp_path: Path) -> None:
    text = said(
        tmp_path,
        scratch=around(0.1, 0.105, 0.09),
        small=around(0.1, 0.09, 0.105, shift=2),
        linear_probe=around(0.6, 0.7, 0.8, shift=1),
    )
    assert (
        "in labels of training from scratch and a small network from scratch is not told: none of them ever clearly "
        "beats the baseline here." in text
    )


def test_the_same_perfect_score_with_all_budgets_is_not_called_a_failure_to_beat_the_baseline(tmp_path: Path) -> None:
    perfect = around(1.0, 1.0, 1.0, spread=0.0)
    assert "never" not in said(tmp_path, scratch=perfect, linear_probe=around(0.6, 0.7, 0.8))


def test_without_pretrained_strategies_nothing_is_said_of_the_worth_of_pretraining(tmp_path: Path) -> None:
    assert "retraining" not in said(tmp_path, scratch=around(0.1, 0.105, 0.09)).replace("training from scratch", "")


def test_a_chart_is_titled_with_what_pretraining_does_where_it_has_no_worth_in_labels(tmp_path: Path) -> None:
    scores = {"scratch": around(0.1, 0.105, 0.09), "linear_probe": around(0.6, 0.7, 0.8, shift=1)}
    curves = drawn_curves(tmp_path, scores)
    assert headline(curves, judge_page([curves])) == "Pretraining helps at every budget."


def test_a_test_split_in_one_piece_has_no_parts_to_leave_out(tmp_path: Path) -> None:
    tables = measured(tmp_path, {"full": {20: [0.7, 0.8]}}, revise=lambda one: replace(one, block_sizes=(100_000,)))
    found = told(find_curves(tables)["pictures"][0])[0]
    assert found.startswith("The test split has no independent parts that can be left out in turn, and it takes 4 to ")


def test_too_few_parts_of_the_test_split_are_said_to_leave_everything_open(tmp_path: Path) -> None:
    scores = {"linear_probe": around(0.7), "full": around(0.8)}
    moved = {name: [0.001, -0.001, 0.0] for name in scores}
    found = told(drawn_curves(tmp_path / "three", scores, moved=moved))
    assert found == [
        (
            "The test split has 3 independent parts, and it takes 4 to say how scores on other test examples would "
            "differ: nothing here has an interval or is decided."
        ),
        (
            "With 10 labelled examples, full fine-tuning has the best mean: 0.800. Whether it beats a linear probe is "
            "not decided."
        ),
    ]
    moved = {name: [0.001, -0.001, 0.0, 0.0] for name in scores}
    assert "independent parts" not in " ".join(told(drawn_curves(tmp_path / "four", scores, moved=moved)))


def test_one_fold_is_said_to_leave_everything_open(tmp_path: Path) -> None:
    entry = replace(TASKS["pictures"], card=replace(TASKS["pictures"].card, folds=5))
    scores = {"linear_probe": [[0.7]], "full": [[0.8]]}
    found = told(drawn_curves(tmp_path, scores, entry=entry, moved={name: [0.01, -0.01, 0.0] for name in scores}))
    assert found[0] == (
        "One of 5 folds was tested, and it takes two to say how scores on other test examples would differ: nothing "
        "here has an interval or is decided."
    )


def test_a_strategy_without_a_rival_is_not_recommended(tmp_path: Path) -> None:
    text = said(tmp_path, full=around(0.7, 0.8))
    assert "With 10 labelled examples, full fine-tuning is the only strategy with a score: 0.700" in text
    assert "With 100 labelled examples, full fine-tuning is the only strategy with a score: 0.800" in text
    assert "use" not in text


def test_three_budgets_in_a_row_are_told_as_a_stretch(tmp_path: Path) -> None:
    scratch = around(0.3, 0.4, 0.75, 0.8, 0.9, spread=0.005, shift=1)
    late = around(0.6, 0.7, 0.75, 0.8, 0.9, spread=0.005)
    text = said(tmp_path / "late", scratch=scratch, full=late)
    assert "Pretraining helps at 10 and 100 labelled examples and makes no difference from 1,000 on." in text
    early = around(0.6, 0.7, 0.85, 0.8, 0.9, spread=0.005)
    text = said(tmp_path / "early", scratch=scratch, full=early)
    assert "Pretraining helps up to 1,000 labelled examples and makes no difference at 10,000 and 100,000." in text


def test_what_is_not_decided_is_told_beside_what_is(tmp_path: Path) -> None:
    # with a spread of .01 the two may differ by 2.132 x .005 at 100 labels, which is more than the tolerance
    text = said(tmp_path, scratch=around(0.3, 0.7, shift=1), full=around(0.6, 0.7))
    assert "Pretraining helps at 10 labelled examples; at 100 it is not decided." in text


def test_a_classical_model_is_neither_pretrained_nor_scratch(tmp_path: Path) -> None:
    text = said(
        tmp_path,
        scratch=around(0.3, 0.4, 0.5),
        classical=around(0.5, 0.6, 0.7, shift=1),
        linear_probe=around(0.6, 0.7, 0.8),
    )
    assert "Pretraining is worth at least 100 times the labels: a linear probe with 10" in text
    # the classical model goes from 0.6 at 100 to 0.7 at 1,000 labels; the probe has 0.6 with 10
    assert "Over a classical model pretraining helps at every budget. With 10 labelled examples pretraining is" in text
    assert "is worth about 10 times" in text


def test_a_classical_model_that_scratch_beats_is_not_spoken_of(tmp_path: Path) -> None:
    text = said(tmp_path, scratch=around(0.5), classical=around(0.3), linear_probe=around(0.6))
    assert "classical" not in text


def test_a_classical_model_is_recommended_where_nothing_is_better_by_the_tolerance(tmp_path: Path) -> None:
    text = said(tmp_path, classical=around(0.6, spread=0.005), linear_probe=around(0.602, spread=0.005, shift=2))
    assert (
        "a classical model is enough: 0.600\xa0±\xa00.005; a linear probe (0.602) is better by less than 0.01." in text
    )
    assert "Over a classical model pretraining makes no difference at 10 labelled examples." in text


def test_one_seed_decides_nothing(tmp_path: Path) -> None:
    curves = find_curves(read_tables(example(tmp_path, seeds=1)))["pictures"][0]
    assert set(judge_page([curves]).of(curves).values()) == {"not decided"}
    # 100,000 test examples give the interval: 2.093 x sqrt(.7 x .3 / 100,000) = .00303, and .0018 for .92, rounded up
    assert told(curves) == [
        (
            "With 20 labelled examples, a linear probe has the best mean: 0.700\xa0±\xa00.004. Whether it beats full "
            "fine-tuning and training from scratch is not decided."
        ),
        (
            "With 200 labelled examples, full fine-tuning has the best mean: 0.920\xa0±\xa00.002. Whether it beats a "
            "linear probe and training from scratch is not decided."
        ),
        "One seed cannot tell whether pretraining helps.",
    ]


@pytest.mark.parametrize(
    "scores",
    [
        {"full": around(0.6, 0.7)},
        {"scratch": around(0.6, 0.7), "full": [GAP, GAP]},
        {"scratch": [GAP, *around(0.7)], "full": [*around(0.7), GAP]},
        {"scratch": around(0.3, 0.4), "full": [[0.5, math.nan, math.nan, math.nan, math.nan], *around(0.7)]},
        {"classical": around(0.4, 0.5), "linear_probe": [GAP, *around(0.7)], "full": [*around(0.7), GAP]},
        {"scratch": [[math.nan, 0.3, 0.4, 0.5, 0.3], [0.3, math.nan, 0.5, 0.5, 0.4]], "full": around(0.4, 0.5)},
    ],
    ids=["no rival", "one failed", "no shared budget", "one seed left", "other budgets", "other seeds"],
)
def test_gaps_leave_sentences_without_dashes_or_missing_numbers(
    scores: dict[str, list[list[float]]], tmp_path: Path
) -> None:
    found = told(drawn_curves(tmp_path, scores))
    assert found
    assert not [one for one in found if "nan" in one or "–" in one or "inf" in one]


def test_nothing_scored_is_nothing_said(tmp_path: Path) -> None:
    curves = find_curves(read_tables(example(tmp_path, failed=[{"task": "series"}])))
    page = judge_page(one for several in curves.values() for one in several)
    assert [sentences(one, page) for one in curves["series"]] == []
    assert [headline(one, page) for one in curves["pictures"]] != [None]


def test_what_twice_the_labels_would_bring_is_said_only_where_a_gain_is_clear(tmp_path: Path) -> None:
    # 1 - score is .05 + .8 n^-.2: .1768 at 10,000 labels and .1604 at 20,000. The same fit predicts .6 for one curve.
    means = [0.95 - 0.8 * n**-0.2 for n in (10, 100, 1000, 10_000)]
    flat = [0.6, 0.6, 0.6, 0.6]
    text = said(tmp_path / "clear", full=around(*means, spread=0.0), linear_probe=around(*flat, spread=0.0))
    assert text.endswith(
        "Twice the labels would bring full fine-tuning from 0.823 to about 0.840, better by 0.016 [0.016, 0.017]."
    )
    off = [0.6, 0.6, 0.6, 0.63]  # by which the interval is 12.7 x .03 / sqrt(2) wide on either side
    text = said(tmp_path / "off", full=around(*means, spread=0.0), linear_probe=around(*off, spread=0.0))
    assert "Twice" not in text
    assert "Twice" not in said(tmp_path / "once", full=around(*means, spread=0.0)), "which one check does not tell"


def test_what_leads_with_the_fewest_and_with_the_most_labels_is_said_once(tmp_path: Path) -> None:
    text = said(tmp_path / "one", linear_probe=around(0.6, 0.7, 0.8), full=around(0.7, 0.8, 0.9))
    assert text.startswith(
        "With 10 and with 1,000 labelled examples, use full fine-tuning: 0.700\xa0±\xa00.010 and 0.900\xa0±\xa00.010."
    )
    assert text.count("full fine-tuning: ") == 1
    tied = said(tmp_path / "tied", linear_probe=around(0.7, 0.7, 0.8), full=around(0.7, 0.8, 0.9, shift=1))
    assert tied.startswith("With 10 labelled examples, ")
