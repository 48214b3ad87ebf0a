"""What one Inspect log says, as plain rows: read once, classified and priced later.

Headers and sample summaries are read first; whole samples only where an older log keeps token
usage nowhere else, where samples were invalidated by hand, where nothing seems to have been
answered, or where a person did the task.
"""

import contextlib
import hashlib
import io
import json
import logging
import os
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
from pyarrow import feather

from evalbayes.errors import InputError
from evalbayes.names import control_character
from evalfolio.readers.log_header import header_facts, maybe_silent, sample_facts, score_edits_of
from evalfolio.readers.log_size import LogSize, LogTooLargeError, log_size

# Everything large in a sample, left on disk when only usage, scores and limits are wanted.
_BULK = {"messages", "events", "events_data", "timelines", "store", "attachments", "files"}


@dataclass(frozen=True)
class LogFacts:
    """One log: `header` holds what concerns the whole run, `samples` one record per sample."""

    header: dict[str, Any]
    samples: list[dict[str, Any]]


def inspect_log_module() -> ModuleType:
    """Import `inspect_ai.log`, or say how to install it."""
    try:
        import inspect_ai.log
    except ImportError as error:
        raise InputError(
            "Inspect logs are read through inspect_ai, which is not installed; install it with "
            'pip install "evalfolio[inspect]".'
        ) from error
    return inspect_ai.log  # type: ignore[no-any-return] # the package is not followed by mypy


def read_log_facts(path: str, *, max_bytes: int) -> LogFacts:
    """Read one `.eval` or `.json` log: a file, or an address that inspect_ai understands.

    LogTooLargeError if more than `max_bytes`, unpacked, would have to be held in memory at once;
    on a broken file whatever inspect_ai raises.
    """
    log = inspect_log_module()
    size = log_size(path, max_bytes)
    with _quiet():
        if path.lower().endswith(".json"):
            whole = log.read_eval_log(path)
            header = header_facts(whole, size.written)
            return _sound(
                header, [sample_facts(s.summary(), s, header) for s in whole.samples or []]
            )
        read = log.read_eval_log(path, header_only=True)
        header = header_facts(read, size.written)
        records = []
        for summary in log.read_eval_log_sample_summaries(path):
            needed = read.invalidated or (header["usage"] and not summary.model_usage)
            useful = header["human"] or maybe_silent(summary, header)
            sample = None
            if (needed or useful) and size.fits(summary.id, summary.epoch):
                bulk = _BULK - {"store"} if header["human"] else _BULK
                sample = log.read_eval_log_sample(
                    path, summary.id, summary.epoch, exclude_fields=bulk
                )
            elif needed:
                raise LogTooLargeError(
                    f"sample {summary.id!r} must be at most {max_bytes / 1e6:,.0f} MB unpacked, as "
                    "this log keeps its usage nowhere else; raise max_megabytes"
                )
            records.append(sample_facts(summary, sample, header))
        return _sound(header, records + _superseded(path, size, header, records))


def _superseded(
    path: str, size: LogSize, header: dict[str, Any], counted: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return samples that another of the same id and epoch hides: Inspect reads the last alone.

    They take the identity of that one, so that they are its copies; ids `1` and `"1"` share a
    place in the archive, and are two samples.
    """
    if not size.superseded:
        return []
    from inspect_ai.log import EvalSample

    known = {(record["sample_key"], record["epoch"]): record["uuid"] for record in counted}
    records = []
    with zipfile.ZipFile(path) as archive:
        for entry in reversed(size.superseded):
            if entry.file_size > size.max_bytes:
                raise LogTooLargeError(
                    f"{entry.filename}, one of several of this name, must be at most "
                    f"{size.max_bytes / 1e6:,.0f} MB unpacked; raise max_megabytes"
                )
            with archive.open(entry) as member:
                given = json.load(member)
            bulk = _BULK - {"store"} if header["human"] else _BULK
            sample = EvalSample.model_validate({k: v for k, v in given.items() if k not in bulk})
            record = sample_facts(sample.summary(), sample, header)
            record["uuid"] = known.get((record["sample_key"], record["epoch"]), record["uuid"])
            records.append(record)
    return records


def _sound(header: dict[str, Any], records: list[dict[str, Any]]) -> LogFacts:
    """Refuse names that reach terminals and workbooks as commands, or cannot be written at all."""
    names = {"task": header["task"], "AI model": header["ai_model"], "solver": header["solver"]}
    ids = [("sample id", record["sample"]) for record in records]
    scorers = [("score", name) for record in records for name in json.loads(record["scores"])]
    for what, name in [*names.items(), *ids, *dict.fromkeys(scorers)]:
        if (control := control_character(name)) is not None:
            raise ValueError(
                f"every {what} must be text without control characters, got {control!r} in "
                f"{name!r:.60}; mend it where it was written"
            )
    return LogFacts(header, records)


def score_edits(path: str, sample: int | str, epoch: int, *, max_bytes: int) -> int:
    """Return how often the scores of a sample were edited by hand: summaries do not tell.

    Where the sample cannot be read again it is 0.
    """
    try:
        if not log_size(path, max_bytes).fits(sample, epoch):
            return 0
        with _quiet():
            whole = inspect_log_module().read_eval_log_sample(
                path, sample, epoch, exclude_fields=_BULK
            )
    except Exception:  # a broken sample may raise anything; then no edit of it is known
        return 0
    return score_edits_of(whole)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    # Old logs make inspect_ai warn of fields long renamed, and print about sandboxes that are
    # not installed here: neither concerns the reading of results.
    logger = logging.getLogger("inspect_ai")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


FORMAT = 4  # raise when LogFacts changes, so that older partial files are read anew

_TEXT = (
    *("sample", "sample_key", "uuid", "scores", "score_reasons", "usage", "roles", "limit"),
    *("error", "stop", "token_limit_type", "started"),
)
_NUMBERS = (
    *("total_seconds", "working_seconds", "human_seconds", "token_limit"),
    *("token_limit_usage", "time_limit", "human_minutes"),
)
_KINDS = {pa.string(): _TEXT, pa.int64(): ("epoch", "edits", "retries"), pa.float64(): _NUMBERS}
_KINDS[pa.bool_()] = ("invalidated", "silent")
SCHEMA = pa.schema([(name, kind) for kind, names in _KINDS.items() for name in names])


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
    """Return the header and the table of samples of one log."""
    try:
        table = feather.read_table(file, memory_map=False)
    except pa.ArrowInvalid as error:
        raise InputError(
            f"The partial result {file} is broken; delete it and import again."
        ) from error
    return json.loads(table.schema.metadata[b"header"]), table
