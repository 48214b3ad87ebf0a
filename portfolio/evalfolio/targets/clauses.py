"""A plan held to a standard: met or not, clause by clause, and what every level needs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.errors import InfeasibleError, InputError
from evalfolio.limits import Forbidden, Limit, Where
from evalfolio.limits.amount import evals
from evalfolio.limits.group import Group, members, refuse_other
from evalfolio.limits.target import MET, Target, decision_of
from evalfolio.narrative import percent, two_digits
from evalfolio.search import Problem, Question
from evalfolio.targets.least_cost import least_programme
from evalfolio.targets.standard import Clause, Standard
from evalfolio.targets.stated import (
    KINDS,
    WORKING,
    deep_of,
    gap_correlations,
    names_of,
    spend_of,
    working_days_of,
)

MEETS, MISSES, CANNOT = "met", "not met", "cannot be met"
UNANSWERED, TOLD = "not answered by a plan", "told, not judged"
GAP = 1e-3  # of what a clause or level costs
COUNTED = ("working_days", "evals", "deep_evals", "chosen")


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Account:
    """A standard held against a mix."""

    standard: Standard  # the standard
    judged: Mapping[str, str]  # by level, which mix its clauses are held against, in words
    # a row per clause: level, clause, asks, reading, answer, found, rows (of the mix that count for
    # it), the least usd (or other resource) of meeting it alone, without budgets and other limits,
    # and why where it cannot be met
    clauses: pd.DataFrame
    # a row per level: feasible within budgets and limits; use of every resource, working days of
    # the longest row, evals, deep evals and chosen of its least programme, where not feasible of
    # that without budgets and limits, empty where there is none; clauses met, not met and not
    # answered by a plan; why not feasible
    levels: pd.DataFrame

    def told(self) -> dict[str, Any]:
        """Return both tables as JSON has them."""
        tables = {"clauses": self.clauses, "levels": self.levels}
        rows = {k: json.loads(each.to_json(orient="records")) for k, each in tables.items()}
        return {"standard": self.standard.name, "judged": dict(self.judged), **rows}


def held_to(
    question: Question,
    standard: Standard,
    *,
    mix: Array | None = None,
    plan: Array | None = None,
    calendar_days: float | None = None,
    resource: str = "usd",
) -> Account:
    """Hold a mix to a standard: 0 or 1 by option.

    Without one, for each level the least programme (of the resource) that meets all its clauses
    within budgets and limits, or where there is none the plan, by default nothing run.
    """
    menu = question.menu
    refuse_other(resource, menu.resources, "resource must be one of the menu's")
    cost = menu.costs_with_shared[:, menu.resources.index(resource)]
    asked = dict.fromkeys(clause for each in standard.levels.values() for clause in each)
    stated = {clause: _stated(clause, question, calendar_days) for clause in asked}
    alone = {clause: _least(Question(menu, limits=own[0]), cost) for clause, own in stated.items()}
    rows, levels, judged = [], [], {}
    for level, clauses in standard.levels.items():
        limits = [limit for clause in clauses for limit in stated[clause][0]]
        x, why = _least(question.under(*limits), cost)
        ideal = x if x is not None else _least(Question(menu, limits=limits), cost)[0]
        judged[level], held = "its least programme", x
        if mix is not None:
            judged[level], held = "the mix given", mix
        elif held is None:
            judged[level], held = "nothing run: no programme meets it", np.zeros(len(menu))
            if plan is not None:
                judged[level], held = "the plan's own mix: no programme meets it", plan
        answers = []
        for clause in clauses:
            own, answer, told = stated[clause]
            (best, never), count = alone[clause], ""
            if own:
                answer, told, count = _held(menu, own, held)
                answer = CANNOT if best is None else answer
            answers.append(answer)
            least = float(cost @ menu.with_shared(best)) if own and best is not None else None
            said = (level, clause.number, clause.asks, clause.reading, answer, told, count)
            rows.append((*said, least, never))
        short = [f"{c.number}: {stated[c][2]}" for c in clauses if stated[c][1] in (MISSES, CANNOT)]
        row: dict[str, Any] = {"level": level, "feasible": "no" if x is None or short else "yes"}
        if ideal is not None:
            chosen, days = names_of(menu, ideal), working_days_of(menu, ideal)
            counts = (days, len(chosen), deep_of(menu, ideal), ", ".join(chosen))
            row |= spend_of(menu, ideal) | dict(zip(COUNTED, counts, strict=True))
        row["met"] = answers.count(MEETS)
        row["not_met"] = answers.count(MISSES) + answers.count(CANNOT)
        row["not_answered"] = answers.count(UNANSWERED) + answers.count(TOLD)
        levels.append(row | {"why": " ".join([*short, *([why] if why else [])])})
    told_of = ["level", "clause", "asks", "reading", "answer", "found", "rows", resource, "why"]
    columns = ["level", "feasible", *menu.resources, *COUNTED]
    columns += ["met", "not_met", "not_answered", "why"]
    by_clause = pd.DataFrame(rows, columns=told_of)
    return Account(standard, judged, by_clause, pd.DataFrame(levels, columns=columns))


def _stated(
    clause: Clause, question: Question, calendar_days: float | None
) -> tuple[tuple[Limit, ...], str, str]:
    """Return a clause as limits, or its answer and why where no limit says it."""
    menu = question.menu
    if not clause.demand:
        return (), TOLD if clause.reading else UNANSWERED, ""
    if clause.demand == "working_days":
        if calendar_days is None:
            return (), MISSES, "no calendar is stated; give calendar_days of [budget]"
        days, least = calendar_days * WORKING, clause.amounts[""]
        told = f"{calendar_days:g} calendar days are {days:.3g} working days"
        return (), MEETS if days >= least else MISSES, told
    if clause.run_by and "run_by" not in menu.options:
        told = "the catalogue does not say who runs its evals; give run_by of [[eval]]"
        return (), UNANSWERED, told
    if clause.demand in KINDS:
        silent = [menu.no_anchor[name] for name in clause.amounts if name in menu.no_anchor]
        if silent:
            return (), CANNOT, " ".join(silent)
    if clause.gap_correlation:
        for domain in [name for name in clause.amounts if name] or set(menu.options["domain"]):
            if not clause.near(menu, domain):
                found = gap_correlations(menu, domain)
                told = f"{domain} has no eval at max elicitation on the menu"
                if found:
                    name, most = max(found.items(), key=lambda each: each[1])
                    told = (
                        f"no eval of {domain} reads a gap that correlates by "
                        f"{clause.gap_correlation:g} with that at its threshold: the most is "
                        f"{most:.2g}, of {name}; longer tasks would"
                    )
                return (), CANNOT, told
    limits = clause.limits(menu)
    try:
        for limit in limits:
            limit.rows(menu)
    except InputError as error:
        return (), CANNOT, str(error)
    return limits, "", ""


def _least(question: Question, cost: Array) -> tuple[Array | None, str]:
    """Return the least programme, or why there is none."""
    try:
        return least_programme(question, cost, gap=GAP)[0], ""
    except InfeasibleError as error:
        return None, str(error)


def _held(menu: Menu, limits: tuple[Limit, ...], x: Array) -> tuple[str, str, str]:
    """Return whether a mix keeps all limits, what it comes to, and which of its rows count."""
    answer, told, counted = MEETS, [], np.zeros(len(x), dtype=bool)
    for limit in limits:
        if isinstance(limit, Target):
            left = limit.left(menu, x)
            kept = left <= limit.at_most * (1 + MET)
            about = decision_of(menu, limit.decision).domains(menu.states)
            counted |= menu.options["domain"].isin(about).to_numpy()
            told.append(f"{limit.decision} {percent(left) if limit.share else two_digits(left)}")
        else:
            kept = Problem(Question(menu, limits=(limit,))).completed(x) is not None
            of: Group = getattr(limit, "of", "everything")
            own = members(menu, of)
            run, counted = menu.options.index[own & (x > 0.5)], counted | own
            if isinstance(of, Where):
                where = " ".join(dict(of.conditions).get("domain", ()))
                others = " by others" if isinstance(limit, Forbidden) else ""
                told.append(f"{where} {evals(len(run))}{others}".strip())
            else:
                told.append(f"{of}: {', '.join(run) or 'not run'}")
        answer = answer if kept else MISSES
    return answer, ", ".join(told), ", ".join(names_of(menu, np.where(counted, x, 0.0)))
