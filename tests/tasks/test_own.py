"""A task in a file of one's own runs from any folder; a file that holds none says what is missing."""

import re
from pathlib import Path

import numpy as np
import pytest
from bench_tasks.opening import guess_family, open_task

from bench.card import ScoredUnits
from bench.cli import main
from bench.config.data import DataSpec
from bench.domains.options import DataOptions
from bench.errors import DataError, UnknownNameError
from bench.results.store import Store
from bench.runtime.cache import Cache
from bench.task import Task
from bench.testing import check_task
from tests.toys import classes_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "clocks.py"


def opened(place: str, folder: Path) -> Task:
    return open_task("mine", DataSpec("image_classification", f"python:{place}"), Cache(folder / "cache"))


def test_the_example_is_at_most_sixty_lines_and_runs_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(EXAMPLE.read_text().splitlines()) <= 60
    (tmp_path / "clocks.py").write_text(EXAMPLE.read_text())
    monkeypatch.chdir(tmp_path)
    command = ["run", "--data", "python:clocks.py", "--backbone", "bundled:glyphs", "--strategy", "linear_probe"]
    assert main([*command, "--seeds", "1", "--workers", "1"]) == 0
    results = list(Store(Path("results/clocks")).results())
    assert [result.amount for result in results] == [18, 60, 180, 600], "six labels are too few for twelve hours"
    assert results[-1].score > 0.8


def test_its_card_gets_name_hash_and_size(tmp_path: Path) -> None:
    card = opened(str(EXAMPLE), tmp_path).card
    assert (card.name, card.n_train, len(card.sha256)) == ("mine", 600, 64)
    assert card == opened(f"{EXAMPLE}:Clocks", tmp_path).card
    assert guess_family(f"python:{EXAMPLE}", {}, Cache(tmp_path)) == "image_classification"


def test_other_data_are_another_hash(tmp_path: Path) -> None:
    other = tmp_path / "clocks.py"
    other.write_text(EXAMPLE.read_text().replace("seed=1", "seed=2"))
    assert opened(str(other), tmp_path).card.sha256 != opened(str(EXAMPLE), tmp_path).card.sha256


SMOOTHED = """
from dataclasses import dataclass
from typing import ClassVar

from bench.targets.classes import Classes


@dataclass(frozen=True, slots=True)
class Smoothed(Classes):
    column: ClassVar[str] = "class"
    smoothing: float = 0.0

    @property
    def reads(self):
        return self.column


class Told(Clocks):
    target = Smoothed(Clocks.target.names)

    def split(self, fold, cache):
        return Split(told(600, 0), told(300, 1))


def told(count, seed):
    found = draw(count, seed=seed)
    return Examples(found.raw, {**found.labels, "other": found.labels["class"]})
"""


def test_another_target_of_ones_own_is_another_recipe(tmp_path: Path) -> None:
    def hashed(name: str, old: str = "", new: str = "") -> str:
        (tmp_path / f"{name}.py").write_text(EXAMPLE.read_text() + SMOOTHED.replace(old, new))
        place, cache = f"{tmp_path / name}.py:Told", Cache(tmp_path / "cache")
        task = opened(place, tmp_path)
        task.split(0, cache)
        return task.card.sha256

    plain = hashed("clocks")
    assert hashed("clocks") == plain
    assert hashed("clocks", "float = 0.0", "float = 0.3") != plain, "a field of the target"
    assert hashed("clocks", 'str] = "class"', 'str] = "other"') != plain, "the column that it reads"


def test_its_card_says_what_there_is_beside_labelled_examples(tmp_path: Path) -> None:
    richer = tmp_path / "clocks.py"
    lines = ["class Richer(Clocks):", "    def split(self, fold, cache):", "        split = super().split(fold, cache)"]
    lines += ["        from dataclasses import replace", "        return replace(split, unlabelled=split.test.raw)"]
    richer.write_text("\n".join([EXAMPLE.read_text(), *lines, ""]))
    assert opened(f"{richer}:Richer", tmp_path).card.beside == ("unlabelled",)
    assert opened(f"{richer}:Clocks", tmp_path).card.beside == ()


def test_a_shift_that_a_task_brings_is_part_of_its_data_and_has_the_labels_that_are_read(tmp_path: Path) -> None:
    lines = ["from dataclasses import replace", "from bench.task import Elsewhere", "class Faded(Clocks):"]
    lines += [
        "    def split(self, fold, cache):",
        "        split, faded = super().split(fold, cache), draw(60, seed=5)",
    ]
    lines += ['        return replace(split, elsewhere=(Elsewhere("faded", "other clocks", faded),))', ""]
    path = tmp_path / "mine.py"
    path.write_text("\n".join([EXAMPLE.read_text(), *lines]))
    plain, faded = (opened(f"{path}:{name}", tmp_path) for name in ("Clocks", "Faded"))
    assert plain.card.sha256 != faded.card.sha256
    [other] = faded.split(0, Cache(tmp_path)).elsewhere
    assert (other.name, len(other.examples)) == ("faded", 60)
    path.write_text(path.read_text().replace("draw(60, seed=5)", "replace(draw(60, seed=5), labels={})"))
    with pytest.raises(DataError, match="the target reads the labels 'class': got none"):
        opened(f"{path}:Faded", tmp_path)


def test_the_picture_shows_its_hour(tmp_path: Path) -> None:
    train = opened(str(EXAMPLE), tmp_path).split(0, Cache(tmp_path)).train
    pictures = np.stack(list(train.raw.pictures())).astype(float)  # type: ignore[attr-defined]
    means = np.stack([pictures[classes_of(train) == hour].mean(axis=0) for hour in range(12)])
    assert len({mean.tobytes() for mean in means}) == 12


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", "is to define one subclass of bench.task.Task.*got none"),
        ("import nothing_of_this_name\n", "cannot run .*nothing_of_this_name"),
        ("def (\n", "cannot run .*invalid syntax"),
    ],
    ids=["no task", "a missing package", "no Python"],
)
def test_a_file_without_a_task_says_what_it_lacks(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(DataError, match=said):
        opened(str(tmp_path / "mine.py"), tmp_path)


def test_a_missing_file_or_class_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no Python file"):
        opened(str(tmp_path / "none.py"), tmp_path)
    with pytest.raises(UnknownNameError, match=r"unknown task class in .* 'Clock'; did you mean 'Clocks'"):
        opened(f"{EXAMPLE}:Clock", tmp_path)


PATIENTS = """
import numpy as np

from bench.card import ScoredUnits, TaskCard
from bench.column import Dense
from bench.domains.vision.raw import ImageArray
from bench.targets.labels import Labels
from bench.targets.tags import Tags
from bench.task import Examples, Split, Task


class Patients(Task):
    card = TaskCard(
        name="patients", title="Patients", domain="vision", description="Noise.", source="here", licence="none",
        citation="none", version=1, sha256="", pinned=False, scored=ScoredUnits(name="patient"),
    )
    target = Labels(("scar",))

    def split(self, fold, cache):
        return Split(drawn("a", 24), drawn("b", 12))


def drawn(side, count):
    pixels = np.random.default_rng(count).integers(0, 255, (count, 8, 8, 3)).astype(np.uint8)
    units = [f"{side}{row // 3}" for row in range(count)]
    present = np.array([[row // 3 % 2 == 1] for row in range(count)])
    return Examples(ImageArray(pixels), {"present": Dense({"present": present})}, units=np.array(units))
"""


def written(folder: Path, old: str = "", new: str = "") -> str:
    """Write a task of patients, with one thing changed, and return its place."""
    assert old in PATIENTS
    (folder / "patients.py").write_text(PATIENTS.replace(old, new) if old else PATIENTS)
    return str(folder / "patients.py")


def test_a_task_of_ones_own_says_what_is_scored_as_one_and_how(tmp_path: Path) -> None:
    plain = opened(written(tmp_path), tmp_path)
    assert plain.card.scored == ScoredUnits(name="patient", n=4, examples=12, combined="mean")
    assert plain.split(0, Cache(tmp_path)).test.units is not None
    maximum = opened(written(tmp_path, '(("scar",))', '(("scar",), combined_by="maximum")'), tmp_path)
    assert maximum.card.scored == ScoredUnits(name="patient", n=4, examples=12, combined="maximum")
    assert maximum.card.sha256 != plain.card.sha256, "a result of the mean is not one of the maximum"
    check_task(maximum, Cache(tmp_path))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("row // 3 % 2 == 1", "row % 2 == 1", "'b0' is scored as one.*such as example 0 and example 1"),
        ('{"present": D', '{"presence": D', "the target reads the labels 'present': got presence"),
        ('Labels(("scar",))', 'Tags(("B-X", "I-X", "O"))', "predictions of tags cannot be combined"),
        (
            'f"{side}{row // 3}"',
            'f"{row // 3}"',
            "4 groups have examples in both train and test: .*put all examples of a group",
        ),
    ],
)
def test_units_that_cannot_be_scored_are_refused_when_the_task_is_opened(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=said):
        opened(written(tmp_path, old, new), tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("units=np.array(units)", "units=units", "units of Examples are to be an array of strings.*got list"),
        ("units=np.array(units)", "groups=units", "groups of Examples are to be an array of strings.*got list"),
        ("units=np.array(units)", "names=units", "names of Examples are to be an array of strings.*got list"),
        ("np.array(units)", "np.array(units[1:])", r"units .*of shape \(24,\): got the shape \(23,\)"),
        ("np.array(units)", "np.array(units)[:, None]", r"units .*of shape \(24,\): got the shape \(24, 1\)"),
        ("np.array(units)", "np.arange(count) // 3", "units .*such as numbers.astype.*got int64"),
        ('Dense({"present": present})', "present", r"labels\['present'\] of Examples are to be a column.*got ndarray"),
        ('{"present": present}', '{"present": present[1:]}', "have an entry for each example: got 23 for 24"),
        ("return Split(", "return (", "is to return a bench.task.Split: got tuple"),
        ('return Split(drawn("a", 24)', "return Split(1 / 0", r"raised ZeroDivisionError.* \(line 20\)"),
        ('return Split(drawn("a", 24)', "return Split(exit(0)", "raised SystemExit: 0"),
    ],
)
def test_what_is_wrong_with_a_split_is_one_line_that_names_class_and_file(
    old: str, new: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, old, new)
    assert main(["run", "--data", "python:patients.py", "--backbone", "bundled:glyphs"]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert re.fullmatch(rf"bench: `split` of Patients in patients.py.*{said}.*", error), error
    assert "held_out" not in error


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    target = Labels", "    aim = Labels", "is to have a target, a bench.target.Target"),
        ("    def split", "    def __init__(self):\n        exit(0)\n\n    def split", "raised SystemExit: 0"),
    ],
)
def test_a_task_that_cannot_be_made_is_told(old: str, new: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"^Patients in .*patients.py.* {said}"):
        opened(written(tmp_path, old, new), tmp_path)


def test_a_pinned_task_that_ends_the_program_is_told_too(tmp_path: Path) -> None:
    place = written(tmp_path, "pinned=False", "pinned=True")
    task = opened(place, tmp_path)
    assert task.card.pinned
    Path(place).write_text(Path(place).read_text().replace("return Split(", "exit(0), ("))
    with pytest.raises(DataError, match=r"`split` of Patients in .* raised SystemExit: 0"):
        opened(place, tmp_path).split(0, Cache(tmp_path))


def test_an_option_does_not_say_what_a_task_of_ones_own_scores(tmp_path: Path) -> None:
    spec = DataSpec("image_classification", f"python:{written(tmp_path)}", DataOptions(score_by="patient"))
    with pytest.raises(DataError, match="says itself what is scored as one: Examples"):
        open_task("mine", spec, Cache(tmp_path))


@pytest.mark.parametrize(
    "said",
    [
        {"group": "patient"},
        {"held_out": ("p1",)},
        {"test_share": 0.5},
        {"test": "one"},
        {"label": "queue"},
        {"target": "value"},
        {"skip_bad": True},
        {"title": "Mine"},
        {"rate_hz": 8_000},
    ],
    ids=lambda said: next(iter(said)),
)
def test_options_that_say_nothing_of_a_task_of_ones_own_are_refused(said: dict[str, object], tmp_path: Path) -> None:
    options = DataOptions.model_validate(said)
    spec = DataSpec("image_classification", f"python:{EXAMPLE}", options)
    with pytest.raises(DataError, match=f"{next(iter(said))} does not apply .*what applies: .*metric"):
        open_task("mine", spec, Cache(tmp_path))


def test_a_metric_and_what_others_are_read_with_are_said_of_a_task_of_ones_own(tmp_path: Path) -> None:
    options = DataOptions(metric="macro_f1", encoding="latin-1")
    task = open_task("mine", DataSpec("image_classification", f"python:{EXAMPLE}", options), Cache(tmp_path))
    assert task.target.metrics[0].card.name == "macro_f1"


def test_a_run_of_patients_scores_patients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path)
    command = ["run", "--data", "python:patients.py", "--backbone", "bundled:glyphs", "--strategy", "linear_probe"]
    assert main([*command, "--budget", "all", "--seeds", "1", "--workers", "1"]) == 0
    [result] = Store(Path("results/patients")).results()
    assert (result.amount, result.n_test) == (24, 4)
    assert (
        "**Scored per patient, not per picture:** 4 to test on, with 12 pictures"
        in Path("results/patients/report.md").read_text()
    )
