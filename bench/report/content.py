"""What a report says and in which order: the answer first, then what it rests on."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from bench.analysis.comparison import comparison
from bench.analysis.curves import Curves
from bench.analysis.extrapolation import more_labels_of
from bench.analysis.findings import METHOD, sentences
from bench.analysis.tables import FAILED, NOT_RUN, SCORED, Tables
from bench.analysis.verdicts import Verdicts, judge_page
from bench.analysis.wording import backbone_title, capitalised, count, counted, direction, strategy_title, task_title
from bench.budget import NONE
from bench.cell import ALL_STREAMS
from bench.report.document import Block, Bullets, Column, Document, Paragraph, Section, Table, Value
from bench.report.sections.claims import claims_section
from bench.report.sections.costs import cost_section
from bench.report.sections.extrapolation import more_labels_section
from bench.report.sections.leaderboard import leaderboard_section
from bench.report.sections.learning import learning_section
from bench.report.sections.metrics import metrics_section
from bench.report.sections.provenance import provenance_section
from bench.report.sections.randomness import randomness_section
from bench.report.sections.robustness import robustness_section
from bench.report.sections.savings import savings_section
from bench.results.manifest import Manifest

Found = Mapping[str, list[Curves]]

OTHER_DATA: Final = (
    "of other data: options, files or folds of the data, or the task itself, changed since; run the strategy again"
)


def contents(tables: Tables, found: Found) -> Document:
    """Return all that a report says; `found` has the curves of each task."""
    verdicts = judge_page(curves for several in found.values() for curves in several)
    sections = [
        _answers(tables, found, verdicts),
        leaderboard_section(tables),
        learning_section(tables, found, verdicts),
        metrics_section(tables, found),
        savings_section(tables, found),
        claims_section(tables, found),
        more_labels_section(tables, found),
        robustness_section(tables, found),
        randomness_section(tables),
        cost_section(tables, found),
        provenance_section(tables),
        _gaps(tables),
    ]
    return Document(
        title=f"What is pretraining worth? Suite “{tables.manifest.suite}”",
        lead=_lead(tables.cells),
        sections=tuple(section for section in sections if section is not None),
    )


def _lead(cells: pd.DataFrame) -> str:
    status = cells["status"].value_counts()
    done = [f"{count(status[one])} {one}" for one in (SCORED, FAILED, NOT_RUN) if one in status]
    return (
        f"{counted(cells['task'].nunique(), 'task')}, each adapted by "
        f"{counted(cells['strategy'].nunique(), 'strategy', 'strategies')} to "
        f"{counted(cells['budget'].nunique(), 'label budget')} with {counted(cells['seed'].nunique(), 'seed')}: "
        f"{counted(len(cells), 'cell')}, {', '.join(done)}."
    )


def _answers(tables: Tables, found: Found, verdicts: Verdicts) -> Section:
    manifest = tables.manifest
    forecasts = more_labels_of(curves for several in found.values() for curves in several)
    sections = []
    for place, (task, several) in enumerate(found.items(), start=1):
        blocks: list[Block] = []
        if compared := comparison(several, manifest):
            blocks += [Paragraph("", lead="Which pretraining?"), Bullets(tuple(compared))]
        for curves in several:
            if len(several) > 1:
                blocks.append(Paragraph("", lead=backbone_title(manifest, curves.backbone)))
            said = sentences(curves, verdicts, forecasts[task, curves.backbone])
            blocks.append(Bullets(tuple(said)))
        title = f"{task_title(manifest, task)} ({direction(manifest.tasks[task].metric)})"
        sections.append(Section(f"answer-{place}", title, tuple(blocks)))
    return Section("answers", "Answers", (), tuple(sections), (Paragraph(METHOD, note=True),))


def _gaps(tables: Tables) -> Section | None:
    """Return which cells failed and why, reason by reason, how many were not run, and what cannot be."""
    cells = tables.cells
    failed, pending = cells[cells["status"] == FAILED], int((cells["status"] == NOT_RUN).sum())
    blocks: list[Block] = []
    if pending:
        text = f"{counted(pending, 'cell')} not run yet: the same run command goes on from here."
        blocks.append(Paragraph(text))
    if len(failed):
        groups = failed.groupby(["task", "backbone", "strategy", "varied", "reason"], observed=True, sort=False)
        rows = [
            (
                Value(task_title(tables.manifest, str(task))),
                Value(strategy_title(str(strategy))),
                Value(str(backbone)),
                Value(", ".join(group["budget"].sort_values().unique())),
                Value(", ".join(map(str, sorted(set(group["seed"])))), (_stream(str(varied)),)),
                Value(count(len(group)), order=len(group)),
                Value(str(reason), mark="failed"),
            )
            for (task, backbone, strategy, varied, reason), group in groups
        ]
        names = ("Task", "Strategy", "Backbone", "Label budgets", "Seeds")
        columns = (*map(Column, names), Column("Cells", numeric=True), Column("Reason"))
        blocks.append(Table(f"{counted(len(failed), 'cell')} failed", columns, tuple(rows), sortable=True))
    if tables.manifest.left_out or tables.manifest.need_labels or tables.manifest.other_data:
        blocks.append(_left_out(tables.manifest))
    return Section("missing", "Missing", tuple(blocks)) if blocks else None


def _left_out(manifest: Manifest) -> Table:
    """Return which strategies were left out, at which budgets, and why."""
    rows = tuple(
        (
            Value(task_title(manifest, one.task) if one.task in manifest.tasks else one.task),
            Value(strategy_title(one.strategy)),
            Value(one.backbone),
            Value(budgets),
            Value(capitalised(reason)),
        )
        for one, budgets, reason in (
            *((one, "any", reason) for one, reason in manifest.left_out.items()),
            *((one, str(NONE), reason) for one, reason in manifest.need_labels.items()),
            *((one, budgets, OTHER_DATA) for one, budgets in manifest.other_data.items()),
        )
    )
    columns = ("Task", "Strategy", "Backbone", "Label budgets", "Reason")
    return Table("Left out", tuple(map(Column, columns)), rows)


def _stream(varied: str) -> str:
    """Return which random stream alone follows the seed, nothing where all do."""
    return "" if varied == ALL_STREAMS else f"of the {varied} alone"
