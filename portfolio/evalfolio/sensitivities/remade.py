"""Catalogue, posterior and hours with one assumed figure at another level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.sensitivities.assumed import FAMILIES, Assumed

if TYPE_CHECKING:
    from typing import TypeVar

    from evalbayes.catalogue import Catalogue
    from evalbayes.catalogue.eval import EvalSpec
    from evalbayes.catalogue.shared import ElicitationSpec
    from evalbayes.posterior.posterior import Posterior

    AnySpec = TypeVar("AnySpec", EvalSpec, ElicitationSpec)

FIELDS = {
    "staff_hours": "staff_hours",
    "elicitation_hours": "staff_hours_elicitation",
    "review": "review_minutes_per_run",
    "effort": "effort_max",
}
# Draws that a factor on a belief multiplies.
DRAWS = {
    "gap_spread": ("gap_departure", "gap_departure_sd"),
    "validity_sd": ("private_error", "validity_sd"),
}
# What the fit reads of a catalogue, but for the gap.
LEARNED = {
    "domains": ("name", "unit", "shown_capability", "growth_per_year"),
    "evals": (
        *("name", "domain", "loadings", "family", "human_minutes", "difficulty", "spend_unit"),
        *("plateau", "half_spend", "usd_per_run", "guessing", "score_low", "score_high"),
        "score_noise",
    ),
    "ai_models": ("name", "released", "lineage"),
}


def changed_catalogue(catalogue: Catalogue, assumed: Assumed, level: float) -> Catalogue:
    """Return the catalogue with one figure of all evals, and what they share, times a factor."""
    field = FIELDS.get(assumed.kind)
    if field is None:
        return catalogue

    def times(spec: AnySpec, field: str) -> AnySpec:
        now = getattr(spec, field)
        if isinstance(now, Mapping):
            then: object = {skill: hours * level for skill, hours in now.items()}
        else:
            then = min(now * level, 1.0) if field == "effort_max" else now * level
        return spec.model_copy(update={field: then})

    changed: dict[str, object] = {"evals": tuple(times(spec, field) for spec in catalogue.evals)}
    if assumed.kind == "elicitation_hours":  # what evals share is elicitation too
        changed["elicitations"] = tuple(times(spec, "hours") for spec in catalogue.elicitations)
    return catalogue.model_copy(update=changed)


def changed_posterior(posterior: Posterior, assumed: Assumed, level: float) -> Posterior:
    """Return the posterior with some draws times a factor, for a belief held and not learned."""
    if assumed.kind == "curve_family":
        from evalbayes.posterior.same_spread import with_success_family

        return with_success_family(posterior, FAMILIES[level])
    draws = dict(posterior.draws)
    for key in DRAWS.get(assumed.kind, ()):
        draws[key] = draws[key] * level
    return replace(posterior, draws=draws)


def believed(posterior: Posterior, before: Catalogue, after: Catalogue) -> Posterior:
    """Return the posterior of one catalogue as that of another, without a fit.

    Where the range of a domain's elicitation gap is another, ln gap moves as its prior does, from
    N(m, s²) to N(m', s'²): m' + (ln gap − m)·s'/s. That is exact where the gap is prior alone, as
    where no run was elicited; results that tell it then tell it by as much in sds as before. All
    else that is not learned, budgets, stakes, thresholds, prices, hours and caps, asks for no
    posterior of its own. The range it was made with is the posterior's own, where it tells it, and
    that of `before` otherwise. InputError if a figure that it was learned with is another.
    """
    from evalbayes.catalogue import Interval
    from evalbayes.model.priors import gap_prior
    from evalbayes.posterior.provenance import gaps_of

    for kind, fields in LEARNED.items():
        pairs = list(zip(getattr(before, kind), getattr(after, kind), strict=True))
        for field in fields:
            for was, now in pairs:
                if getattr(was, field) != getattr(now, field):
                    raise InputError(
                        f"{now.name}.{field} is learned with the results, so that a stored "
                        "posterior cannot follow it; give the observations instead, to fit again"
                    )
    gap = posterior.draws["gap"]
    ranges = gaps_of(before) | dict(posterior.provenance.get("gaps", {}))
    for now in after.domains:
        was = Interval(*ranges.get(now.name, (now.gap.low, now.gap.high)))
        if was == now.gap:
            continue
        (m, s), (m1, s1) = gap_prior(was), gap_prior(now.gap)
        steep = s1 / s if s > 0 else 1.0
        own = (posterior.knot_domain == posterior.domains.index(now.name))[:, None]
        gap = np.where(own, np.exp(m1 + (np.log(np.maximum(gap, 1e-12)) - m) * steep), gap)
    told = {**posterior.provenance, "gaps": gaps_of(after)}
    return replace(posterior, draws={**posterior.draws, "gap": gap}, provenance=told)


def with_hours_of(menu: Menu, catalogue: Catalogue) -> Menu:
    """Return the menu with the staff hours that a catalogue of other hours gives its options."""
    from evalbayes.menus.costs import shared_purchases, staff_columns, staff_hours
    from evalbayes.menus.offer import Offer

    hours = []
    columns = [menu.options[c].tolist() for c in ("eval", "tier", "cap", "tasks", "attempts")]
    for name, tier, cap, tasks, attempts, effort, baseline in zip(
        *columns,
        menu.options["effort"].tolist(),
        menu.options["baseline_cap"].tolist(),
        strict=True,
    ):
        offer = Offer(
            str(name),
            str(tier),
            float(cap),
            int(tasks),
            int(attempts),
            float(effort),
            baseline_cap=float(baseline),
        )
        hours.append(staff_hours(catalogue.eval(offer.eval), offer, catalogue))
    changed = {c: [each[c] for each in hours] for c in staff_columns(catalogue)}
    options = menu.options.assign(**changed)
    use = {each.name: each.use for each in shared_purchases(catalogue, options, 1, 0)}
    shared = tuple(
        replace(each, use=use.get(each.name, each.use), draws=None) for each in menu.shared
    )
    return replace(menu, options=options, shared=shared)
