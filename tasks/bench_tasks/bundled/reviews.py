"""The task `reviews`: sentiment of sentences from movie reviews; those on products and tweets are its shifts."""

import gzip
import html
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from bench.card import TaskCard
from bench.column import Dense
from bench.domains.text.raw import Texts
from bench.runtime.cache import Cache
from bench.subsets.subset import stratified_order
from bench.targets.classes import LABEL, Classes
from bench.task import Elsewhere, Examples, Split, Task

TABLE: Final = Path(__file__).parent / "data" / "reviews.tsv.gz"
"""Made by `bench_tasks.bundled.reviews_table`, which says from what."""

TEST_SHARE: Final = 0.25
SPLIT_SEED: Final = 2005

MARGIN: Final = 0.5
"""How far from 0 a mean rating has to be. Its standard error is .21 for movies, .16 for products and tweets, so that
from here on, two or three of them away from 0, its sign is the sentence's, not that of who was asked. On movies, most
raters agree with the sign in 84 % of the sentences with a mean of .5 to .75, and in 64 % of those with .25 to .5."""

ROUNDING: Final = 0.01
"""What a mean may differ by from the one that the archive states: it states some to two decimals."""

NO_WORD: Final = re.compile(r"[\W_]+")


class Rated(NamedTuple):
    """A sentence with the mean of its raters, -4 to 4, and the mean that the archive states beside it.

    `number` identifies it in its collection; of products it is that of the review and of the sentence in it.
    """

    collection: str
    number: str
    mean: float
    stated: float
    raters: int
    text: str


class Reviews(Task):
    """Sentences from movie reviews, positive or negative by the mean of 15 to 29 people's ratings.

    Classes are what one asks of sentiment, and their accuracy can be compared with others'; the ratings are in the
    table, for a task that predicts them.

    The archive does not say which review or movie a sentence is from, and its order does not tell either: neighbours
    share a rare word, one of at most twenty sentences, in .3 % of the cases, as any two sentences do (.2 %); of the
    product reviews, which lie in order of reviews, neighbours do so in 6.2 % and any two in .4 %. So every sentence
    stands for itself.

    Sentences on products, grouped by review as their numbers say, and tweets are tested on and never learnt from. They
    are as many of each class, as those on movies nearly are: of all tweets, the answer "positive" is right for .69.
    """

    card = TaskCard(
        name="reviews",
        title="Sentiment of movie reviews",
        domain="text",
        description="10,070 English sentences from movie reviews, each positive or negative by the mean of 15 to 29 "
        "ratings from -4 to 4. The same models are tested on 2,460 sentences from product reviews and on 1,976 "
        "tweets. Left out are sentences with a mean within half a point of 0 (533 on movies, 720 on products, 768 "
        "tweets), 196 tweets whose ratings have another mean than is stated, nearly all of them variants of each "
        "other, 4 sentences on products without a word, 24 repeated sentences, and positive ones that are more than "
        "the negative ones (507 on products, 1,255 tweets), so that an accuracy means the same everywhere. Which "
        "review or movie a sentence is from is not recorded: sentences on one movie can be in both splits. SST and "
        "SST-2 have sentences of the same reviews: a backbone that was tuned on these may have seen those of the "
        "test split.",
        source="the source archive of the package vaderSentiment 3.3.2, sha256 "
        "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9: movieReviewSnippets, amazonReviewSnippets "
        "and tweets in additional_resources/hutto_ICWSM_2014.tar.gz",
        licence="MIT",
        citation="Hutto and Gilbert (2014), VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social "
        "Media Text, ICWSM; doi:10.1609/icwsm.v8i1.14550",
        version=1,
        subjects=("sentences", "sentiment"),
        sha256="f45c176b4c00cf42c8bedeecf311dc3ccbc6d06252f1787724e713137a365a3d",
    )
    target = Classes(("negative", "positive"))

    def split(self, fold: int, cache: Cache) -> Split:
        kept = select(read_table()).kept
        movies, products, tweets = (_examples(kept, name) for name in ("movies", "products", "tweets"))
        reviews = np.array(
            [f"product review {one.number.split('_')[0]}" for one in kept if one.collection == "products"]
        )
        order = stratified_order(movies.labels[LABEL][LABEL], np.random.default_rng(SPLIT_SEED))
        held_out = round(TEST_SHARE * len(order))
        return Split(
            movies.take(np.sort(order[held_out:])),
            movies.take(np.sort(order[:held_out])),
            elsewhere=(
                Elsewhere("products", "sentences from product reviews", _even(replace(products, groups=reviews))),
                Elsewhere("tweets", "tweets", _even(tweets)),
            ),
        )


def read_table(path: Path = TABLE) -> list[Rated]:
    """Return the sentences of a table made by `bench_tasks.bundled.reviews_table`."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        header = next(lines).rstrip("\n").split("\t")
        assert header == list(Rated._fields), "the table has the columns that are read"
        return [_rated(*line.rstrip("\n").split("\t")) for line in lines]


def _rated(collection: str, number: str, mean: str, stated: str, raters: str, text: str) -> Rated:
    return Rated(collection, number, float(mean), float(stated), int(raters), text)


class Selection(NamedTuple):
    """Sentences that are used, and how many of each collection are left out, by the reason."""

    kept: list[Rated]
    left_out: Counter[tuple[str, str]]


def select(sentences: Iterable[Rated]) -> Selection:
    """Return the sentences whose sentiment is clear, each once; of several that are alike in all words the first."""
    kept, left_out, seen = [], Counter[tuple[str, str]](), set()
    for one in sentences:
        words = NO_WORD.sub(" ", html.unescape(one.text).lower()).strip()
        if why := _unusable(one, words) or ("repeated" if words in seen else ""):
            left_out[one.collection, why] += 1
        else:
            seen.add(words)
            kept.append(one)
    return Selection(kept, left_out)


def _unusable(one: Rated, words: str) -> str:
    """Return why a sentence is left out whatever the others are, nothing if it is not."""
    if not words:
        return "no word"
    if abs(one.mean - one.stated) > ROUNDING:
        return "another mean"
    return "near 0" if abs(one.mean) < MARGIN else ""


def _examples(sentences: Iterable[Rated], collection: str) -> Examples:
    """Return the sentences of a collection with their classes, and with their numbers as names."""
    own = [one for one in sentences if one.collection == collection]
    classes = np.array([one.mean > 0 for one in own], dtype=np.int64)
    names = np.array([f"{collection} {one.number}" for one in own])
    texts = Texts(tuple(html.unescape(one.text).strip() for one in own))
    return Examples(texts, {LABEL: Dense({LABEL: classes})}, names=names)


def _even(examples: Examples) -> Examples:
    """Return as many examples of each class, drawn at random: all of the rarer one, in their order."""
    classes, generator = examples.labels[LABEL][LABEL], np.random.default_rng(SPLIT_SEED)
    count = int(np.bincount(classes).min())
    drawn = [generator.permutation(np.flatnonzero(classes == name))[:count] for name in np.unique(classes)]
    return examples.take(np.sort(np.concatenate(drawn)))
