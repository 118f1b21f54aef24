"""The command `predict`: an exported model asked about files, texts and series."""

import json
import logging
from typing import Final

from bench.answers import Answers
from bench.commands.options import PredictOptions
from bench.errors import ConfigError
from bench.prediction.exported import Exported, read_exported
from bench.prediction.unlabelled import Source, gather
from bench.report.predictions import as_records, as_table
from bench.runtime.device import default_decoders, resolve_device

FINE: Final = 0
SOME_UNREAD: Final = 1


def main(options: PredictOptions) -> int:
    """Print what the model says of each example, and return the exit code: 1 if something could not be read."""
    exported = read_exported(options.folder)
    _refuse(options, exported)
    asked = gather(exported, options.files, texts=options.texts, columns=options.columns)
    for problem in asked.problems:
        logging.error("%s", problem)
    if asked.sources:
        from bench.prediction.model import load_model  # noqa: PLC0415 (with the tensor library, seconds)

        model = load_model(
            options.folder,
            exported,
            device=resolve_device(options.device),
            trust_remote_code=options.trust_remote_code,
        )
        predictions = model.predict(asked.raw, decoders=default_decoders(1))
        print(_shown(options, asked.sources, exported.target.answers(predictions, asked.raw, options.top)))
    return SOME_UNREAD if asked.problems else FINE


def _refuse(options: PredictOptions, exported: Exported) -> None:
    """Raise `ConfigError` for what does not go with the model, or if there is nothing to predict."""
    domain = exported.task.domain
    if options.texts and domain != "text":
        raise ConfigError(f"--text: the model in {options.folder} does not read texts: name files instead")
    if options.columns and domain not in ("text", "series"):
        raise ConfigError(f"--column: the model in {options.folder} reads no tables: leave it out")
    if domain == "text" and len(options.columns) > 1:
        raise ConfigError(f"--column: texts are in one column, got {len(options.columns)}: name one")
    if options.top > 1 and not exported.target.ranks_answers:
        raise ConfigError(f"--top: the model in {options.folder} has one answer for each example: leave it out")
    if not options.files and not options.texts:
        raise ConfigError("nothing to predict: name files after the folder" + _also(domain))


def _also(domain: str) -> str:
    return ", - for lines of standard input, or a text with --text" if domain == "text" else ""


def _shown(options: PredictOptions, sources: tuple[Source, ...], answers: Answers) -> str:
    if options.format == "json":
        return "\n".join(json.dumps(record, ensure_ascii=False) for record in as_records(sources, answers))
    return as_table(sources, answers)
