"""A mix in a file, as a person left it: a table with an option, or an eval and a tier, per row."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from evalbayes import Menu
from evalbayes.names import plain_name
from evalbayes.observations.files import read_rows
from evalbayes.tables.numerals import NotANumber, numeral
from evalfolio.errors import InputError
from evalfolio.narrative import SHARED

# The most of each: beyond it a count or a cap is a slip of the pen.
COUNTS = {"tasks": 1e6, "attempts": 1e6, "runs": 1e9}
FIGURES = {**COUNTS, "cap": 1e15, "effort": 1.0}


def read_mix(path: str | Path, *, shared: bool = False) -> pd.DataFrame:
    r"""Return a mix's table, None where a cell is empty; empty rows are passed over.

    Counts, caps and efforts are numbers; all else is text, in which odd spaces count as plain ones.
    The index counts rows as a spreadsheet does, the headings being row 1. Rows of shared
    elicitation, which follow from the options, are left out unless they are asked for. InputError
    if the file is no CSV or .xlsx table, cannot be read, or has no row; if a count is no whole
    number from 1 to a million, a cap is not above 0 or an effort not from 0 to 1.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "mix.csv"
    >>> _ = file.write_text("option,usd\n,\na plateau,12\n")
    >>> read_mix(file).loc[3, "option"]
    'a plateau'
    """
    path = Path(path)
    if path.is_file() and not path.name.lower().endswith((".csv", ".xlsx")):
        raise InputError(
            f"{path}: a mix must be a file ending in .csv or .xlsx, got "
            f"{path.suffix or 'no ending'!r}; save it as one of these"
        )
    rows = read_rows(path)[0]
    cells = [[None if c is None else plain_name(str(c)) for c in row] for row in rows.frame.values]
    frame = pd.DataFrame(cells, columns=rows.frame.columns, dtype=object)
    frame.index = pd.Index(rows.row_numbers)
    if "tier" in frame and not shared:
        frame = frame[frame["tier"] != SHARED]
    for column in FIGURES:
        if column in frame:
            frame[column] = [_figure(path, *cell, column) for cell in frame[column].items()]
    return frame


def _figure(path: Path, row: object, text: str | None, column: str) -> float | None:
    if text is None:
        return None
    where, whole, most = f"{path} row {row}: {column}", column in COUNTS, FIGURES[column]
    try:
        value = numeral(text, decimal=True)
    except NotANumber as error:
        raise InputError(f"{where} {error}") from None
    least = 1.0 if whole else 0.0
    fits = least <= value <= most and (not whole or value == int(value))
    if not fits or (column == "cap" and value == 0):
        kind = "a whole number from 1" if whole else "a number above 0" if column == "cap" else "0"
        raise InputError(f"{where} must be {kind} to {most:,.0f}, got {text!r}; mend the cell")
    return value


def earlier_mix(path: str | Path, menu: Menu) -> tuple[tuple[str, ...], tuple[str, ...]]:
    r"""Return the options of a mix as the menu has them now, and what of it has no counterpart.

    A row whose option is not on the menu any more stands for the option of the same eval and tier
    with the nearest number of tasks (or the first, where the file has no tasks). InputError if the
    file cannot be read, names nothing, or nothing of it is on the menu. The file is CSV or .xlsx
    with a column `option`, or with `eval` and `tier`: e.g. an old mix.csv.

    >>> import tempfile
    >>> from evalfolio.examples import small_menu
    >>> file = Path(tempfile.mkdtemp()) / "mix.csv"
    >>> _ = file.write_text("eval,tier\na,plateau\nz,plateau\n")
    >>> earlier_mix(file, small_menu())
    (('a plateau',), ('z (plateau)',))
    """
    path = Path(path)
    table = read_mix(path)
    if "option" not in table and not {"eval", "tier"} <= set(table.columns):
        raise InputError(
            f"{path}: must have a column 'option', or 'eval' and 'tier', got "
            f"{', '.join(map(str, table.columns))}; start from a plan's mix.csv"
        )
    chosen: dict[str, str] = {}
    missing = []
    for row in table.to_dict("records"):
        option = _counterpart(menu, {str(key): value for key, value in row.items()})
        if option is None:
            missing.append(
                f"{row['eval']} ({row['tier']})" if "eval" in row else str(row["option"])
            )
        else:
            chosen[str(menu.options.loc[option, "eval"])] = option
    if not chosen:
        raise InputError(
            f"{path}: at least one row must be on the menu, but none is; "
            "name options, or evals and tiers, as the menu does"
        )
    return tuple(chosen.values()), tuple(missing)


def _counterpart(menu: Menu, row: dict[str, object]) -> str | None:
    if "option" in row and str(row["option"]) in menu.options.index:
        return str(row["option"])
    if not {"eval", "tier"} <= set(row):
        return None
    like: Sequence[bool] = (
        (menu.options["eval"] == row["eval"]) & (menu.options["tier"] == row["tier"])
    ).tolist()
    same = menu.options[like]
    if same.empty:
        return None
    tasks = row.get("tasks")
    if "tasks" in same and isinstance(tasks, float) and tasks == tasks:
        return str((same["tasks"].astype(float) - tasks).abs().idxmin())
    return str(same.index[0])
