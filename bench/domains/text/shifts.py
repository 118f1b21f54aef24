"""The shift of texts: typing errors.

They are those of Belinkov and Bisk (2018, arXiv:1711.02173) and Pruthi et al. (2019, arXiv:1905.11268): inside words
of four letters or more, so that first and last letters stay, two letters are swapped, one is dropped, or a key beside
one is hit. The first two do this to every word; here it is every second one, as a hurried writer might.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from bench.domains.shift import Shift, generator_of
from bench.domains.text.raw import Texts, expect_texts
from bench.task import Examples

LONG_WORD: Final = re.compile(r"[^\W\d_]{4,}")
EVERY: Final = 2

ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")  # each stands half a key to the right of the one above


def _neighbours() -> dict[str, str]:
    """Return the letters around each letter of an English keyboard."""
    places = {letter: (row, column) for row, letters in enumerate(ROWS) for column, letter in enumerate(letters)}
    around = ((0, -1), (0, 1), (-1, 0), (-1, 1), (1, -1), (1, 0))
    letters = {place: letter for letter, place in places.items()}
    return {
        letter: "".join(letters.get((row + down, column + right), "") for down, right in around)
        for letter, (row, column) in places.items()
    }


NEIGHBOURS: Final = _neighbours()


def add_typos(text: str) -> str:
    """Return a text with one typo in every second word of four letters or more, from its first or its second on."""
    return _typist(text)(text)


def _typist(text: str) -> Callable[[str], str]:
    """Return who mistypes a text, whole or piece by piece: with the same typos, as long as all pieces come in order."""
    generator = generator_of(text.encode())
    due = int(generator.integers(EVERY))

    def seen(found: re.Match[str]) -> str:
        nonlocal due
        due = (due + 1) % EVERY
        return _mistyped(found[0], generator) if due == 0 else found[0]

    return lambda piece: LONG_WORD.sub(seen, piece)


def _mistyped(word: str, generator: np.random.Generator) -> str:
    """Return a word with one typo inside; it is always another word."""
    inside = range(1, len(word) - 1)
    unlike = [place for place in inside[:-1] if word[place] != word[place + 1]]
    lettered = [place for place in inside if word[place].lower() in NEIGHBOURS]
    kinds = ["drop", *(["swap"] if unlike else []), *(["key"] if lettered else [])]
    kind = kinds[generator.integers(len(kinds))]
    if kind == "swap":
        place = unlike[generator.integers(len(unlike))]
        return f"{word[:place]}{word[place + 1]}{word[place]}{word[place + 2 :]}"
    if kind == "key":
        place = lettered[generator.integers(len(lettered))]
        keys = NEIGHBOURS[word[place].lower()]
        hit = keys[generator.integers(len(keys))]
        return f"{word[:place]}{hit.upper() if word[place].isupper() else hit}{word[place + 1 :]}"
    place = inside[generator.integers(len(inside))]
    return word[:place] + word[place + 1 :]


def _shift(examples: Examples) -> Examples:
    raw = expect_texts(examples.raw)
    strings = tuple(map(add_typos, raw.strings))
    if raw.words is None:
        return replace(examples, raw=Texts(strings))
    words = tuple(tuple(map(_typist(text), of)) for text, of in zip(raw.strings, raw.words, strict=True))
    return replace(examples, raw=Texts(strings, words))


SHIFTS: Final = (Shift("typos", "one typo in every second word of four letters or more", _shift, "text"),)
