"""Uncertain costs: a ceiling on the mean of the worst totals (CVaR)."""

from dataclasses import dataclass

import numpy as np

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.limits.amount import OfResource, in_words
from evalfolio.limits.draws import use_draws
from evalfolio.limits.rows import Row, Rows, stack


@dataclass(frozen=True)
class TailLimit(OfResource):
    """The mean of the worst totals of a resource, or of their excess over a budget, is bounded.

    CVaR over draws c_s, linear by Rockafellar and Uryasev (2000, eq. 17):
    ``η + sum_s u_s / (share · n) <= at_most, u_s >= c_s · x - above - η, u_s >= 0``, with η >= 0
    because neither a total nor an excess is negative.

    Parameters
    ----------
    at_most
        Ceiling on the mean of the worst totals, or of their excess over `above`.
    share
        Which share of the draws is the worst, between 0 and 1.
    above
        0 for the totals themselves; a budget for the overspend ``max(total - budget, 0)``.
    resource
        A resource of the menu, which must have `resource_draws`.
    n_draws
        Use only so many draws, evenly spaced, and keep the others to check the plan on: the CVaR
        of the draws a plan was chosen on flatters it.

    Raises
    ------
    InputError
        If a number is out of range, or (from `rows`) the menu has no draws of the resource.

    Examples
    --------
    >>> print(TailLimit(20_000, share=0.1, above=250_000))
    mean of the worst 10 % of usd above 250,000 is at most 20,000 usd
    """

    at_most: float
    share: float = 0.1
    above: float = 0.0
    resource: str = "usd"
    n_draws: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.share < 1:
            raise InputError(
                f"TailLimit: share must lie between 0 and 1, got {self.share!r}; "
                "0.1 means the worst tenth of the draws"
            )

    def __str__(self) -> str:
        over = f" above {in_words(self.above, '').strip()}" if self.above else ""
        worst = f"mean of the worst {100 * self.share:.4g} % of {self.resource}{over}"
        return f"{worst} is at most {in_words(self.at_most, self.resource)}"

    def rows(self, menu: Menu) -> Rows:
        """Return the rows over the choice and the continuous η, u_1, ..., u_n."""
        draws = use_draws(menu, self.resource, self.n_draws)
        n = len(draws)
        mean = {0: 1.0} | {1 + s: 1.0 / (self.share * n) for s in range(n)}
        rows = [Row(np.zeros(len(menu)), -np.inf, self.at_most, str(self), mean)]
        rows += [
            Row(draws[s], -np.inf, self.above, str(self), {0: -1.0, 1 + s: -1.0}) for s in range(n)
        ]
        return stack(menu, rows, n_continuous=n + 1)
