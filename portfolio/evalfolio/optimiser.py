"""`optimise`: the one verb that turns a menu and a budget into a plan."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalbayes import Menu
from evalfolio.certified import Certificate, certify
from evalfolio.cutting import solve_with_cuts
from evalfolio.errors import InputError
from evalfolio.greedy import greedy
from evalfolio.infeasible import check_feasible
from evalfolio.left_over import next_steps
from evalfolio.narrative import listing, percent, two_digits
from evalfolio.objectives import Objective, as_objective, evsi
from evalfolio.outlook import decision_outlook
from evalfolio.plan import Plan, words
from evalfolio.problem import Problem
from evalfolio.thrift import thrifty

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
    return _plan(*found, as_objective(objective))


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


def _plan(problem: Problem, found: Certificate, objective: Objective) -> Plan:
    menu, x = problem.menu, found.x
    evpi = problem.evpi
    # Decisions are explained by what they lose and gain, whatever the choice was made for.
    decisions = problem if objective == evsi() else Problem(menu, problem.budget)
    prices = prices_of(problem, found)
    least = 1e-12 * evpi if np.isfinite(evpi) else 0.0
    gap = (found.bound - found.value) / max(abs(found.bound), least, 1e-300)
    note = ""
    if not x.any():
        note = _least_useful_budget(problem)
    return Plan(
        menu=menu,
        chosen=tuple(str(name) for name in menu.options.index[x > 0.5]),
        value=found.value,
        bound=found.bound,
        gap=None if found.status == "uncertified" else gap,
        status=found.status,
        budget=dict(problem.budget),
        spend=dict(zip(menu.resources, (x @ menu.costs).tolist(), strict=True)),
        shadow_prices=prices,
        evpi=evpi,
        choices=_choices(problem, x),
        domains=decision_outlook(decisions, x),
        not_chosen=_not_chosen(problem, x, prices),
        next_steps=next_steps(problem, x),
        note=note,
        objective=repr(objective),
    )


def _choices(problem: Problem, x: Floats) -> pd.DataFrame:
    """Return the chosen rows with share_of_usd and the value lost when only that row is dropped."""
    menu = problem.menu
    chosen = np.flatnonzero(x > 0.5)
    frame = menu.options.iloc[chosen].copy()
    if "usd" in menu.resources:
        usd = frame["usd"].to_numpy(dtype=np.float64)
        frame["share_of_usd"] = usd / usd.sum() if usd.sum() > 0 else 0.0
    value = problem.value(x)
    lost = []
    for option in chosen:
        without = x.copy()
        without[option] = 0.0
        lost.append(value - problem.value(without))
    frame["value_if_dropped"] = lost
    return frame


def _not_chosen(problem: Problem, x: Floats, prices: Mapping[str, float]) -> pd.DataFrame:
    """Return, for every eval left out, its best option, why it is out and at what price it enters.

    An option pays when the value it adds covers its use of every budget at the shadow prices; the
    price at which it enters is the usd at which it just does.
    """
    menu = problem.menu
    total = problem.value(x)
    inside = set(problem.eval_codes[x > 0.5])
    out = np.flatnonzero([code not in inside for code in problem.eval_codes])
    columns = ["eval", "option", "value_added", "reason", "cost_to_enter"]
    if not len(out):
        return pd.DataFrame(columns=columns).set_index("eval")
    v = problem.explained.exchanged(x, np.full(len(out), -1), out)
    added = problem.values_of(v) - total
    use = {name: menu.costs[:, menu.resources.index(name)] for name in problem.resource_names}
    charge = sum((prices[n] * use[n][out] for n in use), np.zeros(len(out)))
    usd_price = prices.get("usd", 0.0)
    other = charge - (usd_price * use["usd"][out] if "usd" in use else 0.0)
    rows = []
    for code in dict.fromkeys(problem.eval_codes[out].tolist()):
        own = np.flatnonzero(problem.eval_codes[out] == code)
        best = own[np.argmax(added[own] - charge[own])]
        enter = (added[best] - other[best]) / usd_price if usd_price > 0 else None
        rows.append(
            {
                "eval": problem.evals[code],
                "option": menu.options.index[out[best]],
                "value_added": float(added[best]),
                "reason": _reason(problem, out[best], float(added[best]), total, use),
                "cost_to_enter": float(enter) if enter is not None and enter > 0 else None,
            }
        )
    return pd.DataFrame(rows, columns=columns).set_index("eval")


def _reason(
    problem: Problem, option: int, added: float, total: float, use: Mapping[str, Floats]
) -> str:
    if problem.allowed[option] == 0:
        over = [words(n) for n, u in use.items() if u[option] > problem.budget[n]]
        return f"its best option alone exceeds the budget of {listing(over) or 'a resource'}"
    share = added / total if total > 0 else 0.0
    amounts = [
        f"{percent(u[option] / problem.budget[n])} of the {words(n)}"
        for n, u in use.items()
        if problem.budget[n] > 0 and np.isfinite(problem.budget[n])
    ]
    price = f" for {listing(amounts)}" if amounts else ""
    return f"would add {percent(max(share, 0.0))} to the plan's value{price}"


def _least_useful_budget(problem: Problem) -> str:
    """Say what the nearest option that is worth anything needs, when nothing was chosen."""
    menu = problem.menu
    options = np.arange(len(menu))
    if not len(options):
        return "The menu holds no option."
    v = problem.explained.exchanged(np.zeros(len(menu)), np.full(len(menu), -1), options)
    worth = problem.values_of(v)
    useful = np.flatnonzero(worth > 1e-9 * problem.scale)
    if not len(useful):
        return "No option on the menu could change a call."
    names = problem.resource_names
    costs = menu.costs[:, [menu.resources.index(name) for name in names]]
    amounts = np.array([max(problem.budget[name], 1e-12) for name in names])
    short = (costs[useful] / amounts).max(axis=1, initial=0.0)
    nearest = useful[int(np.lexsort((costs[useful].sum(axis=1), short))[0])]
    needs = listing(
        [
            f"${two_digits(costs[nearest, k])}"
            if n == "usd"
            else f"{two_digits(costs[nearest, k])} {words(n)}"
            for k, n in enumerate(names)
        ]
    )
    return (
        f"The least useful budget is {needs}: what the option "
        f"{str(menu.options.index[nearest])!r} needs."
    )
