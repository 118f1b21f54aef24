"""Tasks: labelled data, split, with the target that is to be predicted. `FAMILIES` is the table of those bundled.

`opening` finds a task by the description of its data; `own` runs a file in which somebody wrote one. The packages hold
tasks by where data are from: `bundled`, `files` and `hubs`; `forecasts` are those of series.
"""

from collections.abc import Mapping
from typing import Final

from bench.task import Task
from bench_tasks.bundled.digits import Digits
from bench_tasks.bundled.lexicon import Lexicon
from bench_tasks.bundled.series import Co2, ElNino
from bench_tasks.bundled.spoken_digits import SpokenDigits

FAMILIES: Final[Mapping[str, Task]] = {
    task.card.name: task for task in (Digits(), Lexicon(), SpokenDigits(), Co2(), ElNino())
}
