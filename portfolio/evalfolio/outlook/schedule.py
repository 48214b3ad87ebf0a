"""A year of looks by domain: how often and how deep, against rules that others go by."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from evalbayes.catalogue import Catalogue
from evalfolio.errors import InputError
from evalfolio.narrative import DEPTH
from evalfolio.objectives import variance
from evalfolio.outlook.cadence import losses, random_walk_period
from evalfolio.outlook.crossing import rate_of
from evalfolio.outlook.forecast import MONTHS
from evalfolio.outlook.presets import Presets, Rate
from evalfolio.search import Greedy, Question
from evalfolio.value.sample_information import DecisionValue, density, expected_excess

LOOKS = (1, 2, 3, 4, 6, 12)  # a year


def looked(
    question: Question, rate: Rate, looks: int, horizon: float, prices: Mapping[str, float]
) -> dict[str, float]:
    """Return what so many looks in a year, one now, hold and lose.

    Parameters
    ----------
    question
        What a look may run, and what a year of them may use: the fewer, the deeper each can be. Its
        mix leaves the least variance of the decisions' y that greedy finds for its part.
    rate, horizon
        How capability grows, and the years that losses per unit of y are for.
    prices
        Value of a unit of each resource; with them `law_months` is the time between looks that the
        random-walk law gives looks at this price.

    Returns
    -------
    dict
        Also what a year loses, `missed` and `needless`, and what it would without a look, `never`;
        `months_unseen` is how long danger waits for the next look on average.
    """
    within = {name: amount / looks for name, amount in question.budget.items()}
    found = Greedy().find(question.within(**within))
    menu, options = found.problem.menu, found.problem.menu.options[found.x > 0.5]
    precision = np.linalg.inv(menu.prior_covariance) + np.tensordot(found.x, menu.information, 1)
    left, sd = np.linalg.inv(precision), np.sqrt(rate.variance(1.0))
    used = dict(zip(menu.resources, menu.use_of(found.x).tolist(), strict=True))
    price = sum(prices.get(name, 0.0) * amount for name, amount in used.items())
    lost, never, law, unknown = np.zeros(2), 0.0, float("inf"), [0.0]
    for decision in menu.decisions:
        own = DecisionValue.of(menu, decision)
        missed, alarm = own.loss_missed / horizon, own.loss_false_alarm / horizon
        value = replace(own, loss_missed=missed, loss_false_alarm=alarm)
        unknown.append(float(decision.contrast @ left @ decision.contrast))
        explained = value.variance - decision.later_gain_sd**2 - unknown[-1]
        lost = lost + losses(value, max(explained, 0.0), rate, 1.0 / looks)
        never += float(losses(value, 0.0, rate, 1.0).sum())
        if price > 0 and sd > 0:
            worst = missed * float(expected_excess(value.k) / density(0.0))
            law = min(law, MONTHS * random_walk_period(price, worst, float(sd)))
    told = {"looks": float(looks), "evals": len(options), "deep": (options["tier"] == DEPTH).sum()}
    hours = sum(n for name, n in used.items() if name.startswith("staff_hours"))
    told |= {"usd": used.get("usd", 0.0), "staff_hours": hours, "sd_left": max(unknown) ** 0.5}
    told |= {"missed": lost[0], "needless": lost[1], "lost": lost.sum(), "never": never}
    return told | {"months_unseen": MONTHS / looks / 2, "law_months": law}


def schedule_of(
    question: Question,
    chosen: Collection[str],
    catalogue: Catalogue,
    presets: Presets,
    prices: Mapping[str, float],
) -> dict[str, pd.DataFrame]:
    """Find by domain how often to look in a year, and how deep, with what the plan uses a year.

    `question` and `chosen` are of the plan, `prices` its shadow prices: a year of looks at a domain
    may use what the plan's rows there use every `horizon_months`. Returns the tables `best`, a row
    per domain, the looks that lose least and what one would (`once`); `rules`, with their months
    between looks and what they lose; and `looks`, all that were tried. Domains without a row of the
    plan or a decision of their own are left out; InputError if that is all of them.
    """
    menu, horizon, rows = question.menu, catalogue.portfolio.horizon_months / MONTHS, []
    for spec in catalogue.domains:
        own = tuple(d for d in menu.decisions if d.domains(menu.states) == (spec.name,))
        here = menu.options["domain"] == spec.name
        ran = np.where(here & menu.options.index.isin(list(chosen)), 1.0, 0.0)
        if not own or not ran.any():
            continue
        use = dict(zip(menu.resources, menu.use_of(ran) / horizon, strict=True))
        plain = replace(menu, skewed=(), decisions=own, tariffs=(), replicates=None)
        asked = Question(plain.subset(here.to_numpy()), use, objective=variance()).lean
        rate = rate_of(spec, presets)
        rows += [{"domain": spec.name} | looked(asked, rate, n, horizon, prices) for n in LOOKS]
    if not rows:
        raise InputError(
            "schedule: a domain must have a decision of its own and a row of the plan, got none; "
            "plan with a larger budget"
        )
    looks = pd.DataFrame(rows)
    best = looks.loc[looks.groupby("domain", sort=False)["lost"].idxmin()]
    best = best.assign(once=looks.loc[looks["looks"] == 1, "lost"].to_numpy())
    told = [{"rule": "this schedule", "lost": best["lost"].sum(), "source": ""}]
    for name, rule in presets.tables["rule"].items():
        growth = np.log(rule.get("factor", [np.e, np.e]))
        ends = rule.get("months", MONTHS * np.log(rule.get("times", np.e)) / growth[::-1])
        low, high = np.broadcast_to(ends, 2).tolist()
        months = (low * high) ** 0.5
        n = min(LOOKS, key=lambda n: abs(np.log(n * months / MONTHS)))  # the nearest that was tried
        row = {"rule": name, "months": months, "months_low": low, "months_high": high, "looks": n}
        row |= {"lost": looks.loc[looks["looks"] == n, "lost"].sum(), "source": rule["source"]}
        told.append(row)
    return {"best": best, "rules": pd.DataFrame(told), "looks": looks}
