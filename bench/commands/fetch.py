"""The command `fetch`: the data and weights of a suite, got while there is a network."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from bench_tasks.opening import fetch_task

from bench.backbones import catalog
from bench.backbones.cards import kept_files
from bench.backbones.descriptions import describe
from bench.commands.options import FetchOptions, SelectionOptions, SuiteOptions
from bench.commands.selection import choose_suite
from bench.config.data import DataSpec
from bench.errors import BenchError
from bench.files.downloads import size_on_disk
from bench.runtime.cache import Cache, default_cache

FINE: Final = 0
NOT_ALL: Final = 2


def main(options: FetchOptions) -> int:
    """Fetch all that a suite needs, tell of each thing in a line, and return the exit code: 2 if something failed."""
    cache = default_cache()
    failed = total = 0
    for name, fetch in _needed(options.suite, cache):
        total += 1
        try:
            print(f"{name}: {fetch()}", flush=True)
        except BenchError as error:
            failed += 1
            print(f"{name}: FAILED: {error}", flush=True)
    if failed:
        print(f"{failed} of {total} could not be fetched; the same command goes on from there")
        return NOT_ALL
    print(f"all {total} are here: what needs them now runs without a network, with HF_HUB_OFFLINE=1 too")
    return FINE


def _needed(options: SuiteOptions, cache: Cache) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield the name of everything that is asked for, with what fetches it and says how that went.

    That is what a suite or the data named need, or only backbones if nothing else is named.
    """
    backbones: Iterable[str] = options.backbones
    if options.name or options.own_data.address or options.tasks or not backbones:
        suite = choose_suite(SelectionOptions(suite=options), cache, shifts=False)
        for name, spec in {entry.task: entry.spec for entry in suite.entries}.items():
            yield name, partial(_task, name, spec, cache)
        backbones = [entry.backbone for entry in suite.entries]
    for name in dict.fromkeys(backbones):
        yield name, partial(_backbone, name, cache, trust_remote_code=options.trust_remote_code)


def _task(name: str, spec: DataSpec, cache: Cache) -> str:
    task, roots = fetch_task(name, spec, cache)
    return f"{task.card.title}, licence: {task.card.licence}{_where(roots)}"


def _backbone(name: str, cache: Cache, *, trust_remote_code: bool) -> str:
    card = describe(name, cache, trust_remote_code=trust_remote_code, large=True)
    if name == catalog.MINILM.name:  # whose card is known without its files
        from bench.backbones.loading import open_backbone  # noqa: PLC0415 (with the tensor library, seconds)

        open_backbone(name)
    size = f"{card.parameters / 1e6:.1f} M parameters"
    return f"{card.title}, {size}, licence: {card.licence}{_where(kept_files(name, cache))}"


def _where(roots: Sequence[Path]) -> str:
    """Return size and place of what was fetched; nothing for what comes with the project."""
    if not roots:
        return ", comes with the project or its packages"
    place = os.path.commonpath([path.absolute() for path in roots])
    return f", {sum(map(size_on_disk, roots)) / 2**20:,.1f} MiB in {place}"
