"""The contract of domains: all that the rest of the tree asks of one.

A domain is a package of `bench.domains`, or of an installed package that names its `Domain` under the entry point
`bench.domains`. It holds the raw types of its examples, and says here how they are read, named, shifted and described.
Nothing else names it but its backbones. Whatever takes time to import is imported inside the functions, so that the
configuration can ask every domain at no cost.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.domain import Raw
from bench.domains.options import DataOptions, DomainOptions
from bench.domains.shift import Shift
from bench.files.stored import Finding, Stored
from bench.target import Target

if TYPE_CHECKING:
    from bench.backbone import Backbone

Floats = NDArray[np.float32]

Describe = Callable[[Raw], Floats]
"""From raw examples to features of a fixed width, float32 [n, width], each example by itself."""

FEATURES: Final = "features"
WORDS: Final = "words"
PASTS: Final = "pasts of series"
"""What classical models need of a domain, by the words that an error has for it."""

SPLITTING: Final = frozenset({"group", "held_out", "score_by", "combine", "test", "split_seed"})
"""Options of labelled data, however they are read, that say what is tested on and what is scored as one."""

LABELLED: Final = SPLITTING | {"split", "target", "label", "labels", "separator", "config", "encoding"}
"""Options of data that come with a label for each example."""

Format = Mapping[str, float]
"""How the inputs of a model are read, as numbers by name, such as a rate in hertz."""


def _as_they_are(raw: Raw) -> Format:
    return {}


class Noun(NamedTuple):
    """What an example is called: ("picture", "pictures")."""

    one: str
    many: str


@dataclass(frozen=True, slots=True)
class Features:
    """Classical features: what they are called, also in the keys of what is kept, and how examples are described."""

    title: str
    describe: Describe


class Perceived(NamedTuple):
    """Raw examples, the `settings` they are read with, and how those are `said`: a sentence after a space, or nothing.

    The settings are part of the hash of a task's data.
    """

    raw: Raw
    settings: tuple[object, ...] = ()
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReader:
    """Labelled examples that lie in a file each, or in a cell of a table that holds or names one.

    `options` are those of `DataOptions` that say how files are read. `look` hashes a file and tells what is wrong with
    it, and may raise `OSError`; `look_at_bytes` does so for the content of one. `read` makes raw examples of what was
    found sound; they are decoded when they are looked at. `hub_feature` is the class of the library `datasets` whose
    columns hold such files.
    """

    look: Callable[[Path], Finding]
    look_at_bytes: Callable[[bytes], Finding]
    read: Callable[[Sequence[Stored], Sequence[Finding], DataOptions], Perceived]
    options: frozenset[str] = frozenset()
    hub_feature: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellReader:
    """Labelled examples that are written in the cells of a table, such as sentences.

    `read` makes raw examples of cells that are not blank. `tagged` says whether examples come in words that can have a
    tag each.
    """

    read: Callable[[Sequence[str]], Perceived]
    tagged: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Where an example without a label comes from; what does not apply is empty.

    `row` is the line of a text in its file, or its row as `bench.files.rows` counts those of a table. `times` are those
    of the steps to be forecast.
    """

    file: str = ""
    row: int = 0
    text: str = ""
    series: str = ""
    times: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Unlabelled:
    """Examples with their sources, both [n], and a line for everything that could not be read."""

    raw: Raw
    sources: tuple[Source, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a model of a domain is asked about: files, folders of them or - for standard input, and texts themselves.

    `columns` are those of tables to look into. `options` are those of the data that the model was adapted to, `format`
    is how its inputs are read, and `target` what it predicts.
    """

    domain: "Domain"
    files: Sequence[str]
    options: DataOptions
    format: Format
    target: Target
    texts: Sequence[str] = ()
    columns: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlabelledReader:
    """Reading what has no labels: `read` does it, and never refuses all for what is wrong with some.

    `texts` says whether examples can be written out, in an option or in the lines of standard input; `most_columns` how
    many columns of a table can be named, None for any number.
    """

    read: Callable[[Request], Unlabelled]
    texts: bool = False
    most_columns: int | None = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """What a domain says of itself.

    `name` stands on the cards of its tasks and backbones and is that of its raw types. `family` is what a config calls
    its tasks, `addresses` are the kinds of address that data of it are read from, `options` those of `DataOptions` that
    say something of it, `column` the one of these that names the column of examples in a table, "" if tables hold none.
    `suffixes` are those of the files that it reads, by what such a file is called: its own noun, "table" or "text".
    `own_options` are those that it alone has: readers of files and of what has no labels are given them, and the hash
    of the data has them.
    `backbone` is the one that data are seen through which are named without one.

    Labelled examples are read by `files` or by `cells`; a domain whose tables are `series` is forecast instead. What
    has no labels is read by `unlabelled`.

    `small` returns a small network that reads raw examples such as these, never trained, to stand beside training from
    scratch. `shifts` returns what its test splits are also scored under. `offers` are what classical models can have of
    it, such as `FEATURES`, which `features` then makes. `input_format` returns what an export has to keep of how
    examples were read: all numbers that `unlabelled` needs to read others alike.
    """

    name: str
    family: str
    noun: Noun
    addresses: frozenset[str]
    options: frozenset[str]
    suffixes: Mapping[str, tuple[str, ...]]
    backbone: str
    unlabelled: UnlabelledReader
    column: str = ""
    own_options: type[DomainOptions] | None = None
    files: FileReader | None = None
    cells: CellReader | None = None
    series: bool = False
    small: Callable[[Raw], "Backbone"] | None = None
    shifts: Callable[[], Sequence[Shift]] = tuple
    offers: frozenset[str] = frozenset()
    features: Callable[[], Features] | None = None
    input_format: Callable[[Raw], Format] = _as_they_are

    def is_example(self, path: str) -> bool:
        """Whether a path ends as files do that hold an example each."""
        return path.casefold().endswith(self.suffixes.get(self.noun.one, ()))
