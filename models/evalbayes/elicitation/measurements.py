"""Measurements of what elicitation added: the table that ships, and tables of one's own.

One row is one AI model (or the mean of several) before and after: `doublings` of the 50 % horizon
with a 95 % interval. The facts that ship, `gains.csv`, name their sources; status V was read at the
source, X in a copy by others, C computed from public results, M from memory.
"""

from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pandas as pd

from evalbayes.catalogue.population import measured
from evalbayes.errors import InputError
from evalbayes.observations.files import read_rows
from evalbayes.observations.rows import ABOVE_0, Rows, Rule

Z975 = 1.959964
SMALLEST_SE = 0.02
HOURS = {"mending": 16.0, "scaffold": 100.0, "prompting": 100.0, "post-training": 100.0}
HOURS["several"] = 400.0
LEVERS = (*HOURS, "spend", "attempts")
"""What was pulled. HOURS are typical staff hours where a study states none: two days of mending,
two to three engineer-weeks on one lever, a small team's months on several."""


def published_gains() -> pd.DataFrame:
    """Return the measurements that ship with the package, as `read_gains` gives them."""
    with as_file(files("evalbayes") / "elicitation" / "gains.csv") as path:
        return read_gains(path)


def read_gains(path: str | Path) -> pd.DataFrame:
    """Read a table of measurements: CSV, Parquet or a workbook.

    Columns: study, domain (by its name, as in a catalogue), lever (one of `LEVERS`), doublings, and
    its 95 % interval low, high. Where given also verifier (attempts were chosen, or fed back on, by
    the answer key), tools (0: the baseline had none), record (the best of many submissions),
    ai_models (how many a row is the mean of), staff_hours, multiplier (of tokens, time or
    attempts), released (year of the AI model's release, 2025.5). Returned are those, filled in, and
    `se` from the interval.
    """
    return pd.concat([_read(rows) for rows in read_rows(path)], ignore_index=True)


ABOVE_1 = Rule(lambda v: v > 1, "must be above 1")
YEAR = Rule(lambda v: (v > 2015) & (v < 2100), "must be a year such as 2025.5")


def _read(rows: Rows) -> pd.DataFrame:
    needed = ("study", "domain", "lever", "doublings", "low", "high")
    for column in needed:
        if not rows.has(column):
            raise InputError(
                f"{rows.source}: must have a column {column!r}, got "
                f"{', '.join(map(str, rows.frame.columns))}; a table of measurements needs "
                f"{', '.join(needed)}"
            )
    table = pd.DataFrame({name: rows.names(name) for name in needed[:3]})
    table["domain"] = [measured(name) or name for name in table["domain"]]
    unknown = ~table["lever"].isin(LEVERS).to_numpy() & (table["lever"] != "").to_numpy()
    rows.refuse(unknown, "lever", f"must be one of {', '.join(LEVERS)}", "write one of them")
    for name in needed[3:]:
        table[name] = rows.numbers(name, required=True, thousands=False)
    empty = "leave it empty where it is not known"
    for name, default in (("staff_hours", np.nan), ("ai_models", 1.0)):
        table[name] = rows.numbers(name, ABOVE_0, empty, default=default)
    times = "write how many times the baseline's tokens, time or attempts were used"
    table["multiplier"] = rows.numbers("multiplier", ABOVE_1, times)
    table["released"] = rows.numbers("released", YEAR, empty, thousands=False)
    for name, usual in (("verifier", 0.0), ("tools", 1.0), ("record", 0.0)):
        flags = rows.flags(name)
        table[name] = np.where(np.isnan(flags), usual, flags).astype(bool)
    inside = (table["low"] <= table["doublings"]) & (table["doublings"] <= table["high"])
    wide = inside & (table["low"] < table["high"])
    rows.refuse(
        (~wide).to_numpy(), "doublings", "must lie within low and high", "mend the 95 % interval"
    )
    rows.settle()
    table["se"] = np.maximum((table["high"] - table["low"]) / (2 * Z975), SMALLEST_SE)
    return table
