"""Owns `report.md`: the results as a page that reads well as it is and on a code host."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from bench.report.comparison import comparison
from bench.report.costs import PHASES, Costs
from bench.report.findings import Curves, sentences
from bench.report.leaderboard import shared_budgets
from bench.report.markdown import bold, escape, table
from bench.report.tables import FAILED, NOT_RUN, PROVENANCE_FIELDS, SCORED, SHARED_SECONDS, Tables
from bench.report.wording import (
    MISSING,
    backbone_titles,
    capitalised,
    count,
    counted,
    direction,
    duration,
    score,
    score_with_margin,
    strategy_title,
    task_title,
)

TINY: Final = 1e-9  # seconds
MOST_REASONS: Final = 20  # of failures shown; all are in results.csv


def write_page(tables: Tables, found: Mapping[str, list[Curves]]) -> str:
    """Return the page; `found` has the curves of each task."""
    parts = [
        _question(tables),
        _answers(tables, found),
        _leaderboard(tables),
        *(_task(tables, task, curves) for task, curves in found.items()),
        _gaps(tables.cells),
        _cost(tables),
        _provenance(tables),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _question(tables: Tables) -> str:
    manifest, cells = tables.manifest, tables.cells
    status = cells["status"].value_counts()
    done = [f"{count(status[one])} {one}" for one in (SCORED, FAILED, NOT_RUN) if one in status]
    return (
        f"# What is pretraining worth? Suite “{escape(manifest.suite)}”\n\n"
        f"{counted(cells['task'].nunique(), 'task')}, each adapted by "
        f"{counted(cells['strategy'].nunique(), 'strategy', 'strategies')} to "
        f"{counted(cells['fraction'].nunique(), 'label budget')} with {counted(cells['seed'].nunique(), 'seed')}: "
        f"{counted(len(cells), 'cell')}, {', '.join(done)}."
    )


def _answers(tables: Tables, found: Mapping[str, list[Curves]]) -> str:
    rows = ["## Answers"]
    for task, several in found.items():
        title, metric = escape(task_title(tables.manifest, task)), direction(tables.manifest.tasks[task].metric)
        cards = tables.manifest.backbones
        if compared := comparison(several, cards):
            rows.append(f"**{title}: which pretraining?** ({metric}). {' '.join(map(escape, compared))}")
        for curves in several:
            name = f"{title}, {escape(cards[curves.backbone].title)}" if len(several) > 1 else title
            rows.append(f"**{name}** ({metric}). {' '.join(map(escape, sentences(curves)))}")
    rows.append(
        "± is half of the 95 % interval over seeds. Strategies tie where the 95 % interval of their difference, paired "
        "by seed, holds zero; pretraining “helps” or “hurts” where it does not. Numbers of labels between budgets are "
        "read off the learning curves."
    )
    return "\n\n".join([*rows, "![All tasks](charts/overview.svg)"])


def _leaderboard(tables: Tables) -> str:
    """Return the leaderboard: a table for each set of rows over the same tasks."""
    board, parts = tables.leaderboard, ["## Leaderboard"]
    used = tables.curves.groupby("task", observed=True)["fraction"].nunique()
    shared = shared_budgets(tables.curves).groupby("task", observed=True)["fraction"].nunique().reindex(used.index)
    parts.append(
        "The area under the learning curve over the logarithm of the number of labels, on a scale where 0 is chance "
        "and 1 is perfect (for forecasts 0 is the seasonal naive, so this is the skill against it). "
        f"{MISSING}: a budget has no score, so there is no area."
        + ("" if (used == shared).all() else " Only budgets that were planned for every strategy of a task count.")
    )
    several = len(set(board.rows["backbones"])) > 1
    for _, rows in board.rows.groupby("scope", sort=False):
        areas = board.areas.loc[rows.index]
        names = [name for name in areas.columns if not several or areas[name].notna().any()]
        heading = ["Rank", "Strategy", *(["Backbone"] if several else [])]
        heading += [*(escape(task_title(tables.manifest, str(name))) for name in names), "Mean"]
        values = pd.concat([areas[names], rows["mean"].rename("")], axis=1)
        best = values.max()
        lines = [
            [
                MISSING if pd.isna(row["rank"]) else str(row["rank"]),
                escape(strategy_title(row["strategy"])),
                *([escape(row["backbones"])] if several else []),
                *(bold(score(area)) if area == best.get(name) else score(area) for name, area in line.items()),
            ]
            for row, line in zip(rows.to_dict("records"), values.to_dict("records"), strict=True)
        ]
        parts.append(table(heading, lines, left=3 if several else 2))
    return "\n\n".join(parts)


def _task(tables: Tables, task: str, found: list[Curves]) -> str:
    manifest = tables.manifest
    entry, title = manifest.tasks[task], escape(task_title(manifest, task))
    parts = [f"## {title}", f"![{title}](charts/{task}.svg)"]
    synthetic = " **These data are synthetic.**" if entry.card.synthetic else ""
    parts.append(f"{escape(entry.card.description)}{synthetic}")
    if entry.card.remarks:
        parts.append("Noticed, and left as it is:\n\n" + "\n".join(f"- {escape(one)}" for one in entry.card.remarks))
    for curves in found:
        parts.append(
            f"{capitalised(direction(entry.metric))}. Backbone: "
            f"{escape(backbone_titles(manifest, [curves.backbone]))}. "
            f"{capitalised(entry.metric.chance_title)}: {score(float(curves.points['chance'].max()))}. "
            f"Columns are numbers of {entry.label}."
        )
        parts.append(_scores(curves, list(manifest.strategies)))
    return "\n\n".join(parts)


def _scores(curves: Curves, strategies: Sequence[str]) -> str:
    """Return the table of scores: strategies by numbers of labels, the best of each budget in bold."""
    said: dict[Any, Any] = curves.points.to_dict("index")
    best = {n_labels: mean for n_labels in curves.budgets for mean in curves.ranking[n_labels]["mean"].head(1)}
    lines = []
    for name in strategies:
        if name not in {strategy for strategy, _ in said}:
            continue
        line = [escape(strategy_title(name))]
        for n_labels in curves.budgets:
            if (name, n_labels) not in said:
                line.append("")
                continue
            point = said[name, n_labels]
            text = score_with_margin(point["mean"], point["margin"])
            if 0 < point["n_seeds"] < point["n_seeds_planned"]:
                text += f" ({point['n_seeds']} of {point['n_seeds_planned']} seeds)"
            line.append(bold(text) if point["mean"] == best[n_labels] else text)
        lines.append(line)
    note = "\n\n± 0: the same for every seed." if (curves.points["margin"] == 0).any() else ""
    return table(["Strategy", *map(count, curves.budgets)], lines, left=1) + note


def _gaps(cells: pd.DataFrame) -> str:
    """Return which cells failed and why, reason by reason, and how many were not run."""
    failed, pending = cells[cells["status"] == FAILED], int((cells["status"] == NOT_RUN).sum())
    if failed.empty and not pending:
        return ""
    parts = ["## Missing"]
    if pending:
        parts.append(f"{counted(pending, 'cell')} not run yet: the same `run` command goes on from here.")
    if len(failed):
        groups = failed.groupby(["task", "backbone", "strategy", "reason"], observed=True, sort=False)
        lines = [
            [
                *(escape(str(one)) for one in (task, strategy, backbone)),
                ", ".join(f"{fraction:g}" for fraction in sorted(set(group["fraction"]))),
                str(len(group)),
                escape(str(reason)),
            ]
            for (task, backbone, strategy, reason), group in groups
        ]
        parts.append(f"{counted(len(failed), 'cell')} failed:")
        heading = ["Task", "Strategy", "Backbone", "Fractions", "Cells", "Reason"]
        parts.append(table(heading, lines[:MOST_REASONS], left=6))
        if len(lines) > MOST_REASONS:
            parts.append(f"… and {count(len(lines) - MOST_REASONS)} more, all in `results.csv`.")
    return "\n\n".join(parts)


def _cost(tables: Tables) -> str:
    scored = tables.cells[tables.cells["status"] == SCORED]
    if scored.empty:
        return ""
    shared = scored[list(SHARED_SECONDS)].sum(axis=1)
    costs = (
        scored.assign(shared=shared)
        .groupby("strategy", observed=True)
        .agg(
            cells=("seconds", "size"),
            total=("seconds", "sum"),
            median=("seconds", "median"),
            shared=("shared", "median"),
            trained=("trainable_parameters", "median"),
            peak=("peak_mib", "max"),
        )
    )
    lines = [
        [
            escape(strategy_title(str(strategy))),
            *(count(cost["cells"]), duration(cost["total"]), duration(cost["median"]), duration(cost["shared"])),
            *(count(cost["trained"]), count(cost["peak"])),
        ]
        for strategy, cost in costs.to_dict("index").items()
    ]
    heading = [
        "Strategy",
        "Cells",
        "Time, all",
        "Time, median",
        "Shared, median",
        "Trained parameters, median",
        "Peak MiB",
    ]
    return (
        f"## Cost\n\n{_phases(tables.costs)}\n\n{table(heading, lines, left=1)}\n\n"
        "“Shared” is what a cell uses and other cells use too: data and backbone loaded, frozen stages run over the "
        "examples, a linear head solved. Done once, it is in no cell's own time; alone a cell would have cost both."
    )


def _phases(costs: Costs) -> str:
    """Return the table of seconds by phase, over all processes, and what sharing saved."""
    lines = [
        [capitalised(title), duration(costs.spent[phase]), f"{costs.spent[phase] / max(costs.total, TINY):.0%}"]
        for phase, title in PHASES.items()
    ]
    lines.append([bold("All"), bold(duration(costs.total)), ""])
    saved = costs.alone - costs.total
    return (
        f"{table(['Phase', 'Time', 'Share'], lines, left=1)}\n\n"
        f"Times are added up over all processes. Had each cell done alone what it shares, it would have been "
        f"{duration(costs.alone)}: sharing saved {duration(saved)}, {saved / max(costs.alone, TINY):.0%}."
    )


def _provenance(tables: Tables) -> str:
    manifest, scored = tables.manifest, tables.cells[tables.cells["status"] == SCORED]
    parts = ["## Provenance"]
    if len(scored):
        columns = [*PROVENANCE_FIELDS, "device", "precision"]
        runs = scored.groupby(columns, sort=True).size().reset_index(name="cells")
        lines = [[*(escape(str(row[name])) for name in columns), count(row["cells"])] for _, row in runs.iterrows()]
        parts.append(table([*map(capitalised, columns), "Cells"], lines, left=len(columns)))
    tasks = [
        [escape(name), escape(card.source), escape(card.licence), escape(card.citation), f"`{card.sha256[:16]}`"]
        for name, card in ((name, entry.card) for name, entry in manifest.tasks.items())
    ]
    backbones = [
        [escape(card.name), escape(card.source), escape(card.licence), escape(card.citation), f"`{card.sha256[:16]}`"]
        for card in manifest.backbones.values()
    ]
    columns = ["Source", "Licence", "Citation", "SHA-256"]
    parts.append(table(["Task", *columns], tasks, left=5))
    parts.append(table(["Backbone", *columns], backbones, left=5))
    parts.append("Whole hashes are in `manifest.json`, every cell in `results.csv`, the curves in `curves.csv`.")
    return "\n\n".join(parts)
