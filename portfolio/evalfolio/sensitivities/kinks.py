"""Kinks of a frontier: what enters the mix and what leaves it as the budget grows."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd

from evalbayes import Menu
from evalfolio.narrative import listing, two_digits, words


def changes(menu: Menu, points: pd.DataFrame, resource: str) -> list[str]:
    """Return a sentence for every amount at which the mix changes."""
    out = []
    for (_, before), (_, now) in pairwise(points.iterrows()):
        was, new = (menu.options.loc[list(row["options"])] for row in (before, now))
        if words_of := moves(was, new):
            out.append(f"By {two_digits(now['amount'])} {words(resource)}: {'; '.join(words_of)}.")
    return out


def moves(before: pd.DataFrame, now: pd.DataFrame) -> list[str]:
    """Say eval by eval what changed between two mixes, the chosen rows of one menu or of two."""
    was, new = (
        dict(zip(f["eval"].astype(str), f["tier"].astype(str), strict=True)) for f in (before, now)
    )
    same = set(before.index) & set(now.index)
    held = set(now.loc[now.index.isin(same), "eval"].astype(str))
    enters = [f"{e} ({new[e]})" for e in new if e not in was]
    leaves = [f"{e} ({was[e]})" for e in was if e not in new]
    kept = [e for e in new if e in was and e not in held]
    resized = [e for e in kept if was[e] == new[e]]
    moved = [f"{e} ({was[e]} to {new[e]})" for e in kept if e not in resized]
    parts = (
        (enters, "{} enters", "{} enter"),
        (leaves, "{} leaves", "{} leave"),
        (moved, "{} changes tier", "{} change tier"),
        (resized, "{} changes size", "{} change size"),
    )
    return [
        (one if len(names) == 1 else many).format(listing(names))
        for names, one, many in parts
        if names
    ]
