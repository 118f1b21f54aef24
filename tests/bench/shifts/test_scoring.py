"""In every domain an example is shifted the same way, whoever asks, in which order and in which process."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.domain import Images, Raw, Texts, Waveforms, Windows
from bench.shifts.scoring import SHIFTS, Shifted, score_shifts, shift_test, shifts_of
from bench.shifts.shift import Shift
from bench.target import Classes, Horizon, Outputs
from bench.task import Examples

N = 7
WORDS = ("weather", "awful", "a sunny morning", "little clouds", "thunder and lightning", "mild", "so be it")


def examples_of(domain: str) -> Examples:
    """Return seven examples of a domain, no two alike."""
    generator = np.random.default_rng(0)
    raws: dict[str, Raw] = {
        "vision": Images(generator.integers(60, 196, size=(N, 8, 8, 1), dtype=np.uint8)),
        "text": Texts(WORDS),
        "audio": Waveforms(generator.integers(-9_000, 9_000, size=(N, 200)).astype(np.int16), 8_000),
        "series": Windows(generator.standard_normal((N, 5)).astype(np.float32), 2, np.ones(N)),
    }
    labels = generator.standard_normal((N, 2)).astype(np.float32) if domain == "series" else np.arange(N) % 3
    return Examples(raws[domain], labels)


ALL = [(domain, shift) for domain, shifts in SHIFTS.items() for shift in shifts]
OF_EACH = [(domain, shift) for domain, shift in ALL if domain != "series"]

domains = pytest.mark.parametrize("domain", SHIFTS)
all_shifts = pytest.mark.parametrize(("domain", "shift"), ALL, ids=lambda one: getattr(one, "name", one))
shifts_of_each = pytest.mark.parametrize(("domain", "shift"), OF_EACH, ids=lambda one: getattr(one, "name", one))


def same(one: Examples, other: Examples) -> bool:
    return one.raw.columns() == other.raw.columns() and np.array_equal(one.labels, other.labels)


@domains
def test_a_domain_has_shifts_with_names_and_titles_of_their_own(domain: str) -> None:
    shifts = shifts_of(examples_of(domain).raw)
    assert shifts
    assert len({shift.name for shift in shifts}) == len({shift.title for shift in shifts}) == len(shifts)
    assert all(shift.name.isidentifier() for shift in shifts)  # they become names of files


def test_the_shifts_are_those_that_are_spoken_of() -> None:
    assert {domain: [shift.name for shift in shifts] for domain, shifts in SHIFTS.items()} == {
        "vision": ["noise", "blur", "contrast"],
        "text": ["typos"],
        "audio": ["noise"],
        "series": ["later"],
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
    assert (shift.apply(examples).labels == examples.labels).all()


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


@pytest.mark.parametrize("n", [1, 2, 7])
def test_a_later_period_is_the_later_half_with_its_labels_and_units(n: int) -> None:
    examples = examples_of("series").take(np.arange(n))
    [shifted] = shift_test(examples)
    assert shifted.shift.title == "the later half of the test period"
    assert same(shifted.examples, examples.take(np.arange(n // 2, n)))


def test_a_model_is_scored_on_every_shifted_test_and_so_is_chance() -> None:
    asked: list[str] = []

    def constant(test: Shifted) -> Outputs:
        asked.append(test.shift.name)
        return np.tile(np.array([0, 1, 0], dtype=np.float32), (len(test.examples), 1))

    examples = examples_of("vision")
    scores, predictions = score_shifts(Classes(("a", "b", "c")), shift_test(examples), constant)
    assert asked == list(predictions) == ["noise", "blur", "contrast"] == [score.shift for score in scores]
    assert [score.title for score in scores] == [shift.title for shift in SHIFTS["vision"]]
    assert [(score.score, score.chance) for score in scores] == [(2 / 7, 3 / 7)] * 3
    assert all(score.seconds >= 0 for score in scores)


def test_chance_is_that_of_the_examples_that_are_left() -> None:
    examples, target = examples_of("series"), Horizon(2)
    later = examples.take(np.arange(3, 7))
    (score,), _ = score_shifts(target, shift_test(examples), lambda test: np.zeros((4, 2), dtype=np.float32))
    assert score.chance == target.chance(later.labels, later.raw) != target.chance(examples.labels, examples.raw)
    assert score.score == pytest.approx(np.abs(later.labels).mean())
