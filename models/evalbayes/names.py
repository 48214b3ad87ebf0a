"""Names a person typed, and the known name that is nearest to one that is not known."""

import difflib
import re
import sys
import unicodedata
from collections.abc import Callable, Collection, Iterable
from importlib import import_module
from pathlib import Path

from evalbayes.errors import InputError

# Drawn as nothing, or as a blank, though Unicode counts them as letters, marks or symbols.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | frozenset(
    chr(code) for code in (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10))
)
Hint = Callable[[str, Iterable[str]], str]  # how to mend a name
ONCE = "bought once for"  # what reports say before the evals of a shared purchase
_BREAKS = "\t\n\r"  # a line broken inside a cell
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def plain_name(name: str) -> str:
    r"""Return a name as it looks: invisible characters left out, any run of spaces as one.

    Two names that nobody can tell apart on a page are one: a no-break or thin space, a zero-width
    space, a soft hyphen or a mark of byte order makes no other eval of it, nor does an accent
    written as a mark of its own.

    >>> plain_name("cyb\u200bench") == plain_name(" cybench\xa0")
    True
    >>> plain_name("Model\u202fA")
    'Model A'
    """
    if name.isascii() and name.isprintable() and "  " not in name:
        return name.strip()
    return " ".join(without_odd_spaces(unicodedata.normalize("NFC", name)).split())


def without_odd_spaces(text: str) -> str:
    """Return text with spaces of every kind as plain ones, and what cannot be seen left out."""
    if text.isascii():
        return text.translate({ord(each): " " for each in _BREAKS})
    kept = []
    for each in text:
        kind = unicodedata.category(each)
        if kind in ("Zs", "Zl", "Zp") or each in _BREAKS:
            kept.append(" ")
        elif kind != "Cf" and each not in _UNSEEN:
            kept.append(each)
    return "".join(kept)


def control_character(text: str) -> str | None:
    r"""Return the first control character or half of a pair in text, or None.

    Such a character reaches terminals raw and breaks workbooks; a tab or a line break does not
    count, it is read as a space.

    >>> control_character("ctf\x1b[31m"), control_character("two\nlines")
    ('\x1b', None)
    """
    if text.isprintable():
        return None
    found = _CONTROL.search(text)
    return found[0] if found else None


def refuse_control(where: str, text: str) -> None:
    """Refuse text with a control character in it."""
    found = control_character(text)
    if found is not None:
        got = text if len(text) <= 80 else f"{text[:80]}..."
        raise InputError(
            f"{where}: text must hold no control characters, got {found!r} in {got!r}; delete it"
        )


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known name most like `name` but for case and blanks, or None if none is.

    >>> nearest("usd_per_runs", ["usd_per_run", "usd_per_unit"])
    'usd_per_run'
    """
    folded = {_folded(each): each for each in known}
    near = difflib.get_close_matches(_folded(name), folded, n=1, cutoff=cutoff)
    return folded[near[0]] if near else None


def cure(name: str, known: Iterable[str]) -> str:
    """Return how to mend a name that is not known: the nearest one, or all of them.

    >>> cure("cyberbench", ["cybench", "nyuctf"]), cure("x", ["cybench", "nyuctf"])
    ("did you mean 'cybench'?", 'use one of cybench, nyuctf')
    """
    known = tuple(known)
    near = nearest(name, known)
    return f"did you mean {near!r}?" if near else f"use one of {', '.join(sorted(known))}"


def plural(kind: str) -> str:
    """Return what the tables of a kind are called together.

    >>> plural("eval"), plural("study")
    ('evals', 'studies')
    """
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"


def refuse_unknown(where: str, got: Iterable[str], known: Iterable[str], what: str = "key") -> None:
    """Refuse the first name that is not known."""
    known = tuple(known)
    for name in got:
        if name not in known:
            raise InputError(
                f"{where}: every {what} must be a known one, got {name!r}; {cure(name, known)}"
            )


def refuse_other(name: object, known: Collection[str], must: str, hint: Hint = cure) -> None:
    """Refuse a name that is not known, as `must` says it has to be.

    >>> refuse_other("cyberbench", ["cybench"], "--eval must be one of the catalogue's")
    Traceback (most recent call last):
    evalbayes.errors.InputError: --eval must be one of the catalogue's, got 'cyberbench'; did you...
    """
    if name not in known:
        raise InputError(f"{must}, got {name!r}; {hint(str(name), known)}")


def _folded(name: str) -> str:
    return str(name).strip().lower().replace(" ", "_").replace("-", "_")


def homes(file: str) -> dict[str, str]:
    """Return where each public name of a package lives, as the stub beside its front door says."""
    stub = Path(file).with_suffix(".pyi").read_text(encoding="utf-8")
    return {name: home for home, name in re.findall(r"(?m)^from (\S+) import (\S+) as", stub)}


def front_door(
    package: str, file: str
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` of a package whose stub says its names.

    A name's module is imported when the name is first asked for, so that the command line answers
    at once (SPEC 1 of the scientific Python projects).
    """
    home_of = homes(file)

    def get(name: str) -> object:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(home_of[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return get, lambda: sorted(home_of), sorted(home_of)
