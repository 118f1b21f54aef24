"""What a report says of each task's learning curves: the chart, and the table of numbers behind it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bench.analysis.comparison import comparison
from bench.analysis.curves import Curves
from bench.analysis.findings import has_intervals, headline
from bench.analysis.tables import SCORED, Tables, ordinary_cells
from bench.analysis.verdicts import Verdicts
from bench.analysis.wording import (
    MISSING,
    backbone_titles,
    capitalised,
    count,
    counted,
    direction,
    interval,
    quantity,
    score,
    task_title,
    tell_folds,
)
from bench.card import ScoredUnits, TaskCard
from bench.domains.registered import domain_named
from bench.report.charts.chart import Chart, chance_of, named_lines, task_chart
from bench.report.document import (
    Block,
    Bullets,
    Column,
    Overview,
    Paragraph,
    Picture,
    Section,
    Spreadsheet,
    Table,
    Value,
)
from bench.report.spreadsheets import curves_csv
from bench.results.manifest import Manifest

FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def task_anchor(tables: Tables, task: str) -> str:
    """Return the anchor of a task's section."""
    return f"task-{list(tables.manifest.tasks).index(task) + 1}"


def file_name(tables: Tables, task: str) -> str:
    """Return the name that a task's files have: its own, where that is a file's name and no other chart's."""
    taken = task == "overview" or task.startswith("cost-")
    return task if FILE_NAME.fullmatch(task) and not taken else task_anchor(tables, task)


def learning_section(tables: Tables, found: Mapping[str, list[Curves]], verdicts: Verdicts) -> Section:
    """Return all tasks side by side, if they are several, and a section for each."""
    charts = {task: task_chart(tables, task, several) for task, several in found.items()}
    overview = Overview(
        charts=tuple(charts.values()),
        anchors=tuple(task_anchor(tables, task) for task in found),
        file="charts/overview.svg",
        told=f"Score against number of labels for {counted(len(found), 'task')}, a line per strategy.",
    )
    sections = tuple(_task(tables, task, several, charts[task], verdicts) for task, several in found.items())
    return Section("curves", "Learning curves", (overview,) if len(found) > 1 else (), sections)


def _task(tables: Tables, task: str, found: list[Curves], chart: Chart, verdicts: Verdicts) -> Section:
    manifest, entry = tables.manifest, tables.manifest.tasks[task]
    blocks: list[Block] = []
    compared = comparison(found, manifest)
    said = compared[-1] if compared else next((said for curves in found if (said := headline(curves, verdicts))), "")
    if said:
        blocks.append(Paragraph("", lead=said))
    about = f"{capitalised(direction(entry.metric))}; {_shown(found)}."
    if found:
        about += _backbones(manifest, [curves.backbone for curves in found])
        about += f" {capitalised(entry.baseline)}: {score(chance_of(found))}."
    told = f"{chart.title}: {entry.metric.title} against {chart.x_title}. A table below has the numbers."
    blocks.append(Picture(chart, f"charts/{file_name(tables, task)}.svg", told))
    if found:
        blocks.append(_scores(tables, task, found))
    blocks.append(Paragraph(about, note=True))
    blocks.append(Paragraph(entry.card.description, lead="These data are synthetic." if entry.card.synthetic else ""))
    if entry.card.folds > 1:
        blocks.append(_folds(tables, task, entry.card))
    if entry.card.scored:
        blocks.append(_scored_units(entry.card, entry.card.scored))
    if entry.card.remarks:
        blocks += [Paragraph("Noticed, and left as it is:"), Bullets(entry.card.remarks)]
    return Section(task_anchor(tables, task), task_title(manifest, task), tuple(blocks))


def _backbones(manifest: Manifest, names: Sequence[str]) -> str:
    """Return the sentences that name the backbones of a task, those that were never trained by themselves."""
    trained = {True: "Pretrained", False: "Untrained"}
    told = {one: [name for name in names if manifest.backbones[name].trained is one] for one in trained}
    return "".join(f" {trained[one]}: {backbone_titles(manifest, there)}." for one, there in told.items() if there)


def _folds(tables: Tables, task: str, card: TaskCard) -> Paragraph:
    """Return the sentences that say how many folds of the data were tested."""
    cells = ordinary_cells(tables.cells)
    here = cells[cells["task"] == task]
    tested = int(here.loc[here["status"] == SCORED, "fold"].nunique())
    told = "Each seed learns from all folds but one, and is tested on that one."
    missing = f" Run {card.folds} seeds to test every example." if here["seed"].nunique() < card.folds else ""
    return Paragraph(f"{told}{missing}", lead=f"{capitalised(tell_folds(tested, card.folds))}.")


def _scored_units(card: TaskCard, scored: ScoredUnits) -> Paragraph:
    """Return the sentence that says what is scored in place of examples."""
    noun = domain_named(card.domain).noun
    everywhere = f" in all {card.folds} folds" if card.folds > 1 else ""
    told = (
        f"{count(scored.n)} to test on{everywhere}, with {count(scored.examples)} {noun.many}, whose predictions are "
        f"combined into one by their {scored.combined}. Label budgets count {noun.many}."
    )
    return Paragraph(told, lead=f"Scored per {scored.name}, not per {noun.one}:")


def _shown(found: Sequence[Curves]) -> str:
    if not found:
        return "no cell was scored, and the section Missing says why"
    n_seeds = max(int(curves.points["n_seeds_planned"].max()) for curves in found)
    shown = f"mean of {counted(n_seeds, 'seed')}, without an interval"
    if any(has_intervals(curves) for curves in found):
        several = f"mean of {n_seeds} seeds with its 95 % interval"
        shown = several if n_seeds > 1 else "one seed, so that intervals are of test examples alone"
    if any((curves.points["n_seeds"] < curves.points["n_seeds_planned"]).any() for curves in found):
        shown += "; hollow or missing: seeds without a score"
    return shown


def _scores(tables: Tables, task: str, found: Sequence[Curves]) -> Table:
    """Return the table of scores: lines by numbers of labels, the best of each budget marked."""
    budgets = sorted({amount for curves in found for amount in curves.budgets})
    higher = tables.manifest.tasks[task].metric.higher_is_better
    best: dict[float, float] = {}
    for amount in budgets:
        means = [curves.ranking[amount]["mean"] for curves in found if amount in curves.ranking]
        tops = [float(one.iloc[0]) for one in means if len(one)]
        best[amount] = (max if higher else min)(tops, default=float("nan"))
    rows = tuple(
        (Value(line.label), *(_score(line.budgets.get(amount), best[amount]) for amount in budgets))
        for line in named_lines(tables.manifest, found)
    )
    unit, here = tables.manifest.tasks[task].unit, tables.curves["task"] == task
    columns = (Column("Strategy"), *(Column(quantity(amount), numeric=True) for amount in budgets))
    return Table(
        f"{task_title(tables.manifest, task)}: scores by number of {unit}",
        columns,
        rows,
        sortable=True,
        folded=True,
        spreadsheet=Spreadsheet(f"{file_name(tables, task)}.csv", curves_csv(tables.curves[here])),
    )


def _score(point: Mapping[Any, Any] | None, best: float) -> Value:
    if point is None:
        return Value("")
    mean, planned, n_seeds = float(point["mean"]), int(point["n_seeds_planned"]), int(point["n_seeds"])
    if n_seeds == 0:
        return Value(MISSING, mark="missing")
    details = interval(point["lower"], point["upper"]), f"{n_seeds} of {planned} seeds" if n_seeds < planned else ""
    return Value(score(mean), details, mean, "best" if mean == best else "")
