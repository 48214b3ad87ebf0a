"""The recommended mix of each year: the plan's question with prices, hours and thresholds moved."""

from dataclasses import replace

import numpy as np
import pandas as pd

from evalbayes.catalogue import Catalogue
from evalfolio.errors import InfeasibleError
from evalfolio.limits.amount import tier_share
from evalfolio.narrative import DEPTH, STUDY
from evalfolio.outlook import forecast as costs
from evalfolio.outlook.crossing import rate_of
from evalfolio.search import Certified, Question

SEARCH = Certified(gap=5e-3, time_limit=20.0)


def in_year(question: Question, found: costs.Forecast, catalogue: Catalogue, year: int) -> Question:
    """Return the question of one evaluation in a later year, at the median of every driver.

    An option costs what its kind has grown to; money, staff and agents are shared among the AI
    models and domains of that year; and capability is nearer to every threshold by its rate. What
    an option tells stays: long tasks are replaced by ones as long beside the frontier, and a new AI
    model is known no better than today's.
    """
    logs, menu = found.logs, question.menu
    shared = np.exp(logs["ai_models"] + logs["domains"])
    grown = {
        cost: float(np.median((found.factor(cost) / shared)[:, year]))
        for cost in found.presets.tables["cost"]
    }
    spans = {spec.name: year * rate_of(spec, found.presets).mean for spec in catalogue.domains}
    long = menu.options["domain"].isin([spec.name for spec in catalogue.domains if spec.minutes])
    usd = np.where(long, grown[costs.LONG], grown[costs.FIXED])
    usd = np.where(menu.options["tier"] == STUDY, grown[costs.STUDIES], usd)
    runs = np.where(long, grown[costs.LONG_RUNS], grown[costs.FIXED_RUNS])
    by = dict.fromkeys(("usd", "usd_p90", "usd_ceiling"), usd) | {"agent_hours": runs}
    hours = dict.fromkeys(found.hour_usd, grown[costs.HOURS])
    by |= {name: np.full(len(menu), each) for name, each in hours.items()}
    own = {name: menu.options[name] * each for name, each in by.items() if name in menu.options}
    hours["usd"] = grown[costs.STUDIES]  # of what several evals share
    once = [
        replace(each, use={n: use * hours.get(n, 1.0) for n, use in each.use.items()}, draws=None)
        for each in menu.shared
    ]
    weights = {each.name: each.weights.items() for each in catalogue.decisions}
    nearer = [sum(part * spans[name] for name, part in weights[d.name]) for d in menu.decisions]
    held = zip(menu.decisions, nearer, strict=True)
    decisions = tuple(replace(d, threshold=d.threshold - span) for d, span in held)
    options = menu.options.assign(**own)
    then = replace(menu.at_costs(options), shared=tuple(once), decisions=decisions)
    stock = {}
    for name, amount in question.budget.items():
        draws = amount * np.exp(logs[costs.THERE_IS.get(name, "staff")]) / shared
        stock[name] = float(np.median(draws[:, year]))
    return replace(question.on(then), budget=stock)


def mixes(question: Question, found: costs.Forecast, catalogue: Catalogue) -> pd.DataFrame:
    """Return the best mix of one evaluation in each year, in a row.

    Value and its share of what perfect information is worth; evals, deep ones, USD, the share of it
    on max elicitation, staff hours, and agents' share of USD in all. `promises` says whether the
    catalogue's limits can still be kept within the budget: where not, they are left out.
    """
    rows = []
    for year in range(found.years + 1):
        asked, promises = in_year(question.lean, found, catalogue, year), True
        try:
            best = SEARCH.find(asked)
        except InfeasibleError:
            promises, best = False, SEARCH.find(replace(asked, limits=()))
        menu, chosen = best.problem.menu, best.problem.menu.options[best.x > 0.5]
        used = dict(zip(menu.resources, menu.use_of(best.x).tolist(), strict=True))
        wages = float(np.exp(np.median(found.logs["wages"][:, year])))
        paid = wages * sum(price * used[name] for name, price in found.hour_usd.items())
        runs, most = float(chosen.loc[chosen["tier"] != STUDY, "usd"].sum()), best.problem.evpi or 1
        row = {"year": year, "value": best.value, "of_perfect": best.value / most}
        row |= {"evals": len(chosen), "deep": int((chosen["tier"] == DEPTH).sum())}
        row |= {"usd": used["usd"], "share_deep": tier_share(menu, chosen.index, DEPTH)}
        row |= {"staff_hours": sum(used[name] for name in found.hour_usd), "promises": promises}
        rows.append(row | {"share_agents": runs / max(used["usd"] + paid, 1e-9)})
    return pd.DataFrame(rows)
