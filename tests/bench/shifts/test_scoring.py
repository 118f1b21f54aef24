"""In every domain an example is shifted the same way, whoever asks, in which order and in which process."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.column import Column, Dense, dense, digest
from bench.domain import Raw
from bench.domains.audio.raw import AudioArray
from bench.domains.series.raw import Windows
from bench.domains.series.trivial import TRIVIAL
from bench.domains.shift import Shift
from bench.domains.text.raw import Texts
from bench.domains.vision.raw import ImageArray
from bench.errors import DataError
from bench.execution.evaluation import Evaluation
from bench.registry import BUILT_IN, DOMAINS
from bench.shifts.scoring import shift_test, shifts_of
from bench.targets.classes import Classes
from bench.targets.forecast import Forecast
from bench.task import Elsewhere, Examples, Split
from tests.toys import labelled

N = 7
WORDS = ("weather", "awful", "a sunny morning", "little clouds", "thunder and lightning", "mild", "so be it")


def examples_of(domain: str) -> Examples:
    """Return seven examples of a domain, no two alike."""
    generator = np.random.default_rng(0)
    raws: dict[str, Raw] = {
        "vision": ImageArray(generator.integers(60, 196, size=(N, 8, 8, 1), dtype=np.uint8)),
        "text": Texts(WORDS),
        "audio": AudioArray(generator.uniform(-0.3, 0.3, size=(N, 200)).astype(np.float32), 8_000),
        "series": Windows(generator.standard_normal((N, 5)), 2, np.ones(N)),
    }
    if domain != "series":
        return labelled(raws[domain], np.arange(N) % 3)
    facts = dense(unit=np.ones(N), moment=np.arange(N), series=np.zeros(N, dtype=np.int64))
    return Examples(raws[domain], {"future": Dense({"future": generator.standard_normal((N, 2))})}, facts)


SHIFTS = {domain: shifts_of(domain) for domain in BUILT_IN[DOMAINS]}
ALL = [(domain, shift) for domain, shifts in SHIFTS.items() for shift in shifts]

domains = pytest.mark.parametrize("domain", SHIFTS)
all_shifts = pytest.mark.parametrize(("domain", "shift"), ALL, ids=lambda one: getattr(one, "name", one))
shifts_of_each = pytest.mark.parametrize(("domain", "shift"), ALL, ids=lambda one: getattr(one, "name", one))


def same(one: Examples, other: Examples) -> bool:
    return one.raw.columns() == other.raw.columns() and known(one) == known(other)


def known(examples: Examples) -> list[str]:
    """Return the hashes of labels and facts."""
    facts = [] if examples.facts is None else [examples.facts]
    return [digest(column) for column in (*examples.labels.values(), *facts)]


@domains
def test_a_domain_has_shifts_with_names_and_titles_of_their_own(domain: str) -> None:
    shifts = shifts_of(examples_of(domain).raw.domain)
    assert shifts
    assert len({shift.name for shift in shifts}) == len({shift.title for shift in shifts}) == len(shifts)
    assert {shift.domain for shift in shifts} == {domain}
    assert all(shift.name.isidentifier() for shift in shifts)  # they become names of files


def test_the_shifts_are_those_that_are_spoken_of() -> None:
    assert {domain: [shift.name for shift in shifts] for domain, shifts in SHIFTS.items()} == {
        "vision": ["noise", "blur", "contrast"],
        "text": ["typos"],
        "audio": ["noise"],
        "series": ["noise"],
    }


@all_shifts
def test_a_shift_changes_examples_and_leaves_the_plain_ones(domain: str, shift: Shift) -> None:
    examples = examples_of(domain)
    assert not same(shift.apply(examples), examples)
    assert same(examples, examples_of(domain))


@all_shifts
def test_shifting_twice_is_the_same(domain: str, shift: Shift) -> None:
    assert same(shift.apply(examples_of(domain)), shift.apply(examples_of(domain)))


@shifts_of_each
@pytest.mark.parametrize("rows", [[0], [6, 2], [3, 3, 1], [5, 4, 3, 2, 1, 0]], ids=str)
def test_an_example_is_shifted_the_same_among_any_others(domain: str, shift: Shift, rows: Sequence[int]) -> None:
    examples, chosen = examples_of(domain), np.array(rows)
    assert same(shift.apply(examples.take(chosen)), shift.apply(examples).take(chosen))
    assert known(shift.apply(examples)) == known(examples)


def test_another_process_shifts_the_same() -> None:
    script = (
        "from tests.bench.shifts.test_scoring import ALL, examples_of\n"
        "print([shift.apply(examples_of(domain)).raw.columns() for domain, shift in ALL])"
    )
    root = Path(__file__).parents[3]
    said = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True, cwd=root
    )
    assert said.stdout.strip() == str([shift.apply(examples_of(domain)).raw.columns() for domain, shift in ALL])


def test_shifts_of_the_task_come_last_and_are_examples_of_their_own() -> None:
    test, other = examples_of("text"), labelled(Texts(("fog",)), [2])
    typos, fog = shift_test(test, [Elsewhere("fog", "texts on fog", other)])
    assert (typos.name, typos.elsewhere) == ("typos", False)
    assert (fog.name, fog.title, fog.examples, fog.elsewhere) == ("fog", "texts on fog", other, True)


def test_a_shift_of_the_task_that_is_called_like_one_of_its_domain_is_refused() -> None:
    test = examples_of("text")
    with pytest.raises(DataError, match="own shift 'typos' is called like one of its domain: give it another name"):
        shift_test(test, [Elsewhere("typos", "typos of others", test)])


def test_noise_on_a_past_is_half_a_unit_of_its_series_and_what_follows_is_as_it_was() -> None:
    unit, generator = np.repeat([1.0, 50.0], 200), np.random.default_rng(0)
    raw = Windows(generator.standard_normal((400, 30)), 2, unit)
    future = {"future": Dense({"future": generator.standard_normal((400, 2))})}
    facts = dense(unit=unit, moment=np.arange(400), series=(unit > 1).astype(np.int64))
    [shifted] = shift_test(Examples(raw, future, facts))
    assert shifted.title == "noise of half a typical change on every value of the past"
    assert isinstance(shifted.examples.raw, Windows)
    noise = (shifted.examples.raw.past - raw.past) / unit[:, None]
    assert noise.std(axis=1).mean() == pytest.approx(0.5, rel=0.05)
    assert (len(shifted.examples), shifted.examples.labels, shifted.examples.facts) == (400, future, facts)


def test_a_model_is_scored_on_every_shifted_test_and_so_is_the_baseline() -> None:
    examples = examples_of("vision")
    evaluation = Evaluation(Classes(("a", "b", "c")), Split(examples, examples), "sha")
    asked: list[Raw] = []

    def constant(raw: Raw) -> Column:
        asked.append(raw)
        return dense(logit=np.tile(np.array([0, 1, 0], dtype=np.float32), (len(raw), 1)))

    scores, predictions = evaluation.score_shifts(constant)
    assert list(predictions) == ["noise", "blur", "contrast"] == [score.shift for score in scores]
    assert [score.title for score in scores] == [shift.title for shift in SHIFTS["vision"]]
    assert [raw.columns() for raw in asked] == [shift.apply(examples).raw.columns() for shift in SHIFTS["vision"]]
    assert [(score.score, score.chance) for score in scores] == [(2 / 7, 3 / 7)] * 3
    assert all(score.seconds >= 0 for score in scores)


def test_the_baseline_under_a_shift_sees_what_is_shifted() -> None:
    examples = examples_of("series")
    (noisy,), _ = Evaluation(Forecast(2), Split(examples, examples), "sha").score_shifts(
        lambda raw: dense(future=np.zeros((len(raw), 2)))
    )
    shifted = SHIFTS["series"][0].apply(examples).raw
    assert isinstance(shifted, Windows)
    future = examples.labels["future"]["future"]
    assert noisy.score == pytest.approx(np.abs(future).mean())
    guesses = [np.abs(known(shifted.past, 2, 2) - future).mean() for known in TRIVIAL.values()]
    assert min(abs(noisy.chance - guess) for guess in guesses) < 1e-12


def test_words_of_a_text_get_the_typos_of_the_text() -> None:
    sentences = (("thunder", "and", "lightning"), ("a", "sunny", "morning", "with", "little", "clouds"))
    strings = tuple(map(" ".join, sentences))
    [shifted] = shift_test(labelled(Texts(strings, sentences), [0, 1]))
    raw = shifted.examples.raw
    assert isinstance(raw, Texts)
    assert raw.words is not None
    assert raw.words != sentences
    assert tuple(map(" ".join, raw.words)) == raw.strings
