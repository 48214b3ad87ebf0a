"""TOML files, read with limits on their size and nesting."""

import tomllib
from pathlib import Path
from typing import Any

from evalbayes.errors import InputError
from evalbayes.tables.odd_files import told_by_beginning

MOST_BYTES = 20_000_000  # a catalogue of ten thousand evals has a tenth of it


def read_toml(path: Path, kind: str, cure: str) -> dict[str, Any]:
    """Return the tables of a TOML file in UTF-8.

    InputError if it cannot be opened, is another kind of file (told as what it is), no TOML in
    UTF-8, larger than 20 MB, or nested deeper than anyone writes by hand. Messages tell `kind`,
    what the file must be, and `cure`, what to do where it is not.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"{path}: must be a file that can be read, got {error.strerror}; check its name"
        ) from error
    zipped = content.startswith(b"PK\x03\x04")
    odd = "a workbook or an archive" if zipped else told_by_beginning(content)
    if odd is not None:
        raise InputError(f"{path}: must be TOML; it is {odd}")
    try:
        if len(content) > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES / 1e6:.0f} MB")
        return tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        deep = isinstance(error, RecursionError)
        why = "its brackets are nested too deep" if deep else error
        raise InputError(f"{path}: must be {kind}, got an error ({why}); {cure}") from None
