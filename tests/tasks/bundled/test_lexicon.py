"""Words of one family stay together, whatever their endings."""

import pytest
from bench_tasks.bundled.lexicon import Lexicon

from bench.domains.text.raw import Texts
from bench.runtime.cache import Cache
from tests.toys import groups_of


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    split = Lexicon().split(0, Cache(tmp_path_factory.mktemp("cache")))
    found: dict[str, str] = {}
    for part, groups in ((split.train, groups_of(split.train)), (split.test, groups_of(split.test))):
        assert isinstance(part.raw, Texts)
        found |= dict(zip(part.raw.strings, groups, strict=True))
    return found


@pytest.mark.parametrize(
    "words",
    [
        ("abandon", "abandoned", "abandoning", "abandonment", "abandons"),
        ("happy", "happier", "happiness", "happily", "unhappy"),
        ("agree", "agreeable", "disagree", "disagreed"),
        ("hate", "hateful", "hater", "hates", "hating"),
    ],
)
def test_inflections_and_negations_are_one_family(words: tuple[str, ...], families: dict[str, str]) -> None:
    assert len({families[word] for word in words if word in families}) == 1


def test_unrelated_words_are_not(families: dict[str, str]) -> None:
    assert len({families[word] for word in ("happy", "hate", "disaster", "lucky")}) == 4
