"""The task `digits`: real handwritten digits as 8 x 8 pictures."""

import gzip
from typing import Final

import numpy as np

from bench.card import TaskCard
from bench.column import Dense
from bench.domains.vision.raw import ImageArray
from bench.runtime.cache import Cache
from bench.subsets.subset import stratified_order
from bench.targets.classes import LABEL, Classes
from bench.task import Examples, Split, Task, packaged_file

SIDE: Final = 8
BRIGHTEST: Final = 16  # ink counts of 4 x 4 blocks of the scanned bitmap
TEST_SHARE: Final = 0.25
SPLIT_SEED: Final = 1998


class Digits(Task):
    """The 1,797 digits that come with scikit-learn, a quarter of each class held out.

    The file is read where scikit-learn keeps it, since importing scikit-learn for it takes longer than all the rest.
    Writers are not recorded in it, so the same hand can be in both splits.
    """

    card = TaskCard(
        name="digits",
        title="Handwritten digits",
        domain="vision",
        description="Digits by 13 writers, scanned, size-normalised and reduced to 8 x 8 ink counts; 10 classes.",
        source="https://archive.ics.uci.edu/dataset/80, the test part, as packaged in scikit-learn (digits.csv.gz)",
        licence="CC BY 4.0",
        citation="Alpaydin and Kaynak (1998), Cascading Classifiers, Kybernetika 34(4), 369-374; doi:10.24432/C50P49",
        version=1,
        subjects=("digits", "handwriting"),
        sha256="51e11466eca36439204693609176789c6d287b5c568cdbedbd416b3518b2717b",
    )
    target = Classes(tuple("0123456789"))

    def split(self, fold: int, cache: Cache) -> Split:
        with gzip.open(packaged_file("sklearn", "datasets/data/digits.csv.gz"), "rt") as lines:
            table = np.loadtxt(lines, delimiter=",", dtype=np.int64)  # [1797, 64 pixels and the label]
        labels = table[:, -1]
        ink = table[:, :-1].reshape(-1, SIDE, SIDE, 1)
        pixels = (ink * 255 // BRIGHTEST).astype(np.uint8)
        everything = Examples(ImageArray(pixels), {LABEL: Dense({LABEL: labels})})
        order = stratified_order(labels, np.random.default_rng(SPLIT_SEED))
        held_out = round(TEST_SHARE * len(order))
        return Split(train=everything.take(np.sort(order[held_out:])), test=everything.take(np.sort(order[:held_out])))
