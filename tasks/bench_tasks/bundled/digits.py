"""The task `digits`: real handwritten digits as 8 x 8 pictures, every stretch of one hand tested on once."""

import gzip
from typing import Final

import numpy as np

from bench.card import TaskCard
from bench.column import dense, digest
from bench.domains.vision.raw import ImageArray
from bench.runtime.cache import Cache
from bench.subsets.folds import deal_test_folds
from bench.targets.classes import LABEL, Classes
from bench.task import Examples, Split, Task, packaged_file

SIDE: Final = 8
BRIGHTEST: Final = 16  # ink counts of 4 x 4 blocks of the scanned bitmap
FOLDS: Final = 5

STARTS: Final = (0, 130, 256, 386, 516, 646, 776, 906, 1029, 1157, 1287, 1415, 1545, 1667)
"""The rows at which stretches begin: see `Digits`."""


class Digits(Task):
    """The 1,797 digits that come with scikit-learn, in fourteen stretches, each of which is tested on once.

    Writers are not recorded, but the order of the labels tells where they change, for all filled in one form of 130
    digits: three times 0 to 9, then a hundred mixed ones. From each row in `STARTS` to the next, labels are those of
    the first stretch in their order, with up to eight missing and at most one that differs. Twelve stretches open with
    0 to 9 twice in a row, that of row 906 lacks its first 0 and that of row 1545 a 7 and an 8. Pictures agree: on
    average over a stretch, the nearest other picture of the same digit is at most 20.3 away (Euclidean, in ink counts)
    within the stretch, and at least 22.5 in any other. Tests hold all this against the file.

    The documentation has thirteen writers, so that two of fourteen forms may be of one hand: they are called stretches.
    Two or three of them are in each of five folds, so that no single split decides.

    The file is read where scikit-learn keeps it, since importing scikit-learn for it takes longer than all the rest.
    """

    card = TaskCard(
        name="digits",
        title="Handwritten digits",
        domain="vision",
        description="Digits by 13 writers, scanned, size-normalised and reduced to 8 x 8 ink counts; 10 classes. The "
        "file does not name writers, but all filled in one form, and its labels repeat fourteen times: in 14 stretches "
        "of 122 to 130 digits. Whole stretches are tested on, each once, in 5 folds.",
        source="https://archive.ics.uci.edu/dataset/80, the test part, as packaged in scikit-learn (digits.csv.gz)",
        licence="CC BY 4.0",
        citation="Alpaydin and Kaynak (1998), Cascading Classifiers, Kybernetika 34(4), 369-374; doi:10.24432/C50P49",
        version=2,
        folds=FOLDS,
        subjects=("digits", "handwriting"),
        sha256="470db8a21f17cfb508cecc77c9036f4b2c973d78e06ffdef6c355e8eed664fae",
    )
    target = Classes(tuple("0123456789"))

    def split(self, fold: int, cache: Cache) -> Split:
        with gzip.open(packaged_file("sklearn", "datasets/data/digits.csv.gz"), "rt") as lines:
            table = np.loadtxt(lines, delimiter=",", dtype=np.int64)  # [1797, 64 pixels and the label]
        labels = table[:, -1]
        ink = table[:, :-1].reshape(-1, SIDE, SIDE, 1)
        pixels = (ink * 255 // BRIGHTEST).astype(np.uint8)
        stretches = np.searchsorted(STARTS, np.arange(len(table)), side="right")  # [1797], from 1 on
        groups = np.array([f"stretch {number}" for number in stretches.tolist()])
        everything = Examples(ImageArray(pixels), {LABEL: dense(**{LABEL: labels})}, groups=groups)
        folds = deal_test_folds(labels, groups, FOLDS, digest(dense(table=table)))
        held_out = folds == fold % FOLDS
        return Split(everything.take(np.flatnonzero(~held_out)), everything.take(np.flatnonzero(held_out)))
