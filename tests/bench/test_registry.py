"""What a name stands for: built in or of a package, never of two, and listed without an import."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench import registry
from bench.errors import PluginError, UnknownNameError
from bench.registry import BUILT_IN, STRATEGIES, TRACKERS, load, load_class, load_instance, names
from bench.strategies.probe import Probe

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return what puts a package with one module and its entry points where Python finds it."""
    monkeypatch.syspath_prepend(tmp_path)

    def add(package: str, code: str, **offers: str) -> None:
        (tmp_path / f"{package}.py").write_text(code)
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = "".join(f"{name} = {package}:{attribute}\n" for name, attribute in offers.items())
        (info / "entry_points.txt").write_text(f"[{STRATEGIES}]\n{lines}")

    return add


def test_built_in_strategies_are_listed_and_loaded() -> None:
    assert names(STRATEGIES) == ("classical", "finetune", "lora", "nearest", "probe", "small")
    assert load(STRATEGIES, "probe") is Probe


@pytest.mark.parametrize(("point", "name"), [(point, name) for point in BUILT_IN for name in BUILT_IN[point]])
def test_everything_built_in_is_there(point: str, name: str) -> None:
    if point != TRACKERS:  # whose libraries need not be installed
        assert load(point, name) is not None


def test_a_package_offers_a_strategy_by_an_entry_point(install: Install) -> None:
    install("outside_kinds", "from bench.strategies.probe import Probe\n\nclass Mine(Probe): ...\n", mine="Mine")
    assert "mine" in names(STRATEGIES)
    assert load_class(STRATEGIES, "mine", Probe).__name__ == "Mine"


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown kind of strategy 'prob'; did you mean 'probe'"):
        load(STRATEGIES, "prob")


def test_a_package_cannot_take_the_name_of_what_is_built_in(install: Install) -> None:
    install("outside_thief", "Mine = int\n", probe="Mine")
    refusal = r"'probe' of the package outside_thief .*built-in"
    with pytest.raises(PluginError, match=refusal):
        names(STRATEGIES)
    with pytest.raises(PluginError, match=refusal):
        load(STRATEGIES, "finetune")


def test_two_packages_cannot_offer_one_name(install: Install) -> None:
    install("outside_one", "Mine = int\n", mine="Mine")
    install("outside_two", "Mine = int\n", mine="Mine")
    with pytest.raises(PluginError, match=r"'mine' is offered by two packages, outside_(one|two) .* outside_(one|two)"):
        names(STRATEGIES)


def test_a_package_that_cannot_be_loaded_is_named_and_only_when_it_is_asked_for(install: Install) -> None:
    install("outside_broken", "raise RuntimeError('half installed')\n", mine="Mine")
    assert "mine" in names(STRATEGIES)
    assert load(STRATEGIES, "probe") is Probe
    with pytest.raises(PluginError, match=r"package outside_broken .*RuntimeError: half installed"):
        load(STRATEGIES, "mine")


def test_a_package_that_ends_the_program_is_named(install: Install) -> None:
    install("outside_leaving", "raise SystemExit(0)\n", mine="Mine")
    with pytest.raises(PluginError, match=r"package outside_leaving .*SystemExit: 0"):
        load(STRATEGIES, "mine")


def test_what_is_of_another_type_is_refused_with_its_package(install: Install) -> None:
    install("outside_wrong", "class Mine: ...\n", mine="Mine")
    with pytest.raises(PluginError, match=r"package outside_wrong .*no subclass of bench\.strategies\.probe\.Probe"):
        load_class(STRATEGIES, "mine", Probe)
    with pytest.raises(PluginError, match=r"package outside_wrong .*no builtins\.int"):
        load_instance(STRATEGIES, "mine", int)


def test_listing_imports_nothing() -> None:
    code = "import sys, bench; before = set(sys.modules); from bench import registry; "
    code += "[registry.names(point) for point in registry.BUILT_IN]; "
    code += "print(sorted(name for name in set(sys.modules) - before if name.startswith('bench')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['bench.errors', 'bench.registry']"
    assert registry.NOUNS.keys() == BUILT_IN.keys()
