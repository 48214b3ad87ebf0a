"""A commented catalogue to start from, as TOML and as a workbook."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from evalbayes.catalogue.catalogue import Catalogue
from evalbayes.catalogue.reading import parse_catalogue
from evalbayes.catalogue.sheets import workbook_of
from evalbayes.errors import InputError
from evalbayes.whole import write_whole


def toml_template() -> str:
    """Return the commented catalogue as TOML.

    Examples
    --------
    >>> toml_template().splitlines()[0]
    '# A catalogue for evalfolio: what could be run, what it takes, and what is at stake.'
    """
    return (files("evalbayes.catalogue") / "template.toml").read_text(encoding="utf-8")


def template() -> Catalogue:
    """Return the catalogue that the template says."""
    return parse_catalogue(tomllib.loads(toml_template()), "template")


def write_template(path: str | Path) -> Path:
    """Write the template to a file ending in .toml or .xlsx, whole or not at all; return its path.

    Parameters
    ----------
    path
        File to write.

    Raises
    ------
    InputError
        If the ending is another one, or the file cannot be written.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in (".toml", ".xlsx"):
        raise InputError(
            f"{path}: a catalogue must be written to a file ending in .toml or .xlsx, got "
            f"{path.suffix or 'no ending'!r}; name it so"
        )
    if ending == ".xlsx":
        return write_xlsx_template(path)
    return write_whole(path, toml_template().encode("utf-8"))


def write_xlsx_template(path: str | Path) -> Path:
    """Write the template as a workbook, with what each key means as comments on the headers."""
    return write_whole(Path(path), workbook_of(tomllib.loads(toml_template()), explanations()))


def explanations() -> Mapping[str, str]:
    """Return what each key of the template means: the comments beside them.

    Examples
    --------
    >>> explanations()["tasks"]
    'how many tasks it has'
    """
    said: dict[str, str] = {}
    for line in toml_template().splitlines():
        assignment, hash_, comment = line.lstrip("# ").partition("  # ")
        key, equals, _ = assignment.partition(" = ")
        if hash_ and equals and key.isidentifier():
            said.setdefault(key, comment.strip())
    return said
