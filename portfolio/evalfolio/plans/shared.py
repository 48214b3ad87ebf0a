"""Shared purchases of a mix: what was bought once, for which evals, and what it brings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.narrative import listing, price
from evalfolio.search.problem import Problem

COLUMNS = ("evals", "domains", "tiers", "days", "usd_p90", "usd_ceiling", "share_of_usd")


def shared_rows(problem: Problem, x: Array) -> pd.DataFrame:
    """Return one row per purchase that a choice makes, indexed by its name.

    Columns: evals (of the mix, that need it), domains and tiers (of all options that need it: where
    they are one, it is part of what that domain or tier takes), days, every resource, usd_p90,
    usd_ceiling (the most of its draws), share_of_usd, and value_if_dropped: what is lost without
    the purchase and all rows that need it.
    """
    menu, rows = problem.menu, []
    bought = np.flatnonzero(menu.bought(x) > 0.5)
    total, value = menu.use_of(x), problem.value(x) if len(bought) else 0.0
    for k in bought:
        each, needs = menu.shared[k], menu.needs[:, k] > 0
        use = dict(zip(menu.resources, menu.costs_with_shared[len(menu) + k].tolist(), strict=True))
        usd = use.get("usd", 0.0)
        draws = menu.draws_with_shared
        spends = np.array([usd])
        if draws is not None and "usd" in menu.resources:
            spends = draws[:, len(menu) + k, menu.resources.index("usd")]
        whole = total[menu.resources.index("usd")] if "usd" in menu.resources else 0.0
        rows.append(
            {
                "purchase": each.name,
                "evals": tuple(menu.options["eval"][needs & (x > 0.5)].astype(str)),
                "domains": tuple(menu.options["domain"][needs].astype(str).unique()),
                "tiers": tuple(menu.options["tier"][needs].astype(str).unique()),
                "days": each.days,
                **use,
                "usd_p90": float(np.quantile(spends, 0.9)),
                "usd_ceiling": float(spends.max()),
                "share_of_usd": usd / whole if whole > 0 else 0.0,
                "value_if_dropped": value - problem.value(np.where(needs, 0.0, x)),
            }
        )
    columns = ["purchase", *COLUMNS, *menu.resources, "value_if_dropped"]
    return pd.DataFrame(rows, columns=None if rows else columns).set_index("purchase")


def shared_in_words(menu: Menu, names: Sequence[str]) -> str:
    """Say what purchases take, each once; nothing where there is none.

    Examples
    --------
    >>> from evalfolio.examples import sharing_menu
    >>> shared_in_words(sharing_menu(), ["scaffold"])
    'scaffold ($1,000, 50 staff hours)'
    """
    told = [f"{each.name} ({price(each.use)})" for each in menu.shared if each.name in names]
    return listing(told)
