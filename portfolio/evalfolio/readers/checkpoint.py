"""Partial results of an import: one Arrow file per log read, found again by the file's state."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pyarrow as pa
from pyarrow import feather

from evalbayes.errors import InputError
from evalfolio.readers.log_facts import LogFacts

FORMAT = 4  # raise when LogFacts changes, so that older partial files are read anew

SCHEMA = pa.schema(
    [
        ("sample", pa.string()),
        ("sample_key", pa.string()),
        ("epoch", pa.int64()),
        ("uuid", pa.string()),
        ("scores", pa.string()),
        ("score_reasons", pa.string()),
        ("usage", pa.string()),
        ("roles", pa.string()),
        ("limit", pa.string()),
        ("error", pa.string()),
        ("invalidated", pa.bool_()),
        ("edits", pa.int64()),
        ("stop", pa.string()),
        ("silent", pa.bool_()),
        ("retries", pa.int64()),
        ("total_seconds", pa.float64()),
        ("working_seconds", pa.float64()),
        ("human_seconds", pa.float64()),
        ("token_limit", pa.float64()),
        ("token_limit_type", pa.string()),
        ("token_limit_usage", pa.float64()),
        ("time_limit", pa.float64()),
        ("human_minutes", pa.float64()),
        ("started", pa.string()),
    ]
)


def partial_file(folder: Path, log: str) -> Path:
    """Return where the facts of a log lie: named by its path, size and time of change."""
    key = f"{FORMAT}|{os.path.abspath(log) if '://' not in log else log}"
    if "://" not in log:
        state = os.stat(log)
        key += f"|{state.st_size}|{state.st_mtime_ns}"
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.arrow"


def write_facts(facts: LogFacts, file: Path) -> None:
    """Write the facts of one log, whole or not at all."""
    table = pa.Table.from_pylist(facts.samples, schema=SCHEMA)
    table = table.replace_schema_metadata({"header": json.dumps(facts.header)})
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    try:
        feather.write_feather(table, os.fspath(partial), compression="zstd")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def read_facts(file: Path) -> tuple[dict[str, object], pa.Table]:
    """Return the header and the table of samples of one log.

    InputError if the file is not such a table.
    """
    try:
        table = feather.read_table(file, memory_map=False)
    except pa.ArrowInvalid as error:
        raise InputError(
            f"The partial result {file} is broken; delete it and import again."
        ) from error
    return json.loads(table.schema.metadata[b"header"]), table
