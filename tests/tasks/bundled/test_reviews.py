"""Sentences are those of the archive whose sentiment is clear, each once, and other sources are not learnt."""

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from bench_tasks.bundled import reviews_table
from bench_tasks.bundled.reviews import Rated, Reviews, read_table, select
from bench_tasks.bundled.reviews_table import make, read_archive, to_table

from bench.domains.text.raw import expect_texts
from bench.errors import DataError
from bench.runtime.cache import Cache
from bench.task import Split
from tests.toys import classes_of, groups_of

FILES = {
    "movieReviewSnippets_GroundTruth": "1\t1.5\tGood fun.\r\n2\t-2.0\tAwful &amp; dull.\r\n",
    "movieReviewSnippets_anonDataRatings": "1\t1.5\t0.5\t[1, 2]\r\n2\t-2.0\t0.0\t[-2, -2, -2]\r\n",
    "amazonReviewSnippets_GroundTruth": "1_1\t3.0\ti love it.\r\n1_2\t0.1\tit is small.\r\n",
    # In another order, and with the mark that some editors put first.
    "amazonReviewSnippets_anonDataRatings": "\ufeff1_2\t0.1\t1.0\t[1, -1]\r\n1_1\t3.0\t0.0\t[3, 3]\r\n",
    "tweets_GroundTruth": "1\t-1.0\tUgh :(\r\n",
    "tweets_anonDataRatings": "1\t-2.0\t0.0\t[-2, -2]\r\n",
}


def packed(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return content.getvalue()


@pytest.fixture
def archive() -> bytes:
    """Return a source archive with five sentences."""
    inner = packed({f"{reviews_table.FOLDER}/{name}.txt": text.encode() for name, text in FILES.items()})
    return packed({reviews_table.INNER: inner})


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Split:
    return Reviews().split(0, Cache(tmp_path_factory.mktemp("cache")))


def rated(number: str, mean: float, text: str, *, stated: float | None = None, collection: str = "movies") -> Rated:
    return Rated(collection, number, mean, mean if stated is None else stated, 20, text)


def test_a_table_has_every_sentence_of_the_archive_with_its_own_ratings(archive: bytes, tmp_path: Path) -> None:
    found = read_archive(archive)
    assert found == [
        Rated("movies", "1", 1.5, 1.5, 2, "Good fun."),
        Rated("movies", "2", -2.0, -2.0, 3, "Awful &amp; dull."),
        Rated("products", "1_1", 3.0, 3.0, 2, "i love it."),
        Rated("products", "1_2", 0.0, 0.1, 2, "it is small."),
        Rated("tweets", "1", -2.0, -1.0, 2, "Ugh :("),
    ]
    (tmp_path / "table").write_bytes(to_table(found))
    assert read_table(tmp_path / "table") == found
    assert to_table(found) == to_table(found), "no time is in it"


def test_another_archive_is_refused_and_writes_nothing(
    archive: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "archive").write_bytes(archive)
    with pytest.raises(DataError, match="is not the archive: got sha256"):
        make(tmp_path / "archive", tmp_path / "table")
    assert not (tmp_path / "table").exists()
    monkeypatch.setattr(reviews_table, "ARCHIVE_SHA256", hashlib.sha256(archive).hexdigest())
    make(tmp_path / "archive", tmp_path / "table")
    assert gzip.decompress((tmp_path / "table").read_bytes()).startswith(b"collection\tnumber\tmean\tstated")


def test_what_is_left_out_is_counted_by_the_first_reason() -> None:
    sentences = [
        rated("1", 0.5, "Good."),
        rated("2", 0.49, "Fair."),
        rated("3", -0.5, "Bad."),
        rated("4", 2.0, "... !"),
        rated("5", 2.0, "Fine.", stated=1.0),
        rated("6", 2.0, "GOOD &gt; "),
        rated("7", 2.0, "good!!", collection="tweets"),
    ]
    kept, left_out = select(sentences)
    assert [one.number for one in kept] == ["1", "3"]
    assert left_out["movies", "near 0"] == 1
    assert left_out["movies", "no word"] == 1
    assert left_out["movies", "another mean"] == 1
    assert left_out["movies", "repeated"] == left_out["tweets", "repeated"] == 1


def test_the_card_counts_what_is_there_and_what_is_left_out(split: Split) -> None:
    kept, left_out = select(read_table())
    said = Reviews.card.description
    films = len(split.train) + len(split.test)
    products, tweets = (len(other.examples) for other in split.elsewhere)
    surplus = [
        len([one for one in kept if one.collection == name]) - used
        for name, used in (("products", products), ("tweets", tweets))
    ]
    assert films + products + tweets + sum(surplus) == len(kept)
    assert "({} on products, {:,} tweets), so that an accuracy".format(*surplus) in said
    assert f"{films:,} English sentences from movie reviews" in said
    assert f"{products:,} sentences from product reviews and on {tweets:,} tweets" in said
    near = [left_out[name, "near 0"] for name in ("movies", "products", "tweets")]
    assert "({} on movies, {} on products, {} tweets)".format(*near) in said
    assert f"{left_out['tweets', 'another mean']} tweets whose ratings have another mean" in said
    assert f"{left_out['products', 'no word']} sentences on products without a word" in said
    repeated = sum(count for (_, why), count in left_out.items() if why == "repeated")
    assert f"{repeated} repeated sentences" in said
    assert sum(left_out.values()) + len(kept) == len(read_table())
    raters = [one.raters for one in kept if one.collection == "movies"]
    assert f"the mean of {min(raters)} to {max(raters)} ratings" in said
    assert reviews_table.ARCHIVE_SHA256 in Reviews.card.source


def test_classes_are_the_signs_of_clear_ratings_and_even_on_both_sides(split: Split) -> None:
    means = {f"{one.collection} {one.number}": one.mean for one in read_table()}
    for part in (split.train, split.test, *(other.examples for other in split.elsewhere)):
        assert part.names is not None
        ratings = np.array([means[name] for name in part.names.tolist()])
        assert (np.abs(ratings) >= 0.5).all()
        np.testing.assert_array_equal(classes_of(part), ratings > 0)
    assert abs(classes_of(split.train).mean() - classes_of(split.test).mean()) < 0.001
    assert [classes_of(other.examples).mean() for other in split.elsewhere] == [0.5, 0.5]


def test_sentences_on_products_are_grouped_by_review_and_read_as_people_see_them(split: Split) -> None:
    products, tweets = (other.examples for other in split.elsewhere)
    assert products.names is not None
    assert [name.split()[1].split("_")[0] for name in products.names.tolist()] == [
        group.removeprefix("product review ") for group in groups_of(products)
    ]
    assert len(set(groups_of(products))) == 297
    assert not any("&amp;" in text for part in (products, tweets) for text in expect_texts(part.raw).strings)
