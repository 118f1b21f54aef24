"""How a report writes names and numbers."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bench.metric import MetricCard
from bench.results.manifest import Manifest

STRATEGY_TITLES: Final[Mapping[str, str]] = {
    "small": "small network from scratch",
    "classical": "classical model",
    "partial": "partial fine-tuning",
    "full": "full fine-tuning",
}
STRATEGY_PHRASES: Final[Mapping[str, str]] = {
    "scratch": "training from scratch",
    "small": "a small network from scratch",
    "classical": "a classical model",
    "linear_probe": "a linear probe",
}
MISSING: Final = "–"
NO_BREAK: Final = "\N{NO-BREAK SPACE}"  # intervals stay on one line
ROUNDING: Final = 1e-9


def strategy_title(name: str) -> str:
    """Return a strategy's name in words that stand by themselves."""
    return STRATEGY_TITLES.get(name, name.replace("_", " "))


def strategy_phrase(name: str) -> str:
    """Return a strategy's name as a sentence uses it."""
    return STRATEGY_PHRASES.get(name, strategy_title(name))


def task_title(manifest: Manifest, task: str) -> str:
    """Return a task's title, with its name where two tasks share a title."""
    title = manifest.tasks[task].card.title
    alike = [entry for entry in manifest.tasks.values() if entry.card.title == title]
    return title if len(alike) == 1 else f"{title} ({task})"


def backbone_title(manifest: Manifest, backbone: str) -> str:
    """Return a backbone's title, with its name where two backbones share a title."""
    title = manifest.backbones[backbone].title
    alike = [card for card in manifest.backbones.values() if card.title == title]
    return title if len(alike) == 1 else f"{title} ({backbone})"


def titled(manifest: Manifest, task: str, backbone: str = "") -> str:
    """Return a task's title, with that of a backbone if one is named."""
    title = task_title(manifest, task)
    return f"{title}, {backbone_title(manifest, backbone)}" if backbone else title


def direction(metric: MetricCard) -> str:
    """Return the metric and which direction is good."""
    return f"{metric.title}, {'higher' if metric.higher_is_better else 'lower'} is better"


def count(number: float) -> str:
    """Return a whole number with separators of thousands."""
    return f"{number:,.0f}"


def quantity(amount: float) -> str:
    """Return an amount of labels with separators of thousands, and with decimals only where it is not whole."""
    return count(amount) if amount == round(amount) else f"{amount:,.2f}".rstrip("0").rstrip(".")


def tell_folds(tested: int, folds: int) -> str:
    """Return how many of the folds of a task's data are tested, as the beginning of a sentence in lower case."""
    return f"every example tested once, in {folds} folds" if tested >= folds else f"{tested} of {folds} folds tested"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, in the plural unless there is one."""
    return f"{count(number)} {noun if number == 1 else plural or f'{noun}s'}"


def score(value: float) -> str:
    """Return a score with three decimals, or a dash for none."""
    return MISSING if math.isnan(value) else f"{value:.3f}"


def score_with_margin(mean: float, margin: float) -> str:
    """Return mean ± half the interval's width, rounded up. Without an interval the mean stands alone."""
    if math.isnan(mean) or math.isnan(margin):
        return score(mean)
    return f"{mean:.3f}{NO_BREAK}±{NO_BREAK}{math.ceil(1000 * margin - ROUNDING) / 1000:.3f}"


def score_with_interval(mean: float, lower: float, upper: float) -> str:
    """Return mean and interval. Without an interval the mean stands alone."""
    return " ".join(part for part in (score(mean), interval(lower, upper)) if part)


def interval(lower: float, upper: float) -> str:
    """Return an interval of scores in brackets, nothing where there is none."""
    return "" if math.isnan(lower) or math.isnan(upper) else f"[{lower:.3f},{NO_BREAK}{upper:.3f}]"


def about(number: float) -> str:
    """Return a number that was read off a curve, with two significant digits at most."""
    digits = 10 ** max(0, math.floor(math.log10(number)) - 1) if number >= 1 else 1
    return count(round(number / digits) * digits)


def rounded(number: float) -> str:
    """Return a number with two significant digits, never as a power of ten."""
    return f"{number:.2g}" if number < 10 else about(number)


def rounded_down(number: float) -> str:
    """Return a number of at least 1 with two significant digits, not above itself."""
    unit = 10.0 ** (math.floor(math.log10(number)) - 1)
    return rounded(math.floor(number / unit + ROUNDING) * unit)


def rounded_up(number: float) -> str:
    """Return a positive difference of scores with two significant digits, not below itself."""
    unit = 10.0 ** (math.floor(math.log10(number)) - 1)
    return f"{math.ceil(number / unit - ROUNDING) * unit:.2g}"


def duration(seconds: float) -> str:
    """Return a duration in the unit a person would choose."""
    if seconds < 0.1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def join_words(items: Iterable[str]) -> str:
    """Return the items as a list in a sentence: a, b and c."""
    *front, last = items
    return f"{', '.join(front)} and {last}" if front else last


def shortened(text: str, longest: int) -> str:
    """Return the text, cut in its middle if it is longer than `longest` characters."""
    if len(text) <= longest:
        return text
    head = (longest - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (longest - 1 - head) :]}"


def capitalised(sentence: str) -> str:
    """Return the sentence with its first letter a capital."""
    return sentence[:1].upper() + sentence[1:]


def backbone_titles(manifest: Manifest, names: Sequence[str]) -> str:
    """Return the titles of backbones with their sizes."""
    sizes = {name: rounded(manifest.backbones[name].parameters / 1e6) for name in names}
    return ", ".join(f"{backbone_title(manifest, name)} ({size} M parameters)" for name, size in sizes.items())
