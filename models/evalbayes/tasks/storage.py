"""Histories on disk: one .npz file of plain arrays, no pickle."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evalbayes.errors import InputError
from evalbayes.posterior.diagnostics import Diagnostics
from evalbayes.tasks.known import Known
from evalbayes.tasks.runs import TaskRuns
from evalbayes.tasks.table import TaskTable
from evalbayes.whole import write_whole

if TYPE_CHECKING:
    from evalbayes.tasks.history import TaskHistory

FORMAT = 1
TABLE = ("eval_level", "eval_of", "within")
KNOWN = ("node", "log_weight", "spend_mean", "spend_sd")
RUNS = ("task", "kind", "ln")
HISTORY = ("capability", "local", "model")


def save(history: TaskHistory, path: Path) -> Path:
    """Write a history, whole or not at all; return its path."""
    known, table = history.known, history.known.table
    head = {
        "format": FORMAT,
        "ai_models": history.ai_models,
        "evals": table.evals,
        "tasks": table.names,
        "centre": table.centre,
        "diagnostics": history.diagnostics.stored(),
        "provenance": dict(history.provenance),
    }
    arrays: dict[str, Any] = {"head": np.array(json.dumps(head))}
    for group, holder, names in (
        ("table", table, TABLE),
        ("known", known, KNOWN),
        ("runs", history.runs, RUNS),
        ("history", history, HISTORY),
    ):
        arrays |= {f"{group}.{name}": getattr(holder, name) for name in names}
    arrays |= {f"draws.{name}": value for name, value in known.draws.items()}
    content = BytesIO()
    np.savez_compressed(content, **arrays)
    return write_whole(path, content.getvalue())


def load(path: Path) -> tuple[Any, ...]:
    """Read the fields of a history, in their order."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            head = json.loads(str(stored["head"]))
            arrays = {name: stored[name] for name in stored.files if name != "head"}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path}: must be a history written by `TaskHistory.save`, but it cannot be read "
            f"({error}); fit again"
        ) from error
    if head.get("format") != FORMAT:
        raise InputError(
            f"{path}: format of the history must be {FORMAT}, got {head.get('format')}; fit again"
        )
    level, eval_of, within = (arrays[f"table.{name}"] for name in TABLE)
    names = tuple(head["tasks"])
    table = TaskTable(tuple(head["evals"]), level, eval_of, names, within, head["centre"])
    draws = {
        name.removeprefix("draws."): value
        for name, value in arrays.items()
        if name.startswith("draws.")
    }
    known = Known(table, draws, *(arrays[f"known.{name}"] for name in KNOWN))
    runs = TaskRuns(*(arrays[f"runs.{name}"] for name in RUNS))
    capability, local, model = (arrays[f"history.{name}"] for name in HISTORY)
    diagnostics = Diagnostics.restored(head["diagnostics"])
    ai_models = tuple(head["ai_models"])
    return ai_models, known, capability, local, runs, model, diagnostics, head["provenance"]
