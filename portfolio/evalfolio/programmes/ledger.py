"""What results have cost: each run's own spend where it is known, else what is expected of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.catalogue import Catalogue
from evalbayes.catalogue.eval import EvalSpec
from evalbayes.menus.costs import (
    STAFF_HOURS,
    by_skill,
    run_hours,
    staff_columns,
    staff_hours,
    tariffs_of,
)
from evalbayes.menus.offer import MAX_ELICITATION, PLATEAU, Offer, done_of
from evalbayes.model.eval_curve import eval_curve
from evalbayes.observations import Observations
from evalbayes.observations.studies import PEOPLE
from evalbayes.posterior.posterior import Posterior
from evalfolio.limits.budget import Contingency

Rows = pd.DataFrame


def paid(results: Observations, catalogue: Catalogue, posterior: Posterior) -> dict[str, float]:
    """Return what the results of the AI model under test have used of every resource.

    A run costs its spend at the expected price, by steps where a tariff says so, one of which only
    its success is known what a run to its cap is expected to spend, and every run of a task after
    its first a reset. Staff hours are the catalogue's, once for each eval, elicitation and what it
    shares with others included where any run was elicited; a study's come with its price and that
    of those who took part. Other AI models' results cost nothing.

    Parameters
    ----------
    results
        All since the programme began.
    catalogue
        Its prices and hours.
    posterior
        Tells what runs are expected to spend.
    """
    done, ai_model = done_of(results, catalogue), catalogue.portfolio.ai_model
    meters = {name: each.resource for each in catalogue.tariffs for name in each.evals}
    every = ("usd", *staff_columns(catalogue), "agent_hours", *meters.values())
    used, once = dict.fromkeys(every, 0.0), []
    for study in (each for each in catalogue.studies if each.name in done):
        of = (results.studies["study"] == study.name) & (results.studies["ai_model"] == ai_model)
        people = results.studies.loc[of, list(PEOPLE)].fillna(study.participants or 0).sum().sum()
        used["usd"] += study.usd.lognormal_mean
        used["usd"] += people * study.usd_per_participant.lognormal_mean
        once.append((study.hours, study.domain))
    for name, was in done.items():
        if was.study:
            continue
        spec = catalogue.eval(name)
        runs, spend = _spent(results, catalogue, posterior, spec)
        resets = max(runs - max(was.plain, was.repaired, was.elicited), 0.0)
        used["usd"] += spend * spec.usd_per_unit.lognormal_mean + resets * spec.usd_per_reset
        if name in meters:
            used[meters[name]] += spend
        used["agent_hours"] += runs * run_hours(spec, catalogue.budget, spend / max(runs, 1.0))
        deep, n = was.elicited > 0, max(round(runs), 1)
        effort = spec.effort_max if deep else spec.effort_repaired if was.repaired else 0.0
        seen: dict[str, Any] = {"baseline_cap": 1.0, "seen": n} if effort else {}
        run = Offer(name, MAX_ELICITATION if deep else PLATEAU, 1.0, n, effort=effort, **seen)
        for column, hours in staff_hours(spec, run, catalogue).items():
            used[column] += hours
    for tariff in tariffs_of(catalogue, {}):
        used["usd"] += tariff.price * float(tariff.units(np.array(used[tariff.resource])))
    elicited = {name for name, was in done.items() if was.elicited}
    for each in catalogue.elicitations:
        if elicited & set(each.evals):
            used["usd"] += each.usd.lognormal_mean
            once.append((each.hours, ""))
    for stated, domain in once:
        for skill, hours in by_skill(stated, catalogue.skills, domain).items():
            used[f"{STAFF_HOURS}.{skill}" if skill else STAFF_HOURS] += hours
    return used


def left(
    stated: Mapping[str, float], kept_back: Mapping[str, float], used: Mapping[str, float]
) -> tuple[dict[str, float], Contingency]:
    """Return what is left of budgets, and the shares of it that keep back as much as was kept back.

    >>> left({"usd": 1000.0}, {"usd": 0.1}, {"usd": 500.0})
    ({'usd': 500.0}, {'usd': 0.2})
    >>> left({"usd": 1000.0}, {"usd": 0.1}, {"usd": 950.0})
    ({'usd': 0.0}, {'usd': 0.0})
    """
    budgets, shares = {}, {}
    for name, amount in stated.items():
        rest, back = amount - used.get(name, 0.0), amount * kept_back.get(name, 0.0)
        enough = rest > back and np.isfinite(amount)
        budgets[name] = amount if np.isinf(amount) else rest if enough else 0.0
        shares[name] = back / rest if enough else 0.0
    return budgets, shares


def _spent(
    results: Observations, catalogue: Catalogue, posterior: Posterior, spec: EvalSpec
) -> tuple[float, float]:
    """Return runs of an eval, and what they spent in its unit."""
    ai_model = catalogue.portfolio.ai_model
    i, m = posterior.index_of("eval", spec.name), posterior.index_of("ai_model", ai_model)

    def own(frame: Rows) -> Rows:
        return frame[(frame["eval"] == spec.name) & (frame["ai_model"] == ai_model)]

    def expected(rows: Rows, n: pd.Series) -> float:
        efforts = rows["effort"].fillna(0.0) if "effort" in rows else pd.Series(0.0, rows.index)
        return sum(
            float(k) * float(eval_curve(posterior, i, m, e).expected_spend(np.log(cap)).mean())
            for k, e, cap in zip(n, efforts.astype(float), rows["cap"].astype(float), strict=True)
        )

    runs = own(results.runs)
    spend = runs["spend"].astype(float).where(runs["outcome"] != "stopped_by_cap", runs["cap"])
    n, total = float(len(runs)), float(spend.sum())
    cells = own(results.cells)
    for kind in ("success", "gave_up"):
        sd = cells[f"sd_ln_spend_{kind}"].fillna(0.0)
        mean = np.exp(cells[f"mean_ln_spend_{kind}"].fillna(-np.inf) + sd**2 / 2.0)
        n, total = n + cells[f"n_{kind}"].sum(), total + (cells[f"n_{kind}"] * mean).sum()
    n += cells["n_stopped"].sum()
    total += (cells["n_stopped"] * cells["cap"]).sum()
    counts, scores = own(results.counts), own(results.scores)
    whole = pd.Series(float(spec.tasks), scores.index)
    for rows, number in ((counts, counts["n_runs"]), (scores, whole)):
        n, total = n + float(number.sum()), total + expected(rows, number)
    return float(n), float(total)
