"""A mix in a file, as a person left it: a table with an option, or an eval and a tier, per row."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from evalbayes.observations.files import read_rows
from evalfolio.errors import InputError


def read_mix(path: str | Path) -> pd.DataFrame:
    r"""Return a mix's table, its cells as text, None where empty; empty rows are passed over.

    The index counts rows as a spreadsheet does, the headings being row 1.

    Raises
    ------
    InputError
        If the file is no CSV or .xlsx table, cannot be read, or has no row.

    Examples
    --------
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
    frame = rows.frame.map(lambda cell: None if cell is None else str(cell)).astype(object)
    frame.index = pd.Index(rows.row_numbers)
    return frame
