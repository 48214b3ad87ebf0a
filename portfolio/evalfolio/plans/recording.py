"""The record of a plan, made whole in one go, and a plan read back from its folder."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.limits import Mandatory
from evalfolio.limits.group import members
from evalfolio.limits.table import kept, made_again
from evalfolio.narrative import DEPTH, counted, listing, reason_of_choice, two_digits
from evalfolio.objectives.named import NAMED, as_objective
from evalfolio.objectives.valuation import drawn_gains
from evalfolio.plans.evaluation import choice_vector
from evalfolio.plans.left_out import next_step_in_words
from evalfolio.plans.optimiser import explained
from evalfolio.plans.outlook import way_out
from evalfolio.plans.plan import Plan
from evalfolio.plans.risk import money_spends
from evalfolio.record.record import FILE, FORMAT, Choice, Domain, Record, SharedRow
from evalfolio.search import Answer, Problem, Question, Status

UNKNOWN = "the AI model under test"
NOTHING = 1e-9  # of perfect information: a value below it is rounding
AGREE = 1e-6  # relative: a menu on which the mix is worth less or more is not the plan's


def record_of(
    plan: Plan,
    *,
    in_usd: bool = False,
    mix: str = "",
    hangs_on: str = "",
    units: Mapping[str, str] | None = None,
    floors: Mapping[str, Mapping[str, float]] | None = None,
    left_off: Sequence[tuple[str, str]] = (),
    **parts: Any,
) -> Record:
    """Return the record of a plan, with whole parts of it that only others know, by name.

    A menu alone tells neither the unit of its losses (`in_usd`) nor what the belief rests on: then
    values read as shares of what perfect information would be worth, and what is unknown is empty.
    The sentences `mix` and `hangs_on` are the plan's own where left out; `units` and `floors`, the
    sds that no such runs go below, are by decision; `left_off` has name and reason of what no
    option reads. InputError naming a part that is not as the record has it.

    >>> import evalfolio as ef
    >>> from evalfolio.examples import small_menu
    >>> plan = ef.optimise(small_menu(), budget={"usd": 10_000.0})
    >>> [row.option for row in record_of(plan).choices] == list(plan.chosen)
    True
    """
    said, _, worth = str(plan).partition(". It is worth")
    question = plan.question
    # of a mix that tells nothing no row is firm, nor any other as good
    firm = plan.firm if plan.value > NOTHING * plan.evpi else None
    usd = float(plan.spend.get("usd", 0.0))
    ours = {"plan": "this plan", "usd": usd, "value": plan.value, "share_of_evpi": None}
    built = {
        "format": FORMAT,
        "words": {
            "mix": mix or f"{said.rstrip('.')}.",
            "hangs_on": hangs_on or (f"It is worth{worth}" if worth else plan.note),
            "next_step": next_step_in_words(plan.budget, plan.next_steps, plan.value),
            **({} if firm is None else {"firm": firm.sentence(plan.value)}),
        },
        "portfolio": {"ai_model": UNKNOWN, "horizon_months": 0.0},
        "budget": question.budget,
        "spendable": question.spendable,
        "spend": {"usd": usd} | plan.spend,
        "money": _money(plan),
        "value": {
            "evsi": plan.value,
            "evsi_usd": plan.value if in_usd else None,
            "bound": plan.bound,
            "gap": plan.gap,
            "stand_in_error": plan.apart,
            "evpi": plan.evpi,
            "unit": "usd" if in_usd else "points",
            "status": plan.status,
            "draws": _over_draws(plan),
            **({} if firm is None else {"noise": firm.half_width, "gap_with_noise": firm.gap}),
            **({} if plan.objective == "evsi" else {"objective": plan.objective}),
        },
        "choices": [_choice(plan, row) for row in _rows(plan.choices)],
        **({"shared": _shared(plan)} if len(plan.shared) else {}),
        **({} if plan.split is None else {"split": plan.split.to_dict()}),
        "not_chosen": [
            {key: row[key] for key in ("eval", "reason", "cost_to_enter")}
            for row in _rows(plan.not_chosen)
        ],
        "not_covered": _not_covered(plan, left_off),
        "domains": [_domain(plan, row, units or {}, floors or {}) for row in _rows(plan.domains)],
        **({"no_anchor": _no_anchor(plan)} if plan.menu.no_anchor else {}),
        "comparisons": [ours | {"share_of_evpi": plan.share_of_evpi}],
        "shadow_prices": plan.shadow_prices,
        "diagnostics": {},
        "warnings": [plan.note] if plan.note else [],
        "assumptions": [],
        "provenance": {"inputs": [], "seed": 0, "versions": {}},
        "limits": kept(plan.limits, "constraints"),
    }
    return Record.of(built | parts)


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", frame.reset_index().to_dict("records"))


def _money(plan: Plan) -> dict[str, Any]:
    own, known = plan.question.budgets.get("usd"), plan.menu.resource_draws is not None
    expected, spends = money_spends(plan.menu, plan.chosen)
    p90 = float(np.quantile(spends, 0.9))
    ceiling = plan.choices["usd_ceiling"].sum() if "usd_ceiling" in plan.choices else np.nan
    if len(plan.shared):
        ceiling += plan.shared["usd_ceiling"].sum()
    return {
        "expected": expected,
        "p90": p90,
        "ceiling": float(ceiling) if np.isfinite(ceiling) else p90,
        "p_overspend": float(np.mean(spends > own.stated)) if own and known else None,
        "contingency": 0.0 if own is None else own.kept_back,
    }


def _over_draws(plan: Plan) -> dict[str, float] | None:
    """Return mean, 5 % and 95 % quantiles of the mix's value over the menu's draws."""
    draws = plan.menu.information_draws
    if draws is None or not len(draws):
        return None
    x = choice_vector(plan.menu, plan.chosen)
    values = drawn_gains(plan.menu, draws, x).sum(axis=1)
    low, high = np.quantile(values, [0.05, 0.95])
    return {"mean": float(np.mean(values)), "q05": float(low), "q95": float(high)}


def _choice(plan: Plan, row: Mapping[str, Any]) -> dict[str, Any]:
    known = {key: row.get(key) for key in Choice.model_fields} | {"instead": ()}
    defaults = {"usd": 0.0, "share_of_usd": 0.0} | {name: row[name] for name in plan.menu.resources}
    named = {key: str(row[key]) for key in ("option", "eval", "domain", "tier")}
    share = {"share_of_usd": row.get("share_of_usd", 0.0)}
    told = known | defaults | named | share | {"reason": reason_of_choice(named["tier"])}
    told["mandatory"] = _promised(plan, named["option"])
    told["reason"] = "; ".join(filter(None, (told["mandatory"], told["reason"])))
    own = (named["eval"], named["tier"])
    if plan.firm is not None:
        told |= {"firm": own in plan.firm.firm, "instead": plan.firm.ways(own)}
    return told


def _promised(plan: Plan, option: str) -> str:
    """Say that a row is mandatory, how and to whom it was promised; empty where it is not."""
    row = plan.menu.options.index.get_loc(option)
    rules = [each for each in plan.limits if isinstance(each, Mandatory)]
    mine = [each.promise for each in rules if members(plan.menu, each.of)[row]]
    said = listing(list(dict.fromkeys(filter(None, mine))))
    return ("mandatory: " + said if said else "mandatory") if mine else ""


def _shared(plan: Plan) -> list[dict[str, Any]]:
    return [
        {key: row[key] for key in SharedRow.model_fields if key in row}
        | {"name": row["purchase"], "usd": 0.0}
        | {name: row[name] for name in plan.menu.resources}
        for row in _rows(plan.shared)
    ]


def _no_anchor(plan: Plan) -> list[dict[str, Any]]:
    evals = plan.menu.options.groupby("domain")["eval"].unique()
    return [
        {"name": name, "evals": list(evals.get(name, ())), "p_exceeds": None, "reason": reason}
        for name, reason in plan.menu.no_anchor.items()
    ]


def _not_covered(plan: Plan, left_off: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    rows, options = [], plan.menu.options
    ran = options[options["tasks_done"] > 0] if "tasks_done" in options else options[:0]
    for name, row in plan.domains.iterrows():
        of = plan.choices["domain"].isin(row["domains"])
        before = ran[ran["domain"].isin(row["domains"])]
        deep = (plan.choices["tier"] == DEPTH) & of
        if row["v"] <= 0:
            why = "no eval of this domain runs; its call rests on belief alone"
            if len(before):
                why = "nothing more of it runs; its call rests on what has been run"
            rows.append((str(name), why))
        elif not deep.any() and not (before["tier"] == DEPTH).any():
            rows.append((str(name), "nothing reads its elicitation gap; it stays a prior belief"))
    rows += [(name, "it has no anchor, so no call can rest on it") for name in plan.menu.no_anchor]
    return [{"name": name, "reason": reason} for name, reason in (*rows, *left_off)]


def _domain(
    plan: Plan,
    row: Mapping[str, Any],
    units: Mapping[str, str],
    floors: Mapping[str, Mapping[str, float]],
) -> dict[str, Any]:
    name, held = str(row["decision"]), row["held_against"]
    known = {**row, **floors.get(name, {})}
    known = {key: known.get(key) for key in Domain.model_fields}
    return known | {
        "name": name,
        "unit": units.get(name, "the domain's unit"),
        "doublings_to_threshold": row["threshold"] - row["capability_mean"],
        "reason": f"{_domain_reason(plan, row)}{f'; held against {held}' if held else ''}",
    }


def _domain_reason(plan: Plan, row: Mapping[str, Any]) -> str:
    least = row["minimum_effort_usd"]
    price = "" if least is None or not np.isfinite(least) else f" of ${least:,.0f}"
    if row["v"] <= 0:
        return f"left out: less than its minimum sensible effort{price} would be of little use"
    if not row["funded"]:
        return f"funded below its minimum sensible effort{price}: {way_out(plan, row['domains'])}"
    choices = plan.choices[plan.choices["domain"].isin(row["domains"])]
    shared = [
        float(each["usd"])
        for each in plan.shared.to_dict("records")
        if "usd" in each and set(each["domains"]) <= set(row["domains"])
    ]
    deep = int((choices["tier"] == DEPTH).sum())
    read = f"{counted(choices['tier'])} read{'s' * (len(choices) == 1)}"
    usd = sum(shared) + (float(choices["usd"].sum()) if "usd" in choices else 0.0)
    cost = f", for ${two_digits(usd)}" if "usd" in choices else ""
    return f"{read} it, {deep or 'none'} with maximum elicitation{cost}"


def load_plan(path: str | Path) -> Plan:
    """Return the plan in a folder that `evalfolio recommend` wrote, or in its `plan.json`.

    Value, bound, status and prices are the record's; what each option adds and what is left out is
    worked out anew on the menu beside it. InputError if record or menu cannot be read, or are not
    of one plan.

    >>> import tempfile
    >>> import evalfolio as ef
    >>> from evalfolio.examples import small_menu
    >>> plan = ef.optimise(small_menu(), budget={"usd": 10_000.0})
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = plan.record.write(folder / "plan.json"), plan.menu.save(folder / "menu")
    >>> load_plan(folder).to_json() == plan.to_json()
    True
    """
    path = Path(path)
    file = path / FILE if path.is_dir() else path
    record = Record.load(path)
    menu = Menu.load(file.parent / "menu")
    stated, named = record.value, record.value.objective in NAMED
    objective = as_objective(record.value.objective if named else "evsi")
    try:
        x = choice_vector(menu, [row.option for row in record.choices])
        limits = tuple(made for row in record.limits if (made := made_again(dict(row))))
        problem = Problem(Question(menu, record.budget, limits, objective, record.kept_back))
    except (InputError, TypeError, ArithmeticError) as error:
        raise InputError(
            f"{file}: its menu must be the one it was made from, but {error}"
        ) from error
    worth = problem.value(x)
    prices = {name: record.shadow_prices.get(name, 0.0) for name in problem.resource_names}
    status = Status(stated.status)
    bound = worth + (stated.bound - stated.evsi)
    split = [record.split.get(str(name), 0.0) for name in menu.options.index]
    shares = np.array(split) if record.split else None
    plan = explained(Answer(problem, x, worth, bound, status, prices, shares=shares))
    apart = abs(plan.value - stated.evsi)
    if named and apart > AGREE * max(abs(stated.evsi), AGREE * problem.scale):
        raise InputError(
            f"{file}: its menu must be the one it was made from, but the mix is worth "
            f"{plan.value:.4g} on it and {stated.evsi:.4g} in the plan; put both of one plan into "
            "one folder"
        )
    evpi = np.inf if stated.evpi is None else stated.evpi
    return replace(
        plan, value=stated.evsi, bound=stated.bound, gap=stated.gap, evpi=evpi, told=record
    )
