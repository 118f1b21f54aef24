"""Targets say in which ways predictions are combined that are scored as one; what they cannot is refused."""

import numpy as np
import pytest

from bench.column import dense
from bench.errors import DataError
from bench.target import Target, combination, combine_by
from bench.targets.classes import Classes
from bench.targets.forecast import Forecast
from bench.targets.labels import Labels
from bench.targets.registered import target_of, target_record
from bench.targets.tags import Tags
from bench.targets.value import Value

NAMES = ("a", "b")


@pytest.mark.parametrize(
    ("target", "ways"),
    [
        (Classes(NAMES), ["mean"]),
        (Value(), ["mean"]),
        (Labels(NAMES), ["mean", "maximum"]),
        (Tags(("B-X", "I-X", "O")), []),
        (Forecast(steps=3), []),
    ],
)
def test_the_ways_of_a_target_are_those_it_can_be_asked_for(target: Target, ways: list[str]) -> None:
    assert list(target.combinations) == ways
    for way in ways:
        chosen = combine_by(target, way)
        assert (chosen.combined_by, chosen) == (way, target), "a head serves it whichever it is"
        assert target_of(target_record(chosen)).combined_by == way
    if ways:
        assert combine_by(target, "").combined_by == ways[0]


@pytest.mark.parametrize("target", [Tags(("B-X", "I-X", "O")), Forecast(steps=3)])
def test_a_target_that_cannot_combine_says_so(target: Target) -> None:
    with pytest.raises(DataError, match=rf"predictions of {target.name} cannot be combined.*leave score_by out"):
        combine_by(target, "")
    with pytest.raises(DataError, match=rf"predictions of {target.name} cannot be combined"):
        combination(target)


def test_a_way_that_a_target_lacks_is_refused_with_those_it_has() -> None:
    said = (
        r"predictions of classes are not combined by their maximum: leave combine = 'maximum' out \(what there is: mean"
    )
    with pytest.raises(DataError, match=said):
        combine_by(Classes(NAMES), "maximum")
    with pytest.raises(DataError, match=r"by their maximun; did you mean 'maximum'\?"):
        combine_by(Labels(NAMES), "maximun")


def test_labels_are_present_by_their_mean_or_by_the_surest_example() -> None:
    predictions, labels = dense(logit=np.array([[3], [-5]], np.float32)), dense(present=[[True], [True]])
    found = {
        way: float(
            combination(combine_by(Labels(("a",)), way))(predictions, labels, ["p", "p"]).predictions["logit"][0, 0]
        )
        for way in ("mean", "maximum")
    }
    mean = (1 / (1 + np.exp(-3)) + 1 / (1 + np.exp(5))) / 2
    assert found == {"mean": pytest.approx(np.log(mean / (1 - mean)), rel=1e-5), "maximum": 3.0}
