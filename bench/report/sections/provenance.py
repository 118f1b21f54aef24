"""What a report says of where its numbers are from: versions, hardware, config, data and backbones."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bench.analysis.tables import PROVENANCE_FIELDS, SCORED, Tables
from bench.analysis.wording import MISSING, capitalised, count, counted, join_words, task_title, titled
from bench.card import BackboneCard, TaskCard
from bench.report.document import Column, Paragraph, Section, Table, Value
from bench.strategy import Start

CARD_COLUMNS: Final = ("Source", "Licence", "Citation", "SHA-256")
STARTS: Final[Mapping[Start, str]] = {
    "pretrained": "pretrained weights",
    "random": "random weights",
    "nothing": "nothing, without a network",
}
PAGE: Final = re.compile(r"https?://[^\s,;()<>\"']+")


def provenance_section(tables: Tables) -> Section:
    """Return under what the cells were run, what was asked for, and the cards of tasks and backbones."""
    blocks = [_runs(tables), _precisions(tables), _config(tables), _recipes(tables), _tasks(tables), _backbones(tables)]
    text = "Whole hashes are in manifest.json, every cell in results.csv, the curves in curves.csv."
    note = Paragraph(text, note=True)
    return Section("provenance", "Provenance", (*(block for block in blocks if block is not None), note))


def _runs(tables: Tables) -> Table | None:
    scored = tables.cells[tables.cells["status"] == SCORED]
    if scored.empty:
        return None
    columns = [*PROVENANCE_FIELDS, "device", "precision"]
    runs = scored.groupby(columns, sort=True).size().reset_index(name="cells")
    rows = tuple(
        (*(Value(str(row[name])) for name in columns), Value(count(row["cells"]), order=float(row["cells"])))
        for _, row in runs.iterrows()
    )
    headings = (*(Column(capitalised(name)) for name in columns), Column("Cells", numeric=True))
    return Table("Versions and hardware", headings, rows)


def _precisions(tables: Tables) -> Table | None:
    """Return in which precision each network was found to train faster; None where nothing was timed."""
    rows = tuple(
        (
            Value(choice.processor),
            Value(titled(tables.manifest, choice.task, choice.backbone)),
            Value(f"{choice.depth:.0%}"),
            Value(count(choice.batch_size), order=float(choice.batch_size)),
            Value(f"{1000 * choice.float32_seconds:.1f} ms", order=choice.float32_seconds),
            Value(f"{1000 * choice.bfloat16_seconds:.1f} ms", order=choice.bfloat16_seconds),
            Value(choice.precision),
        )
        for choice in tables.manifest.choices.values()
    )
    columns = (
        Column("Processor"),
        Column("Task and backbone"),
        Column("Stages trained", numeric=True),
        Column("Batch", numeric=True),
        Column("float32", numeric=True),
        Column("bfloat16", numeric=True),
        Column("Trained in"),
    )
    return Table("Precision of training, by the time of one pass", columns, rows) if rows else None


def _config(tables: Tables) -> Table:
    cells = tables.cells
    rows = []
    for name, entry in tables.manifest.strategies.items():
        here = cells[cells["strategy"] == name]
        budgets = ", ".join(here["budget"].sort_values().unique())
        trained, seeds = f"{entry.trained_fraction:.0%}", count(len(set(here["seed"])))
        rows.append(tuple(map(Value, (name, STARTS[entry.start], trained, budgets, seeds))))
    columns = (
        *map(Column, ("Strategy", "Starts from")),
        Column("Stages trained", numeric=True),
        Column("Label budgets"),
    )
    return Table("What was asked for", (*columns, Column("Seeds", numeric=True)), tuple(rows))


def _recipes(tables: Tables) -> Table | None:
    """Return the recipe of each strategy as it holds on a task and backbone; None where recipes are not known."""
    manifest = tables.manifest
    several = len({(one.task, one.backbone) for one in manifest.recipes}) > len({one.task for one in manifest.recipes})
    rows = tuple(
        (
            Value(titled(manifest, one.task, one.backbone if several else "")),
            Value(one.strategy),
            Value(", ".join(_settings(recipe))),
            *([Value(_tuned(manifest.tuned.get(one)))] if manifest.tuned else []),
        )
        for one, recipe in manifest.recipes.items()
    )
    headings = ("Task", "Strategy", "Recipe", *(["Tuned on"] if manifest.tuned else []))
    return Table("Recipes", tuple(map(Column, headings)), rows, folded=True) if rows else None


def _tuned(card: Mapping[str, Any] | None) -> str:
    """Return on which data a recipe was tuned, and how."""
    if card is None:
        return MISSING
    own = f", with {count(card['labels'])} labels of this task itself" if card["labels"] else ""
    trials = f"{join_words(card['budgets'])} labels, {counted(card['seeds'], 'seed')}, {card['tried']} candidates"
    return f"{join_words(card['on'])}{own}: {trials}, {card['date']}"


def _settings(recipe: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a recipe sets."""
    for name, value in recipe.items():
        written = " ".join(map(str, value)) if isinstance(value, list | tuple) else value
        yield f"{name} {written}"


def _tasks(tables: Tables) -> Table:
    rows = []
    for name, entry in tables.manifest.tasks.items():
        card = entry.card
        title = Value(task_title(tables.manifest, name), (f"{name}, version {card.version}", ", ".join(card.subjects)))
        rows.append((title, *_terms(card)))
    return Table("Data", tuple(map(Column, ("Task", *CARD_COLUMNS))), tuple(rows))


def _backbones(tables: Tables) -> Table:
    rows = [
        (
            Value(card.title, (card.name, ", ".join(card.subjects))),
            *_terms(card),
        )
        for card in tables.manifest.backbones.values()
    ]
    return Table("Backbones", tuple(map(Column, ("Backbone", *CARD_COLUMNS))), tuple(rows))


def _terms(card: TaskCard | BackboneCard) -> tuple[Value, ...]:
    page = PAGE.search(card.source)
    source = Value(card.source, link=page.group() if page else "")
    return source, Value(card.licence), Value(card.citation), Value(card.sha256[:16], mark="code")
