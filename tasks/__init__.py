"""The table of task families: a new task is one file beside this one and one line here."""

from collections.abc import Mapping
from typing import Final

from bench.task import Task
from tasks.digits import Digits
from tasks.lexicon import Lexicon
from tasks.series import Co2, ElNino
from tasks.spoken_digits import SpokenDigits

FAMILIES: Final[Mapping[str, Task]] = {
    task.card.name: task for task in (Digits(), Lexicon(), SpokenDigits(), Co2(), ElNino())
}
