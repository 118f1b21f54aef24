"""What is compared with what: cells that measure the same, and nothing else without a word."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bench.budget import ALL
from bench.cell import Outcome, Result
from bench.errors import StoreError
from bench.gate.comparison import Comparison, compare
from bench.gate.judging import Verdict
from bench.gate.matching import recipe_changes
from bench.gate.wording import remarks
from bench.metric import MetricCard
from bench.metrics.forecast import MAE
from bench.results.manifest import Curve, Manifest
from tests.bench.analysis.example import scored
from tests.bench.gate.example import Change, failed, lost, night, unchanged, where, with_fields, worse


def compared(change: Change = unchanged, **options: object) -> Comparison:
    """Return the comparison of a whole night with another one."""
    return compare(night(), night(change, **options))  # type: ignore[arg-type]


def verdicts(comparison: Comparison) -> dict[str, str]:
    """Return the verdict on each task."""
    return {task.task: str(task.verdict) for task in comparison.tasks}


def test_the_same_scores_pass_and_are_no_change() -> None:
    comparison = compared()
    assert comparison.reasons == ()
    assert comparison.verdict == Verdict.NO_CHANGE
    assert comparison.current.n_scored == comparison.current.n_planned == 36


@pytest.mark.parametrize("task", ["pictures", "series"])
def test_a_worse_task_fails_whichever_way_its_metric_goes(task: str) -> None:
    comparison = compared(worse(task, 0.06))
    assert verdicts(comparison)[task] == "regression"
    assert sorted(verdicts(comparison).values()) == ["no change", "regression"]
    assert comparison.reasons == ("regression in 1 of 2 tasks",)


def test_a_better_task_passes() -> None:
    comparison = compared(worse("series", -0.06))
    assert comparison.verdict == Verdict.IMPROVEMENT
    assert comparison.reasons == ()


def test_differences_are_of_skill() -> None:
    series = next(task for task in compared(worse("series", 0.125)).tasks if task.task == "series")
    assert series.whole.mean == pytest.approx(-0.1)  # chance is an error of 1.25, perfect is 0


def test_a_change_within_the_tolerance_passes() -> None:
    before, after = night(), night(worse("pictures", 0.05))
    assert compare(before, after, tolerance=0.1).verdict == Verdict.NO_CHANGE


def other_card(field: str, value: object) -> Callable[[Manifest], Manifest]:
    """Return a change of the card of the pictures."""

    def change(manifest: Manifest) -> Manifest:
        entry = manifest.tasks["pictures"]
        changed = replace(entry, card=replace(entry.card, **{field: value}))  # type: ignore[arg-type]
        return replace(manifest, tasks={**manifest.tasks, "pictures": changed})

    return change


def scored_by(card: MetricCard) -> Callable[[Manifest], Manifest]:
    """Return a change of the metric that the series are scored by."""

    def change(manifest: Manifest) -> Manifest:
        entry = replace(manifest.tasks["series"], metric=card)
        return replace(manifest, tasks={**manifest.tasks, "series": entry})

    return change


def of_cards(before: MetricCard, after: MetricCard) -> str:
    """Return what is said of two runs whose series are scored by these metrics."""
    comparison = compare(night(manifest=scored_by(before)), night(manifest=scored_by(after)))
    return dict.fromkeys(comparison.matched.not_compared.values()).popitem()[0]


COST = MetricCard("cost", "cost", higher_is_better=False, perfect=0.0, sha256="a" * 64)


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (replace(COST, sha256="b" * 64), "another version of cost in its file"),
        (
            replace(COST, sha256="b" * 64, higher_is_better=True, perfect=1.0),
            "another version of cost in its file, lower was better, now higher",
        ),
        (replace(COST, sha256="b" * 64, title="cost in EUR"), "another version of cost in its file"),
        (replace(COST, sha256="b" * 64, name="price", title="price"), "another metric: cost, now price"),
        (replace(COST, sha256=""), "another metric: cost in a file, now cost"),
    ],
)
def test_a_function_that_changed_is_another_version_also_with_another_direction(after: MetricCard, said: str) -> None:
    assert of_cards(COST, after) == said


def other_backbone(manifest: Manifest) -> Manifest:
    """See the pictures through other eyes."""
    eyes = replace(manifest.backbones["bundled:eyes"], sha256="0" * 64)
    return replace(manifest, backbones={**manifest.backbones, "bundled:eyes": eyes})


@pytest.mark.parametrize(
    ("manifest", "task", "reason"),
    [
        (other_card("sha256", "ff" * 32), "pictures", "other data"),
        (other_card("version", 2), "pictures", "other data: version 1 of the task, now 2"),
        (scored_by(MAE.card), "series", "another metric: MASE, now MAE"),
        (other_backbone, "pictures", "another backbone"),
    ],
)
def test_what_the_cards_say_is_something_else_is_named_and_not_compared(
    manifest: Callable[[Manifest], Manifest], task: str, reason: str
) -> None:
    comparison = compared(worse(task, 0.3), manifest=manifest)
    assert {row.task for row in comparison.matched.not_compared} == {task}
    assert all(said.startswith(reason) for said in comparison.matched.not_compared.values())
    assert list(verdicts(comparison).values()) == ["no change"]
    assert comparison.reasons == ()


def test_what_has_no_network_is_compared_whatever_backbone_it_stands_beside() -> None:
    def planned(manifest: Manifest) -> Manifest:
        full = replace(manifest.strategies["full"], start="nothing", trained_fraction=0.0)
        return replace(other_backbone(manifest), strategies={**manifest.strategies, "full": full})

    not_compared = compared(manifest=planned).matched.not_compared
    assert {row.strategy for row in not_compared} == {"scratch", "linear_probe"}


@pytest.mark.parametrize("field", [{"data_sha256": "1" * 64}, {"n_test": 9}, {"amount": 9}, {"chance": 0.2}])
def test_what_was_scored_on_other_data_is_named_and_not_compared(field: dict[str, object]) -> None:
    comparison = compared(where(with_fields(**field), task="pictures", strategy="full", seed=0))
    assert [tuple(row) for row in comparison.matched.not_compared] == [("pictures", "bundled:eyes", "full")]
    assert next(iter(comparison.matched.not_compared.values())).startswith("other data")


def test_other_amounts_are_told_in_the_unit_of_the_target() -> None:
    def in_minutes(manifest: Manifest) -> Manifest:
        entry = replace(manifest.tasks["pictures"], unit="minutes")
        return replace(manifest, tasks={**manifest.tasks, "pictures": entry})

    comparison = compared(where(with_fields(amount=9), task="pictures", strategy="full", seed=0), manifest=in_minutes)
    [reason] = comparison.matched.not_compared.values()
    assert reason == "other data: 20 minutes, now 9"


def test_another_recipe_is_compared_and_named() -> None:
    comparison = compared(worse("pictures", 0.06), rekeyed={"full": "new"})
    assert {row.strategy for row in comparison.matched.other_recipes} == {"full"}
    assert verdicts(comparison)["pictures"] == "regression"
    assert not comparison.matched.not_compared


def test_what_a_recipe_sets_otherwise_is_said() -> None:
    def with_recipe(**recipe: object) -> Callable[[Manifest], Manifest]:
        return lambda manifest: replace(manifest, recipes={Curve("pictures", "bundled:eyes", "full"): recipe})

    before = night(manifest=with_recipe(batch_size=32, learning_rate=0.1))
    after = night(rekeyed={"full": "new"}, manifest=with_recipe(batch_size=32, learning_rate=0.2))
    comparison = compare(before, after)
    changes = comparison.matched.other_recipes
    assert {row: said for row, said in changes.items() if said} == {
        Curve("pictures", "bundled:eyes", "full"): "learning_rate was 0.1, now 0.2"
    }
    assert "pictures: full: learning_rate was 0.1, now 0.2." in remarks(comparison)
    assert Curve("series", "bundled:clock", "full") in changes, "its recipes are not known"


def test_of_settings_within_a_setting_those_that_differ_are_said_and_new_ones_were_not_set() -> None:
    row = Curve("pictures", "bundled:eyes", "full")

    def with_recipe(**recipe: object) -> Manifest:
        return replace(night().manifest, recipes={row: recipe})

    before = with_recipe(epochs=30, rates={"head": 0.1, "rest": 0.01})
    after = with_recipe(epochs=30, rates={"head": 0.2, "rest": 0.01}, penalty=None)
    assert recipe_changes(before, after, row) == "rates.head was 0.1, now 0.2, penalty was not set, now None"
    assert recipe_changes(before, before, row) == ""


def test_rows_whose_settings_changed_in_the_same_way_are_named_together() -> None:
    def with_rate(rate: float) -> Callable[[Manifest], Manifest]:
        rows = [Curve("pictures", "bundled:eyes", name) for name in ("full", "scratch")]
        return lambda manifest: replace(manifest, recipes={row: {"rate": rate} for row in rows})

    comparison = compare(
        night(manifest=with_rate(1)), night(manifest=with_rate(2), rekeyed=dict.fromkeys(("full", "scratch"), "x"))
    )
    assert "pictures: full, scratch: rate was 1, now 2." in remarks(comparison)


def test_scores_that_are_published_with_six_digits_are_identical() -> None:
    def shorter(result: Result) -> Outcome | None:
        without = {
            name: tuple(one and float(f"{one:.6g}") for one in several)
            for name, several in result.scores.without.items()
        }
        return replace(result, scores=replace(result.scores, without=without))

    def odd(result: Result) -> Outcome | None:
        return scored(result, result.score / 3)

    before, after = night(lambda result: shorter(odd(result))), night(odd)  # type: ignore[arg-type]
    assert all(task.whole.same for task in compare(before, after).tasks)


def test_other_test_blocks_are_other_data() -> None:
    comparison = compared(where(with_fields(block_sizes=(2_500,) * 4), task="pictures", strategy="full"))
    assert set(comparison.matched.not_compared.values()) == {"other data: test blocks of other sizes"}


def test_another_precision_is_compared_and_named() -> None:
    comparison = compared(where(with_fields(precision="bfloat16"), task="pictures", strategy="full"))
    row = Curve("pictures", "bundled:eyes", "full")
    assert comparison.matched.other_precisions == {row: "precision was float32, now bfloat16"}
    assert "pictures: full: precision was float32, now bfloat16." in remarks(comparison)
    assert not comparison.matched.not_compared
    assert not compared().matched.other_precisions


def test_missing_cells_fail() -> None:
    comparison = compared(where(lost, task="series", seed=1))
    assert {(cell.task, cell.seed) for cell in comparison.matched.missing} == {("series", 1)}
    assert comparison.reasons == ("6 missing cells",)


def test_cells_that_the_current_run_did_not_even_plan_are_missing() -> None:
    comparison = compared(where(lost, seed=2), seeds=3)
    fewer = compare(night(), night(seeds=2))
    assert fewer.matched.missing == comparison.matched.missing
    assert fewer.reasons == ("12 missing cells",)


def test_new_failures_fail_and_keep_their_reason_and_old_ones_do_not() -> None:
    breaks = where(failed("out of memory"), task="pictures", strategy="full", budget=ALL)
    comparison = compared(breaks)
    assert comparison.reasons == ("3 new failures",)
    assert {failure.reason for failure in comparison.matched.new_failures} == {"out of memory"}
    old = compare(night(breaks), night(breaks))
    assert (old.reasons, len(old.matched.old_failures)) == ((), 3)


def test_nothing_run_fails() -> None:
    comparison = compared(lost)
    assert comparison.reasons == ("nothing was run", "36 missing cells")
    assert comparison.verdict == Verdict.NOT_DECIDED


def test_cells_of_the_current_run_alone_are_named_and_pass() -> None:
    comparison = compare(night(seeds=2), night(seeds=3))
    assert (len(comparison.matched.added), comparison.reasons) == (12, ())
    filled = compare(night(where(failed("no"), task="series", seed=0)), night())
    assert (len(filled.matched.unmatched), filled.reasons) == (6, ())


def test_folders_with_nothing_in_common_are_a_mistake() -> None:
    run = night()
    later = {replace(cell, seed=cell.seed + 10): one for cell, one in run.outcomes.items()}
    with pytest.raises(StoreError, match=r"no cell in common.*seeds 0, 1, 2.*seeds 10, 11, 12"):
        compare(run, run._replace(outcomes=later))
    with pytest.raises(StoreError, match=r"nothing in the two folders measures the same.*other data"):
        compared(with_fields(data_sha256="1" * 64))
    with pytest.raises(StoreError, match="no cell of the baseline has a score"):
        compare(night(lost), night())
