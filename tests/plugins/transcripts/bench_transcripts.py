"""The target `transcript`: what is said or played in a recording, by connectionist temporal classification."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from bench.answers import Answers, Rows
from bench.backbone import Backbone, Batch, Features, Head, Pretrained, Stage, state_hash
from bench.backbones.opened import Opened, Reference, refuse_unknown_settings
from bench.card import BackboneCard, TaskCard
from bench.column import Array, Column, Dense, Indices, Ragged, dense, ragged
from bench.domain import Raw
from bench.domains.audio.files import AudioFiles
from bench.domains.audio.raw import AudioArray
from bench.errors import unknown_name
from bench.metric import Metric, MetricCard
from bench.readout import Kind, Readout
from bench.runtime.cache import Cache
from bench.subsets.blocks import deal_blocks
from bench.target import Baseline, Codec, Objective, Sampling, Target, first
from bench.targets.classes import AsTheyAre
from bench.task import Examples, Split, Task, fingerprint

LETTERS: Final = ("A", "B", "C", "D")
RATE_HZ: Final = 200
FRAME: Final = 50  # samples
BANDS: Final = 8  # of the spectrum of a frame
WIDTH: Final = 12
BLANK: Final = 0  # the output that is no letter


# --- the target
@dataclass(frozen=True, slots=True)
class Transcripts(Target):
    """The letters of a recording: labels and predictions are ragged, `{"letter": int64 [letters]}`."""

    name: ClassVar[str] = "transcript"
    unit: ClassVar[str] = "minutes"
    readout: ClassVar[Readout] = Readout(Kind.SEQUENCE)
    letters: tuple[str, ...]

    @property
    def reads(self) -> str:
        return "transcript"

    @property
    def sampling(self) -> Sampling:
        return ByMinutes()

    @property
    def codec(self) -> Codec:
        return AsTheyAre()

    @property
    def objective(self) -> Objective:
        return TemporalClassification(len(self.letters))

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return first((LETTER_ERRORS, EXACT), self.ranked_by)

    @property
    def baselines(self) -> tuple[Baseline, ...]:
        return (Silence(),)

    @property
    def rivals(self) -> tuple[str, ...]:
        return ()

    def answers(self, predictions: Column, raw: Raw, top: int) -> Answers:
        texts = ["".join(self.letters[letter] for letter in letters) for letters in _of_each(predictions)]
        return Rows(("transcript",), [[(text,)] for text in texts], [{"transcript": text} for text in texts])


class ByMinutes(Sampling):
    """Budgets in minutes of recordings, in any order. Nothing is chosen inside one, so that there are no folds."""

    def fewest(self, labels: Column | None) -> tuple[int, str]:
        return 1, "one recording"

    def order(self, labels: Column, facts: Column | None, generator: np.random.Generator) -> Indices:
        return generator.permutation(len(labels))

    def amounts(self, labels: Column, facts: Column | None, order: Indices) -> Array:
        assert facts is not None, "recordings come with their seconds"
        minutes: Array = facts.values["seconds"][order].cumsum() / 60
        return minutes

    def folds(
        self, labels: Column, facts: Column | None, groups: Array | None, generator: np.random.Generator
    ) -> Indices | None:
        return None

    def blocks(self, labels: Column, facts: Column | None, groups: Array | None, seed_from: str) -> Indices:
        return deal_blocks(len(labels), groups, seed_from=seed_from)


@dataclass(frozen=True, slots=True)
class TemporalClassification(Objective):
    """The loss of all ways to align `letters` letters with frames (CTC, Graves et al. 2006)."""

    letters: int

    def head(self, widths: Sequence[int]) -> nn.Module:
        from bench.probing.linear import zero_head  # noqa: PLC0415 (loads torch)

        return zero_head(widths, 1 + self.letters)

    def loss(self, outputs: tuple[Tensor, ...], encoded: Mapping[str, Tensor], geometry: Column | None) -> Tensor:
        logs = outputs[0].float().log_softmax(-1).movedim(0, 1)  # [frames, n, letters]
        lengths = encoded[" offsets"].diff()
        loss: Tensor = functional.ctc_loss(
            logs, encoded["letter"] + 1, torch.from_numpy(_frames(geometry)), lengths, blank=BLANK, zero_infinity=True
        )
        return loss

    def predict(self, outputs: tuple[Tensor, ...], geometry: Column | None) -> Column:
        """Return the likeliest output of each frame, runs of one and blanks left out."""
        found = []
        for best, frames in zip(outputs[0].argmax(-1).tolist(), _frames(geometry).tolist(), strict=True):
            letters = [letter - 1 for letter, _ in groupby(best[:frames]) if letter != BLANK]
            found.append(np.array(letters, dtype=np.int64))
        return ragged(letter=found)


class Silence(Baseline):
    """No letter."""

    title: ClassVar[str] = "silence"

    def predict(self, train_labels: Column, raw: Raw, facts: Column | None) -> Column:
        return Ragged({"letter": np.empty(0, dtype=np.int64)}, np.zeros(len(raw) + 1, dtype=np.int64))


def _of_each(column: Column) -> list[list[int]]:
    assert isinstance(column, Ragged), "transcripts are a ragged column"
    return [column.of("letter", row).tolist() for row in range(len(column))]


def _frames(geometry: Column | None) -> Indices:
    assert isinstance(geometry, Dense), "recordings are prepared with their number of frames"
    return geometry["frames"]


def _edits(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many letters have to be put in, taken out or changed (Levenshtein 1966)."""
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, start=1):
        before, row[0] = row[0], place
        for column, wanted in enumerate(other, start=1):
            before, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, before + (letter != wanted))
    return row[-1]


def _letter_errors(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    pairs = list(zip(_of_each(predictions), _of_each(labels), strict=True))
    wanted = sum(len(label) for _, label in pairs)
    return sum(_edits(*pair) for pair in pairs) / wanted if wanted else None


def _exact(predictions: Column, labels: Column, facts: Column | None) -> float:
    return float(np.mean([one == other for one, other in zip(_of_each(predictions), _of_each(labels), strict=True)]))


LETTER_ERRORS: Final = Metric(
    MetricCard("letter_errors", "letter error rate", higher_is_better=False, perfect=0.0), _letter_errors
)
EXACT: Final = Metric(MetricCard("exact", "exact transcripts", higher_is_better=True, perfect=1.0), _exact)


# --- a backbone that can be read at every frame
class Layer(Stage):
    """A linear layer on each frame; padding becomes zeros."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width_in, width)

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        found: Tensor = self.linear(values).tanh()
        return found if mask is None else found * mask[..., None]


class Frames(Backbone):
    """Three layers on the spectrum of every quarter of a second. Digital silence at both ends is padding."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList([Layer(BANDS, WIDTH), Layer(WIDTH, WIDTH), Layer(WIDTH, WIDTH)])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(7)
            self.initialise()
            head = nn.Linear(WIDTH, 1 + len(LETTERS))
        target = Transcripts(letters=LETTERS)
        self.pretrained = Pretrained(target, Head(head.weight.detach().T, head.bias.detach()))
        self.card = BackboneCard(
            name="frames:toy",
            title="Frames",
            domain="audio",
            description="Three linear layers on spectra.",
            source="drawn by the package bench-transcripts",
            licence="Apache-2.0",
            citation="none",
            sha256=state_hash(self),
            parameters=sum(parameter.numel() for parameter in self.parameters()),
            width=WIDTH,
            stages=("first", "second", "third"),
            readouts=(Kind.POOLED, Kind.SEQUENCE),
            brings=(target.identity,),
        )

    def prepare(self, raw: Raw) -> Batch:
        assert isinstance(raw, AudioArray | AudioFiles), f"expected recordings, got {type(raw).__name__}"
        spectra = [torch.from_numpy(_spectrum(samples)) for samples in raw.waveforms().samples]
        frames = np.array([len(one) for one in spectra], dtype=np.int64)
        values = pad_sequence(spectra, batch_first=True) if spectra else torch.empty(0, 1, BANDS)
        return Batch(values, torch.from_numpy(frames), dense(frames=frames))

    def read(self, tapped: Sequence[Batch], readout: Readout) -> Features:
        (batch,) = tapped
        if readout.kind is Kind.SEQUENCE:
            return (batch.values,)
        mask = batch.mask
        assert mask is not None, "frames have lengths"
        return ((batch.values * mask[..., None]).sum(1) / mask.sum(1, keepdim=True),)

    def initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                module.reset_parameters()


def _spectrum(samples: Array) -> Array:
    """Return the logarithm of the energy in 8 bands of each frame of a recording, float32 [frames, 8]."""
    heard = np.flatnonzero(samples)
    start, end = (heard[0], heard[-1] + 1) if len(heard) else (0, FRAME)
    count = -(-(end - start) // FRAME)
    kept = np.zeros(count * FRAME)
    kept[: end - start] = samples[start:end]
    energies = np.abs(np.fft.rfft(kept.reshape(count, FRAME)))[:, 1 : 1 + 3 * BANDS].reshape(count, BANDS, 3).sum(2)
    spectrum: Array = np.log1p(energies).astype(np.float32)
    return spectrum


def open_frames(reference: Reference) -> Opened:
    """Return the backbone `frames:toy`. Raises `UnknownNameError` for any other."""
    refuse_unknown_settings(reference, (), "frames")
    if reference.place != "toy":
        raise unknown_name("backbone of frames", reference.place, ("toy",))
    return Opened(Frames(), (Path(__file__),))


# --- data made here
@cache
def melodies() -> Split:
    """Return melodies of two to five notes, a second and a half each, padded with silence to the longest."""
    generator, notes = np.random.default_rng(0), []
    for _ in range(90):
        letters = generator.integers(0, len(LETTERS), generator.integers(2, 6))
        notes.append(np.array([one for one, _ in groupby(letters)], dtype=np.int64))
    samples = np.zeros((len(notes), 5 * 6 * FRAME), dtype=np.float32)
    lengths = []
    for row, letters in zip(samples, notes, strict=True):
        hertz = np.repeat(15.0 + 22 * letters, 6 * FRAME)  # six frames a note
        row[: len(hertz)] = 0.5 * np.sin(2 * np.pi * hertz * np.arange(1, len(hertz) + 1) / RATE_HZ)
        row[: len(hertz)] += 0.01 + 0.05 * generator.random(len(hertz))
        lengths.append(len(hertz))
    raw, facts = AudioArray(samples, RATE_HZ), dense(seconds=np.array(lengths) / RATE_HZ)
    groups = np.array([f"player {row // 5}" for row in range(len(notes))])
    everything = Examples(raw, {"transcript": ragged(letter=notes)}, facts, groups)
    parts = [everything.take(np.arange(first, last)) for first, last in ((0, 50), (50, 75), (75, 90))]
    return Split(parts[0], parts[1], unlabelled=parts[2].raw)


class Melodies(Task):
    """Melodies to be written down."""

    target = Transcripts(letters=LETTERS)

    def __init__(self) -> None:
        self.card = TaskCard(
            name="melodies",
            title="Melodies",
            domain="audio",
            description="Notes of short melodies.",
            source="drawn by the package bench-transcripts",
            licence="CC0-1.0",
            citation="none",
            version=1,
            sha256=fingerprint(melodies()),
            synthetic=True,
            beside=("unlabelled",),
        )

    def split(self, fold: int, cache: Cache) -> Split:
        return melodies()
