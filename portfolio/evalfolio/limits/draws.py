"""Draws of what options use of a resource, as limits on uncertain costs need them."""

import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Array, Positions
from evalfolio.errors import InputError
from evalfolio.limits.amount import whole_number
from evalfolio.limits.group import refuse_other


def use_draws(menu: Menu, resource: str, n_draws: int | None = None) -> Array:
    """Return draws of the use of a resource, of shape (n_draws, n_options + n_shared).

    They are all, or so many, evenly spaced. InputError if the menu has no draws or no such
    resource, or fewer draws than asked for.
    """
    refuse_other(resource, menu.resources, "resource must be one of the menu's")
    every = menu.draws_with_shared
    if every is None:
        raise InputError(
            "a limit on uncertain costs needs a menu with resource_draws, but this one has none; "
            "make the menu with draws, or use a ceiling on the expected use"
        )
    draws = every[:, :, menu.resources.index(resource)]
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
