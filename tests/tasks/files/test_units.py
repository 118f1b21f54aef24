"""What is scored as one is named by a column or a pattern in paths; what cannot be scored so is refused when opened."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from bench_tasks.opening import open_task
from PIL import Image

from bench.card import ScoredUnits
from bench.config.data import DataSpec, problems_of
from bench.domains.options import DataOptions
from bench.errors import DataError
from bench.runtime.cache import Cache
from bench.task import Task, fingerprint

Open = Callable[..., Task]
PATIENTS = 16


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Return how to open data in the working directory with options."""
    monkeypatch.chdir(tmp_path)

    def open_it(address: str = "csv:notes.csv", family: str = "text_classification", **options: object) -> Task:
        return open_task("mine", DataSpec(family, address, DataOptions.model_validate(options)), Cache(Path("kept")))

    return open_it


def write_notes(rows: Sequence[Sequence[object]] = (), header: str = "text,label,patient,clinic,part") -> None:
    """Write three notes of each patient, who has one label and one clinic; a quarter of them is tested."""
    plain = [
        (
            f"note {n} of {who}",
            "well" if who % 2 else "ill",
            f"p{who}",
            f"c{who % 3}",
            "test" if who % 8 < 2 else "train",
        )
        for who in range(PATIENTS)
        for n in range(3)
    ]
    lines = [",".join(map(str, row)) for row in (rows or plain)]
    Path("notes.csv").write_text("\n".join([header, *lines]) + "\n")


def write_scans(*, mixed: bool = False) -> None:
    """Write two pictures of each patient, whose name is in that of the file."""
    for who in range(PATIENTS):
        for n in range(2):
            label = "ill" if (who + n * (mixed and who == 3)) % 2 else "well"
            path = Path(f"scans/{label}/p{who}_{n}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((4, 4, 3), 7 * who + n, np.uint8)).save(path)


def sides(task: Task) -> tuple[list[str], list[str]]:
    """Return the units of the examples to learn from and to test on, as they are."""
    split = task.split(0, Cache(Path("kept")))
    assert split.train.units is not None
    assert split.test.units is not None
    return split.train.units.tolist(), split.test.units.tolist()


@pytest.mark.parametrize("target", ["value", "classes"])
def test_the_description_has_the_true_share_and_what_was_asked_for(opened: Open, target: str) -> None:
    rows = [
        (f"note {n} of {who}", who if target == "value" else who % 2, f"p{who}") for who in range(20) for n in "abc"
    ]
    write_notes(rows, header="text,label,patient")
    said = opened(group="patient", target=target, test="one").card.description
    assert "45 to learn from and 15 to test on, 25 %, " in said
    said = opened(group="patient", target=target, test_share=0.23).card.description
    assert "45 to learn from and 15 to test on, 25 % (asked for: 23 %)" in said
    assert ("stratified by class" in said) == (target == "classes")


def test_a_column_names_what_is_scored_and_no_unit_is_split(opened: Open) -> None:
    write_notes()
    task = opened(score_by="patient", test="one")
    learnt, tested = sides(task)
    assert (set(learnt) & set(tested), len(learnt) + len(tested)) == (set(), 3 * PATIENTS)
    n = len(set(tested))
    assert task.card.scored == ScoredUnits(name="patient", n=n, examples=3 * n, combined="mean")
    assert len(tested) == 3 * n
    test = task.split(0, Cache(Path("kept"))).test
    assert test.groups is not None
    assert test.groups.tolist() == tested


def test_a_pattern_names_what_is_scored_by_its_group(opened: Open) -> None:
    write_scans()
    for pattern, name in (("(p[0-9]+)_", "unit"), ("(?P<patient>p[0-9]+)_", "patient")):
        task = opened("folder:scans", "image_classification", score_by=pattern, test="one")
        learnt, tested = sides(task)
        assert not set(learnt) & set(tested)
        assert task.card.scored == ScoredUnits(
            name=name, n=len(set(tested)), examples=2 * len(set(tested)), combined="mean"
        )


def test_groups_may_be_larger_than_what_is_scored(opened: Open) -> None:
    write_notes()
    task = opened(score_by="patient", group="clinic", held_out=("c1",))
    split = task.split(0, Cache(Path("kept")))
    assert split.test.groups is not None
    assert set(split.test.groups.tolist()) == {"c1"}
    assert set(sides(task)[1]) == {f"p{who}" for who in range(PATIENTS) if who % 3 == 1}
    named = opened(score_by="patient", held_out=("p1", "p2"))
    assert set(sides(named)[1]) == {"p1", "p2"}


def test_a_published_split_is_kept_and_its_test_units_are_scored(opened: Open) -> None:
    write_notes()
    task = opened(score_by="patient", split="part")
    assert set(sides(task)[1]) == {"p0", "p1", "p8", "p9"}
    assert task.card.scored == ScoredUnits(name="patient", n=4, examples=12, combined="mean")
    write_notes([(f"{part} {n}", "ab"[n % 2], "p1", "c", part) for part in ("train", "test") for n in range(4)])
    with pytest.raises(
        DataError, match="1 of its groups are on both sides: p1; move each to one side, or leave score_by"
    ):
        opened(score_by="patient", split="part")


def test_another_unit_or_another_way_to_combine_is_another_version_of_the_data(opened: Open) -> None:
    write_notes()
    hashes = [opened(**said).card.sha256 for said in ({}, {"group": "patient"}, {"score_by": "patient"})]
    hashes.append(opened(score_by="patient", group="clinic").card.sha256)
    several = [opened(score_by="patient", target="labels", combine=way).card.sha256 for way in ("mean", "maximum")]
    assert len({*hashes, *several}) == 6
    assert opened(score_by="patient", target="labels").card.sha256 == several[0], "the mean is what is usual"
    assert opened(score_by="patient", target="labels", combine="maximum").target.combined_by == "maximum"


def test_units_of_one_example_each_are_examples(opened: Open) -> None:
    rows = [(f"note {who}", "ill" if who % 2 else "well", f"p{who}") for who in range(PATIENTS)]
    write_notes(rows, header="text,label,patient")
    plain, scored = opened(), opened(score_by="patient")
    cache = Cache(Path("kept"))
    assert scored.card.sha256 == plain.card.sha256, "it is the same work"
    assert fingerprint(scored.split(0, cache)) == fingerprint(plain.split(0, cache))
    assert scored.card.scored is None
    assert scored.card.remarks == ("every patient has a single text, so that texts are scored, as without score_by",)


def test_units_of_one_example_each_can_be_named_to_be_tested_on(opened: Open) -> None:
    rows = [(f"note {who}", "ill" if who % 2 else "well", f"p{who}") for who in range(PATIENTS)]
    write_notes(rows, header="text,label,patient")
    named = ("p1", "p2")
    task, grouped = opened(score_by="patient", held_out=named), opened(group="patient", held_out=named)
    test = task.split(0, Cache(Path("kept"))).test
    assert test.groups is not None
    assert set(test.groups.tolist()) == set(named)
    assert task.card.scored is None
    assert task.card.sha256 == grouped.card.sha256, "it is the same work"
    with pytest.raises(DataError, match=r"held_out has no such group: 'p99'"):
        opened(score_by="patient", held_out=("p99",))


def mixed_notes() -> None:
    rows = [(f"note {n}", "ab"[n % 2], f"p{n // 4}", "c", "test" if n < 12 else "train") for n in range(24)]
    write_notes(rows)


def divided_notes() -> None:
    rows = [(f"note {n}", "ab"[n // 3 % 2], f"p{n // 3}", f"c{n % 2}", "") for n in range(24)]
    write_notes([row[:4] for row in rows], header="text,label,patient,clinic")


def numbered_notes() -> None:
    write_notes([(f"note {n}", n // 3 + 0.5, f"p{n // 3}") for n in range(24)], header="text,label,patient")


def tagged_notes() -> None:
    line = '{"tokens": ["Ann", "left"], "tags": ["B-PER", "O"], "patient": "p1"}\n'
    Path("notes.jsonl").write_text(line * 6)


@pytest.mark.parametrize(
    ("write", "options", "said"),
    [
        (write_notes, {"score_by": "pateint"}, "has no column 'pateint'"),
        (mixed_notes, {"score_by": "patient", "split": "part"}, r"'p0' is scored as one.*row 2 and row 3: mend the"),
        (
            divided_notes,
            {"score_by": "patient", "group": "clinic"},
            r"'p0' is scored as one.*'c0' and 'c1': mend the gr",
        ),
        (write_notes, {"score_by": "patient", "combine": "maximum"}, r"classes are not combined by their maximum"),
        (numbered_notes, {"score_by": "patient", "target": "value", "combine": "maximum"}, "value are not combined by"),
        (write_notes, {"score_by": "patient", "target": "labels", "combine": "maxmum"}, "did you mean 'maximum'"),
        (tagged_notes, {"address": "csv:notes.jsonl", "score_by": "patient"}, "predictions of tags cannot be combined"),
        (
            write_scans,
            {"address": "folder:scans", "family": "image_classification", "score_by": "(p[0-9]+"},
            "score_by is no regular expression",
        ),
        (
            write_scans,
            {"address": "folder:scans", "family": "image_classification", "score_by": "(q[0-9]+)"},
            r"score_by '\(q\[0-9\]\+\)' is not found in 32 of 32 paths",
        ),
    ],
)
def test_what_cannot_be_scored_as_one_is_refused_when_it_is_opened(
    opened: Open, write: Callable[[], None], options: dict[str, str], said: str
) -> None:
    write()
    with pytest.raises(DataError, match=said):
        opened(**options)


def test_a_patient_of_whom_pictures_lie_in_two_folders_is_refused_where_it_is_tested(opened: Open) -> None:
    write_scans(mixed=True)
    options = {"score_by": "(p[0-9]+)_", "held_out": ("p2", "p3")}
    with pytest.raises(DataError, match=r"'p3' is scored as one.*ill/p3_0.png and well/p3_1.png"):
        opened("folder:scans", "image_classification", **options)
    options["held_out"] = ("p1", "p2")
    assert opened("folder:scans", "image_classification", **options).card.scored is not None, "it is learnt from alone"


def test_options_that_do_not_go_together_are_refused_before_the_data_are_read() -> None:
    def problems(family: str, address: str, **options: object) -> list[str]:
        return list(problems_of(DataSpec(family, address, DataOptions.model_validate(options))))

    assert problems("text_classification", "csv:notes.csv", score_by="patient", combine="mean") == []
    [alone] = problems("text_classification", "csv:notes.csv", combine="mean")
    assert alone.startswith("combine: says how predictions are combined")
    [series] = problems("forecasting", "csv:demand.csv", score_by="patient")
    assert series.startswith("score_by: says nothing of forecasting")
    assert problems("digits", "", score_by="patient") == ["score_by: a bundled task has no such option"]
