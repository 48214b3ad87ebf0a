"""`optimise`: the one verb that turns a menu and a budget into a plan."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.errors import InputError
from evalfolio.limits.budget import Contingency
from evalfolio.limits.limit import AnyLimit, as_limit
from evalfolio.objectives import Objective, as_objective, evsi
from evalfolio.objectives.valuation import direct_gains
from evalfolio.plans.left_out import least_useful_budget, left_out, next_steps, shared_rows
from evalfolio.plans.outlook import decision_outlook
from evalfolio.plans.plan import Plan
from evalfolio.search import Answer, Certified, Greedy, Method, Problem, Question
from evalfolio.search.changes import NOTHING, Changes
from evalfolio.value.sample_information import DecisionValue

LEAST_SHARE = 1e-4  # of an option: less is the solver's rounding
SHORT = Certified()  # what the words of the short form stand for where they are left out


def optimise(
    menu: Menu,
    *,
    budget: Mapping[str, float],
    constraints: Sequence[AnyLimit] = (),
    objective: str | Objective = "evsi",
    method: Literal["certified", "greedy", "convex"] | Method = "certified",
    gap: float = SHORT.gap,
    seed: int = SHORT.seed,
    time_limit: float | None = SHORT.time_limit,
    contingency: Contingency = 0.0,
) -> Plan:
    r"""Split the budget: maximise Σ_d G_d(v_d(x)) over whole choices x, with a certificate.

    The short form of ``answer(Question(menu, budget, ...), Certified(gap, time_limit, seed))``.

    Parameters
    ----------
    menu
        What can be bought.
    budget
        Ceiling on the expected use of each resource. One left out is unlimited.
    constraints
        Limits (`Mandatory`, `MinEvals`, ...) or cvxpy constraints that are affine or convex.
    objective
        "evsi": the expected value of the decisions the results are for. "variance" (A-optimality),
        "log-determinant" (D), "wrong-calls", "tail" (mean value of the worst tenth of the posterior
        draws; see `tail_value`), or a weighted sum of `evalfolio.objectives`; value and bound are
        then in the objective's own unit. Only "evsi" and "tail" know a lognormal elicitation gap;
        "wrong-calls" takes it as normal.
    method
        "certified": the global optimum with bound and gap. "greedy": instant; its bound is what
        running everything would be worth. "convex": the best split with options bought in part, by
        cvxpy, and a mix near it; `Plan.split` has the split. Or a value: `Certified(...)`,
        `Greedy()`, `Convex()`.
    gap, seed, time_limit
        Of `Certified`, where the method is given by name.
    contingency
        Share of the money that is kept back, or shares by resource.

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
    (<Status.CERTIFIED: 'certified'>, ('a max', 'b plateau'))
    """
    limits, aim = tuple(map(as_limit, constraints)), as_objective(objective)
    how = method_of(method, Certified(gap, time_limit, seed))
    return answer(Question(menu, budget, limits, aim, contingency), how)


def method_of(method: str | Method, words: Certified = SHORT) -> Method:
    """Return a way of searching given as one or by name.

    InputError if the name is not known, or a value comes with words of the short form. `words` is
    what "certified" stands for.
    """
    if not isinstance(method, str):
        if words != SHORT:
            raise InputError(
                f"gap, seed and time_limit must be left out beside a method given as {method!r}; "
                "write them into it"
            )
        return method
    if method == "convex":
        from evalfolio.search.convex.fractional import Convex

        return Convex()
    named: dict[str, Method] = {"certified": words, "greedy": Greedy()}
    if method not in named:
        raise InputError(f"method must be one of {', '.join(named)}, convex, got {method!r}")
    return named[method]


def answer(question: Question, method: Method = SHORT) -> Plan:
    """Return the plan that answers a question: what the method finds, explained.

    InfeasibleError if no choice meets all limits; the text names a smallest clash and what mends
    it.

    Parameters
    ----------
    question
        Menu, budgets, contingency, limits and objective.
    method
        `Certified`, `Greedy` or `Convex`.

    Examples
    --------
    >>> from evalfolio.examples import small_menu
    >>> answer(Question(small_menu(), {"usd": 1_200.0}, contingency=0.5), Greedy()).chosen
    ('a plateau',)
    """
    return explained(method.find(question))


def explained(found: Answer) -> Plan:
    """Return the plan of what a search found: what its options do and what is left out."""
    problem, x, question = found.problem, found.x, found.problem.question
    menu = problem.menu
    # Decisions are explained by what they lose and gain, whatever the choice was made for.
    own = question.objective == evsi()
    decisions = problem if own else Problem(replace(question, limits=(), objective=evsi()))
    outlook = decision_outlook(decisions, x)
    # What the stand-in for skewed gaps makes of the mix and what it is worth; what may be missed
    # by the stand-in is told on top of what it is worth.
    direct = own and any(not isinstance(worth, DecisionValue) for worth in problem.values)
    value = float(outlook["evsi"].sum()) if direct else found.value
    told, shares = replace(found, value=value, bound=value + (found.bound - found.value)), None
    if found.shares is not None:
        shares = pd.Series(found.shares, index=menu.options.index, name="share")
    changes = Changes.of(problem, x)
    return Plan(
        question=question,
        chosen=found.chosen,
        value=told.value,
        bound=told.bound,
        gap=told.gap,
        status=found.status,
        spend=dict(zip(menu.resources, menu.use_of(x).tolist(), strict=True)),
        shadow_prices=found.prices,
        evpi=problem.evpi,
        choices=_choices(problem, x, changes, direct),
        domains=outlook,
        not_chosen=left_out(problem, x, changes, found.prices),
        next_steps=next_steps(problem, x, changes),
        shared=shared_rows(problem, x),
        note="" if x.any() else least_useful_budget(problem, changes),
        split=None if shares is None else shares[shares > LEAST_SHARE].round(4),
        tree=found.tree,
    )


def _choices(problem: Problem, x: Array, changes: Changes, direct: bool) -> pd.DataFrame:
    """Return the chosen rows with share_of_usd and the value lost when only that row is dropped.

    The share is of all that is spent, shared purchases included.
    """
    menu = problem.menu
    frame = menu.options[x > 0.5].copy()
    if "usd" in menu.resources:
        usd = frame["usd"].to_numpy(dtype=np.float64)
        total = float(menu.use_of(x)[menu.resources.index("usd")])
        frame["share_of_usd"] = usd / total if total > 0 else 0.0
    frame["value_if_dropped"] = 0.0 - changes.added[changes.new == NOTHING]
    if direct:
        whole = direct_gains(menu, x).sum()
        less = np.array([x * (np.arange(len(x)) != row) for row in np.flatnonzero(x > 0.5)])
        lost = [whole - direct_gains(menu, each).sum() for each in less]
        frame["value_if_dropped"] = np.maximum(lost, 0.0)
    return frame
