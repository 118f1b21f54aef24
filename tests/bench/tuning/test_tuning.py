"""One procedure of the same effort for every strategy: what is tried, on which examples, and which wins."""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.budget import Count
from bench.cli import main
from bench.column import dense, digest
from bench.config.tuned import TunedTable
from bench.domain import Raw
from bench.domains.vision.raw import ImageArray
from bench.errors import DataError
from bench.pretraining.letters import CLASSES
from bench.pretraining.other_classes import LETTERS, SPOKEN, OtherLetters
from bench.pretraining.words import WORDS
from bench.runtime.cache import Cache
from bench.strategies.lora import Lora
from bench.strategies.probe import Probe
from bench.strategies.small import Small
from bench.strategy import Strategy
from bench.targets.classes import LABEL
from bench.task import Split
from bench.tuning.grid import first_round, is_tuned, second_round, tuned_settings
from bench.tuning.tuning import Bench, Trial, best_of, tune, validation_split
from bench.tuning.writing import to_toml
from tests.toys import FULL, PARTIAL, QUICK, SCRATCH, ToyBackbone, ToyTask, classes_of, toy_split

LORA = Lora(name="lora", rank=2, **QUICK)
SMALL = Small(name="small", learning_rate=1e-3, head_learning_rate=1e-3, epochs=2)
BUDGETS = (Count(12), Count(24))


class Toys(ToyTask):
    """Enough toys to hold some out, whose test labels may be noise."""

    def __init__(self, *, noise: bool = False) -> None:
        super().__init__()
        self._noise = noise

    def split(self, fold: int, cache: Cache) -> Split:
        plain = toy_split(240)
        if not self._noise:
            return plain
        turned = {LABEL: dense(**{LABEL: np.roll(classes_of(plain.test), 1)})}
        return Split(plain.train, replace(plain.test, labels=turned))


def _pictures(raw: Raw) -> set[bytes]:
    assert isinstance(raw, ImageArray)
    return {picture.tobytes() for picture in raw.pixels}


@pytest.mark.parametrize("strategy", [SCRATCH, FULL, PARTIAL, LORA, SMALL], ids=lambda one: one.name)
def test_as_many_candidates_are_tried_for_every_strategy(strategy: Strategy, tmp_path: Path) -> None:
    bench = Bench(Toys(), ToyBackbone(), cache=Cache(tmp_path))
    tuned = tune(strategy, [bench], [Count(12)], seeds=1)
    assert is_tuned(strategy)
    assert tuned.tried == 7
    assert tuned.winner.name == strategy.name
    assert len(set(first_round(strategy))) == 6


def test_rates_heads_and_falling_rates_are_tried_and_nothing_else_changes() -> None:
    candidates = first_round(FULL)
    assert {one.recipe()["head"] for one in candidates} == {"solved", "zero"}
    assert {one.recipe()["head"] for one in first_round(SCRATCH)} == {"zero"}
    assert {one.recipe()["learning_rate"] for one in candidates} == {0.0033, 0.01, 0.03}
    assert {one.recipe()["layer_decay"] for one in candidates} == {1.0}
    [falling] = second_round(candidates[0])
    assert falling.recipe() == {**candidates[0].recipe(), "layer_decay": 0.7}
    untouched = {"epochs", "batch_size", "trained", "weights", "penalties"}
    assert all(one.recipe()[name] == FULL.recipe()[name] for one in candidates for name in untouched)
    assert set(tuned_settings(falling)) == {"learning_rate", "head_learning_rate", "layer_decay", "head"}
    assert not is_tuned(Probe(name="probe"))


def test_what_is_scored_is_a_part_of_the_training_split_and_no_test_label_is_looked_at(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    plain, divided = toy_split(240).train, validation_split(Toys(), cache)
    assert len(divided.train) + len(divided.test) == len(plain)
    there, learnt, tested = (_pictures(examples.raw) for examples in (plain, divided.train, divided.test))
    assert learnt | tested == there
    assert len(set(classes_of(divided.test))) == 3
    scores = [
        Bench(Toys(noise=noise), ToyBackbone(), cache=cache).scores(SCRATCH, BUDGETS, 2) for noise in (False, True)
    ]
    assert scores[0] == scores[1]
    assert len(scores[0]) == 4


def test_a_task_that_is_too_small_is_told(tmp_path: Path) -> None:
    class Few(ToyTask):
        def split(self, fold: int, cache: Cache) -> Split:
            return toy_split(8)

    with pytest.raises(DataError, match="the training split of toy is too small to hold out a part of it"):
        validation_split(Few(), Cache(tmp_path))


def test_the_best_mean_rank_over_tasks_wins_and_of_equal_ones_the_first() -> None:
    def trial(candidate: Strategy, **scores: float) -> Trial:
        return Trial(candidate, scores)

    trials = [trial(SCRATCH, a=0.9, b=-5.0), trial(PARTIAL, a=0.8, b=-1.0), trial(FULL, a=0.8, b=-2.0)]
    assert best_of(trials).candidate == PARTIAL
    assert best_of([trial(FULL, a=0.5), trial(SCRATCH, a=0.5)]).candidate == FULL


def test_what_is_written_is_what_a_config_reads() -> None:
    table = {
        "task": "lexicon",
        "backbone": 'hf:a/"b"',
        "on": ["reviews"],
        "date": "2026-11-27",
        "budgets": ["40", "0.1"],
        "seeds": 2,
        "strategies": {
            "full": {"recipe": {"learning_rate": 1e-05, "head": "zero"}, "scores": {"re-views": 0.5}, "tried": 7}
        },
    }
    [read] = tomllib.loads(to_toml([table]))["tuned"]
    assert read == table
    assert TunedTable.model_validate(read).strategies["full"].recipe["head"] == "zero"


def test_the_command_tunes_a_task_on_the_others_of_its_domain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, out = tmp_path / "bench.toml", tmp_path / "tuned.toml"
    config.write_text(
        '[strategies.full]\nkind = "finetune"\nmax_steps = 1\n'
        '[tasks.co2]\nbackbones = ["bundled:series"]\n[tasks.elnino]\nbackbones = ["bundled:series"]\n'
    )
    command = ["tune", "--config", str(config), "--task", "co2", "--budget", "5", "--seeds", "1", "--out", str(out)]
    assert main(command) == 0
    assert str(out) in capsys.readouterr().out
    [table] = tomllib.loads(out.read_text())["tuned"]
    assert (table["task"], table["backbone"], table["on"]) == ("co2", "bundled:series", ["elnino"])
    assert (table["budgets"], table["seeds"]) == (["5"], 1)
    assert set(table["strategies"]["full"]["recipe"]) == {"learning_rate", "head_learning_rate", "layer_decay", "head"}
    assert main([*command, "--task", "c02"]) == 2
    assert "unknown task 'c02'; did you mean 'co2'?" in capsys.readouterr().err


def test_data_to_tune_on_have_no_class_of_pretraining(tmp_path: Path) -> None:
    assert not set(LETTERS) & set("".join(CLASSES))
    assert not set(SPOKEN) & set(WORDS)
    task = OtherLetters()
    one, other = (task.split(0, Cache(tmp_path)) for _ in range(2))
    assert digest(one.train.labels["class"]) == digest(other.train.labels["class"])
    assert one.train.raw.columns() == other.train.raw.columns()
    assert one.train.groups is not None
    assert one.test.groups is not None
    assert not set(one.train.groups) & set(one.test.groups)
