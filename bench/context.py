"""What a strategy may see of a task besides its budgets: everything but labels of the split."""

from dataclasses import replace

from bench.column import Indices
from bench.domain import Raw
from bench.runtime.cache import Cache
from bench.target import Target
from bench.task import Split


class Context:
    """The inputs of a task. It holds no labels of its split: they reach a strategy through its budgets alone.

    `train` are the training examples without labels, and without names, which may say a class as paths do; the rows
    `needed` are those that some cell to come will see. `tested` are the inputs that are tested on. `unlabelled` are
    further inputs of that kind and `source` labelled examples of another place, where the task has any. `content` is a
    hash of the split, its fold included: what is made of it is kept in the `cache` under keys that hold it.

    Raw examples in files keep the paths that they are read from: a strategy asks them for their content alone.
    """

    def __init__(self, task: str, target: Target, split: Split, *, needed: Indices, content: str, cache: Cache) -> None:
        train = split.train
        self.task = task
        self.target = target
        self.train = replace(train, labels={}, names=None)
        self.tested: Raw = split.test.raw
        self.unlabelled = split.unlabelled
        self.source = split.source
        self.needed = needed
        self.content = content
        self.cache = cache
