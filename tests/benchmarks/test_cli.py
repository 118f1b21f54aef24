"""What may be asked for, and what a mistake is answered with."""

from importlib.util import find_spec

import pytest

from benchmarks import cli
from benchmarks.table import COLUMNS


def test_an_unknown_row_is_told_with_the_nearest_and_all_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["probe_sweeps"]) == cli.USERS_MISTAKE
    told = capsys.readouterr().err
    assert "unknown row 'probe_sweeps'; did you mean 'probe_sweep'?" in told
    assert "partial_step" in told
    assert told.count("\n") == 1


def test_a_missing_peer_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = cli.Subject("vit", "needs what nobody has", needs=("no_such_package",))
    monkeypatch.setattr(cli, "SUBJECTS", (subject,))
    assert cli.main(["vit"]) == cli.USERS_MISTAKE
    told = capsys.readouterr().err
    assert "no_such_package not installed" in told
    assert "make benchmark" in told
    assert told.count("\n") == 1


def test_rows_are_measured_in_the_order_of_the_table() -> None:
    assert [subject.name for subject in cli.choose(["startup", "probe_sweep"])] == ["probe_sweep", "startup"]
    assert list(cli.choose([])) == list(cli.SUBJECTS)


def test_every_row_has_a_module_of_its_name() -> None:
    assert all(find_spec(f"benchmarks.{subject.name}") for subject in cli.SUBJECTS)


def test_on_the_cpu_a_row_for_a_gpu_is_left_out_with_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["vit", "--device", "cpu"]) == cli.FINE
    assert "needs a GPU" in capsys.readouterr().out


def test_a_new_table_takes_the_place_of_the_old_one() -> None:
    text = f"before {cli.BEGIN}\nold\n{cli.END} after"
    assert cli.with_table(text, "new\n") == f"before {cli.BEGIN}\n\nnew\n\n{cli.END} after"


def test_the_published_table_fits_a_terminal() -> None:
    _, _, rest = cli.README.read_text(encoding="utf-8").partition(cli.BEGIN)
    table, found, _ = rest.partition(cli.END)
    assert found
    assert max(map(len, table.splitlines())) <= COLUMNS
