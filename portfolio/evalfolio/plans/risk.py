"""How spend and value of a mix may turn out, on the draws it was chosen on or on the others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.errors import InputError
from evalfolio.limits.group import refuse_other
from evalfolio.limits.uncertain import chosen_draws, use_draws
from evalfolio.objectives.terms import information_draws
from evalfolio.objectives.valuation import drawn_gains
from evalfolio.plans.evaluation import choice_vector


@dataclass(frozen=True)
class SpendRisk:
    """Spread of a mix's total use of a resource over draws.

    Parameters
    ----------
    expected, sd, p90
        Mean, sd and 90th percentile of the total, in the resource's unit.
    probability_above
        Share of draws in which the total exceeds the budget.
    tail_mean
        Mean of the worst totals (CVaR).
    tail_overspend
        Mean of the worst overspends, ``max(total - budget, 0)``.
    n_draws
        Number of draws.
    """

    expected: float
    sd: float
    p90: float
    probability_above: float
    tail_mean: float
    tail_overspend: float
    n_draws: int


def spend_risk(
    menu: Menu,
    options: Sequence[str],
    budget: float,
    *,
    resource: str = "usd",
    share: float = 0.1,
    without: int | None = None,
) -> SpendRisk:
    """Return how a mix's spend may turn out.

    InputError if an option or the resource is not the menu's, or there are no draws left.

    Parameters
    ----------
    menu
        A menu with `resource_draws`.
    options
        Ids of the options run.
    budget
        What the total is held against, in the resource's unit.
    resource
        One of the menu's.
    share
        Share of the draws that are the worst.
    without
        Leave out the draws that a limit with ``n_draws=without`` used: figures on the draws a
        mix was chosen on flatter it.
    """
    unknown = [name for name in options if name not in menu.options.index]
    if unknown:
        raise InputError(f"options must be ids of the menu, got {unknown[0]!r}; see menu.options")
    refuse_other(resource, menu.resources, "resource must be one of the menu's")
    drawn = menu.use_draws_of(choice_vector(menu, options), resource)
    total = _unseen(use_draws(menu, resource) if drawn is None else drawn, without)
    return SpendRisk(
        expected=float(total.mean()),
        sd=float(total.std(ddof=1)) if len(total) > 1 else 0.0,
        p90=float(np.quantile(total, 0.9)),
        probability_above=float(np.mean(total > budget * (1 + 1e-12))),
        tail_mean=tail_mean(total, share),
        tail_overspend=tail_mean(np.maximum(total - budget, 0.0), share),
        n_draws=len(total),
    )


@dataclass(frozen=True)
class ValueRisk:
    """Spread of a mix's value over posterior draws of the information.

    Parameters
    ----------
    mean, sd, q05
        Mean, sd and 5th percentile of the value, in the unit of the losses.
    tail_mean
        Mean of the least values (CVaR), what `tail_value` makes large.
    n_draws
        Number of draws.
    """

    mean: float
    sd: float
    q05: float
    tail_mean: float
    n_draws: int


def value_risk(
    menu: Menu, options: Sequence[str], *, share: float = 0.1, without: int | None = None
) -> ValueRisk:
    """Return how much a mix may be worth, as the curves behind the menu are uncertain.

    InputError if an option is not the menu's, or there are no draws left.

    Parameters
    ----------
    menu
        A menu with `information_draws`.
    options
        Ids of the options run.
    share
        Share of the draws that are the worst.
    without
        Leave out the draws that ``tail_value(n_draws=without)`` used: figures on the draws a mix
        was chosen on flatter it.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from evalfolio.examples import small_menu
    >>> menu = small_menu()
    >>> drawn = replace(menu, information_draws=np.stack([menu.information, menu.information / 2]))
    >>> risk = value_risk(drawn, ["a max"], share=0.5)
    >>> risk.tail_mean < risk.mean
    True
    """
    x = choice_vector(menu, options)
    draws = _unseen(information_draws(menu), without)
    value = drawn_gains(menu, draws, x).sum(axis=1)
    return ValueRisk(
        mean=float(value.mean()),
        sd=float(value.std(ddof=1)) if len(value) > 1 else 0.0,
        q05=float(np.quantile(value, 0.05)),
        tail_mean=-tail_mean(-value, share),
        n_draws=len(value),
    )


def _unseen(draws: Array, without: int | None) -> Array:
    """Return the draws that a mix was not chosen on, where so many were used for that."""
    if without is None:
        return draws
    left = np.delete(draws, chosen_draws(len(draws), without), axis=0)
    if not len(left):
        raise InputError(
            f"without={without} leaves no draw to check the mix on; choose on fewer draws"
        )
    return left


def tail_mean(values: Array, share: float) -> float:
    """Return the mean of the worst (largest) share of equally likely values.

    Where the share does not cut between two values, the last one counts in part, as in
    Rockafellar and Uryasev (2002).

    >>> tail_mean(np.array([1.0, 2.0, 3.0, 10.0]), 0.5)
    6.5
    >>> tail_mean(np.array([1.0, 2.0, 3.0, 10.0]), 0.375)
    7.666666666666667
    """
    worst = np.sort(values)[::-1]
    count = share * len(worst)
    weight = np.clip(count - np.arange(len(worst)), 0.0, 1.0)
    return float(weight @ worst / count)


def money_spends(menu: Menu, options: Sequence[str]) -> tuple[float, Array]:
    """Return a mix's expected use of usd, and its use under every draw: one where there is none."""
    if "usd" not in menu.resources:
        return 0.0, np.zeros(1)
    column, x = menu.resources.index("usd"), choice_vector(menu, options)
    expected = float(menu.costs_with_shared[:, column] @ menu.with_shared(x))
    drawn = menu.use_draws_of(x, "usd")
    return expected, np.array([expected]) if drawn is None else drawn
