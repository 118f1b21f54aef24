"""The command `predict`: an exported model asked about files, texts and series."""

import json
import logging
from typing import Final

from bench.answers import Answers
from bench.commands.options import PredictOptions
from bench.domains.contract import Domain, Source
from bench.domains.registered import domain_named
from bench.errors import ConfigError
from bench.prediction.exported import Exported, read_exported
from bench.prediction.unlabelled import gather
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
            device=resolve_device(options.compute.device),
            trust_remote_code=options.trust_remote_code,
        )
        predictions = model.predict(asked.raw, decoders=default_decoders(1), memory_bytes=options.compute.memory_bytes)
        print(_shown(options, asked.sources, exported.target.answers(predictions, asked.raw, options.top)))
    return SOME_UNREAD if asked.problems else FINE


def _refuse(options: PredictOptions, exported: Exported) -> None:
    """Raise `ConfigError` for what does not go with the model, or if there is nothing to predict."""
    domain = domain_named(exported.task.domain)
    reader = domain.unlabelled
    if options.texts and not reader.texts:
        raise ConfigError(f"--text: the model in {options.folder} does not read texts: name files instead")
    if options.columns and reader.most_columns == 0:
        raise ConfigError(f"--column: the model in {options.folder} reads no tables: leave it out")
    if reader.most_columns is not None and len(options.columns) > reader.most_columns:
        count = "one column" if reader.most_columns == 1 else f"{reader.most_columns} columns"
        raise ConfigError(
            f"--column: {domain.noun.many} are in {count}, got {len(options.columns)}: name "
            f"{'one' if reader.most_columns == 1 else 'as many'}"
        )
    if options.top > 1 and not exported.target.ranks_answers:
        raise ConfigError(f"--top: the model in {options.folder} has one answer for each example: leave it out")
    if not options.files and not options.texts:
        raise ConfigError("nothing to predict: name files after the folder" + _also(domain))


def _also(domain: Domain) -> str:
    return ", - for lines of standard input, or a text with --text" if domain.unlabelled.texts else ""


def _shown(options: PredictOptions, sources: tuple[Source, ...], answers: Answers) -> str:
    if options.format == "json":
        return "\n".join(json.dumps(record, ensure_ascii=False) for record in as_records(sources, answers))
    return as_table(sources, answers)
