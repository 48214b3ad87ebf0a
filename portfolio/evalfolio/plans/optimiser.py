"""`optimise`: the one verb that turns a menu and a budget into a plan."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.limits.cutting import solve_with_cuts
from evalfolio.limits.infeasible import check_feasible
from evalfolio.objectives import Objective, as_objective, evsi
from evalfolio.plans.left_out import least_useful_budget, left_out
from evalfolio.plans.left_over import next_steps
from evalfolio.plans.outlook import decision_outlook
from evalfolio.plans.plan import Plan
from evalfolio.search.certified import Certificate, certify
from evalfolio.search.changes import NOTHING, Changes
from evalfolio.search.greedy import greedy
from evalfolio.search.problem import Problem
from evalfolio.search.thrift import thrifty

Floats = NDArray[np.float64]

METHODS = ("certified", "greedy")


def optimise(
    menu: Menu,
    *,
    budget: Mapping[str, float],
    constraints: Sequence[object] = (),
    objective: str | Objective = "evsi",
    method: Literal["certified", "greedy"] = "certified",
    gap: float = 1e-3,
    seed: int = 0,
    time_limit: float | None = None,
) -> Plan:
    r"""Split the budget: maximise Σ_d G_d(v_d(x)) over whole choices x, with a certificate.

    Parameters
    ----------
    menu
        What can be bought.
    budget
        Ceiling on the expected use of each resource. One left out is unlimited.
    constraints
        Constraint objects (`Mandatory`, `MinEvals`, ...) or affine cvxpy constraints.
    objective
        "evsi": the expected value of the decisions the results are for. "variance" (A-optimality),
        "log-determinant" (D), "wrong-calls", "tail" (mean value of the worst tenth of the posterior
        draws; see `tail_value`), or a weighted sum of `evalfolio.objectives`; value and bound are
        then in the objective's own unit. Only "evsi" and "tail" know a lognormal elicitation gap;
        "wrong-calls" takes it as normal.
    method
        "certified": the global optimum with bound and gap. "greedy": instant; its bound is what
        running everything would be worth.
    gap
        Relative gap asked for.
    seed
        Same inputs and seed: same choices, on any number of threads.
    time_limit
        Seconds; None for as long as it takes. The best so far comes back with its honest bound.

    Returns
    -------
    Plan
        With value, bound and gap in the unit of the losses.

    Raises
    ------
    InputError
        If a budget, a constraint, the method or the gap is not what it must be.
    InfeasibleError
        If no choice meets all limits; the text names a smallest clash and what mends it.

    Examples
    --------
    >>> from evalfolio.examples import small_menu
    >>> plan = optimise(small_menu(), budget={"usd": 10_000, "staff_hours": 90})
    >>> plan.status, plan.chosen
    ('certified', ('a max', 'b plateau'))
    """
    check_search(gap, time_limit, method)
    found = search(
        menu,
        budget,
        constraints,
        objective=as_objective(objective),
        method=method,
        gap=gap,
        seed=seed,
        time_limit=time_limit,
    )
    plan = explained(*found, as_objective(objective))
    return replace(plan, limits=tuple(constraints))


def search(
    menu: Menu,
    budget: Mapping[str, float],
    constraints: Sequence[object] = (),
    *,
    objective: Objective | None = None,
    method: str = "certified",
    gap: float = 1e-3,
    seed: int = 0,
    time_limit: float | None = None,
) -> tuple[Problem, Certificate]:
    """Return what `optimise` finds before it is explained: all that a sweep of plans needs."""
    deadline = None if time_limit is None else time.monotonic() + time_limit

    def once(every: Sequence[object]) -> tuple[Problem, Certificate]:
        left = None if deadline is None else max(deadline - time.monotonic(), 1e-3)
        return _search_once(menu, budget, every, objective, method, gap, seed, left)

    return solve_with_cuts(once, lambda found: found[1].x, menu, constraints)


def _search_once(
    menu: Menu,
    budget: Mapping[str, float],
    constraints: Sequence[object],
    objective: Objective | None,
    method: str,
    gap: float,
    seed: int,
    time_limit: float | None,
) -> tuple[Problem, Certificate]:
    """Search under the rows that constraints have by themselves, cuts not yet added."""
    problem = Problem(menu, budget, constraints, objective)
    start = None
    if not problem.met(np.zeros(len(menu))):
        start = solve_with_cuts(
            lambda every: check_feasible(menu, budget, every), lambda x: x, menu, constraints
        )
    if method == "greedy":
        x = greedy(problem, start)
        prices = np.zeros(len(problem.budget))
        return problem, Certificate(x, problem.value(x), problem.scale, "greedy", prices, 0)
    found = certify(problem, gap=gap, time_limit=time_limit, seed=seed, feasible=start)
    if found.status == "certified" and not problem.n_extra:
        found = thrifty(problem, found, gap)
    return problem, found


def prices_of(problem: Problem, found: Certificate) -> dict[str, float]:
    """Return the value of one more unit of each limited resource, in the unit of the losses."""
    prices = found.prices * problem.scale / problem.price_units
    return dict(zip(problem.resource_names, prices.tolist(), strict=True))


def check_search(gap: float, time_limit: float | None, method: str = "certified") -> None:
    """Refuse a gap or a time limit that no search could keep.

    Raises
    ------
    InputError
        If `gap` is not strictly between 0 and 1, `time_limit` not above 0 seconds, or `method`
        not one of those there are.
    """
    if method not in METHODS:
        raise InputError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    if not 0 < gap < 1:
        raise InputError(
            f"gap must lie between 0 and 1, got {gap:g}; 0.001 is a tenth of a percent"
        )
    if time_limit is not None and not time_limit > 0:
        raise InputError(
            f"time_limit must be above 0 seconds, got {time_limit:g}; leave it out for no limit"
        )


def explained(problem: Problem, found: Certificate, objective: Objective) -> Plan:
    """Return the plan of what a search found, with what its options do and what is left out."""
    menu, x = problem.menu, found.x
    evpi = problem.evpi
    # Decisions are explained by what they lose and gain, whatever the choice was made for.
    decisions = problem if objective == evsi() else Problem(menu, problem.budget)
    prices = prices_of(problem, found)
    least = 1e-12 * evpi if np.isfinite(evpi) else 0.0
    gap = (found.bound - found.value) / max(abs(found.bound), least, 1e-300)
    changes = Changes.of(problem, x)
    note = ""
    if not x.any():
        note = least_useful_budget(problem, changes)
    return Plan(
        menu=menu,
        chosen=tuple(str(name) for name in menu.options.index[x > 0.5]),
        value=found.value,
        bound=found.bound,
        gap=None if found.status == "uncertified" else gap,
        status=found.status,
        budget=dict(problem.budget),
        spend=dict(zip(menu.resources, (x @ problem.costs).tolist(), strict=True)),
        shadow_prices=prices,
        evpi=evpi,
        choices=_choices(problem, x, changes),
        domains=decision_outlook(decisions, x),
        not_chosen=left_out(problem, changes, prices),
        next_steps=next_steps(problem, x, changes),
        note=note,
        objective=repr(objective),
    )


def _choices(problem: Problem, x: Floats, changes: Changes) -> pd.DataFrame:
    """Return the chosen rows with share_of_usd and the value lost when only that row is dropped."""
    menu = problem.menu
    frame = menu.options[x > 0.5].copy()
    if "usd" in menu.resources:
        usd = frame["usd"].to_numpy(dtype=np.float64)
        frame["share_of_usd"] = usd / usd.sum() if usd.sum() > 0 else 0.0
    frame["value_if_dropped"] = 0.0 - changes.added[changes.new == NOTHING]
    return frame
