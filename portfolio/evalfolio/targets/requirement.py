"""`require`: the least of a resource for a target."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.errors import InfeasibleError, InputError
from evalfolio.limits.amount import evals
from evalfolio.limits.budget import Contingency
from evalfolio.limits.group import refuse_other
from evalfolio.limits.limit import AnyLimit, as_limit
from evalfolio.limits.target import Target
from evalfolio.narrative import listing, percent, price, two_digits, wrong_calls_in_words
from evalfolio.plans.outlook import decision_outlook
from evalfolio.search import Answer, Certified, Problem, Question, Status
from evalfolio.targets.least_cost import cheapest_within, least_programme
from evalfolio.targets.stated import (
    KINDS,
    Targets,
    deep_of,
    names_of,
    spend_of,
    targets_of,
    working_days_of,
)

MAX_BISECTIONS = 60
USUAL_GAP = 1e-3
TIGHT_GAP = 1e-6  # where a plan's value and bound lie on either side of the target


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Requirement:
    """The least programme for a target.

    Parameters
    ----------
    resource
        What is kept least.
    need
        How much of it the programme uses, in its unit.
    bound
        No programme that meets the target uses less.
    chosen
        Ids of the options run.
    spend
        Use of every resource.
    value
        Expected value of the decisions the programme's results are for.
    domains
        One row per decision; see `Plan.domains`.
    status
        Certified where the gap asked for was reached, else stalled: need and bound are honest.
    note
        Which rows are of domains without a target, and why they tell of one that has; else empty.
    deep_evals, working_days
        How many evals are run at max elicitation, and the days of the longest row, five of seven
        calendar days; None where the menu does not say days.
    """

    resource: str
    need: float
    bound: float
    chosen: tuple[str, ...]
    spend: Mapping[str, float]
    value: float
    domains: pd.DataFrame
    status: Status
    note: str = ""
    deep_evals: int = 0
    working_days: float | None = None

    @property
    def gap(self) -> float:
        """(need - bound)/need, 0 where nothing is needed."""
        return (self.need - self.bound) / self.need if self.need > 0 else 0.0

    def __str__(self) -> str:
        if not self.chosen:
            said = f"Nothing has to be run: the target holds already, with 0 {self.resource}."
            return f"{said} {self.note}".strip()
        calls = wrong_calls_in_words({str(n): dict(row) for n, row in self.domains.iterrows()})
        certificate = f"no programme needs less than {self.bound:,.6g}"
        if self.status is not Status.CERTIFIED:
            certificate += f"; {percent(self.gap)} are between them: the search ended before"
        said = f"{evals(len(self.chosen))}, {self.deep_evals} of them deep, for {price(self.spend)}"
        if self.working_days is not None:
            said += f"; the longest takes {two_digits(self.working_days)} working days"
        return (
            f"The target needs {self.need:,.6g} {self.resource} ({certificate}): "
            f"{', '.join(self.chosen)}. That is {said}. {calls} {self.note}"
        ).strip()


def require(
    menu: Menu,
    *,
    value: float | None = None,
    resource: str = "usd",
    budget: Mapping[str, float] | None = None,
    constraints: Sequence[AnyLimit] = (),
    contingency: Contingency = 0.0,
    method: Certified = Certified(),
    **targets: Targets,
) -> Requirement:
    """Return the programme that meets all targets with the least of a resource.

    Without a value target the problem is to minimise ``r · x`` over whole choices with concave
    explained variances above floors: solved by outer approximation, exactly up to the gap, since
    every tangent added holds for every choice that meets the targets; where a gap is skewed, to
    `limits.level_set.MARGIN`, and the bound may lie further below. A value target is not a convex
    one; it is met by bisection over certified plans: a plan that reaches the value gives
    an upper end, a bound below the value a lower end.

    Parameters
    ----------
    menu
        The menu.
    value
        Least expected value of the decisions, in the unit of the losses.
    resource
        What to keep least.
    budget
        Ceilings on the other resources (one on `resource` holds too).
    constraints
        Limits or cvxpy constraints that are affine or convex.
    contingency
        What is kept back of the budgets.
    method
        Gap of the need, and time limit and seed of every search.
    targets
        Per decision or one for all: `posterior_sd`, the most sd of y that may be left, in the
        domain's unit; `danger_missed` and `needless`, the most probability of danger missed and of
        needless mitigation; `wrong_call`, of both together.

    Raises
    ------
    InputError
        If no target is given, or a name is not the menu's.
    InfeasibleError
        If no programme meets the targets and limits, however much of the resource there is.
    SolverError
        If the time is up before any programme that meets them is found.

    Examples
    --------
    >>> from evalfolio.examples import small_menu
    >>> print(require(small_menu(), posterior_sd={"cyber": 1.1}))
    The target needs 1,100 usd (no programme needs less than 1,100): a plateau, b plateau. That...
    """
    if value is not None and not math.isfinite(value):
        raise InputError(
            f"require: value must be a finite number, got {value:g}; give the least the decisions "
            "are to be worth"
        )
    wanted = targets_of(menu, targets)
    if value is None and not wanted:
        raise InputError(
            f"require: give at least one target: value, {', '.join(KINDS)}; without one nothing is "
            "required"
        )
    refuse_other(resource, menu.resources, "require: resource must be one of the menu's")
    limits = (*map(as_limit, constraints), *wanted)
    question = Question(menu, budget or {}, limits, contingency=contingency)
    if value is None:
        cost = menu.costs_with_shared[:, menu.resources.index(resource)]
        x, bound = least_programme(question, cost, gap=method.gap, seconds=method.time_limit)
        found = _requirement(menu, resource, x, bound, method.gap)
    else:
        found = _least_for_value(question, value, resource, method)
    return replace(found, note=_elsewhere(menu, found, wanted)) if value is None else found


def _elsewhere(menu: Menu, found: Requirement, targets: Sequence[Target]) -> str:
    """Say which rows are of domains that no target is about: states are shared."""
    asked = {target.decision for target in targets}
    decisions = (each for each in menu.decisions if each.name in asked)
    own = {name for each in decisions for name in each.domains(menu.states)}
    rows = menu.options.loc[list(found.chosen)]
    other = [name for name in dict.fromkeys(rows["domain"]) if name not in own]
    if not other or not own:
        return ""
    return (
        f"No target is about {listing(other)}: rows there are what limits ask for, or tell the "
        "targets by what AI models have in common across domains."
    )


def requirements(
    menu: Menu, standards: Mapping[str, Mapping[str, Any]], **common: Any
) -> pd.DataFrame:
    """Return a table over standards: what each needs, for people who write requirements.

    Parameters
    ----------
    menu
        The menu.
    standards
        Name of each standard and its arguments for `require`, such as
        ``{"strict": {"wrong_call": 0.05}}``.
    common
        Arguments of `require` for all of them.

    Returns
    -------
    pandas.DataFrame
        Indexed by standard: need, bound, n_evals, the use of every resource, value, chosen and
        note; a standard that cannot be met has a note that says why, another that of its
        `Requirement`.
    """
    rows = []
    for name, standard in standards.items():
        row: dict[str, Any] = {"standard": name}
        try:
            found = require(menu, **{**common, **standard})
        except InfeasibleError as error:
            row["note"] = str(error)
        else:
            row |= {"need": found.need, "bound": found.bound, "n_evals": len(found.chosen)}
            row |= dict(found.spend) | {"value": found.value, "chosen": ", ".join(found.chosen)}
            row["note"] = found.note
        rows.append(row)
    columns = ["standard", "need", "bound", "n_evals", *menu.resources, "value", "chosen", "note"]
    return pd.DataFrame(rows, columns=columns).set_index("standard")


def _least_for_value(
    question: Question, value: float, resource: str, method: Certified
) -> Requirement:
    """Bisect the budget of the resource between bounds that prove it short and plans that do."""
    menu, gap = question.menu, method.gap
    usual, tight = replace(method, gap=min(gap, USUAL_GAP)), replace(method, gap=TIGHT_GAP)

    def plan_at(amount: float | None) -> Answer:
        # below what a plan within the limits spends, so the amount holds the stated budget too
        within = question if amount is None else question.within(**{resource: amount})
        found = usual.find(within)
        return tight.find(within) if found.value < value <= found.bound else found

    best = plan_at(None)
    if best.value < value:
        raise InfeasibleError(
            f"No programme within the limits is worth {value:.6g}: the best is worth "
            f"{best.value:.6g} and none more than {best.bound:.6g}. The least change that mends "
            f"it: ask for at most {best.value:.6g}, or loosen a limit."
        )
    # no programme with less than `short` will do: at first, what the other limits alone need
    cost = menu.costs_with_shared[:, menu.resources.index(resource)]
    short = cheapest_within(question, cost, gap=gap, seconds=method.time_limit)[1]
    enough = float(cost @ menu.with_shared(best.x))
    failed = 0  # tries in a row that proved too little
    for _ in range(MAX_BISECTIONS):
        if enough - short <= gap * enough:
            break
        if failed >= 2:  # perhaps the plan at hand is the least one: ask for barely less
            middle = max(enough * (1 - 0.9 * gap), 0.5 * (short + enough))
        else:  # spends differ by orders of magnitude: the geometric mean once both ends are up
            middle = np.sqrt(short * enough) if short > 0.1 * enough else 0.5 * (short + enough)
        try:
            found = plan_at(float(middle))
        except InfeasibleError:
            found = None
        if found is None or found.bound < value:
            short, failed = float(middle), failed + 1
        elif found.value >= value:
            spent = float(cost @ menu.with_shared(found.x))
            best, enough, failed = found, min(spent, float(middle)), 0
        else:
            break  # the target lies within the gap of the certificate: nothing to tell it by
    return _requirement(menu, resource, best.x, short, gap)


def _requirement(menu: Menu, resource: str, x: Array, bound: float, gap: float) -> Requirement:
    problem = Problem(Question(menu))
    spend = spend_of(menu, x)
    need = spend[resource]
    bound = min(bound, need)
    reached = need - bound <= gap * need * (1 + 1e-9)
    return Requirement(
        resource=resource,
        need=need,
        bound=bound,
        chosen=names_of(menu, x),
        spend=spend,
        value=problem.value(x),
        domains=decision_outlook(problem, x),
        status=Status.CERTIFIED if reached else Status.STALLED,
        deep_evals=deep_of(menu, x),
        working_days=working_days_of(menu, x),
    )
