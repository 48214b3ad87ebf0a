"""Other ways to spend the same budget, which the plan is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evalbayes import Menu


def even_split(menu: Menu, budget: Mapping[str, float]) -> tuple[str, ...]:
    """Return the mix that gives every eval the same share of every budget.

    Each eval runs the most informative option that its share pays for, with all that it shares;
    information is measured by trace(Σ K), the sum over states of information times prior variance.
    An eval whose share pays for nothing is left out.

    Examples
    --------
    >>> from evalfolio.examples import small_menu
    >>> even_split(small_menu(), {"usd": 2_000.0})
    ('a plateau', 'b plateau')
    """
    evals = menu.options["eval"].unique()
    limits = {name: amount / len(evals) for name, amount in budget.items()}
    alone = dict(zip(menu.resources, menu.costs_alone.T, strict=True))
    affordable = (
        np.all([alone[name] <= amount for name, amount in limits.items()], axis=0)
        if limits
        else np.ones(len(menu), dtype=bool)
    )
    worth = information_size(menu)
    chosen = []
    for name in evals:
        rows = np.flatnonzero((menu.options["eval"] == name).to_numpy() & affordable)
        if len(rows):
            chosen.append(str(menu.options.index[rows[np.argmax(worth[rows])]]))
    return tuple(chosen)


def information_size(menu: Menu) -> NDArray[np.float64]:
    """Return trace(Σ K) of every option, of shape (n_options,): unit-free size of information."""
    return np.asarray(np.einsum("oij,ji->o", menu.information, menu.prior_covariance))


def restricted(menu: Menu, tiers: Sequence[str]) -> Menu:
    """Return the menu with options of these tiers only."""
    return menu.subset(menu.options["tier"].isin(list(tiers)).to_numpy())
