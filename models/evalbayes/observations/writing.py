"""Writing observations to a file, whole or not at all."""

from __future__ import annotations

import gzip
from io import BytesIO
from pathlib import Path

import pandas as pd

from evalbayes.errors import InputError
from evalbayes.whole import write_whole

ENDINGS = (".csv", ".csv.gz", ".parquet", ".xlsx")


def write_observations(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write a table of observations as CSV (also gzipped), Parquet or workbook; return its path.

    The file is written whole or not at all. InputError if the ending is not known or the file
    cannot be written.
    """
    path = Path(path)
    ending = next((end for end in reversed(ENDINGS) if path.name.lower().endswith(end)), None)
    if ending is None:
        raise InputError(
            f"{path}: observations must be written to a file ending in {', '.join(ENDINGS)}, got "
            f"{path.suffix or 'no ending'!r}; name it so"
        )
    stream = BytesIO()
    if ending == ".parquet":
        frame.to_parquet(stream, index=False)
    elif ending == ".xlsx":
        frame.to_excel(stream, index=False, engine="xlsxwriter", sheet_name="observations")
    else:
        text = frame.to_csv(index=False).encode("utf-8")
        # mtime 0: the same rows give the same file
        stream.write(gzip.compress(text, mtime=0) if ending == ".csv.gz" else text)
    return write_whole(path, stream.getvalue())
