"""The task `lexicon`: the sentiment of single words and short phrases."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.card import TaskCard
from bench.column import Dense
from bench.domains.text.raw import Texts
from bench.runtime.cache import Cache
from bench.subsets.subset import stratified_order
from bench.targets.classes import LABEL, Classes
from bench.task import Examples, Split, Task, packaged_file

TEST_SHARE: Final = 0.25
SPLIT_SEED: Final = 2014

WORDS: Final = re.compile(r"[a-z]+(?:[ '-][a-z]+)*")
SHORTEST_WORD: Final = 3
SHORTEST_STEM: Final = 4

# Spelt as `normal` leaves words, with i for y and single consonants: "di" is dis- before s, "nes" is -ness.
PREFIXES: Final = (
    *("a", "anti", "be", "counter", "de", "di", "dis", "em", "en", "fore", "i", "il", "im", "in", "ir", "mal", "mis"),
    *("non", "out", "over", "pre", "re", "self", "super", "u", "ultra", "un", "under", "up"),
)
ENDING: Final = re.compile(
    "(?:a|abil|able|abli|ag|age|al|an|anc|ance|anci|ant|ar|at|ate|ation|cal|ce|d|dom|e|ed|en|enc|ence|enci|ent|eous|er|"
    "eri|es|est|f|faction|ful|h|hod|i|ial|ian|ib|ibil|ible|ibli|ic|if|ific|in|ing|ion|ious|ise|ish|ism|ist|it|iti|ition|"
    "iv|ive|iz|ize|les|let|li|like|ling|m|ment|n|nes|o|or|our|ous|r|red|ri|rous|s|se|ship|sm|some|st|ster|t|ter|th|ti|"
    "tic|tion|tude|uct|ur|ure|ward|wise)*"
)
DOUBLED: Final = re.compile(r"([b-df-hj-np-tv-xz])\1+")


class Lexicon(Task):
    """The words of the VADER lexicon, positive or negative by the mean of ten people's ratings.

    Left out are emoticons and chat codes, that is, entries with anything but letters, hyphens, apostrophes and spaces,
    or without a word of three letters: ":)", ":-)" and "(:" are one sign in many spellings, so that no honest families
    could be drawn, and a text encoder sees punctuation in them.

    Words of one family (abandon, abandoned, abandonment) are all in train or all in test, since otherwise comparing
    spellings would pass for understanding: character n-grams of two to five letters with a logistic regression score
    .90 on a random split of these words, .62 on this one, and the constant answer .55.
    """

    card = TaskCard(
        name="lexicon",
        title="Sentiment of words",
        domain="text",
        description="7,183 English words and phrases, each positive or negative by the mean of ten ratings. Left out "
        "are the 337 emoticons, chat codes and repeated entries. Word families never span train and test.",
        source="https://github.com/cjhutto/vaderSentiment, vader_lexicon.txt as packaged in vaderSentiment",
        licence="MIT",
        citation="Hutto and Gilbert (2014), VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social "
        "Media Text, ICWSM; doi:10.1609/icwsm.v8i1.14550",
        version=1,
        subjects=("words", "sentiment"),
        sha256="53a5fc76de98345c0744798b37f707e93a73405de14a50f9e64d4ad04e1405d1",
    )
    target = Classes(("negative", "positive"))

    def split(self, fold: int, cache: Cache) -> Split:
        ratings = read_ratings(packaged_file("vaderSentiment", "vader_lexicon.txt"))
        words = sorted(ratings)
        labels = np.array([ratings[word] > 0 for word in words], dtype=np.int64)
        families = word_families(words)
        held_out = hold_out(families, labels)
        everything = Examples(Texts(tuple(words)), {LABEL: Dense({LABEL: labels})}, groups=np.array(families))
        return Split(everything.take(np.flatnonzero(~held_out)), everything.take(np.flatnonzero(held_out)))


def read_ratings(path: Path) -> dict[str, float]:
    """Return the mean rating, -4 to 4 and never 0, of every entry made of words, in lower case.

    Of entries that differ in case only, the last one counts, as in VADER itself.
    """
    ratings = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        entry, mean, *_ = line.split("\t")
        entry = entry.lower()
        if WORDS.fullmatch(entry) and max(map(len, re.split("[ '-]", entry))) >= SHORTEST_WORD:
            ratings[entry] = float(mean)
    return ratings


def word_families(entries: list[str]) -> list[str]:
    """Return for each entry the first member, in the order given, of its family.

    Entries with a stem in common are of one family, and so are those connected by a chain of such pairs. It is drawn
    rather too wide than too narrow: a family too wide costs nothing but a coarser split.
    """
    spellings = [[normal(word) for word in re.split("[ '-]", entry)] for entry in entries]
    known = {stem for words in spellings for word in words for stem in (word, word.removesuffix("e"))}
    parents: dict[str, str] = {}

    def find_root(node: str) -> str:
        while (parent := parents.setdefault(node, node)) != node:
            node = parent
        return node

    for entry, words in zip(entries, spellings, strict=True):
        for stem in (stem for word in words for stem in stems_of(word, known)):
            parents[find_root(stem)] = find_root(f"entry {entry}")
    names: dict[str, str] = {}
    return [names.setdefault(find_root(f"entry {entry}"), entry) for entry in entries]


def normal(word: str) -> str:
    """Return the word as stems are compared: i for y, no doubled consonants, so that (happ)ier is (happ)y and er."""
    return DOUBLED.sub(r"\1", word.replace("y", "i"))


def stems_of(word: str, known: set[str]) -> Iterator[str]:
    """Yield the stems of a normal word: beginnings that are followed by endings only, or that are words themselves.

    `known` holds whole words less a final e. Short stems count only among those (win-ner, but not con-tent), and so do
    the stems behind a prefix (un-happy, but not im-press).
    """
    for cut in range(SHORTEST_WORD, len(word) + 1):
        ends, is_known = ENDING.fullmatch(word, cut) is not None, word[:cut] in known
        if (ends and is_known) or (cut >= SHORTEST_STEM and (ends or is_known)):
            yield word[:cut]
    for rest in (word.removeprefix(prefix) for prefix in PREFIXES if word.startswith(prefix)):
        for cut in range(SHORTEST_WORD, len(rest) + 1):
            if rest[:cut] in known and (cut >= SHORTEST_STEM or ENDING.fullmatch(rest, cut)):
                yield rest[:cut]


def hold_out(families: list[str], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which examples are held out, bool [n]: whole families, stratified by the label most members have."""
    _, membership, sizes = np.unique(families, return_inverse=True, return_counts=True)
    kinds = (np.bincount(membership, weights=labels) > sizes / 2).astype(np.int64)  # [families]
    order = stratified_order(kinds, np.random.default_rng(SPLIT_SEED))
    members_so_far = np.cumsum(sizes[order])
    chosen = order[members_so_far <= TEST_SHARE * len(families)]
    return np.isin(membership, chosen)
