"""How the columns of options and resources are named and formatted in the workbook."""

from __future__ import annotations

from collections.abc import Iterable

HEADS = {
    "option": ("Option", "text"),
    "eval": ("Eval", "text"),
    "domain": ("Domain", "text"),
    "tier": ("Tier", "text"),
    "cap": ("Cap per attempt", "cap"),
    "cap_unit": ("Cap unit", "text"),
    "attempts": ("Attempts per task", "count"),
    "tasks": ("Tasks", "count"),
    "effort": ("Effort", "unit"),
    "runs": ("Runs", "count"),
    "usd": ("USD expected", "usd"),
    "usd_p90": ("USD, 90 % sure", "usd"),
    "usd_ceiling": ("USD if all hit the cap", "usd"),
}
WIDTHS = {"option": 34, "eval": 22, "domain": 14, "tier": 16, "cap": 13, "cap_unit": 9, "usd": 14}


def head(name: str) -> tuple[str, str]:
    """Return the heading and the number kind of a column; other resources read as words.

    Examples
    --------
    >>> head("tasks"), head("staff_hours.bio")
    (('Tasks', 'count'), ('Staff hours (bio)', 'hours'))
    """
    return HEADS.get(name) or (resource_words(name), "hours")


def resource_words(name: str) -> str:
    """Return a resource's name as words.

    Examples
    --------
    >>> resource_words("usd"), resource_words("agent_hours")
    ('USD', 'Agent hours')
    """
    if name == "usd":
        return "USD"
    stem, _, skill = name.partition(".")
    words = stem.replace("_", " ")
    return words[:1].upper() + words[1:] + (f" ({skill})" if skill else "")


def width(name: str) -> float:
    """Return the width of a column in characters."""
    return WIDTHS.get(name, 12)


def names_width(names: Iterable[str], least: float, most: float = 60) -> float:
    """Return the width that shows every name whole, or `most` where one is longer.

    Examples
    --------
    >>> names_width(["cybench / plateau / 38 tasks x 3 / full cap"], least=34)
    46
    """
    return max(least, min(most, max(map(len, names), default=0) + 3))


def safe_name(name: str) -> str:
    """Return a resource's name as Excel allows it in a defined name.

    Examples
    --------
    >>> safe_name("staff_hours.bio"), safe_name("GPU hours (spot)")
    ('staff_hours.bio', 'GPU_hours__spot_')
    """
    return "".join(c if c.isalnum() or c in "._" else "_" for c in name)
