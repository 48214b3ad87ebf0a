"""Uncertain costs: the chance that a total exceeds an amount, and the mean of the worst totals."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from evalbayes import Menu
from evalbayes.arrays import Array, Positions
from evalfolio.errors import InputError
from evalfolio.limits.amount import Checked, OfResource, in_words, whole_number
from evalfolio.limits.group import refuse_other
from evalfolio.limits.rows import Row, Rows, stack


@dataclass(frozen=True)
class ChanceLimit(Checked):
    """The total use of a resource exceeds an amount with at most a given probability.

    By draws, with a binary w_s for every draw allowed to exceed the amount R:
    ``c_s · x - M_s w_s <= R`` and ``mean(w) <= probability``, exact over the draws and sharp
    enough with a few hundred. The normal approximation, ``m · x + z·sqrt(x' C x) <= R`` with the
    draws' mean m and covariance C, is a second-order cone, met through its tangents
    (`rows` holds one, `cuts` gives more where a choice breaks it).

    InputError if a number is out of range, or (from `rows`) the menu has no draws of the resource.

    Parameters
    ----------
    at_most
        R, in the resource's unit.
    probability
        Chance of exceeding it that is put up with, above 0 and below 0.5.
    resource
        A resource of the menu, which must have `resource_draws`.
    by
        "draws" or "normal".
    n_draws
        Use only so many draws, evenly spaced, and keep the others to check the plan on.

    Examples
    --------
    >>> print(ChanceLimit(250_000, 0.05))
    at most 5 % chance that usd exceeds 250,000
    """

    at_most: float
    probability: float = 0.1
    resource: str = "usd"
    by: Literal["draws", "normal"] = "draws"
    n_draws: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.probability < 0.5:
            raise InputError(
                "ChanceLimit: probability must lie between 0 and 0.5, "
                f"got {self.probability!r}; 0.1 allows one draw in ten to exceed the amount"
            )
        if self.by not in ("draws", "normal"):
            raise InputError(f"ChanceLimit: by must be 'draws' or 'normal', got {self.by!r}")

    def __str__(self) -> str:
        most = in_words(self.at_most, "").strip()
        return f"at most {100 * self.probability:.4g} % chance that {self.resource} exceeds {most}"

    def rows(self, menu: Menu) -> Rows:
        """Return the rows by draws, or the first tangent of the cone."""
        draws = use_draws(menu, self.resource, self.n_draws)
        if self.by == "normal":
            return self._tangent(menu, self._quantile(draws, np.ones(draws.shape[1]))[1])
        above = worst_total(menu, draws) - self.at_most
        binary = np.flatnonzero(above > 0)  # the other draws can never exceed the amount
        n = len(draws)
        allowed = np.floor(self.probability * n + 1e-9) / n
        share = dict.fromkeys(range(len(binary)), 1.0 / n)
        rows = [Row(np.zeros(len(menu)), -np.inf, allowed, str(self), share)]
        rows += [
            Row(draws[s], -np.inf, self.at_most, str(self), {k: -float(above[s])})
            for k, s in enumerate(binary)
        ]
        return stack(menu, rows, n_extra=len(binary))

    def cuts(self, menu: Menu, x: Array) -> Rows | None:
        """Return a tangent of the cone that a choice breaks, or None where it breaks none.

        The tangent holds for every choice within the limit, since the cone is convex.
        """
        if self.by == "draws":
            return None
        draws, both = use_draws(menu, self.resource, self.n_draws), menu.with_shared(x)
        quantile, slope = self._quantile(draws, both)
        return None if quantile <= self.at_most * (1 + 1e-9) else self._tangent(menu, slope)

    @property
    def _z(self) -> float:
        return float(special.ndtri(1 - self.probability))

    def _quantile(self, draws: Array, x: Array) -> tuple[float, Array]:
        """Return the normal quantile of the total use of a choice, and its gradient there."""
        mean, factor = spread(draws)
        total = factor @ x
        length = float(np.linalg.norm(total))
        slope = mean + (self._z * factor.T @ total / length if length > 0 else 0.0)
        return float(mean @ x + self._z * length), slope

    def _tangent(self, menu: Menu, slope: Array) -> Rows:
        """Return a tangent of the quantile; it goes through 0 as the quantile does."""
        return stack(menu, [Row(slope, -np.inf, self.at_most, str(self))])


@dataclass(frozen=True)
class TailLimit(OfResource):
    """The mean of the worst totals of a resource, or of their excess over a budget, is bounded.

    CVaR over draws c_s, linear by Rockafellar and Uryasev (2000, eq. 17):
    ``η + sum_s u_s / (share · n) <= at_most, u_s >= c_s · x - above - η, u_s >= 0``, with η >= 0
    because neither a total nor an excess is negative.

    InputError if a number is out of range, or (from `rows`) the menu has no draws of the resource.

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


def use_draws(menu: Menu, resource: str, n_draws: int | None = None) -> Array:
    """Return draws of the use of a resource, of shape (n_draws, n_options + n_shared).

    They are all, or so many, evenly spaced. InputError if the menu has no draws or no such
    resource, or fewer draws than asked for.
    """
    refuse_other(resource, menu.resources, "resource must be one of the menu's")
    if resource == "usd" and menu.tariffs:
        raise InputError(
            "a limit on uncertain usd cannot follow a [[tariff]] yet; limit the expected usd"
        )
    every = menu.draws_with_shared
    if every is None:
        raise InputError(
            "a limit on uncertain costs needs a menu with resource_draws, but this one has none; "
            "make the menu with draws, or use a ceiling on the expected use"
        )
    return spaced(every[:, :, menu.resources.index(resource)], n_draws)


def spaced(draws: Array, n_draws: int | None) -> Array:
    """Return all draws, or so many, evenly spaced; InputError if there are fewer."""
    if n_draws is None:
        return draws
    wanted = whole_number("draws", "n_draws", n_draws)
    if not 1 <= wanted <= len(draws):
        raise InputError(f"n_draws must lie between 1 and the menu's {len(draws)}, got {wanted}")
    return draws[chosen_draws(len(draws), wanted)]


def chosen_draws(n_all: int, n_draws: int) -> Positions:
    """Return the positions of evenly spaced draws, of shape (n_draws,).

    >>> chosen_draws(10, 4)
    array([0, 2, 5, 7])
    """
    return np.asarray(np.arange(n_draws) * n_all // n_draws, dtype=np.intp)


def spread(draws: Array) -> tuple[Array, Array]:
    """Return the mean m and a factor F of the covariance, C = F' F, over the options."""
    mean = draws.mean(axis=0)
    return mean, (draws - mean) / np.sqrt(max(len(draws) - 1, 1))


def worst_total(menu: Menu, draws: Array) -> Array:
    """Return the most that any choice uses under each draw, of shape (n_draws,)."""
    codes, names = menu.options["eval"].factorize()
    total: Array = draws[:, len(menu) :].sum(axis=1)
    for code in range(len(names)):
        total += draws[:, : len(menu)][:, np.asarray(codes) == code].max(axis=1)
    return total
