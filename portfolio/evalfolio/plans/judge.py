"""Judging a hand-made mix: its value beside the plan's, on the plan's own menu."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import compress
from math import isclose
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalbayes.names import ONCE, cure, nearest
from evalfolio.errors import InputError
from evalfolio.limits.stack import TOLERANCE
from evalfolio.narrative import listing, percent, price, two_digits, words, wrong_calls_in_words
from evalfolio.plans.evaluation import Evaluation, choice_vector, evaluate
from evalfolio.plans.left_out import shared_in_words
from evalfolio.plans.mix_file import FIGURES, read_mix
from evalfolio.plans.outlook import decision_outlook
from evalfolio.plans.plan import Plan
from evalfolio.record.record import Record
from evalfolio.search import Problem, Question

SAME = 1e-9  # relative: values apart by rounding alone
ROUNDED = 1e-3  # relative: a spreadsheet may have rounded what an option costs
UNITS = {
    "value": "the unit of the losses",
    "decisions": "probabilities, by decision: p_missed of danger missed, p_needless of needless "
    "mitigation, now and expected after the mix",
}


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Score:
    """A hand-made mix beside a plan."""

    evaluation: Evaluation
    plan_value: float  # of the plan
    over: dict[str, float]  # by how much it uses more of a resource than the plan was allowed
    mix: pd.DataFrame  # its rows of the menu
    broken: tuple[str, ...] = ()  # limits of the plan that it does not meet, in words
    domains: pd.DataFrame = field(default_factory=pd.DataFrame)  # as `Plan.domains`
    no_anchor: Mapping[str, str] = field(default_factory=dict)  # as in the menu
    shared: str = ""  # the shared purchases that its options need, once each, in words
    idle: tuple[str, ...] = ()  # those in the file that no option needs: they do not count

    @property
    def regret(self) -> float:
        """Value the plan has and the mix has not; negative where the mix is worth more."""
        return self.plan_value - self.evaluation.value

    def to_frame(self) -> pd.DataFrame:
        """Return the mix with the value lost when only that row is dropped."""
        return self.mix

    def to_json(self) -> str:
        """Return value, regret, spend and overruns as JSON text."""
        told = {
            "options": list(self.evaluation.options),
            "value": self.evaluation.value,
            "plan_value": self.plan_value,
            "regret": self.regret,
            "spend": self.evaluation.spend,
            "over_budget": self.over,
            "limits_broken": self.broken,
            "decisions": self._calls(),
            "units": UNITS,
            "no_anchor": dict(self.no_anchor),
            **({"shared": self.shared} if self.shared else {}),
            **({"shared_not_needed": self.idle} if self.idle else {}),
        }
        return json.dumps(told, indent=2)

    def __str__(self) -> str:
        value = self.evaluation.value
        share = self.regret / self.plan_value if self.plan_value else 0
        side = f"{percent(abs(share))} {'below' if self.regret >= 0 else 'above'}"
        side = "the same as" if abs(share) < SAME else side
        text = (
            f"This mix of {len(self.evaluation.options)} evals is worth {value:.4g} in the unit of "
            f"the losses, {side} the plan's {self.plan_value:.4g}"
            f"{'' if abs(share) < SAME else f' (regret {self.regret:.4g})'}."
        )
        if self.shared:
            text += f" Counted with it, once each: {self.shared}, which its options need."
        if self.idle:
            text += f" Not counted, as no option of it needs them: {', '.join(self.idle)}."
        if self.over:
            amounts = [f"{two_digits(v)} {words(name)}" for name, v in self.over.items()]
            text += f" It exceeds the plan's budget by {', '.join(amounts)}."
        if self.broken:
            text += f" It does not keep the plan's limits: {'; '.join(self.broken)}."
        return f"{text} {wrong_calls_in_words(self._calls())}".strip()

    def _calls(self) -> dict[str, dict[str, float]]:
        """Return the probabilities of calls by decision."""
        keys = [name for name in self.domains if str(name).startswith("p_")]
        return {
            str(name): {str(key): float(p) for key, p in row.items()}
            for name, row in self.domains[keys].iterrows()
        }


def score_mix(
    mix: str | Path, plan: Plan | str | Path, *, question: Question | None = None
) -> Score:
    """Value the options listed in a file on a plan's menu.

    InputError if a file cannot be read, has no column `option`, or names an option not on the menu.

    Parameters
    ----------
    mix
        CSV or .xlsx with a column `option`, e.g. an edited mix.csv.
    plan
        The plan it is held against, or the folder that holds one.
    question
        Menu, budgets and limits to judge both by, in place of the plan's.
    """
    plan = plan if isinstance(plan, Plan) else Plan.load(plan)
    asked = question or plan.question
    menu, plan_value = asked.menu, plan.value
    if question is not None:
        gone = set(plan.chosen) - set(menu.options.index)
        if gone:
            raise InputError(
                f"the plan's own options must be on the menu it is judged by, and {min(gone)!r} is "
                "not: with these settings another is offered; plan again with them"
            )
        plan_value = evaluate(menu, plan.chosen).value
    options, named = read_options(mix, menu)
    evaluation = evaluate(menu, options)
    spent, x = evaluation.spend, choice_vector(menu, options)
    may = {name: amount * (1 + TOLERANCE) for name, amount in asked.spendable.items()}
    rows = menu.options.iloc[np.flatnonzero(x)].copy()
    rows["value_if_dropped"] = [
        evaluation.value - evaluate(menu, [o for o in options if o != name]).value
        for name in rows.index
    ]
    alone = [(each, Problem(Question(menu, limits=(each,)))) for each in asked.limits]
    needed = [each.name for each in compress(menu.following, menu.with_shared(x)[len(x) :] > 0)]
    return Score(
        evaluation,
        plan_value,
        over={n: spent[n] - asked.spendable[n] for n, most in may.items() if spent[n] > most},
        mix=rows,
        broken=tuple(str(n) for n, problem in alone if problem.completed(x) is None),
        domains=decision_outlook(Problem(Question(menu)), x),
        no_anchor=menu.no_anchor,
        shared=shared_in_words(menu, needed),
        idle=tuple(name for name in named if name not in needed),
    )


def explain_eval(name: str, record: Record) -> dict[str, Any]:
    """Return why an eval or shared purchase is in a plan, or why not; `text` says it in a sentence.

    InputError if the plan knows no such eval.
    """
    unanchored = "".join(f"{row.reason}. " for row in record.no_anchor if name in row.evals)
    for row in record.choices:
        if row.eval == name:
            lost, whole, share = row.value_if_dropped, record.value.evsi, ""
            if lost and whole > 0:
                share = f"; dropping it loses {percent(lost / whole)} of the plan's value"
            with_it = "".join(
                f"; it needs {each.name}, bought once for {listing(each.evals)} ({price(each.use)})"
                if each.told == ONCE
                else f"; {each.name}, which is ${two_digits(each.usd)} in all"
                for each in record.shared
                if name in each.evals
            )
            text = (
                f"{unanchored}{name} runs at the tier {row.tier} for ${two_digits(row.usd)}: "
                f"{row.reason}{share}{with_it}. With the whole plan: "
                f"{_calls_about(row.domain, record)}"
            )
            return {"eval": name, "chosen": True, "text": text, **dict(row)}
    for left in record.not_chosen:
        if left.eval == name:
            least = left.cost_to_enter
            enter = "at no price would it enter"
            enter = enter if least is None else f"it would enter at ${two_digits(least)}"
            best = "" if left.reason.startswith("its best option") else "its best option "
            text = f"{unanchored}{name} does not run: {best}{left.reason}; {enter}."
            return {"chosen": False, "text": text, **dict(left)}
    for each in record.shared:
        if each.name == name:
            lost, whole = each.value_if_dropped or 0.0, record.value.evsi
            loses = percent(lost / whole) if whole > 0 else "nothing"
            text = (
                f"{name} is {each.told} {listing(each.evals)} ({price(each.use)}): without it "
                f"and what needs it the plan loses {loses} of its value."
            )
            return {"chosen": True, "text": text, **dict(each)}
    known = [row.eval for row in record.choices] + [row.eval for row in record.not_chosen]
    raise InputError(f"{name}: must be an eval of the plan's menu; {cure(name, known)}")


def _calls_about(domain: str, record: Record) -> str:
    """Say how likely wrong calls about a domain are, now and after the plan."""
    rows = {each.name: dict(each) for each in record.domains if domain in each.about}
    text = wrong_calls_in_words(rows) or "no decision is about its domain."
    return f"{text[0].lower()}{text[1:]}"


def _refuse_edited(where: str, row: pd.Series[Any], options: pd.DataFrame) -> None:
    """Refuse a row that says another count, cap, effort or eval than its option has."""
    if row["option"] not in options.index:
        return
    own = options.loc[row["option"]]
    for column in ("eval", *FIGURES):
        said, has = row.get(column), own.get(column)
        if said is None or said != said or has is None or has != has:
            continue
        same = said == has if column == "eval" else isclose(said, has, rel_tol=ROUNDED)
        if not same:
            raise InputError(
                f"{where}: {column} must be that of its option, {has}, got {said}: the option says "
                "what is run; name another one of the sheet Menu, or empty the cell"
            )


def read_options(path: str | Path, menu: Menu) -> tuple[list[str], list[str]]:
    """Return the options that a file lists, and the shared purchases.

    InputError if it cannot be read, has no column `option`, or names what is not on the menu.
    """
    table = read_mix(path, shared=True)
    if "option" not in table.columns:
        raise InputError(
            f"{path}: must have a column 'option', got {', '.join(map(str, table.columns))}; "
            "start from a plan's mix.csv"
        )
    shared = [each.name for each in menu.following]
    known = {*menu.options.index, *shared}
    for (row, figures), name in zip(table.iterrows(), table["option"], strict=True):
        if name not in known:
            near = None if name is None else nearest(name, known)
            raise InputError(
                f"{path} row {row}: option must be one of the menu's, got "
                f"{'nothing' if name is None else repr(name)}; "
                + (f"did you mean {near!r}?" if near else "the sheet Menu of plan.xlsx has them")
            )
        _refuse_edited(f"{path} row {row}", figures, menu.options)
    named = table["option"].tolist()
    bought = [name for name in shared if name in named]
    return [name for name in named if name not in shared], bought
