"""What it is worth to know an assumed figure before the budget is split."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd

from evalfolio.search.answer import Method
from evalfolio.search.certified import Certified
from evalfolio.sensitivities.assumed import Assumed
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.scenarios import Scenarios, at_costs_of, held_costs
from evalfolio.sensitivities.solution import solve
from evalfolio.sensitivities.sweep import Sweep, inputs_hash

# Weights of the 5 %, 50 % and 95 % quantiles that give the mean of most distributions: extended
# Pearson-Tukey (Keefer & Bodily 1983, doi:10.1287/mnsc.29.5.595).
WEIGHTS = (0.185, 0.63, 0.185)
COLUMNS = ("name", "worth", "worth_low", "worth_high", "share")


def worth_of_knowing(
    basis: Basis,
    assumptions: Sequence[Assumed],
    *,
    method: Method = Certified(),
    sweep: Sweep | None = None,
) -> pd.DataFrame:
    """Return what knowing each figure would add to the plan, the others as assumed.

    E_φ[max_x V(x, φ)] − max_x E_φ[V(x, φ)] over the low end, the level in use and the high end,
    both sides certified: the EVPPI of the assumption for the choice of the mix. It counts what a
    better-chosen mix is worth, not what knowing the figure would do for the decisions themselves.
    Figures that change costs are left out (see `at_costs_of`).

    Returns
    -------
    pandas.DataFrame
        One row per figure, the one most worth knowing first: name, worth, worth_low, worth_high
        (what the gaps of the solves leave open), share (of the value planned without knowing).
    """
    figures = tuple(held_costs(basis, assumptions))
    task = partial(_worth, basis, figures, method)
    hashed = inputs_hash(basis.question, figures, method)
    rows = (sweep or Sweep()).run(task, list(range(len(figures))), inputs=hashed)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.sort_values("worth", ascending=False, kind="stable").reset_index(drop=True)


def _worth(
    basis: Basis,
    figures: tuple[Assumed, ...],
    method: Method,
    place: int,
) -> dict[str, Any]:
    assumed = figures[place]
    levels = {"mid": assumed.mid, "low": assumed.low, "high": assumed.high}
    menus = at_costs_of({word: basis.menu_under({assumed: v}) for word, v in levels.items()})
    weights = (WEIGHTS[1], WEIGHTS[0], WEIGHTS[2])
    settled = [solve(basis.question.on(menu), method) for menu in menus.values()]
    several = Scenarios(menus, weights)
    one = solve(basis.question.on(several.weighted(weights)), method)
    # the mix for all levels may serve one of them better than that level's own search found
    held = several.values(one.options)
    knowing = sum(
        w * max(s.value, float(v)) for w, s, v in zip(weights, settled, held, strict=True)
    )
    most = sum(w * s.bound for w, s in zip(weights, settled, strict=True))
    return {
        "name": assumed.name,
        "worth": max(knowing - one.value, 0.0),
        "worth_low": max(knowing - one.bound, 0.0),
        "worth_high": max(most - one.value, 0.0),
        "share": max(knowing / one.value - 1, 0.0) if one.value > 0 else 0.0,
    }
