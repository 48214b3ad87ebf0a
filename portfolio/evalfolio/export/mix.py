"""Tables for other programs: the mix (`mix.csv`, `mix.parquet`), its tasks, menu and frontier."""

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.whole import write_whole
from evalfolio.narrative import SHARED, listing
from evalfolio.record.record import Choice, Record

BEFORE_RESOURCES = tuple(Choice.model_fields)[:-6]
AFTER_RESOURCES = tuple(Choice.model_fields)[-6:]  # what the mix makes of the row
DESCRIPTIONS = BEFORE_RESOURCES[BEFORE_RESOURCES.index("cap") :]  # columns of a menu too
CSV: dict[str, Any] = {"index": False, "lineterminator": "\n"}
WHOLE_NUMBERS = ("attempts", "tasks", "runs")


def other_resources(record: Record) -> list[str]:
    """Return the names of the plan's resources other than usd, in the menu's order."""
    return [name for name in record.spend if name != "usd"]


def mix_table(record: Record) -> pd.DataFrame:
    """Return the mix, one row per chosen option, columns in the order of `mix.csv`.

    Shared purchases come last, at the tier "shared elicitation" and without an eval, so that
    columns of resources add up to what the mix uses.
    """
    columns = [*BEFORE_RESOURCES, *other_resources(record), *AFTER_RESOURCES]
    rows = [dict(row) | {"instead": "; ".join(row.instead)} for row in record.to_run]
    rows += [
        dict(row)
        | {"option": row.name, "tier": SHARED, "reason": f"{row.told} {listing(row.evals)}"}
        for row in record.shared
    ]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype(dict.fromkeys(WHOLE_NUMBERS, "Int64") | {"firm": "boolean"})


def write_mix_csv(record: Record, path: str | Path) -> Path:
    """Write `mix.csv`, whole or not at all; return its path.

    Text is written as it is, so that `evalfolio score` reads the same names back.
    """
    return write_whole(Path(path), mix_table(record).to_csv(**CSV).encode())


def write_mix_parquet(record: Record, path: str | Path) -> Path:
    """Write the same table as Parquet, types kept, whole or not at all; return its path."""
    return write_whole(Path(path), mix_table(record).to_parquet(index=False))


def frontier_table(record: Record) -> pd.DataFrame:
    """Return one row per budget in usd with its mix."""
    columns = ["usd", "value", "share_of_evpi", "bound", "gap", "evals", "options"]
    rows = [
        {
            **point.model_dump(include={"usd", "value", "bound", "gap"}),
            "share_of_evpi": record.value.share(point.value),
            "evals": len(point.options),
            "options": "; ".join(point.options),
        }
        for point in record.points
    ]
    return pd.DataFrame(rows, columns=columns)


COLUMNS = ("option", "eval", "task", "attempts", "cap", "cap_unit", "effort")


def drawn(names: Sequence[str], n: int, *, seed: int, key: str) -> list[str]:
    """Draw `n` names without replacement, in an order of their own for every seed and key.

    Every task is equally likely, whatever its length or price: picking cheap tasks would bias the
    reading (tasks are cheap partly because they are easy). Draws are nested: a larger `n` adds
    tasks to those a smaller one has.

    >>> few = drawn(["a", "b", "c", "d"], 2, seed=0, key="cybench")
    >>> few == drawn(["a", "b", "c", "d"], 3, seed=0, key="cybench")[:2]
    True
    """
    generator = np.random.default_rng([seed, zlib.crc32(key.encode())])
    return [names[i] for i in generator.permutation(len(names))[:n]]


def task_table(record: Record, task_names: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return one row per task to run, for the evals whose task names are known.

    `task_names` are those of all tasks of an eval, by eval.
    """
    rows, seed = [], record.provenance.seed
    for choice in record.to_run:
        names = task_names.get(choice.eval, ())
        tasks = drawn(names, choice.tasks or 0, seed=seed, key=choice.eval)
        rows += [dict(choice) | {"task": task} for task in tasks]
    return pd.DataFrame(rows, columns=list(COLUMNS))
