"""Suspicions: inputs that break no rule, but are probably not meant."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from evalbayes.catalogue.catalogue import Catalogue
from evalbayes.catalogue.decided import crossings
from evalbayes.names import nearest
from evalbayes.observations import Observations
from evalbayes.observations.equal_spends import equal_spends

ALIKE = 5  # tasks, or evals, of one length are no coincidence from here on
FAR_APART = 4  # human minutes told twice may differ by this factor
LARGE_USD = 100_000  # nobody gives one attempt more money than this


def suspicions(catalogue: Catalogue, observations: Observations | None) -> Iterable[str]:
    """Say what is probably not meant."""
    for domain in catalogue.domains:
        count = sum(e.domain == domain.name and not e.forbidden for e in catalogue.evals)
        if count < domain.min_evals:
            yield (
                f"{domain.name} has min_evals of {domain.min_evals}, but only {count} of its evals "
                "may be run"
            )
    for each in catalogue.elicitations:
        if len(each.evals) == 1:
            yield f"the elicitation {each.name!r} serves {each.evals[0]} alone: nothing is shared"
        key = "staff_hours_elicitation"
        full = [name for name in each.evals if catalogue.assumed(f"eval {name!r}", key)]
        if full:
            yield (
                f"{key} of {', '.join(full)} is a default, though the elicitation {each.name!r} "
                "serves it; give what is left for the eval beside what is shared"
            )
    for lower, higher in crossings(catalogue.decisions):
        if higher.rule < lower.rule:
            why = f"it is mitigated above {higher.rule:.2g} and {lower.name} above {lower.rule:.2g}"
        else:
            why = "their thresholds are not equally sure"
        yield (
            f"{higher.name} may be called to be mitigated and {lower.name} not, as the stakes say: "
            f"{why}. Each mitigation is valued as one of its own; where that of the higher level "
            "contains the other's, let the probability it is mitigated above be no lower"
        )
    if observations is None:
        return
    under_test = catalogue.portfolio.ai_model
    if under_test not in observations.ai_models:
        twin = nearest(under_test, observations.ai_models, cutoff=0.9)
        if twin:
            yield (
                f"the AI model under test is {under_test!r}, and {twin!r} is observed; if they are "
                "one, spell them alike"
            )
    yield from equal_spends(observations.cells, observations.runs)
    yield from equal_minutes(observations)
    frames = (observations.cells, observations.runs, observations.counts, observations.scores)
    columns = ["eval", "cap", "human_minutes"]
    told = [frame[columns] for frame in frames if len(frame)]
    if not told:
        return
    figures = {"cap": ("cap", "max"), "minutes": ("human_minutes", "median")}
    by_eval = pd.concat(told).groupby("eval").agg(**figures)
    for spec in catalogue.evals:
        if spec.name not in by_eval.index:
            continue
        cap, minutes = (float(by_eval[column].loc[spec.name]) for column in ("cap", "minutes"))
        if spec.spend_unit == "usd" and cap > LARGE_USD:
            yield (
                f"{spec.name} was observed with a cap of {cap:,.0f}, taken as usd; if these are "
                "tokens, give spend_unit and usd_per_unit"
            )
        given = spec.human_minutes
        if given is not None and max(minutes / given, given / minutes) > FAR_APART:
            yield (
                f"{spec.name} has human_minutes of {given:g} in the catalogue and {minutes:g} in "
                "the observations; the catalogue's counts"
            )


def equal_minutes(observations: Observations) -> Iterable[str]:
    """Say that all tasks take people equally long, where they are many."""
    runs = observations.runs.drop_duplicates(["eval", "task"])
    others = (observations.cells, observations.counts, observations.scores)
    minutes = pd.concat(
        [
            runs["human_minutes"],
            *(frame.drop_duplicates("eval")["human_minutes"] for frame in others if len(frame)),
        ]
    ).dropna()
    if len(minutes) >= ALIKE and (minutes == minutes.iloc[0]).all():
        yield (
            f"human_minutes are {minutes.iloc[0]:g} for all {len(minutes)} tasks or evals that "
            "have any; where that stands in for times that nobody knows, leave them empty: they "
            "say how far the threshold is"
        )
