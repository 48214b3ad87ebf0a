"""What each limit costs: the plan's value beside the value without that limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from evalbayes import Menu
from evalfolio.limits import as_constraint
from evalfolio.limits.amount import in_words
from evalfolio.limits.budget import check_budget
from evalfolio.plans.optimiser import search


def cost_of_limits(
    menu: Menu,
    *,
    budget: Mapping[str, float],
    constraints: Sequence[object] = (),
    gap: float = 1e-3,
    time_limit: float | None = None,
) -> pd.DataFrame:
    """Return what every budget and constraint costs: certified values with and without it.

    Parameters
    ----------
    menu
        The menu.
    budget
        Ceiling on the expected use of each resource.
    constraints
        Constraint objects or affine cvxpy constraints.
    gap
        Relative gap of every plan.
    time_limit
        Seconds for every plan.

    Returns
    -------
    pandas.DataFrame
        Indexed by limit, dearest first: value_without (all other limits held), cost (that less
        the value with all limits; 0 where the limit does not bind), bound_without, which no
        choice without the limit exceeds, and binds: yes, no, or "within the gap" where the
        certificate cannot tell.

    Raises
    ------
    InfeasibleError
        If no choice meets all limits; see `explain_infeasible` for what clashes.

    Examples
    --------
    >>> from evalfolio.limits import Forbidden
    >>> from evalfolio.examples import small_menu
    >>> table = cost_of_limits(small_menu(), budget={"usd": 8_000}, constraints=[Forbidden("b")])
    >>> list(table.index), list(table["binds"])
    (['budget of 8,000 usd', 'forbidden: b'], ['yes', 'yes'])
    """
    amounts = check_budget(budget, menu.resources)
    every = [as_constraint(thing) for thing in constraints]
    full = search(menu, amounts, every, gap=gap, time_limit=time_limit)[1]
    rows = []
    for name in [*amounts, *range(len(every))]:
        within = {key: value for key, value in amounts.items() if key != name}
        rest = [part for k, part in enumerate(every) if k != name]
        found = search(menu, within, rest, gap=gap, time_limit=time_limit)[1]
        # the plan with the limit is a plan without it too
        value = max(found.value, full.value)
        if value > full.bound:
            binds = "yes"
        elif found.bound - full.value <= gap * abs(found.bound):
            binds = "no"
        else:
            binds = "within the gap"
        if isinstance(name, str):
            limit = f"budget of {in_words(amounts[name], name)}"
        else:
            limit = str(every[name])
        rows.append((limit, value, max(value - full.value, 0.0), found.bound, binds))
    columns = ["limit", "value_without", "cost", "bound_without", "binds"]
    table = pd.DataFrame(rows, columns=columns).set_index("limit")
    return table.sort_values("cost", ascending=False, kind="stable")
