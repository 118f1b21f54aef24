"""Suffixes of files that are of no domain."""

from typing import Final

TABLE_SUFFIXES: Final = (".csv", ".tsv", ".parquet", ".jsonl")
