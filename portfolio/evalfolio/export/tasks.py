"""The tasks drawn for every chosen option: `tasks.csv`."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from evalbayes.whole import whole_file
from evalfolio.record.record import Record

COLUMNS = ("option", "eval", "task", "attempts", "cap", "cap_unit", "effort")


def drawn(names: Sequence[str], n: int, *, seed: int, key: str) -> list[str]:
    """Draw `n` names without replacement, in an order of their own for every seed and key.

    Every task is equally likely, whatever its length or price: picking cheap tasks would bias the
    reading (tasks are cheap partly because they are easy). Draws are nested: a larger `n` adds
    tasks to those a smaller one has.

    Examples
    --------
    >>> few = drawn(["a", "b", "c", "d"], 2, seed=0, key="cybench")
    >>> few == drawn(["a", "b", "c", "d"], 3, seed=0, key="cybench")[:2]
    True
    """
    generator = np.random.default_rng([seed, zlib.crc32(key.encode())])
    return [names[i] for i in generator.permutation(len(names))[:n]]


def task_table(record: Record, task_names: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return one row per task to run, for the evals whose task names are known.

    Parameters
    ----------
    record
        The plan.
    task_names
        Names of all tasks of an eval, by eval.
    """
    rows = [
        (
            choice.option,
            choice.eval,
            task,
            choice.attempts,
            choice.cap,
            choice.cap_unit,
            choice.effort,
        )
        for choice in record.choices
        for task in drawn(
            task_names.get(choice.eval, ()),
            choice.tasks or 0,
            seed=record.provenance.seed,
            key=choice.eval,
        )
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def write_tasks_csv(
    record: Record, task_names: Mapping[str, Sequence[str]], path: str | Path
) -> Path:
    """Write `tasks.csv`, whole or not at all; return its path."""
    with whole_file(path) as partial:
        task_table(record, task_names).to_csv(partial, index=False, lineterminator="\n")
    return Path(path)
