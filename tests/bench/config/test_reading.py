"""The config says what it means, and all that is wrong with it is told in one go."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.budget import ALL, NONE, Count, Share
from bench.config.reading import Config, TaskTable, read_config
from bench.errors import ConfigError, UnknownNameError
from bench.strategies.classical import Classical
from bench.strategies.finetune import Finetune
from tests.toys import ToyTask

FAMILIES = ("digits", "lexicon")

GOOD = """
budgets = [0.5, 0.1]
seeds = 3
recipe = { batch_size = 16, epochs = 7 }

[strategies.probe]
kind = "probe"

[strategies.full]
kind = "finetune"
trained = 1.0
learning_rate = 0.01
epochs = 8

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
budgets = ["all"]
seeds = 1
recipe = { max_steps = 5 }
"""


def read(folder: Path, text: str) -> Config:
    path = folder / "bench.toml"
    path.write_text(text)
    return read_config(path, FAMILIES)


def test_recipes_are_laid_over_each_other_from_general_to_particular(tmp_path: Path) -> None:
    digits, words = read(tmp_path, GOOD).suite("all").entries
    of_digits, of_words = (entry.strategies[1].recipe() for entry in (digits, words))
    assert (of_digits["batch_size"], of_digits["epochs"], of_digits["learning_rate"]) == (16, 8, 0.01)
    assert (of_words["batch_size"], of_words["epochs"], of_words["learning_rate"]) == (16, 8, 0.02)
    assert words.strategies[0].recipe()["epochs"] == 7
    assert words.strategies[0].recipe()["learning_rate"] == 0.03
    assert of_words["weight_decay"] == 0.5
    assert digits.strategies[1] == Finetune(name="full", batch_size=16, epochs=8, learning_rate=0.01)


def test_models_are_scored_under_shifts_unless_the_config_the_suite_or_the_command_says_no(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD).suite("all").shifts
    assert not read(tmp_path, GOOD).suite("all").select(shifts=False).shifts
    assert read(tmp_path, GOOD).suite("all").select(seeds=1).shifts
    without = read(tmp_path, f"shifts = false\n{GOOD}shifts = true\n")
    assert (without.suite("all").shifts, without.suite("small").shifts) == (False, True)
    assert not without.suite("all").select().shifts


def test_a_suite_may_have_its_own_budgets_seeds_and_recipe(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD)
    assert (config.suite("all").budgets, config.suite("all").seeds) == ((Share(0.1), Share(0.5)), 3)
    assert (config.suite("small").budgets, config.suite("small").seeds) == ((ALL,), 1)
    assert {strategy.recipe()["max_steps"] for strategy in config.suite("small").entries[0].strategies} == {5}


def test_every_problem_is_told_with_its_key_in_one_error(tmp_path: Path) -> None:
    text = (
        GOOD.replace("seeds = 3", "seeds = 0")
        .replace("trained = 1.0", "traind = 1.0")
        .replace("[0.5, 0.1]", "[0.5, 1.5]")
    ).replace("epochs = 8", "epochs = -8")
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert "bench.toml has 4 problems" in message
    assert 'budgets.1: neither a share in (0, 1], nor a whole number of labels, nor "all", got 1.5' in message
    assert "seeds: input should be greater than or equal to 1, got 0" in message
    assert (
        "strategies.full.traind: unknown key of a strategy of the kind 'finetune'; did you mean 'trained'?" in message
    )
    assert "strategies.full.epochs: input should be greater than 0, got -8" in message


def test_a_key_that_was_renamed_is_told_with_its_name_now(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has one problem: fractions: not read any more: write budgets$"):
        read(tmp_path, "fractions = [0.1, 1.0]\n" + GOOD)


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
        ("budgets = [", "is not valid TOML"),
        (GOOD.replace('"digits", "words"', ""), "suites.all.tasks"),
        (GOOD.replace("[tasks.digits]", '[tasks."../digits"]'), "tasks.../digits: string should match pattern"),
        (
            GOOD.replace("tasks.digits]", "tasks.overview]").replace('"digits"', '"overview"'),
            "tasks.overview: this is the name",
        ),
        (
            GOOD.replace("trained = 1.0", 'trained = 0.5\nweights = "random"'),
            "strategies.full: random weights are trained as a whole, under a fresh head: set trained = 1",
        ),
        (
            GOOD.replace("full = { learning_rate = 0.02 }", 'full = { weights = "random" }'),
            "the strategy 'full' for the task 'words' on bundled:glyphs: random weights are trained as a whole",
        ),
    ],
    ids=[
        "syntax",
        "an empty suite",
        "a name that leaves the folder",
        "a taken name",
        "half a scratch",
        "settings that do not go together on one task",
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


def test_a_float_is_a_share_an_integer_a_count_and_all_is_everything(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD.replace("[0.5, 0.1]", '["all", 30, 0.1, 1, 1.0, 0]'))
    assert config.suite("all").budgets == (NONE, Count(1), Count(30), Share(0.1), ALL)


@pytest.mark.parametrize("budget", ["0.0", "-0.1", "1.01", "nan", "-1", "true", '"half"', "[0.1]"])
def test_what_is_no_budget_is_refused(tmp_path: Path, budget: str) -> None:
    with pytest.raises(ConfigError, match=r"budgets\.0: neither a share in \(0, 1\], nor a whole number of labels"):
        read(tmp_path, GOOD.replace("[0.5, 0.1]", f"[{budget}]"))


def test_data_in_folds_have_five_seeds_unless_something_says_how_many(tmp_path: Path) -> None:
    whole = ToyTask().card
    folded = replace(whole, folds=5)

    def seeds(text: str, name: str = "all", **selected: int) -> tuple[int, int]:
        suite = read(tmp_path, text).suite(name).select(seeds=selected.get("seeds"))
        return suite.seeds_of(whole), suite.seeds_of(folded)

    silent = GOOD.replace("seeds = 3\n", "")
    assert seeds(silent) == (3, 5)
    assert seeds(silent, seeds=2) == (2, 2)
    assert seeds(silent, seeds=9) == (9, 5), "no fold is tested twice"
    assert seeds(GOOD) == (3, 3), "a config means data in folds too"
    assert seeds(GOOD, "small") == (1, 1)
    assert seeds("fold_seeds = 4\n" + GOOD) == (3, 4)


def test_there_are_as_many_folds_as_seeds_and_five_at_least(tmp_path: Path) -> None:
    suite = read(tmp_path, GOOD).suite("all")
    for seeds, folds in ((1, 5), (5, 5), (8, 8)):
        assert {entry.spec.folds for entry in suite.select(seeds=seeds).with_folds().entries} == {folds}


def test_a_selection_narrows_only_what_it_names(tmp_path: Path) -> None:
    suite = read(tmp_path, GOOD).suite("all").select(tasks=["words"], budgets=[Share(0.2)], seeds=1)
    assert [entry.task for entry in suite.entries] == ["words"]
    assert [strategy.name for strategy in suite.entries[0].strategies] == ["probe", "full"]
    assert (suite.budgets, suite.seeds) == ((Share(0.2),), 1)


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
    probe, full = (strategy.recipe() for strategy in digits.strategies)
    assert [full[key] for key in ("learning_rate", "weight_decay", "warmup")] == [0.05, 0.25, 0.4], "in this order"
    assert probe["weight_decay"] == 0.01
    assert words.strategies[1].recipe()["learning_rate"] == 0.02, "under the task's"


def test_recipes_of_backbones_do_not_concern_classical_models(tmp_path: Path) -> None:
    said = """
[strategies.classical]
kind = "classical"

[backbones."*".shared]
default_penalty = 7.0
"""
    digits, _ = read(tmp_path, GOOD + said).suite("all").entries
    assert [one.recipe()["default_penalty"] for one in digits.strategies] == [7.0, 7.0, 0.1]
    assert isinstance(digits.strategies[2], Classical)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('kind = "probe"', "strategies.probe.kind: unknown kind of strategy 'prob'; did you mean 'probe'?"),
        ("", "strategies.probe.kind: missing, one of classical, finetune, lora, nearest, probe"),
        ("depth = 0.0", 'strategies.probe: depth is not read any more: write kind = "probe"'),
        ("depth = 0.5", 'write kind = "finetune" and trained = 0.5'),
        ("depth = 0.0\npretrained = false\nclassical = true", 'write kind = "classical"'),
        (
            'depth = 1.0\npretrained = false\nrecipe = { head = "zero" }',
            'recipe are not read any more: write kind = "finetune", weights = "random" and head = "zero", with the',
        ),
    ],
)
def test_a_strategy_of_no_kind_or_as_it_was_written_before_is_told_what_to_write(
    text: str, message: str, tmp_path: Path
) -> None:
    text = text.replace('"probe"', '"prob"')
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, GOOD.replace('kind = "probe"', text))
    assert message in str(caught.value)


def test_settings_for_all_strategies_are_those_of_some_kind_and_each_takes_its_own(tmp_path: Path) -> None:
    text = GOOD.replace("batch_size = 16,", "batch_size = 16, rank = 4, default_penalty = 3.0,")
    probe, full = read(tmp_path, text).suite("all").entries[0].strategies
    assert probe.recipe()["default_penalty"] == full.recipe()["default_penalty"] == 3.0
    assert "rank" not in full.recipe(), "which is for strategies of another kind"
    with pytest.raises(ConfigError, match=r"recipe\.bach_size: unknown key; did you mean 'batch_size'\?"):
        read(tmp_path, GOOD.replace("batch_size", "bach_size"))
    with pytest.raises(
        ConfigError, match=r"suites\.small\.recipe\.max_steps: input should be greater than or equal to 1"
    ):
        read(tmp_path, GOOD.replace("max_steps = 5", "max_steps = 0"))


def test_settings_for_one_strategy_are_those_of_its_kind(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, GOOD.replace("full = { learning", "probe = { trained = 0.5, learning"))
    assert "tasks.words.recipe.probe.trained: unknown key of a strategy of the kind 'probe'" in str(caught.value)
    said = '\n[backbones."bundled:*".recipe]\nfull = { epoch = 3 }\n'
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, GOOD + said)
    assert "backbones.bundled:*.recipe.full.epoch: unknown key" in str(caught.value)
    assert "did you mean 'epochs'?" in str(caught.value)


def test_a_bundled_task_may_be_ranked_by_another_metric_of_its_target(tmp_path: Path) -> None:
    text = GOOD.replace("[tasks.digits]", '[tasks.digits]\nmetric = "macro_f1"')
    digits, words = read(tmp_path, text).suite("all").entries
    assert (digits.spec.options.metric, words.spec.options.metric) == ("macro_f1", None)


def test_data_of_the_command_line_have_their_rates_chosen_unless_the_config_says_otherwise(tmp_path: Path) -> None:
    table = TaskTable(family="digits", backbones=("bundled:glyphs",))

    def rates(config: Config) -> object:
        probe, full = config.with_own_data("mine", table).suite("mine").entries[0].strategies
        assert "rates" not in probe.recipe()
        return full.recipe()["rates"]

    config = read(tmp_path, GOOD)
    assert rates(config) == "auto"
    assert config.suite("all").entries[0].strategies[1].recipe()["rates"] == "shipped"
    assert rates(read(tmp_path, GOOD.replace("epochs = 7 }", 'epochs = 7, rates = "chosen" }'))) == "chosen"
    assert rates(read(tmp_path, GOOD.replace("trained = 1.0", 'rates = "shipped"'))) == "shipped"


TUNED = """
[[tuned]]
task = "digits"
backbone = "bundled:glyphs"
on = ["letters"]
date = "2026-11-27"
budgets = ["40"]
seeds = 2

[tuned.strategies.full]
recipe = { learning_rate = 0.5, head = "zero" }
"""


def test_tuned_recipes_lie_between_those_of_backbones_and_of_tasks(tmp_path: Path) -> None:
    rates = '[backbones."bundled:*".recipe]\nfull = { learning_rate = 0.9, layer_decay = 0.7 }\n'
    digits, words = read(tmp_path, GOOD + TUNED + rates).suite("all").entries
    full = digits.strategies[1].recipe()
    assert (full["learning_rate"], full["head"], full["layer_decay"]) == (0.5, "zero", 0.7)
    assert words.strategies[1].recipe()["learning_rate"] == 0.02
    task = GOOD.replace("[tasks.digits]\n", "[tasks.digits]\nrecipe = { full = { learning_rate = 0.4 } }\n")
    assert read(tmp_path, task + TUNED).suite("all").entries[0].strategies[1].recipe()["learning_rate"] == 0.4


@pytest.mark.parametrize(
    ("task", "backbone", "holds"),
    [("digits", "bundled:glyphs", True), ("digits", "timm:other", False), ("lexicon", "bundled:glyphs", False)],
)
def test_tuned_recipes_hold_for_their_task_on_their_backbone(
    task: str,
    backbone: str,
    holds: bool,  # noqa: FBT001 (a parameter)
    tmp_path: Path,
) -> None:
    said = TUNED.replace('task = "digits"', f'task = "{task}"').replace("bundled:glyphs", backbone)
    config = read(tmp_path, GOOD + said)
    assert (config.suite("all").entries[0].strategies[1].recipe()["learning_rate"] == 0.5) == holds
    assert (config.tuned_for("full", "digits", "bundled:glyphs") is not None) == holds


def test_a_tuned_table_without_a_task_holds_for_all_others_and_data_of_ones_own(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD + TUNED.replace('task = "digits"\n', "") + TUNED.replace("0.5", "0.6"))
    assert config.suite("all").entries[0].strategies[1].recipe()["learning_rate"] == 0.6
    mine = TaskTable(family="image_classification", data="folder:photos", backbones=("bundled:glyphs",))
    assert config.with_own_data("digits", mine).suite("digits").entries[0].strategies[1].recipe()["head"] == "zero"
    found = config.with_own_data("digits", mine).tuned_for("full", "digits", "bundled:glyphs")
    assert found is not None
    assert found.strategies["full"].recipe["learning_rate"] == 0.5
    assert found.card("full") == {
        "on": ["letters"],
        "labels": 0,
        "date": "2026-11-27",
        "budgets": ["40"],
        "seeds": 2,
        "scores": {},
        "tried": 0,
    }


def test_a_mistake_in_a_tuned_recipe_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tuned\.0\.strategies\.full\.recipe\.haed: unknown key .*'head'"):
        read(tmp_path, GOOD + TUNED.replace("head =", "haed ="))
    with pytest.raises(ConfigError, match=r"tuned\.0\.date: missing"):
        read(tmp_path, GOOD + TUNED.replace('date = "2026-11-27"\n', ""))
