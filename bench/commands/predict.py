"""Owns `predict`: an exported model asked about files, texts and series."""

import argparse
import importlib
import json
import logging
from collections.abc import Iterable
from typing import Any, Final

from bench.errors import ConfigError
from bench.prediction.exported import Exported, read_exported
from bench.prediction.unlabelled import Source, gather
from bench.report.predictions import class_records, class_table, forecast_records, forecast_table
from bench.runtime.device import default_decoders, resolve_device
from bench.target import Classes, Outputs

FINE: Final = 0
SOME_UNREAD: Final = 1


def answer(options: argparse.Namespace) -> int:
    """Print what the model says of each example, and return the exit code: 1 if something could not be read."""
    exported = read_exported(options.folder)
    _refuse(options, exported)
    asked = gather(exported, options.files, texts=options.text, columns=options.column)
    for problem in asked.problems:
        logging.error("%s", problem)
    if asked.sources:
        models = importlib.import_module("bench.prediction.model")  # with the tensor library, seconds
        model = models.load_model(
            options.folder,
            exported,
            device=resolve_device(options.device),
            trust_remote_code=options.trust_remote_code,
        )
        predictions = model.predict(asked.raw, decoders=default_decoders(1))
        print(_shown(options, exported, asked.sources, predictions))
    return SOME_UNREAD if asked.problems else FINE


def _refuse(options: argparse.Namespace, exported: Exported) -> None:
    """Raise `ConfigError` for what does not go with the model, or if there is nothing to predict."""
    domain = exported.task.domain
    if options.text and domain != "text":
        raise ConfigError(f"--text: the model in {options.folder} does not read texts: name files instead")
    if options.column and domain not in ("text", "series"):
        raise ConfigError(f"--column: the model in {options.folder} reads no tables: leave it out")
    if domain == "text" and len(options.column) > 1:
        raise ConfigError(f"--column: texts are in one column, got {len(options.column)}: name one")
    if options.top > 1 and not isinstance(exported.target, Classes):
        raise ConfigError(f"--top: the model in {options.folder} forecasts and knows no classes: leave it out")
    if not options.files and not options.text:
        raise ConfigError("nothing to predict: name files after the folder" + _also(domain))


def _also(domain: str) -> str:
    return ", - for lines of standard input, or a text with --text" if domain == "text" else ""


def _shown(options: argparse.Namespace, exported: Exported, sources: tuple[Source, ...], predictions: Outputs) -> str:
    target = exported.target
    if isinstance(target, Classes):
        if options.format == "json":
            return _lines(class_records(sources, predictions, target.names, options.top))
        return class_table(sources, predictions, target.names, options.top)
    if options.format == "json":
        return _lines(forecast_records(sources, predictions))
    return forecast_table(sources, predictions)


def _lines(records: Iterable[dict[str, Any]]) -> str:
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records)
