"""Yes and no, as people, programs and spreadsheets of several languages write them."""

from __future__ import annotations

import unicodedata

from evalbayes.names import without_odd_spaces

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

    Examples
    --------
    >>> flag_of("Yes"), flag_of(0.0), flag_of("FALSCH"), flag_of("maybe")
    (True, False, False, None)
    """
    word = str(value)
    if not word.isascii():
        word = without_odd_spaces(unicodedata.normalize("NFKC", word))
    word = word.strip().lower()
    word = word[:-2] if word in ("0.0", "1.0") else word
    return True if word in _YES else False if word in _NO else None
