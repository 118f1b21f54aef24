"""Options of data: what a config may say of the data of a task, and what one domain alone has beside these."""

from typing import Annotated, Final, Literal, TypeVar

from annotated_types import Ge, Gt, Interval, Len
from pydantic import BaseModel, ConfigDict, InstanceOf, SerializeAsAny

Count = Annotated[int, Gt(0)]

TEST_SHARE: Final = 0.25
"""The share of the examples that one split tests on where nothing is said of it."""


class DomainOptions(BaseModel):
    """Options of data that one domain alone has: the fields of a subclass, each with a default, of hashable values.

    They are named like any other, in a config or by `--option`. Readers find them by `DataOptions.own_as`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


Own = TypeVar("Own", bound=DomainOptions)


class DataOptions(BaseModel):
    """What a task may say of its data, beside where they are. What is not said is found out, or has the default here.

    Splits: data that do not come split are dealt into folds below 5,000 examples, stratified, and whole groups of them:
    every example is tested once. From there on, and with `test` = "one", a single share of them is held out, a quarter
    unless `test_share` says another, drawn with `split_seed`; either of these asks for it too. `test` = "folds" asks
    for folds of any number of examples. `split` names the column that says train or test. `group` names the column (for
    files: a regular expression with one group, searched in the path within the folder) of what must not be on both
    sides, such as a speaker or a patient; `held_out` lists the groups to test on. `counts` are the rows of training,
    validation and test of a series; nothing is chosen on the validation rows, and nothing learnt from them.

    `score_by` names, as `group` does, what is scored as one, such as a patient of whom there are several pictures:
    before every metric the predictions of its examples are combined, by `combine`: "mean", or, where the target is any
    number of labels, also "maximum". It is the group too where none is named. Budgets still count examples.

    `target` is what the labels are: one of several "classes", a "value", any number of "labels", "tags" of words, or
    what an installed package offers. What is not said is guessed from the labels, and told.

    Columns: `text`, `label`, `image` and `audio` name those of a table, which is written in `encoding`; `inputs` names
    that of the examples of a domain without an option of its own. `time`,
    `series` and `values` those of a table of series. Several labels are in one cell, with a `separator` between them,
    or `labels` names a column of yes and no for each. `config` and `revision` are those of a data set on a hub.

    Recordings are resampled to `rate_hz`, and cut or padded to `seconds`. Forecasts are of `horizon` steps after
    `context` ones, with a cycle of `season` steps.

    `metric` names the metric of the task's target that ranks; without it that is the target's first. Of forecasts "mse"
    changes the unit that errors are counted in too: the standard deviation of the series, as benchmarks have it.

    `skip_bad` leaves out files that cannot be read, `fill` interpolates what a series lacks; otherwise both are
    refused, with a list.

    `own` holds what the domain has beside these (see `DomainOptions`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    licence: str = "not stated"
    citation: str = "not stated"
    source: str = ""

    test: Literal["folds", "one"] | None = None
    test_share: Annotated[float, Interval(gt=0, lt=1)] | None = None
    split_seed: Annotated[int, Ge(0)] | None = None
    split: str | None = None
    group: str | None = None
    held_out: tuple[str, ...] = ()
    score_by: str | None = None
    combine: str | None = None
    skip_bad: bool = False
    metric: str | None = None

    target: str | None = None
    text: str = "text"
    label: str = "label"
    labels: tuple[str, ...] = ()
    separator: Annotated[str, Len(1)] = ";"
    image: str = "image"
    audio: str = "audio"
    inputs: str = "input"
    encoding: str = "utf-8"
    config: str | None = None
    revision: str | None = None

    rate_hz: Count = 16_000
    seconds: Annotated[float, Gt(0)] | None = None

    time: str | None = None
    series: str | None = None
    values: tuple[str, ...] = ()
    context: Count = 96
    horizon: Count = 24
    season: Count | None = None
    frequency: str | None = None
    counts: tuple[Count, Annotated[int, Ge(0)], Count] | None = None
    fill: bool = False
    own: SerializeAsAny[InstanceOf[DomainOptions]] | None = None

    def own_as(self, kind: type[Own]) -> Own:
        """Return the options that a domain has of its own, as its readers know them."""
        return self.own if isinstance(self.own, kind) else kind()

    @property
    def share_tested(self) -> float:
        """The share of the examples, or of the steps of a series, that one split is to test on."""
        return TEST_SHARE if self.test_share is None else self.test_share

    @property
    def wants_one_split(self) -> bool:
        """Whether something is said that only one split has."""
        return self.test == "one" or self.test_share is not None or self.split_seed is not None

    @property
    def error(self) -> Literal["mase", "mse"]:
        """Whose unit the errors of forecasts are counted in."""
        return "mse" if self.metric == "mse" else "mase"
