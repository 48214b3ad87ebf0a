"""Replanning: what came in moves the belief, what was run is paid, and what is left is planned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evalbayes.menus.offer import Done
from evalbayes.observations import Observations
from evalfolio.narrative import amount, listing, percent, two_digits, words
from evalfolio.programmes.programme import Programme, step_of
from evalfolio.programmes.standing import standing_of
from evalfolio.programmes.stopping import NextDollar, next_dollar
from evalfolio.recommendations.recommendation import Recommendation
from evalfolio.recommendations.recommender import recommend
from evalfolio.record.record import Account, AccountTable, Record
from evalfolio.search import Certified, Method


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Replanned:
    """A further step of a programme: printing it says where it stands."""

    recommendation: Recommendation  # the plan of what is left; its record tells the step
    paid: Mapping[str, float]  # what the runs so far have used of every resource
    next_dollar: NextDollar  # what going on returns at best
    step: Mapping[str, Any]  # this step as the log keeps it

    def __str__(self) -> str:
        account = self.recommendation.record.programme
        told = () if account is None else account.sentences
        return "\n".join((*told, str(self.recommendation)))


def replan(
    programme: Programme,
    new: Sequence[Path] = (),
    *,
    history: Sequence[Path] = (),
    used: Mapping[str, float] | None = None,
    point_usd: float | None = None,
    method: Method = Certified(),
    seed: int | None = None,
    frontier_points: int = 16,
) -> Replanned:
    """Plan what is left of a programme after results.

    The belief that the programme began with is moved by all results so far (`updated`, or a new
    fit), whatever the order in which they came. Tasks that were run are not sold again but as
    repeats, what they used is taken from the budgets of the start, and the mix is chosen and
    certified as `recommend` does. Without a result it is the plan there was.

    Parameters
    ----------
    programme
        Where it stands.
    new
        Files of results that have come in since its last step.
    history
        Files of observations that the programme began with: then all is fitted anew, in place of
        the update.
    used
        What was really spent so far of some resources, in place of what the runs tell; later steps
        add to it what their runs tell.
    point_usd
        What a point of value is worth to those who pay, where losses are not in usd.
    method, frontier_points
        As `recommend` has them.
    seed
        By default that of the first plan.

    Raises
    ------
    InputError
        If a file of results came in before, or is about an eval or AI model that is unknown.
    InfeasibleError
        If what is left of the budgets cannot keep the limits.
    """
    catalogue, first = programme.catalogue, programme.last
    seed = programme.seed if seed is None else seed
    now = standing_of(programme, new, history, used=used, seed=seed)
    results = now.results
    made = recommend(
        catalogue,
        None if results.is_empty else results,
        now.belief,
        budget=now.budget,
        constraints=programme.constraints,
        contingency=now.kept_back,
        method=method,
        seed=seed,
        inputs=[*history, *programme.paths(new)],
        frontier_points=frontier_points,
        done=now.done,
        used=now.paid,
    )
    record = made.record
    dollar = next_dollar(made.plan, first, point_usd)
    changed = changes(first, record, now.done)
    account = _account(programme, record, results, now.paid, dollar, changed)
    record = record.replace(programme=account)
    made = replace(made, plan=replace(made.plan, told=record))
    how, more = "fit" if history else "update", {"changes": changed, "seed": seed}
    more["corrected"] = dict(now.corrected)
    step = step_of(len(programme.steps), record, now.paid, how, new, **more)
    return Replanned(made, now.paid, dollar, step)


def changes(before: Record, now: Record, done: Mapping[str, Done]) -> list[dict[str, str]]:
    """Return, for every eval that is or was in the mix, what becomes of it, and why."""
    was = {row.eval: row for row in before.to_run}
    rows = {row.eval: row for row in now.to_run}
    why_not = {row.eval: row.reason for row in now.not_chosen}
    found, worth = [], now.value.evsi
    for name in dict.fromkeys([*was, *rows]):
        ran, old, new = done.get(name), was.get(name), rows.get(name)
        if new is None:
            why = "run" if ran else f"dropped: {why_not.get(name, 'the limits leave it out')}"
        elif old is not None and old.option == new.option and not ran:
            why = "as before"
        else:
            why = "new: " if old is None else "more: " if ran else "changed: "
            adds = (new.value_if_dropped or 0.0) / worth if worth > 0 else 0.0
            why += f"{percent(adds)} of the value hangs on it" if adds else new.reason
        way, other = ("" if row is None else row.option.partition(" / ")[2] for row in (old, new))
        kinds = {"plain": "as it comes", "repaired": "repaired", "elicited": "elicited"}
        told = [f"{n} tasks {what}" for kind, what in kinds.items() if (n := getattr(ran, kind, 0))]
        is_run = "made" if ran is not None and ran.study else ", ".join(told)
        row = {"eval": name, "before": way, "run": is_run, "next": other, "why": why}
        found.append(row)
    return found


def _account(
    programme: Programme,
    record: Record,
    results: Observations,
    spent: Mapping[str, float],
    dollar: NextDollar,
    changed: Sequence[Mapping[str, str]],
) -> Account:
    """Return what report and workbook tell of the step."""
    known = {row.name: row for row in programme.last.domains}
    counts = results.run_counts.sum(axis=1).unstack("eval", fill_value=0)
    ours = programme.catalogue.portfolio.ai_model
    of = counts[counts.index == ours].to_numpy()
    runs, evals = int(of.sum()), int((of > 0).sum())
    made = results.studies[results.studies["ai_model"] == ours]["study"]
    came = [f"results of {name}" for name in made]
    if runs or not came:
        came.insert(0, f"{runs:,} run{'s' * (runs != 1)} of {evals} eval{'s' * (evals != 1)}")
    others = counts.drop(index=ours, errors="ignore").sum(axis=1)
    used = [
        f"{two_digits(spent[name])} of {amount(stated, name)}"
        for name, stated in programme.budget.items()
        if name in spent and name != "agent_hours"
    ]
    said = [
        f"Step {len(programme.steps)}: {listing(came)} have come in and used {', '.join(used)}."
        if not results.is_empty
        else f"Step {len(programme.steps)}: no result has come in; the plan stands as it was.",
        *(
            f"{int(n):,} runs of {name} tell of {ours} what AI models have in common; they are not "
            "paid from this budget."
            for name, n in others.items()
        ),
    ]
    decisions = []
    for row in record.domains:
        before = known.get(row.name, row)
        decisions.append((row.name, before.p_exceeds, row.p_exceeds, before.call_now, row.call_now))
        if abs(before.p_exceeds - row.p_exceeds) >= 0.005:
            same = row.call_now == before.call_now
            turned = "" if same else f", and the call turns to {row.call_now}"
            said.append(
                f"{row.name}: the chance that it exceeds its threshold was "
                f"{percent(before.p_exceeds)} and is {percent(row.p_exceeds)}{turned}."
            )
    said.append(str(dollar))
    money = [
        (words(name), stated, spent.get(name, 0.0), record.spend.get(name, 0.0))
        for name, stated in programme.budget.items()
    ]
    title = "What the results have done to every decision"
    heads = ("decision", "P(exceeds) before", "now", "call before", "call now")
    paid = ("resource", "stated at the start", "paid so far", "next")
    ways, rows = ("eval", "plan before", "run so far", "next", "why"), [r.values() for r in changed]
    tables = (
        AccountTable.told("decisions", title, heads, decisions),
        AccountTable.told("spent", "Where the budgets stand", paid, money),
        AccountTable.told("changes", "What becomes of every eval, and why", ways, rows),
    )
    return Account(sentences=tuple(said), tables=tables)
