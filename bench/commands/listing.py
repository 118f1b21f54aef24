"""`list`: what there is to measure."""

from bench_tasks import load_family

from bench.backbones import catalog, sources
from bench.backbones.descriptions import describe
from bench.commands.options import Heading, ListOptions
from bench.config.reading import CONFIG, Config, read_config
from bench.domains.registered import domain_of
from bench.registry import TASKS, names
from bench.runtime.cache import default_cache
from bench.strategy import BACKBONE, RIVALS, Strategy


def main(options: ListOptions) -> int:
    """Print suites, tasks, backbones and strategies, or what is asked for of them, and return the exit code."""
    config = read_config(options.config or CONFIG, names(TASKS))
    tables: dict[Heading, list[tuple[str, str]]] = {
        "suites": [(name, table.description) for name, table in config.suites.items()],
        "tasks": [(name, _about_task(config, name)) for name in config.tasks],
        "backbones": [(name, _about_backbone(name)) for name in catalog.names()] + sources.listed(),
        "strategies": [(name, _about_strategy(config.strategy(name))) for name in config.strategies],
    }
    for heading in [options.what] if options.what else tables:
        print(f"{heading}")
        for name, about in tables[heading]:
            print(f"  {name:<16} {about}" if len(name) <= 16 else f"  {name}\n  {'':<16} {about}")
    return 0


def _about_task(config: Config, name: str) -> str:
    spec = config.tasks[name].spec(name)
    if spec.address:
        per = f", scored by {spec.options.score_by}" if spec.options.score_by else ""
        return f"{domain_of(spec.family).name}{per}: {spec.options.title or spec.address}"
    task = load_family(spec.family)
    per = f", scored by {task.card.scored.name}" if task.card.scored else ""
    return f"{task.card.domain}, {task.target.metrics[0].card.title}{per}: {task.card.title}"


def _about_strategy(strategy: Strategy) -> str:
    if BACKBONE not in strategy.requires:
        network = ", but a small network in its place" if strategy.trained_fraction else ""
        instead = ", but a classical model in its place" if RIVALS in strategy.requires else network
        return f"{strategy.kind}: no backbone{instead}"
    begun = "pretrained" if strategy.start == "pretrained" else "from scratch"
    return f"{strategy.kind}: trains {strategy.trained_fraction:.0%} of the stages, {begun}"


def _about_backbone(name: str) -> str:
    card = describe(name, default_cache())
    return f"{card.domain}, {card.parameters / 1e6:.1f} M parameters, {len(card.stages)} stages: {card.title}"
