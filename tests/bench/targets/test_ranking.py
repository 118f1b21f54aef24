"""The metric that ranks: a target's own first one, or another that is asked for."""

from pathlib import Path

import pytest
from bench_tasks.opening import open_task

from bench.config.data import DataSpec
from bench.domains.options import DataOptions
from bench.errors import UnknownNameError
from bench.runtime.cache import Cache
from bench.target import Target, rank_by
from bench.targets.classes import Classes
from bench.targets.forecast import Forecast

CLASSES = Classes(("a", "b"))


def names(target: Target) -> list[str]:
    return [metric.card.name for metric in target.metrics]


@pytest.mark.parametrize("target", [CLASSES, Forecast(3), Forecast(3, "mse")], ids=str)
def test_any_metric_of_a_target_can_rank_and_the_others_keep_their_order(target: Target) -> None:
    own = names(target)
    for name in own:
        ranked = rank_by(target, name)
        assert names(ranked)[0] == name
        assert sorted(names(ranked)) == sorted(own)
        assert ranked == target, "a head for the one serves the other"


def test_a_metric_that_a_target_does_not_have_is_told_with_those_it_has() -> None:
    with pytest.raises(UnknownNameError, match="unknown metric of classes 'macro_f2'; did you mean 'macro_f1'"):
        rank_by(CLASSES, "macro_f2")


def test_a_bundled_task_is_ranked_by_what_its_description_says_and_the_shared_one_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    chosen = open_task("digits", DataSpec("digits", "", DataOptions(metric="macro_f1")), cache)
    assert names(chosen.target)[0] == "macro_f1"
    assert names(open_task("digits", DataSpec("digits"), cache).target)[0] == "accuracy"
    with pytest.raises(UnknownNameError, match="unknown metric of forecast 'accuracy'"):
        open_task("co2", DataSpec("co2", "", DataOptions(metric="accuracy")), cache)


def test_data_of_a_users_own_are_ranked_by_the_metric_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [f"text {number},{'good' if number % 2 else 'bad'}" for number in range(40)]
    Path("table.csv").write_text("\n".join(["text,label", *lines]))
    spec = DataSpec("text_classification", "csv:table.csv", DataOptions(metric="macro_f1"))
    assert names(open_task("mine", spec, Cache(tmp_path / "kept")).target)[0] == "macro_f1"


def test_of_forecasts_only_mse_changes_the_unit() -> None:
    assert [DataOptions(metric=name).error for name in (None, "mase", "smape", "mse")] == [
        "mase",
        "mase",
        "mase",
        "mse",
    ]
