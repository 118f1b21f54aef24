"""What is said in words is what the numbers bear out: advice, ties, crossovers, the worth of pretraining."""

import math
from pathlib import Path

import pytest

from bench.analysis.curves import find_curves
from bench.analysis.findings import headline, sentences
from bench.analysis.horizontal import savings_against
from bench.analysis.tables import read_tables
from bench.analysis.verdicts import recommended, tied_with_best, verdicts
from tests.bench.analysis.drawn import around, drawn_curves
from tests.bench.analysis.example import example

GAP = [math.nan] * 5


def said(root: Path, **scores: list[list[float]]) -> str:
    """Return the sentences about curves at 10, 100 and 1,000 labels."""
    return " ".join(sentences(drawn_curves(root, scores)))


def test_a_strategy_that_is_clearly_best_is_to_be_used(tmp_path: Path) -> None:
    curves = drawn_curves(tmp_path, {"linear_probe": around(0.7), "full": around(0.8)})
    assert tied_with_best(curves, 10) == ["full"]
    # the spread is 0.01 * sqrt(2.5 / 4), t(0.975; 4) = 2.776445, over sqrt(5)
    assert sentences(curves) == ["With 10 labelled examples, use full fine-tuning: 0.800\xa0±\xa00.010."]


def test_of_tied_strategies_the_cheapest_is_enough_and_the_tie_is_told(tmp_path: Path) -> None:
    curves = drawn_curves(
        tmp_path, {"scratch": around(0.3), "linear_probe": around(0.7), "full": around(0.702, shift=2)}
    )
    assert tied_with_best(curves, 10) == ["full", "linear_probe"]
    assert recommended(curves, 10) == "linear_probe"
    assert sentences(curves)[0] == (
        "With 10 labelled examples, a linear probe is enough: 0.700\xa0±\xa00.010; "
        "full fine-tuning (0.702) is not clearly better."
    )


def test_a_cheapest_strategy_that_also_leads_names_what_ties_with_it(tmp_path: Path) -> None:
    text = said(tmp_path, linear_probe=around(0.702), partial=around(0.7, shift=1), full=around(0.7, shift=2))
    assert "a linear probe is enough: 0.702\xa0±\xa00.010; partial fine-tuning and full fine-tuning tie" in text


def test_ties_are_corrected_for_how_many_strategies_are_compared(tmp_path: Path) -> None:
    # The probe is behind by 0.02 with p = 0.031: clear by itself, but not as the clearest of two comparisons.
    probe = [[0.68 + step for step in (0.02, -0.01, 0.0, -0.015, 0.005)]]
    flat = [[0.7] * 5]
    assert tied_with_best(drawn_curves(tmp_path / "two", {"linear_probe": probe, "full": flat}), 10) == ["full"]
    three = drawn_curves(tmp_path / "three", {"linear_probe": probe, "partial": around(0.69), "full": flat})
    assert tied_with_best(three, 10) == ["full", "partial", "linear_probe"]


def test_it_says_from_how_many_labels_on_another_strategy_wins(tmp_path: Path) -> None:
    text = said(tmp_path, linear_probe=around(0.6, 0.7, 0.75), full=around(0.5, 0.7, 0.85, shift=1))
    assert text.startswith("With 10 labelled examples, use a linear probe: 0.600\xa0±\xa00.010. From about 100 [")
    assert "] labelled examples on, full fine-tuning beats it: 0.850\xa0±\xa00.010 with 1,000." in text


def test_a_crossing_that_seeds_do_not_decide_is_not_told(tmp_path: Path) -> None:
    text = said(tmp_path, linear_probe=around(0.6, 0.7, 0.75), full=around(0.5, 0.68, 0.755, shift=2))
    assert "From about" not in text
    assert "With 1,000 labelled examples, a linear probe is enough: 0.750" in text


def test_it_says_what_pretraining_is_worth_in_labels_with_its_interval(tmp_path: Path) -> None:
    # scratch goes from 0.3 at 10 to 0.7 at 100 labels, so that it reaches the probe's 0.6 at 10 ** 1.75 = 56
    curves = drawn_curves(tmp_path, {"scratch": around(0.3, 0.7, 0.9), "linear_probe": around(0.6, 0.8, 0.9, shift=1)})
    worth = next(one for one in sentences(curves) if "worth" in one)
    assert worth.startswith("Pretraining is worth about 5.6 times the labels [5.")
    assert worth.endswith("]: a linear probe with 10 labelled examples matches training from scratch on about 56.")
    assert headline(curves) == worth


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
        sentences(curves)
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
    text = " ".join(sentences(find_curves(read_tables(example(tmp_path)))["series"][0]))
    assert "With 5 observations, nothing beats a guess that learns nothing (seasonal naive 1.250)." in text
    assert "Pretraining helps at 5 observations, hurts at 50." in text
    assert "worth" not in text


def test_verdicts_are_corrected_for_the_number_of_budgets(tmp_path: Path) -> None:
    # p = 0.031 at each budget: clear alone, not as one of three
    unclear = [0.02, -0.01, 0.0, -0.015, 0.005]
    scratch = [[0.48 + step for step in unclear]]
    probe = [[0.5] * 5]
    once = drawn_curves(tmp_path / "once", {"scratch": scratch, "linear_probe": probe})
    thrice = drawn_curves(tmp_path / "thrice", {"scratch": scratch * 3, "linear_probe": probe * 3})
    assert verdicts(once)[10] == "helps"
    assert set(verdicts(thrice).values()) == {"makes no clear difference"}
    assert "Pretraining makes no clear difference at any budget." in sentences(thrice)


def test_three_budgets_in_a_row_are_told_as_a_stretch(tmp_path: Path) -> None:
    scratch = around(0.3, 0.4, 0.75, 0.8, 0.9, shift=1)
    text = said(tmp_path / "late", scratch=scratch, full=around(0.6, 0.7, 0.75, 0.8, 0.9))
    assert "Pretraining helps at 10 and 100 labelled examples, makes no clear difference from 1,000 on." in text
    text = said(tmp_path / "early", scratch=scratch, full=around(0.6, 0.7, 0.85, 0.8, 0.9))
    assert "Pretraining helps up to 1,000 labelled examples, makes no clear difference at 10,000 and 100,000." in text


def test_a_classical_model_is_neither_pretrained_nor_scratch(tmp_path: Path) -> None:
    text = said(
        tmp_path,
        scratch=around(0.3, 0.4, 0.5),
        classical=around(0.5, 0.6, 0.7, shift=1),
        linear_probe=around(0.6, 0.7, 0.8),
    )
    assert "Pretraining is worth at least 100 times the labels: a linear probe with 10" in text
    # the classical model goes from 0.6 at 100 to 0.7 at 1,000 labels; the probe has 0.6 with 10
    assert "Over a classical model pretraining helps at every budget; with 10 it is worth about 10 times" in text


def test_a_classical_model_that_scratch_beats_is_not_spoken_of(tmp_path: Path) -> None:
    text = said(tmp_path, scratch=around(0.5), classical=around(0.3), linear_probe=around(0.6))
    assert "classical" not in text


def test_a_classical_model_is_recommended_where_nothing_clearly_beats_it(tmp_path: Path) -> None:
    text = said(tmp_path, classical=around(0.6), linear_probe=around(0.602, shift=2))
    assert "a classical model is enough: 0.600\xa0±\xa00.010; a linear probe (0.602) is not clearly better." in text
    assert "Over a classical model pretraining makes no clear difference at 10 labelled examples." in text


def test_one_seed_decides_nothing(tmp_path: Path) -> None:
    curves = find_curves(read_tables(example(tmp_path, seeds=1)))["pictures"][0]
    assert verdicts(curves)[20] == "makes no clear difference"
    assert sentences(curves) == [
        "With 20 labelled examples, a linear probe scores best: 0.700.",
        "With 200 labelled examples, full fine-tuning scores best: 0.920.",
        "One seed cannot tell whether pretraining helps.",
    ]


def test_equal_scores_of_one_seed_are_told_together(tmp_path: Path) -> None:
    curves = drawn_curves(tmp_path, {"linear_probe": [[0.7], [0.8]], "full": [[0.7], [0.9]]})
    assert sentences(curves)[:2] == [
        "With 10 labelled examples, a linear probe and full fine-tuning score best: 0.700.",
        "With 100 labelled examples, full fine-tuning scores best: 0.900.",
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
    found = sentences(drawn_curves(tmp_path, scores))
    assert found
    assert not [one for one in found if "nan" in one or "–" in one or "inf" in one]


def test_nothing_scored_is_nothing_said(tmp_path: Path) -> None:
    curves = find_curves(read_tables(example(tmp_path, failed=[{"task": "series"}])))
    assert [sentences(one) for one in curves["series"]] == []
    assert [headline(one) for one in curves["pictures"]] != [None]


def test_what_twice_the_labels_would_bring_is_said_only_where_it_was_checked(tmp_path: Path) -> None:
    assert "Twice" not in said(tmp_path / "three", full=around(0.5, 0.7, 0.8))
    # 1 - score is 0.1 + n ** -0.5, but at the largest budget worse by 0.02; the fit to all is no longer exact
    means = [0.9 - n**-0.5 for n in (10, 100, 1000, 10_000)]
    text = said(tmp_path / "four", full=around(*means[:-1], means[-1] - 0.02))
    assert "Twice the labels would bring full fine-tuning from 0.870 to about 0.87" in text
    assert text.endswith("; the same fit predicted the score with 10,000 0.020 too high.")


def test_what_leads_with_the_fewest_and_with_the_most_labels_is_said_once(tmp_path: Path) -> None:
    text = said(tmp_path / "one", linear_probe=around(0.6, 0.7, 0.8), full=around(0.7, 0.8, 0.9))
    assert text.startswith(
        "With 10 and with 1,000 labelled examples, use full fine-tuning: 0.700\xa0±\xa00.010 and 0.900\xa0±\xa00.010."
    )
    assert text.count("full fine-tuning: ") == 1
    tied = said(tmp_path / "tied", linear_probe=around(0.7, 0.7, 0.8), full=around(0.7, 0.8, 0.9, shift=1))
    assert tied.startswith("With 10 labelled examples, ")
