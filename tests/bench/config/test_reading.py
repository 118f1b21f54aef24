"""The config says what it means, and all that is wrong with it is told in one go."""

from pathlib import Path

import pytest

from bench.config.reading import Config, read_config
from bench.errors import ConfigError, UnknownNameError

FAMILIES = ("digits", "lexicon")

GOOD = """
fractions = [0.5, 0.1]
seeds = 3
recipe = { batch_size = 16, epochs = 7 }

[strategies.probe]
depth = 0.0

[strategies.full]
depth = 1.0
recipe = { learning_rate = 0.01, epochs = 8 }

[tasks.digits]
backbones = ["bundled:glyphs"]

[tasks.words]
family = "lexicon"
backbones = ["bundled:glyphs"]
shared = { learning_rate = 0.03, weight_decay = 0.5 }
recipe = { full = { learning_rate = 0.02 } }

[suites.all]
tasks = ["digits", "words"]

[suites.small]
tasks = ["words"]
fractions = [1.0]
seeds = 1
recipe = { max_steps = 5 }
"""


def read(folder: Path, text: str) -> Config:
    path = folder / "bench.toml"
    path.write_text(text)
    return read_config(path, FAMILIES)


def test_recipes_are_laid_over_each_other_from_general_to_particular(tmp_path: Path) -> None:
    digits, words = read(tmp_path, GOOD).suite("all").entries
    of_digits, of_words = (entry.strategies[1].recipe for entry in (digits, words))
    assert (of_digits.batch_size, of_digits.epochs, of_digits.learning_rate) == (16, 8, 0.01)
    assert (of_words.batch_size, of_words.epochs, of_words.learning_rate) == (16, 8, 0.02)
    assert words.strategies[0].recipe.epochs == 7
    assert words.strategies[0].recipe.learning_rate == 0.03
    assert of_words.weight_decay == 0.5


def test_models_are_scored_under_shifts_unless_the_config_the_suite_or_the_command_says_no(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD).suite("all").shifts
    assert not read(tmp_path, GOOD).suite("all").select(shifts=False).shifts
    assert read(tmp_path, GOOD).suite("all").select(seeds=1).shifts
    without = read(tmp_path, f"shifts = false\n{GOOD}shifts = true\n")
    assert (without.suite("all").shifts, without.suite("small").shifts) == (False, True)
    assert not without.suite("all").select().shifts


def test_a_suite_may_have_its_own_fractions_seeds_and_recipe(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD)
    assert (config.suite("all").fractions, config.suite("all").seeds) == ((0.1, 0.5), 3)
    assert (config.suite("small").fractions, config.suite("small").seeds) == ((1.0,), 1)
    assert {strategy.recipe.max_steps for strategy in config.suite("small").entries[0].strategies} == {5}


def test_every_problem_is_told_with_its_key_in_one_error(tmp_path: Path) -> None:
    text = (
        GOOD.replace("seeds = 3", "seeds = 0").replace("depth = 0.0", "dept = 0.0").replace("[0.5, 0.1]", "[0.5, 1.5]")
    )
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert "bench.toml has 4 problems" in message
    assert "fractions.1: input should be less than or equal to 1, got 1.5" in message
    assert "seeds: input should be greater than or equal to 1, got 0" in message
    assert "strategies.probe.dept: unknown key; did you mean 'depth'?" in message
    assert "strategies.probe.depth: missing" in message


def test_every_name_that_refers_to_nothing_is_told_with_the_nearest(tmp_path: Path) -> None:
    text = (
        GOOD.replace('tasks = ["digits", "words"]', 'tasks = ["digit", "words"]')
        .replace('"lexicon"', '"lexikon"')
        .replace("full = { learning", "ful = { learning")
    )
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert "suites.all.tasks: unknown task 'digit'; did you mean 'digits'?" in message
    assert "tasks.words.family: unknown task family 'lexikon'; did you mean 'lexicon'?" in message
    assert "tasks.words.recipe: unknown strategy 'ful'; did you mean 'full'?" in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fractions = [", "is not valid TOML"),
        (GOOD.replace('"digits", "words"', ""), "suites.all.tasks"),
        (GOOD.replace("[tasks.digits]", '[tasks."../digits"]'), "tasks.../digits: string should match pattern"),
        (
            GOOD.replace("tasks.digits]", "tasks.overview]").replace('"digits"', '"overview"'),
            "tasks.overview: this is the name",
        ),
        (GOOD.replace("depth = 1.0", "depth = 0.5\npretrained = false"), "strategies.full: .*trains all stages"),
        (GOOD.replace("depth = 1.0", "depth = 0\nclassical = true"), "strategies.full: .*set depth = 0 and pretrained"),
    ],
    ids=[
        "syntax",
        "an empty suite",
        "a name that leaves the folder",
        "a taken name",
        "half a scratch",
        "pretrained classics",
    ],
)
def test_a_config_that_cannot_work_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, text)


def test_a_missing_config_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no config .*--config"):
        read_config(tmp_path / "bench.toml", FAMILIES)


def test_an_unreadable_config_says_so(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot read the config"):
        read_config(path, FAMILIES)


def test_an_unknown_suite_task_or_strategy_is_told_with_the_nearest(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD)
    with pytest.raises(
        UnknownNameError, match=r"unknown suite 'smal'; did you mean 'small'\? \(there are: all, small\)"
    ):
        config.suite("smal")
    with pytest.raises(UnknownNameError, match="unknown task 'digitz'; did you mean 'digits'"):
        config.suite("all").select(tasks=["digitz"])
    with pytest.raises(UnknownNameError, match="unknown strategy 'fill'; did you mean 'full'"):
        config.suite("all").select(strategies=["fill"])


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.01, float("nan")])
def test_a_fraction_outside_its_range_is_refused(tmp_path: Path, fraction: float) -> None:
    with pytest.raises(ConfigError, match=r"in \(0, 1\]"):
        read(tmp_path, GOOD).suite("all").select(fractions=[fraction])


def test_a_selection_narrows_only_what_it_names(tmp_path: Path) -> None:
    suite = read(tmp_path, GOOD).suite("all").select(tasks=["words"], fractions=[0.2], seeds=1)
    assert [entry.task for entry in suite.entries] == ["words"]
    assert [strategy.name for strategy in suite.entries[0].strategies] == ["probe", "full"]
    assert (suite.fractions, suite.seeds) == ((0.2,), 1)


def test_recipes_of_backbones_lie_between_those_of_strategies_and_of_tasks(tmp_path: Path) -> None:
    said = """
[backbones."bundled:*"]
shared = { learning_rate = 0.05, warmup = 0.3 }
recipe = { full = { weight_decay = 0.25 } }

[backbones."bundled:gl*".shared]
warmup = 0.4

[backbones."timm:*".shared]
warmup = 0.5
"""
    digits, words = read(tmp_path, GOOD + said).suite("all").entries
    probe, full = (strategy.recipe for strategy in digits.strategies)
    assert (full.learning_rate, full.weight_decay, full.warmup) == (0.05, 0.25, 0.4), "over the strategy's, in order"
    assert probe.weight_decay == 0.01
    assert words.strategies[1].recipe.learning_rate == 0.02, "under the task's"


def test_recipes_of_backbones_do_not_concern_classical_models(tmp_path: Path) -> None:
    said = """
[strategies.classical]
depth = 0.0
pretrained = false
classical = true

[backbones."*".shared]
default_penalty = 7.0
"""
    digits, words = read(tmp_path, GOOD + said).suite("all").entries
    assert [one.recipe.default_penalty for one in digits.strategies] == [7.0, 7.0, 0.1]
    assert digits.strategies[2].classical
    assert not words.strategies[1].classical
