"""Several AI models in one budget: one plan that says which gets what."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from evalbayes.catalogue import Catalogue
from evalbayes.observations import Observations
from evalbayes.posterior.posterior import Posterior
from evalfolio.limits.budget import Contingency, catalogue_budget
from evalfolio.limits.limit import AnyLimit, as_limit
from evalfolio.narrative import listing, mix_in_words, percent, two_digits
from evalfolio.plans.optimiser import explained
from evalfolio.plans.recording import record_of
from evalfolio.plans.rivals import compare
from evalfolio.recommendations.recommendation import Recommendation
from evalfolio.recommendations.recording import parts_of
from evalfolio.search import Certified, Method, Question


def recommend_several(
    catalogue: Catalogue,
    observations: Observations | None,
    posterior: Posterior,
    ai_models: Sequence[str],
    *,
    budget: Mapping[str, float] | None = None,
    constraints: Sequence[AnyLimit] = (),
    contingency: Contingency | None = None,
    method: Method = Certified(),
    seed: int = 0,
    inputs: Sequence[Path] = (),
) -> Recommendation:
    """Recommend one mix for several AI models that share the budgets.

    What one tells of another (lineage, what evals of both read too high) is the posterior's. The
    catalogue's stakes hold for each; its limits on evals do not: those of `constraints` name
    options, evals and domains as the menu does, e.g. "Model A: cybench". All else is as `recommend`
    has it.
    """
    from evalbayes.menus import menu_of_several

    menu = menu_of_several(posterior, catalogue, ai_models, seed=seed)
    stated = {k: v for k, v in catalogue_budget(catalogue).items() if k in menu.resources}
    kept_back = catalogue.budget.contingency if contingency is None else contingency
    asked = Question(menu, stated | dict(budget or {}), contingency=kept_back)
    plan = explained(method.find(asked.under(*map(as_limit, constraints))))
    names = list(dict.fromkeys(ai_models))
    parts = parts_of(catalogue, posterior, plan, inputs, seed)
    record = record_of(
        plan,
        **parts
        | {
            "mix": f"{mix_in_words(plan.choices, listing(names), plan.shared)} "
            f"{by_ai_model(plan.choices, names)}",
            "units": {
                f"{name}: {spec.name}": spec.unit for name in names for spec in catalogue.decisions
            },
            "portfolio": parts["portfolio"] | {"ai_model": listing(names)},
            "capability": [],
        },
    )
    comparisons = compare(menu, {"this plan": plan.chosen}, plan.evpi, seed=seed)
    plan, curves, grid = replace(plan, told=record), pd.DataFrame(), pd.DataFrame({"eval": []})
    return Recommendation(catalogue, observations, posterior, menu, plan, curves, grid, comparisons)


def by_ai_model(choices: pd.DataFrame, names: Sequence[str]) -> str:
    """Say what goes to each AI model.

    >>> rows = pd.DataFrame({"ai_model": ["A", "B"], "usd": [300.0, 100.0]})
    >>> by_ai_model(rows, ["A", "B"])
    'A gets $300 (75 %) and B gets $100 (25 %).'
    """
    usd = choices.groupby("ai_model")["usd"].sum() if len(choices) else pd.Series(dtype=float)
    total = float(usd.sum()) or 1.0
    got = {name: float(usd.get(name, 0.0)) for name in names}
    told = [f"{name} gets ${two_digits(n)} ({percent(n / total)})" for name, n in got.items()]
    return f"{listing(told)}."
