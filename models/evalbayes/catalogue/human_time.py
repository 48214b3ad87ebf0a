"""Human task time in words, and its logarithm to base 2, the scale of capability."""

import math
import re
from collections.abc import Sequence
from typing import Any

from evalbayes.catalogue.interval import Interval
from evalbayes.tables.numerals import NotANumber, numeral

DOUBLINGS = "doublings of human task time"
"""The unit of a domain whose tasks have human times: log2 of minutes, one unit is one doubling."""

# Working time, as task times are: a day is 8 hours, a week 40, a month 167 (METR's convention).
MINUTES = {
    "s": 1 / 60, "sec": 1 / 60, "second": 1 / 60, "seconds": 1 / 60,
    "min": 1.0, "minute": 1.0, "minutes": 1.0,
    "h": 60.0, "hour": 60.0, "hours": 60.0,
    "day": 480.0, "days": 480.0,
    "week": 2_400.0, "weeks": 2_400.0,
    "month": 10_020.0, "months": 10_020.0,
}  # fmt: skip
WORKING_TIME = frozenset({"day", "days", "week", "weeks", "month", "months"})
_WORDS = re.compile(r"\s*([0-9].*?)\s*([a-z]+)\s*", re.IGNORECASE | re.ASCII)


def minutes_of(words: Any) -> float:
    """Read a human task time such as "8 h", "30 min" or "2 days" (of 8 working hours) in minutes.

    >>> minutes_of("8 h"), minutes_of("30 min"), minutes_of("2 days")
    (480.0, 30.0, 960.0)
    """
    match = _WORDS.fullmatch(words) if isinstance(words, str) else None
    unit = match[2].lower() if match else ""
    amount, cure = 0.0, "write"
    if match and unit in MINUTES:
        try:
            amount = numeral(match[1])
        except NotANumber as error:
            cure = f"{error.cure}, and"
    if unit not in MINUTES or amount <= 0:
        raise ValueError(
            f"must be a time in words, got {words!r}; {cure} for example "
            '"30 min", "8 h" or "2 days" (of 8 working hours)'
        )
    return amount * MINUTES[unit]


def is_working_time(words: Any) -> bool:
    """Whether a time is in days or more, so that hours per working day had to be assumed."""
    parts = [words] if isinstance(words, str) else words
    matches = (_WORDS.fullmatch(part) for part in parts)
    return any(match and match[2].lower() in WORKING_TIME for match in matches)


def threshold_of(words: Any) -> Interval:
    """Return a human task time, or a pair of them, as an interval of log2 minutes.

    >>> round(threshold_of("8 h").mid, 2)
    8.91
    >>> threshold_of(["32 min", "64 min"])
    Interval(low=5.0, high=6.0)
    """
    if isinstance(words, Sequence) and not isinstance(words, str):
        if len(words) != 2:
            raise ValueError(f"must be one time or two, [low, high], got {list(words)}")
        return Interval(*(math.log2(minutes_of(part)) for part in words))
    exact = math.log2(minutes_of(words))
    return Interval(exact, exact)


def in_words(minutes: float) -> str:
    """Write minutes of human time the way people say them.

    >>> in_words(480), in_words(0.05), in_words(42), in_words(5999.99)
    ('8 h', '3 s', '42 min', '100 h')
    """
    if minutes < 1:
        return f"{minutes * 60:.2g} s"
    if minutes < 99.5:  # above it two digits would read 1e+02
        return f"{minutes:.2g} min"
    hours = minutes / 60
    return f"{hours:.2g} h" if hours < 99.5 else f"{hours:.0f} h"
