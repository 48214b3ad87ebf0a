"""Shared purchases: what several options need and is paid once, such as a scaffold or tools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from evalbayes.arrays import Array
from evalbayes.errors import InputError
from evalbayes.names import ONCE


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class SharedPurchase:
    """What is bought once for all chosen options that need it, and not at all where none is chosen.

    Parameters
    ----------
    name
        What it is called, unlike any option or other purchase of its menu.
    use
        Expected use by resource of the menu, 0 or more; of those left out it uses none.
    needed_by
        Names of the options that need it; they may need others too.
    days
        Calendar days it takes; the `days` of options that need it hold them.
    draws
        Use under the menu's `resource_draws`, of shape (n_draws, n_resources); None: as expected.
    told
        What reports say before its evals.

    Examples
    --------
    >>> print(SharedPurchase("ctf scaffold", {"usd": 2_000.0, "staff_hours": 80.0}, ("a max",)))
    ctf scaffold: usd 2,000, staff_hours 80, needed by 1 option
    """

    name: str
    use: Mapping[str, float]
    needed_by: tuple[str, ...]
    days: float = 0.0
    draws: Array | None = field(default=None, repr=False)
    told: str = ONCE

    def __post_init__(self) -> None:
        object.__setattr__(self, "needed_by", tuple(self.needed_by))

    def __str__(self) -> str:
        use = ", ".join(f"{name} {amount:,.10g}" for name, amount in self.use.items() if amount)
        count = len(self.needed_by)
        return f"{self.name}: {use or 'free'}, needed by {count} option{'s' * (count != 1)}"

    def among(self, options: pd.Index) -> "SharedPurchase":
        """Return the purchase as those of these options need it."""
        return replace(self, needed_by=tuple(n for n in self.needed_by if n in options))


def check_shared(
    shared: Sequence[SharedPurchase],
    options: pd.Index,
    resources: Sequence[str],
    resource_draws: Array | None,
) -> None:
    """Refuse purchases that do not fit a menu."""
    seen: set[str] = set()
    for each in shared:
        where = f"shared purchase {each.name!r}"
        if not isinstance(each.name, str) or not each.name or each.name in seen:
            raise InputError(f"{where}: its name must be text that no other has; rename it")
        if each.name in options:
            raise InputError(f"{where}: its name must not be an option's; rename it")
        seen.add(each.name)
        for name in each.needed_by:
            if name not in options:
                raise InputError(f"{where}: it must be needed by options of the menu, got {name!r}")
        if len(set(each.needed_by)) < len(each.needed_by):
            raise InputError(f"{where}: options that need it must be named once each; drop one")
        for name, amount in each.use.items():
            if name not in resources:
                raise InputError(
                    f"{where}: a resource must be one of {', '.join(resources)}, got {name!r}"
                )
            _refuse_amount(where, name, amount)
        _refuse_amount(where, "days", each.days)
        if each.draws is not None and resource_draws is not None:  # else nothing reads them
            wanted = (len(resource_draws), len(resources))
            if each.draws.shape != wanted:
                raise InputError(
                    f"{where}: draws must be of the shape (n_draws, n_resources) of the menu's "
                    f"resource_draws, {wanted}, got {each.draws.shape}"
                )
            if not np.isfinite(each.draws).all() or (each.draws < 0).any():
                raise InputError(f"{where}: draws must be finite numbers, 0 or more; mend them")


def _refuse_amount(where: str, name: str, amount: float) -> None:
    if not np.isfinite(amount) or amount < 0:
        raise InputError(
            f"{where}: {name} must be a finite number, 0 or more, got {amount}; mend the cost"
        )


def needs_of(shared: Sequence[SharedPurchase], options: pd.Index) -> Array:
    """Return 1 where an option needs a purchase, of shape (n_options, n_shared)."""
    needs = np.zeros((len(options), len(shared)))
    for column, each in enumerate(shared):
        needs[options.get_indexer(pd.Index(list(each.needed_by), dtype=object)), column] = 1.0
    return needs
