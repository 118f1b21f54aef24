"""Data of one's own on the command line: a run without a config, and one helpful line for every mistake."""

import csv
import io
import math
import pickle
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.cli import main
from bench.results.store import Store
from tests.bench.test_cli import mistake
from tests.formats import write_cifar10
from tests.named import NAMED

RECIPE = ["--strategy", "linear_probe", "--seeds", "1", "--workers", "1"]


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_demand(path: Path, length: int = 600) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["ds", "demand"])
        for step in range(length):
            value = 10 + math.sin(math.tau * step / 24) + 0.1 * ((step * 7919) % 13)
            rows.writerow([f"2024-01-{1 + step // 24:02d} {step % 24:02d}:00" if step < 744 else "", f"{value:.3f}"])


def test_a_series_needs_its_file_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    write_demand(Path("demand.csv"))
    assert main(["run", "--data", "csv:demand.csv", "--budget", "0.5", *RECIPE]) == 0
    assert "results/demand/report.md" in capsys.readouterr().out
    [result] = Store(Path("results/demand")).results()
    assert result.cell.backbone == "bundled:series"
    assert result.score < result.chance


def test_the_same_command_again_finds_everything_finished_until_the_file_changes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_demand(Path("demand.csv"))
    command = ["run", "--data", "csv:demand.csv", "--budget", "0.5", "--dry-run", *RECIPE]
    assert main([one for one in command if one != "--dry-run"]) == 0
    capsys.readouterr()
    assert main(command) == 0
    assert "1 cell, 1 finished, 0 to run" in capsys.readouterr().out
    write_demand(Path("demand.csv"), length=580)
    assert main(command) == 0
    assert "1 cell, 0 finished, 1 to run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "csv:none.csv"], "none.csv"),
        (["--data", "folder:none"], "there is neither a picture nor a recording in none"),
        (["--data", "cvs:demand.csv", "--family", "forecasting"], "got 'cvs:demand.csv'; did you mean 'csv'?"),
        (["--data", "csv:demand.csv", "--suite", "all"], "--data and --suite all: one or the other"),
        (["--data", "csv:demand.csv", "--option", "horizn=3"], "horizn: unknown key; did you mean 'horizon'?"),
        (["--data", "csv:demand.csv", "--option", "horizon=0"], "horizon: input should be greater than 0, got 0"),
        (["--data", "csv:demand.csv", "--option", "horizon"], "--option takes KEY=VALUE"),
        (["--data", "csv:demand.csv", "--option", "seconds=2"], "seconds: says nothing of forecasting"),
        (["--data", "csv:demand.csv", "--family", "forcasting"], "unknown task family 'forcasting'; did you mean"),
        (["--data", "csv:demand.csv", "--backbone", "bundled:glyphs"], "is of the domain 'series', but backbone"),
        (["--data", "csv:demand.csv", "--backbone", "bundled:seris"], "did you mean 'bundled:series'?"),
        (["--data", "csv:demand.csv", "--backbone", "tim:resnet18"], "unknown backbone 'tim:resnet18'"),
        (["--suite", "all"], "there is no config bench.toml"),
        (["--skip-bad"], "there is no config bench.toml"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_demand(Path("demand.csv"))
    assert said in mistake(capsys, "run", *arguments, "--dry-run")


def test_options_of_data_need_data(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bench.toml").write_text('[tasks.co2]\nbackbones = ["bundled:series"]\n[suites.all]\ntasks = ["co2"]\n')
    assert "--fill is about data named by --data" in mistake(capsys, "run", "--fill")
    assert "--option is about data named by --data" in mistake(capsys, "run", "--option", "horizon=3")


def test_a_suite_can_be_narrowed_to_a_backbone(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bench.toml").write_text('[tasks.co2]\nbackbones = ["bundled:series"]\n[suites.all]\ntasks = ["co2"]\n')
    assert main(["run", "--backbone", "bundled:series", "--dry-run"]) == 0
    assert "90 cells" in capsys.readouterr().out
    assert "unknown backbone 'bundled:seris'; did you mean" in mistake(capsys, "run", "--backbone", "bundled:seris")


def test_ranking_needs_two_backbones(capsys: pytest.CaptureFixture[str]) -> None:
    write_demand(Path("demand.csv"))
    said = mistake(capsys, "rank", "--data", "csv:demand.csv", "--backbone", "bundled:series")
    assert "name two backbones or more" in said


def cut(path: str, kept: float = 0.6) -> Callable[[], None]:
    """Return how to cut off the end of a file."""

    def cut_it() -> None:
        content = Path(path).read_bytes()
        Path(path).write_bytes(content[: int(kept * len(content))])

    return cut_it


def put(path: str, content: bytes | str) -> Callable[[], object]:
    """Return how to write a file."""
    return lambda: Path(path).write_bytes(content if isinstance(content, bytes) else content.encode())


def replaced(path: str, old: str, new: str, encoding: str = "utf-8") -> Callable[[], None]:
    """Return how to replace the first of something in a file."""

    def replace_it() -> None:
        text = Path(path).read_text()
        assert old in text
        Path(path).write_text(text.replace(old, new, 1), encoding=encoding)

    return replace_it


def link_out() -> None:
    Path("elsewhere.png").write_bytes(Path("photos/day/000.png").read_bytes())
    Path("photos/day/link.png").symlink_to(Path("elsewhere.png").absolute())


def link_out_to_a_folder() -> None:
    Path("elsewhere").mkdir()
    Path("photos/dusk").symlink_to(Path("elsewhere").absolute())


def leave_a_zip() -> None:
    with zipfile.ZipFile("photos.zip", "w") as archive:
        archive.write("photos/day/000.png", "day/000.png")
        archive.write("photos/day/000.png", "../../out.png")


def leave_a_tar() -> None:
    with tarfile.open("photos.tar", "w") as archive:
        archive.add("photos/day/000.png", "day/000.png")
        link = tarfile.TarInfo("day/link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "../../../out.png"
        archive.addfile(link, io.BytesIO())


PHOTOS = ["--data", "folder:photos"]
ZIPPED = ["--data", "folder:photos.zip", "--family", "image_classification"]
TARRED = ["--data", "folder:photos.tar", "--family", "image_classification"]
TONES = ["--data", "folder:tones", "--option", "rate_hz=8000"]
TICKETS = ["--data", "csv:tickets.csv"]
DEMAND = ["--data", "csv:demand.csv", "--option", "context=24", "--option", "horizon=6"]


@pytest.mark.parametrize(
    ("damage", "arguments", "said"),
    [
        (cut("photos/day/000.png"), PHOTOS, "one file that cannot be used: day/000.png is damaged or truncated"),
        (put("photos/day/x.png", b""), PHOTOS, "day/x.png is empty"),
        (put("photos/day/x.png", "no"), PHOTOS, "day/x.png is no picture that can be read, whatever its name says"),
        (put("photos/day/notes.txt", "x"), PHOTOS, "day/notes.txt is no picture by its name"),
        (link_out, PHOTOS, "day/link.png is a link that leaves the folder"),
        (link_out_to_a_folder, PHOTOS, "dusk is a link that leaves the folder"),
        (lambda: Path("photos/dusk").mkdir(), PHOTOS, "no file that can be used in dusk/; fill or remove"),
        (lambda: shutil.rmtree("photos/night"), PHOTOS, "two classes are expected among the pictures, but all 110"),
        (leave_a_zip, ZIPPED, "holds a path that leaves it, '../../out.png': nothing was unpacked"),
        (leave_a_tar, TARRED, "photos.tar holds a link, 'day/link.png': nothing was unpacked"),
        (put("photos.zip", b"PK\x03\x04"), ZIPPED, "cannot unpack photos.zip: "),
    ],
)
def test_bad_folders_of_pictures_are_one_line(
    damage: Callable[[], object], arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    NAMED["photos"].write(Path())
    damage()
    assert said in mistake(capsys, "run", *arguments, "--dry-run")
    assert not Path("../out.png").exists()


@pytest.mark.parametrize(
    ("damage", "arguments", "said"),
    [
        (cut("tones/low/speaker0_0.wav"), TONES, "low/speaker0_0.wav is truncated: its end is missing"),
        (cut("tones/low/speaker0_0.wav", 0), TONES, "low/speaker0_0.wav is empty"),
        (put("tones/low/x.flac", "no"), TONES, "low/x.flac is no recording that can be read"),
        (put("tones/low/x.png", "no"), TONES, "low/x.png is no recording by its name"),
        (
            lambda: None,
            [*TONES, "--option", "group=talker([0-9]+)"],
            "is not found in 240 of 240 paths, such as 'high/",
        ),
        (lambda: None, [*TONES, "--option", "group=(high|low)"], "all examples in one group"),
    ],
)
def test_bad_folders_of_recordings_are_one_line(
    damage: Callable[[], object], arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    NAMED["tones"].write(Path())
    damage()
    assert said in mistake(capsys, "run", *arguments, "--dry-run")


@pytest.mark.parametrize(
    ("damage", "arguments", "said"),
    [
        (replaced("tickets.csv", "ticket 7", "café", "latin-1"), TICKETS, 'encoding = "windows-1252", or convert it'),
        (
            replaced("tickets.csv", "ticket 7 about the parcel", ""),
            TICKETS,
            "one row that cannot be used: row 9 has no",
        ),
        (replaced("tickets.csv", "ticket 7 about the parcel", "  "), TICKETS, "row 9 has no text"),
        (replaced("tickets.csv", "parcel,parcel", "parcel,"), TICKETS, "row 3 has no label"),
        (replaced("tickets.csv", "ticket 7", "ticket, 7"), TICKETS, "row 9 has 4 fields instead of 3"),
        (replaced("tickets.csv", "ticket 7", '"ticket 7'), TICKETS, "are quotes doubled?"),
        (
            put("tickets.csv", "text,label\n" + "".join(f"a{n},yes\n" for n in range(9))),
            TICKETS,
            "all 9 have the label",
        ),
        (put("tickets.csv", "text,label\n"), TICKETS, "two classes are expected among the texts, but there are none"),
        (put("tickets.csv", ""), TICKETS, "is empty"),
        (put("tickets.jsonl", '{"text": "a", "label"'), ["--data", "csv:tickets.jsonl"], "tickets.jsonl"),
        (put("tickets.parquet", "PAR1"), ["--data", "csv:tickets.parquet"], "cannot read tickets.parquet"),
        (lambda: None, [*TICKETS, "--option", "text=txt"], "has no column 'txt'; did you mean 'text'?"),
        (lambda: None, [*TICKETS, "--option", "group=custmer"], "has no column 'custmer'; did you mean 'customer'?"),
    ],
)
def test_bad_tables_of_texts_are_one_line(
    damage: Callable[[], object], arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    NAMED["tickets"].write(Path())
    damage()
    assert said in mistake(capsys, "run", *arguments, "--dry-run")


AT_SEVEN = "north,2024-01-02 07:00,113.4940\n"


@pytest.mark.parametrize(
    ("damage", "arguments", "said"),
    [
        (
            replaced("demand.csv", AT_SEVEN, AT_SEVEN[:23] + "\n"),
            DEMAND,
            "demand.csv lacks 1 values, the first 'north' at",
        ),
        (replaced("demand.csv", AT_SEVEN, ""), DEMAND, "lacks 1 values, 1 of them for want of a row"),
        (replaced("demand.csv", AT_SEVEN, 2 * AT_SEVEN), DEMAND, "has 1 rows too many for series 'north'"),
        (replaced("demand.csv", AT_SEVEN, AT_SEVEN[:23] + "closed\n"), DEMAND, "no numbers, the first 'closed' at"),
        (replaced("demand.csv", "north", "zürich", "latin-1"), DEMAND, "demand.csv is not UTF-8: byte"),
        (lambda: None, [*DEMAND, "--option", "context=300"], "3 of 3 series are too short ('north' has 288, 'south'"),
        (lambda: None, [*DEMAND, "--option", "values=['z']"], "has no column 'z', which `values` names"),
        (put("demand.csv", ""), DEMAND, "demand.csv is empty"),
    ],
)
def test_bad_tables_of_series_are_one_line(
    damage: Callable[[], object], arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    NAMED["demand"].write(Path())
    damage()
    assert said in mistake(capsys, "run", *arguments, "--dry-run")


class Boom:
    """A pickle that leaves a file behind when it is opened."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (Path("boom"),)


def test_pickled_data_that_were_tampered_with_are_one_line_and_not_opened(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", "torch")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = write_cifar10(Path("torch/datasets"), monkeypatch)
    (folder / "data_batch_3").write_bytes(pickle.dumps(Boom()))
    said = mistake(capsys, "run", "--data", "torchvision:CIFAR10")
    assert "torchvision:CIFAR10 is not whole or has been changed in torch/datasets/CIFAR10" in said
    assert not Path("boom").exists()


def test_a_data_set_that_needs_code_of_its_own_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("coded").mkdir()
    Path("coded/coded.py").write_text("raise SystemExit")
    said = mistake(capsys, "run", "--data", "hf:coded", "--family", "text_classification", "--dry-run")
    assert "hf:coded brings code of its own" in said


def split_with_copies() -> None:
    """Have the folders say what is tested, and put one picture into both splits."""
    for part in ("train", "test"):
        shutil.copytree("photos/night", f"split/{part}/night")
        shutil.copytree("photos/day", f"split/{part}/day")
    for number in range(1, 110):
        for label in ("day", "night"):
            Path(f"split/{'test' if number % 2 else 'train'}/{label}/{number:03}.png").unlink()
    shutil.rmtree("photos")
    Path("split").rename("photos")


@pytest.mark.parametrize(
    ("name", "damage", "arguments", "remark"),
    [
        (
            "photos",
            cut("photos/day/000.png"),
            [*PHOTOS, "--skip-bad", "--backbone", "bundled:glyphs"],
            "photos: one file left out: day/000.png is damaged or truncated",
        ),
        (
            "photos",
            lambda: Path("photos/night").rename("photos/Day "),
            [*PHOTOS, "--backbone", "bundled:glyphs"],
            "photos: labels 'Day ' and 'day' are probably one class",
        ),
        (
            "photos",
            split_with_copies,
            [*PHOTOS, "--backbone", "bundled:glyphs"],
            "of the 110 pictures to test on, 2 can be learnt from, too: test/day/000.png (as train/day/000.png)",
        ),
        (
            "demand",
            replaced("demand.csv", AT_SEVEN, ""),
            [*DEMAND, "--fill", "--backbone", "bundled:series"],
            "demand: 1 missing values are interpolated, the first 'north' at 2024-01-02 07:00:00",
        ),
    ],
)
def test_what_is_doubtful_or_left_out_is_told(
    name: str, damage: Callable[[], object], arguments: list[str], remark: str, caplog: pytest.LogCaptureFixture
) -> None:
    NAMED[name].write(Path())
    damage()
    assert main(["run", *arguments, "--dry-run"]) == 0
    assert remark in caplog.text
