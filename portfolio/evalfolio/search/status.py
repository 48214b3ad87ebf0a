"""How a search ended: what that means, and what to do about it."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """How a search ended.

    Examples
    --------
    >>> print(Status.TIME_LIMIT, "-", Status.TIME_LIMIT.cure)
    time limit - give it more time, or ask for a wider gap
    """

    CERTIFIED = "certified"
    TIME_LIMIT = "time limit"
    STALLED = "stalled"
    UNCERTIFIED = "uncertified"
    GREEDY = "greedy"
    INFEASIBLE = "infeasible"

    @property
    def meaning(self) -> str:
        """What it says of value, bound and gap."""
        return _WORDS[self][0]

    @property
    def cure(self) -> str:
        """What to do about it; nothing where all is well."""
        return _WORDS[self][1]


_WORDS = {
    Status.CERTIFIED: (
        "no mix within the limits beats it by more than the gap asked for",
        "",
    ),
    Status.TIME_LIMIT: (
        "time ran out; bound and gap are honest, but the gap is wider than asked for",
        "give it more time, or ask for a wider gap",
    ),
    Status.STALLED: (
        "the search could not close the gap; bound and gap are honest, but the gap is wider than "
        "asked for",
        "ask for a wider gap",
    ),
    Status.UNCERTIFIED: (
        "the bound failed its check against a known value, so no gap is claimed; the bound given "
        "is what running every option that fits by itself would be worth",
        "state costs and losses in units of like size, and report the case",
    ),
    Status.GREEDY: (
        "no search for the best; the bound is what running every option that fits by itself would "
        "be worth",
        "search with the method certified",
    ),
    Status.INFEASIBLE: ("no choice meets all limits", "loosen one of the limits that clash"),
}
