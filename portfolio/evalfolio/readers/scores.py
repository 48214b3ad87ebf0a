"""Scores of a sample as numbers, and which of several scorers counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from evalbayes.tables.numerals import flag_of
from evalfolio.readers.cells import without_control

_LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_LONGEST = 40  # characters of a score that is no number, as a note names it

Scored = float | str | None


def score_number(value: object) -> float | None:
    """Return a score as a number, or None where the sample counts as unscored.

    C, P, I and N (correct, partial, incorrect, no answer) are 1, 0.5, 0 and 0; booleans, words
    such as yes, true, correct and passed, and their opposites are 1 and 0; `85%` and `1/2` are
    shares; numbers stay, also below 0 and above 1. NaN, the mark Inspect writes for "not scored",
    other text and lists are None.

    Examples
    --------
    >>> [score_number(v) for v in ("C", "N", True, "Correct", "0.25", "85%", -1, "A", [1, 0])]
    [1.0, 0.0, 1.0, 1.0, 0.25, 0.85, -1.0, None, None]
    """
    if isinstance(value, str):
        number = _said(value.strip())
    elif isinstance(value, bool | int | float):
        number = float(value)
    else:
        return None
    return number if number is not None and isfinite(number) else None


def _said(text: str) -> float | None:
    if text in _LETTERS:
        return _LETTERS[text]
    said = flag_of(text) if len(text) > 1 else None  # one letter is an answer, not a verdict
    if said is not None or text.lower() == "partial":
        return 0.5 if said is None else float(said)
    share, per_cent, part = text.removesuffix("%"), text.endswith("%"), text.split("/")
    try:
        if len(part) == 2 and float(part[1]) > 0:
            return float(part[0]) / float(part[1])
        return float(share) / 100 if per_cent else float(text)
    except ValueError:
        return None


def score_numbers(scores: Mapping[str, Any] | None) -> dict[str, Scored]:
    """Return every score of a sample: a number, None for "not scored", text that is no number.

    A dict or a list of scores gives `scorer.key` or `scorer.0` each; a list as a whole is no
    number, as nothing tells which of its entries counts.

    Examples
    --------
    >>> from types import SimpleNamespace as Score
    >>> score_numbers({"match": Score(value="C"), "judge": Score(value={"a": 1, "b": "I"})})
    {'match': 1.0, 'judge.a': 1.0, 'judge.b': 0.0}
    >>> score_numbers({"match": Score(value=["C", "I"]), "choice": Score(value="E")})
    {'match': "['C', 'I']", 'match.0': 1.0, 'match.1': 0.0, 'choice': 'E'}
    """
    numbers: dict[str, Scored] = {}
    for name, score in (scores or {}).items():
        value = score.value
        if isinstance(value, Mapping):
            numbers |= {f"{name}.{key}": _number_or_text(v) for key, v in value.items()}
            continue
        numbers[name] = _number_or_text(value)
        if isinstance(value, Sequence) and not isinstance(value, str):
            numbers |= {f"{name}.{n}": _number_or_text(v) for n, v in enumerate(value)}
    return numbers


def score_reasons(scores: Mapping[str, Any] | None) -> dict[str, str]:
    """Return why a score is out of the ordinary, by scorer, where the log says so."""
    given = {name: getattr(score, "reason", None) for name, score in (scores or {}).items()}
    return {name: str(reason) for name, reason in given.items() if reason}


def _number_or_text(value: object) -> Scored:
    number = score_number(value)
    if number is not None or value is None or isinstance(value, bool | int | float):
        return number
    text = without_control(str(value))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def chosen_scorer(names: Sequence[str], headline: str | None, asked: str | None) -> str | None:
    """Return the score that counts: the asked one, the log's headline, or the first.

    `asked` may be the whole name (`judge.b`), the scorer (`judge`) or the key (`b`). None comes
    back if there is no score, or if the asked one is not among them.
    """
    if asked is not None:
        for candidate in names:
            if asked in (candidate, candidate.split(".", 1)[0], candidate.split(".", 1)[-1]):
                return candidate
        return None
    if headline is not None:
        for candidate in names:
            if headline in (candidate, candidate.split(".", 1)[0], candidate.split(".", 1)[-1]):
                return candidate
    return names[0] if names else None
