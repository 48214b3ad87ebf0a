"""Numbers, yes and no as people write them: one reader for tables, catalogues, limits, budgets."""

import math
import re
import unicodedata
from collections.abc import Iterable

from evalbayes.names import without_odd_spaces

DIGITS = "write it in digits, with a point before decimals and neither words nor units"
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
# Groups of three, all parted by one and the same mark; a group that begins with 0 is a decimal.
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:([,_' ])\d{3})(?:\1\d{3})*(?:\.\d*)?", re.ASCII)
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII)
_TELLING = re.compile(r"[+-]?(?:\d{4,}|\d*\.\d*(?:[eE][+-]?\d+)?|[1-9][\d,_' ]*\.\d+)", re.ASCII)
_DECIMAL_COMMA = re.compile(r"([+-]?)(\d*|[1-9]\d{0,2}(?:\.\d{3})+),(\d+)", re.ASCII)
_POINTS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3}){2,}", re.ASCII)
_WIDE = {chr(0xFF10 + digit): str(digit) for digit in range(10)}  # of East Asian keyboards
_SIGNS = str.maketrans({**_WIDE, "\u2212": "-", "\u2019": "'", "\u02bc": "'", "\u2032": "'",
                        "\uff0c": ",", "\uff0e": ".", "\uff05": "%"})  # fmt: skip


class NotANumber(ValueError):
    """Text that is no number, or may be two; `cure` says how to write what was meant."""

    def __init__(self, got: str, cure: str) -> None:
        super().__init__(f"must be a number, got {got!r}; {cure}")
        self.cure = cure


def numeral(words: str, *, percent: bool = False, decimal: bool = False) -> float:
    r"""Return the number that text stands for: `250000`, `2.5e5`, `250,000`, `$ 250 000`, `1'000`.

    A comma, blank, apostrophe or underline may only part groups of three digits, so `1,5` is
    refused: deleted, its comma would make it 15. `100.000` is refused too where nothing else tells
    whether the point parts decimals or, as in half of Europe, thousands. NotANumber if it is no
    finite number, or could be two. With `percent`, `20 %` is 0.2; with `decimal` a point is known
    to part decimals, so that `100.000` is 100.

    >>> numeral("19,682"), numeral("1 000 000"), numeral("7.5 %", percent=True)
    (19682.0, 1000000.0, 0.075)
    >>> numeral("1,5")
    Traceback (most recent call last):
      ...
    evalbayes.tables.numerals.NotANumber: must be a number, got '1,5'; a comma may only part ...
    """
    # Most cells of most tables are plain digits: they need none of what follows.
    if _PLAIN.fullmatch(words) and (decimal or not _EITHER.fullmatch(words)):
        return _finite(words, words, decimal=True)
    plain = without_odd_spaces(words).strip().translate(_SIGNS)
    if plain.startswith("$"):
        plain = plain[1:].lstrip()
    if percent and plain.endswith("%"):
        try:
            return _finite(words, plain[:-1].rstrip(), decimal=True) / 100
        except NotANumber as error:
            raise NotANumber(words, f"{error.cure} %") from None
    return _finite(words, plain, decimal=decimal)


def points_part_decimals(texts: Iterable[str]) -> bool:
    """Whether one text of a column shows that its points part decimals, as `0.5` and `2500` do."""
    plain = (text.strip() for text in texts)
    return any(_TELLING.fullmatch(text) and not _EITHER.fullmatch(text) for text in plain)


def _finite(words: str, plain: str, *, decimal: bool) -> float:
    """Return the number of text without spaces, currency or per cent sign around it."""
    if _EITHER.fullmatch(plain) and not decimal:
        small, large = plain.rstrip("0").rstrip("."), plain.replace(".", "")
        written = small if small != plain else f"{plain}0"
        raise NotANumber(words, f"it may mean {small} or {large}: write {written} or {large}")
    if not _PLAIN.fullmatch(plain):
        grouped = _GROUPED.fullmatch(plain)
        if not grouped:
            raise NotANumber(words, _cure(plain))
        plain = plain.replace(grouped[1], "")
    number = float(plain)
    if not math.isfinite(number):
        raise NotANumber(words, "write a finite number")
    return number


def _cure(plain: str) -> str:
    if plain.startswith("="):
        return "a formula must be calculated first: put its value there"
    comma = _DECIMAL_COMMA.fullmatch(plain)
    if comma:
        whole = comma[2].replace(".", "") or "0"
        return f"a comma may only part groups of three digits: write {comma[1]}{whole}.{comma[3]}"
    if _POINTS.fullmatch(plain):
        return f"a point may only stand before decimals: write {plain.replace('.', '')}"
    if plain.endswith("%"):
        return "no share in per cent can stand here; " + DIGITS
    return DIGITS


_YES = frozenset((
    "1", "true", "t", "yes", "y", "c", "correct", "pass", "passed", "solved", "resolved",
    "success", "succeeded", "successful", "ja", "wahr", "oui", "vrai", "si", "sí", "verdadero",
    "vero", "sim", "verdadeiro", "✓", "✔", "☑", "✅",
))  # fmt: skip
_NO = frozenset((
    "0", "false", "f", "no", "n", "i", "incorrect", "fail", "failed", "unsolved", "unresolved",
    "failure", "unsuccessful", "nein", "falsch", "non", "faux", "falso", "não", "✗", "✘", "✕",
    "❌",
))  # fmt: skip


def flag_of(value: object) -> bool | None:
    """Return what a flag says; None if neither yes nor no.

    >>> flag_of("Yes"), flag_of(0.0), flag_of("FALSCH"), flag_of("maybe")
    (True, False, False, None)
    """
    word = str(value)
    if not word.isascii():
        word = without_odd_spaces(unicodedata.normalize("NFKC", word))
    word = word.strip().lower()
    word = word[:-2] if word in ("0.0", "1.0") else word
    return True if word in _YES else False if word in _NO else None
