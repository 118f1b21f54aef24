"""Every second long word has one typo inside, of the kinds that people make; all else is as it was."""

import re
from difflib import SequenceMatcher

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.domains.text.shifts import NEIGHBOURS, SHIFTS, _mistyped, add_typos

LONG = re.compile(r"[^\W\d_]{4,}")
SENTENCE = "The weather was awful, but nobody in the little village had ever seen such beautiful clouds before."


def kind_of(word: str, typed: str) -> str:
    """Return what was done to a word, or nothing if it is none of the kinds."""
    if len(typed) == len(word) - 1:
        return "drop" if any(word[:place] + word[place + 1 :] == typed for place in range(1, len(word) - 1)) else ""
    unlike = [place for place, (one, other) in enumerate(zip(word, typed, strict=True)) if one != other]
    if len(unlike) == 1:
        [place] = unlike
        hit = (
            typed[place].lower() in NEIGHBOURS[word[place].lower()] and typed[place].isupper() == word[place].isupper()
        )
        return "key" if hit and 0 < place < len(word) - 1 else ""
    swapped = len(unlike) == 2 and unlike[1] == unlike[0] + 1 and unlike[0] > 0 and unlike[1] < len(word) - 1
    return "swap" if swapped and typed[unlike[0]] == word[unlike[1]] and typed[unlike[1]] == word[unlike[0]] else ""


def test_every_second_long_word_has_a_typo_and_no_other() -> None:
    words, typed = SENTENCE.split(), add_typos(SENTENCE).split()
    assert len(words) == len(typed)
    changed = [one != other for one, other in zip(words, typed, strict=True)]
    of_long = [changed[place] for place, word in enumerate(words) if LONG.search(word)]
    assert of_long in ([place % 2 == start for place in range(len(of_long))] for start in (0, 1))
    assert sum(changed) == sum(of_long)


def test_half_of_single_words_have_a_typo() -> None:
    words = ["".join(letters) for letters in np.random.default_rng(0).choice(list("aeiourstlnm"), size=(2_000, 6))]
    rate = np.mean([add_typos(word) != word for word in words])
    assert rate == pytest.approx(0.5, abs=0.03)


@given(st.text(st.characters(categories=["Lu", "Ll", "Lo"]), min_size=4, max_size=12), st.integers(0, 2**32))
def test_a_typo_makes_another_word_and_leaves_its_ends(word: str, seed: int) -> None:
    typed = _mistyped(word, np.random.default_rng(seed))
    assert typed != word
    assert (typed[0], typed[-1]) == (word[0], word[-1])
    assert len(typed) in (len(word), len(word) - 1)


def test_typos_are_of_three_kinds_about_equally_often() -> None:
    generator = np.random.default_rng(0)
    kinds = [kind_of("Weather", _mistyped("Weather", generator)) for _ in range(600)]
    assert {kind: round(kinds.count(kind) / 200) for kind in set(kinds)} == {"drop": 1, "swap": 1, "key": 1}


def test_neighbours_lie_side_by_side_on_a_keyboard() -> None:
    assert {letter: "".join(sorted(NEIGHBOURS[letter])) for letter in "qgzp"} == {
        "q": "aw",
        "g": "bfhtvy",
        "z": "asx",
        "p": "lo",
    }
    assert all(letter in NEIGHBOURS[other] for letter in NEIGHBOURS for other in NEIGHBOURS[letter])


@pytest.mark.parametrize("text", ["", "a b c", "12345 67890", "so it is", "___ -- !!!"])
def test_a_text_without_long_words_stays_as_it_is(text: str) -> None:
    assert add_typos(text) == text


def test_other_alphabets_have_typos_too() -> None:
    text = "погода сегодня была очень плохая, холодный ветер"
    assert SequenceMatcher(None, text, add_typos(text)).ratio() < 1


def test_the_title_says_so() -> None:
    assert [shift.title for shift in SHIFTS] == ["one typo in every second word of four letters or more"]
