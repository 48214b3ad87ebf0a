"""Broken logs: why a log could not be read, in words that say what to do about it."""

from __future__ import annotations

import zipfile
from pathlib import Path

from evalbayes.tables.odd_files import what_it_is

LONGEST = 300


def in_words(error: BaseException, log: str) -> str:
    """Return why a log could not be read, on one line, and what to do.

    Examples
    --------
    >>> in_words(zipfile.BadZipFile("File is not a zip file"), "a.eval")
    'it is no whole .eval archive: cut short, or no Inspect log; copy it again or remove it'
    """
    text = one_line(error)
    if "://" not in log and Path(log).is_file() and not Path(log).stat().st_size:
        return "it is empty; copy it again or remove it"
    odd = what_it_is(Path(log)) if "://" not in log else None
    if odd is not None:
        return f"it is no log but {odd}"
    if not log.lower().endswith((".eval", ".json")):
        return "it is no Inspect log, whose names end in .eval or .json; remove it"
    if isinstance(error, RecursionError) or "recursion limit" in text:
        return "its JSON is nested too deep, as no log of Inspect is; remove it"
    if "surrogate" in text:
        return f"its text holds half a character ({text}); write it again"
    if isinstance(error, zipfile.BadZipFile):
        return (
            "it is no whole .eval archive: cut short, or no Inspect log; copy it again or remove it"
        )
    if type(error).__name__ == "ValidationError" and hasattr(error, "errors"):
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return f"it is no Inspect log ({place + ': ' if place else ''}{first['msg']}); remove it"
    if "EOF while parsing" in text:
        return f"its JSON is cut short ({text}); copy it again or remove it"
    if "version" in text and "log format" in text:
        return f"it was written by a newer Inspect ({text}); pip install --upgrade inspect_ai"
    return text


def one_line(error: BaseException, longest: int = LONGEST) -> str:
    """Return the error's text on one line, cut to a length that fits a table."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= longest else text[: longest - 1] + "…"
