r"""Which rows of a plan other draws would keep, and which rows are as good in their place.

Of mixes that Monte Carlo noise cannot tell apart none is better. With d the fall in value from the
best mix to another, and σ the paired noise of that fall:

- *exchangeable*: d ≤ 2.1 σ, or within the gap asked for. The mix of fewest evals among these is
  taken (an indifference zone as wide as the noise, Bechhofer 1954).
- *firm*: a row without which no mix comes within 4 σ. Another fit has its own noise and its own
  indifference zone: it leaves the row out only where d comes out 4 − 2.1 = 1.9 σ lower there,
  which is 1.3 standard errors of the difference of two fits.

The best mix without a row is a search of its own, and its bound is what counts: firm is proved for
every mix of the menu, not for some that were looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evalbayes import Menu
from evalbayes.halves import T_95
from evalfolio.errors import InfeasibleError
from evalfolio.limits import Forbidden, MaxEvals
from evalfolio.limits.limit import Limit
from evalfolio.narrative import listing
from evalfolio.plans.replicated import Replicated
from evalfolio.search.answer import Answer
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question

Floats = NDArray[np.float64]
Row = tuple[str, str]  # eval and tier

FIRM = 4.0  # standard errors
SUBSTITUTES = 3  # looked for in place of one row


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class FirmRows:
    """A mix chosen for its simplicity among equals, and how firm its rows are.

    Parameters
    ----------
    answer
        The mix, with the bound of the search for the best one.
    noise
        One Monte Carlo standard error of its value, in the unit of the losses.
    given_up
        Value given up against the best mix found, which the noise cannot tell from none.
    firm
        Rows (eval, tier) that no mix as good is without.
    instead
        For every other row what may stand in its place: sets of rows, any one of them; an empty
        set where the row may be left out for nothing.
    """

    answer: Answer
    noise: float
    given_up: float
    firm: tuple[Row, ...]
    instead: Mapping[Row, tuple[tuple[Row, ...], ...]]

    def sentences(self) -> list[str]:
        """Return what a reader needs to know of it."""
        value, wide = self.answer.value, T_95 * self.noise
        told = [f"Monte Carlo noise: the value is {value:.3g} ± {wide:.1g} (95 %)."]
        if self.firm:
            told.append(f"Firm, whatever the draws: {listing([_words(r) for r in self.firm])}.")
        for row, others in self.instead.items():
            ways = [listing([_words(r) for r in way]) for way in others if way]
            if len(ways) < len(others):
                told.append(f"{_words(row)} may be left out: the draws cannot tell the difference.")
            elif all(len(way) == 1 for way in others):
                told.append(f"Any one of these {len(ways) + 1}: {listing([_words(row), *ways])}.")
            else:
                told.append(f"In place of {_words(row)} as well: {'; or '.join(ways)}.")
        return told


def firm_rows(
    question: Question, method: Certified, rough: Certified | None = None
) -> FirmRows | None:
    """Return the simplest of the best mixes, and how firm each of its rows is.

    Parameters
    ----------
    question
        About a menu with replicates; None comes back without them.
    method
        How the mix is searched.
    rough
        How its rivals are; a search that ends before its proof calls no row firm. By default as
        the mix.

    Raises
    ------
    InfeasibleError
        If no choice meets all limits.
    """
    menu, gap = question.menu, method.gap
    if menu.replicates is None:
        return None

    def best(*more: Limit) -> Answer | None:
        try:
            return (rough or method).find(question.lean.under(*more))
        except InfeasibleError:
            return None

    found = method.find(question)
    top, value = found.x, found.value
    again = Replicated(menu, found.prices, top)
    x = top
    while (count := round(float(x.sum()))) > 1:
        fewer = best(MaxEvals("everything", count - 1))
        if fewer is None:
            break
        if value - fewer.value > max(T_95 * again.paired(top, fewer.x), gap * abs(value)):
            break
        x = fewer.x
    rows = rows_of(menu, x)
    firm: list[Row] = []
    instead: dict[Row, tuple[tuple[Row, ...], ...]] = {}
    for row in rows:
        ways: list[tuple[Row, ...]] = []
        barred = [row]
        while len(ways) < SUBSTITUTES:
            names = [name for each in barred for name in _options(menu, each)]
            barring = Forbidden(tuple(names))
            without = best(barring)
            if without is None:
                break  # a limit asks for one of these
            # The bound is within the gap of the rival's value: no mix without the row is better.
            far = max(FIRM * again.paired(top, without.x), gap * abs(value))
            if value - without.bound > far:
                break
            rival = without.x
            tidy = best(barring, MaxEvals("everything", len(rows)))
            if tidy is not None and value - tidy.value <= far:
                rival = tidy.x
            new = [each for each in rows_of(menu, rival) if each not in rows]
            ways.append(tuple(new))
            if not new:
                break
            barred.append(_dearest(menu, rival, new))
        if ways:
            instead[row] = tuple(ways)
        else:
            firm.append(row)
    return FirmRows(
        answer=replace(found, x=x, value=found.problem.value(x)),
        noise=again.noise(x),
        given_up=value - found.problem.value(x),
        firm=tuple(firm),
        instead=instead,
    )


def rows_of(menu: Menu, x: Floats) -> list[Row]:
    """Return eval and tier of every chosen option."""
    part = menu.options.loc[x > 0.5, ["eval", "tier"]].astype(str)
    return [(str(e), str(t)) for e, t in part.itertuples(index=False)]


def _options(menu: Menu, row: Row) -> list[str]:
    inside = (menu.options["eval"].astype(str) == row[0]) & (
        menu.options["tier"].astype(str) == row[1]
    )
    return [str(name) for name in menu.options.index[inside]]


def _dearest(menu: Menu, x: Floats, rows: Sequence[Row]) -> Row:
    """Return the row of a mix that takes most of any resource, against the menu's dearest."""
    share = (menu.costs / np.maximum(menu.costs.max(axis=0, initial=0.0), 1e-300)).max(axis=1)
    cost = dict(zip(rows_of(menu, x), share[x > 0.5].tolist(), strict=True))
    return max(rows, key=lambda row: (cost[row], row))


def _words(row: Row) -> str:
    return f"{row[0]} ({row[1]})"
