"""Value and price of the relaxation along one resource: one linear programme, many right sides."""

import numpy as np

from evalbayes.arrays import Array
from evalfolio.search import Problem, Question
from evalfolio.search.menu_relaxation import MenuRelaxation
from evalfolio.search.programme import Relaxed

STRIDE = 8  # amounts between those that are looked at first

CORNERS = 5e-4  # the gap whose over-estimates of G (to 1e-5 of the value) are taken
EVERY = 256  # segments: about all of an envelope, so that one programme serves every amount


def relaxed_line(
    question: Question, resource: str, amounts: Array, tolerance: float = 1e-4, by_odds: bool = True
) -> tuple[Array, Array]:
    """Return the relaxation's value and price of the resource at every amount.

    Options may be bought in part and G is its concave envelope over the odds of what is explained
    (see `evalfolio.search.odds`). Tangents found at any amount over-estimate at all of them, and so
    does the line that the dual prices of the linear programme there make: its bound is linear in
    the amount. The programme of the certified search, all corners of the envelopes in it, is solved
    at some amounts, each from the last one's basis, and then wherever the least of the lines is
    more than the tolerance above the chord between solved amounts. That least line is what comes
    back: concave, with its slope. Rounds stop when more tangents, or more amounts, could lower the
    value by no more than the tolerance, a share of it, each. Without `by_odds` the relaxation is
    that of the cone programme (`Relaxation`), which is looser. Amounts are as stated, as `frontier`
    has them, and ascend.

    Values in the unit of the losses and prices per unit of the resource, of shape (n_amounts,); NaN
    where not even parts of options meet the limits.

    >>> from evalfolio.examples import small_menu
    >>> values, prices = relaxed_line(Question(small_menu()), "usd", np.array([100.0, 1e3, 1e4]))
    >>> bool((np.diff(values) > 0).all() and (np.diff(prices) < 0).all())
    True
    """
    problem = Problem(question.within(**{resource: float(amounts[-1])}))
    row = problem.resource_names.index(resource)
    unit = float(problem.price_units[row])
    relaxation = MenuRelaxation(problem, gap=CORNERS, n_segments=EVERY, by_odds=by_odds)
    # of every amount the same share may be spent
    limits = np.asarray(amounts, dtype=np.float64) / max(float(amounts[-1]), 1e-300)
    lines = _Lines(limits)

    def look(k: int) -> None:
        lines.learn(k, relaxation.at_budget(row, float(limits[k]), tolerance), row)

    for k in (*range(len(limits) - 1, 0, -STRIDE), 0):
        look(k)
    while (k := lines.loosest(tolerance)) is not None:
        look(k)
    values, slopes = lines.least()
    return values * problem.scale, slopes * problem.scale / unit


class _Lines:
    """Dual lines over the amounts: none is below the relaxation, and their least is concave."""

    def __init__(self, limits: Array) -> None:
        self.limits = limits
        self._solved: dict[int, float] = {}  # value where the relaxation was solved
        self._empty = -1  # the largest amount at which nothing fits
        self._at: list[Array] = []  # every line at every amount
        self._slopes: list[float] = []

    def learn(self, k: int, answer: Relaxed | None, row: int) -> None:
        """Take the answer at an amount."""
        if answer is None:
            self._empty = max(self._empty, k)
            return
        slope = max(float(answer.prices[row]), 0.0)
        self._at.append(answer.bound + slope * (self.limits - self.limits[k]))
        self._slopes.append(slope)
        self._solved[k] = answer.bound

    def least(self) -> tuple[Array, Array]:
        """Return the least line's value and slope at every amount; NaN where nothing fits."""
        values, slopes = np.full(len(self.limits), np.nan), np.full(len(self.limits), np.nan)
        if self._at:
            at = np.array(self._at)
            first = at.argmin(axis=0)
            values, slopes = at.min(axis=0), np.array(self._slopes)[first]
        values[: self._empty + 1] = slopes[: self._empty + 1] = np.nan
        return values, slopes

    def loosest(self, tolerance: float) -> int | None:
        """Return the amount where the lines may be furthest above the relaxation, or None.

        It is concave too, so it is nowhere below the chord between two solved amounts.
        """
        unknown = np.ones(len(self.limits), dtype=bool)
        unknown[: self._empty + 1] = False
        known = sorted(self._solved)
        unknown[known] = False
        if not unknown.any():
            return None
        values, _ = self.least()
        if not known:
            return int(np.flatnonzero(unknown)[-1])
        heights = np.array([values[k] for k in known])
        chord = np.interp(self.limits, self.limits[known], heights, left=-np.inf)
        above = np.where(unknown, values - chord, -np.inf)
        k = int(above.argmax())
        return k if above[k] > tolerance * values[k] else None
