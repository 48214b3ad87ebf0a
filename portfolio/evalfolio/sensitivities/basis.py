"""What a plan is made from, so that it can be made again under other figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from evalbayes import Decision, Menu
from evalbayes.catalogue import Catalogue, Interval
from evalbayes.catalogue.domain import implied_probability
from evalbayes.decision import State, parts_of
from evalbayes.menus import build_menu
from evalbayes.menus.costs import shared_purchases, staff_columns, staff_hours
from evalbayes.menus.offer import Offer
from evalbayes.menus.stakes import gain_years
from evalbayes.model.priors import gap_prior
from evalbayes.posterior.posterior import Posterior
from evalbayes.posterior.provenance import gaps_of
from evalbayes.posterior.same_spread import with_success_family
from evalfolio.errors import InputError
from evalfolio.narrative import STUDY
from evalfolio.search import Question
from evalfolio.sensitivities.assumed import (
    FAMILIES,
    HOURS,
    ON_INPUTS,
    ON_MENU,
    Assumed,
    price_spreads,
)

FIELDS = {  # tables and keys of a catalogue that a factor multiplies
    "staff_hours": (("evals", "staff_hours"),),
    "elicitation_hours": (("evals", "staff_hours_elicitation"), ("elicitations", "hours")),
    "review": (("evals", "review_minutes_per_run"),),
    "effort": (("evals", "effort_max"),),
    "study_sd": (("studies", "reading_sd"), ("studies", "validity_sd")),
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
# A gap of another size is the same belief in another unit: what a reading tells of it hangs on its
# size in second order only.
STATES = {"gap": "gap", "gap_sd": "gap", "shown_sd": "shown"}


def changed_catalogue(catalogue: Catalogue, assumed: Assumed, level: float) -> Catalogue:
    """Return the catalogue with one figure of all evals, and what they share, times a factor."""
    changed: dict[str, Any] = {}
    for table, field in FIELDS.get(assumed.kind, ()):
        for spec in changed.pop(table, getattr(catalogue, table)):
            now = getattr(spec, field)
            if isinstance(now, Mapping):
                now = {skill: hours * level for skill, hours in now.items()}
            elif now is not None:
                now = min(now * level, 1.0) if field == "effort_max" else now * level
            changed[table] = (*changed.get(table, ()), spec.model_copy(update={field: now}))
    return catalogue.model_copy(update=changed)


def changed_posterior(posterior: Posterior, assumed: Assumed, level: float) -> Posterior:
    """Return the posterior with some draws times a factor, for a belief held and not learned."""
    if assumed.kind == "curve_family":
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
    hours = []
    figures = ["eval", "tier", "cap", "tasks", "attempts", "effort", "baseline_cap"]
    evals = (menu.options["tier"] != STUDY).to_numpy()
    runs = menu.options.loc[evals, figures]
    for name, tier, cap, tasks, attempts, *rest in runs.itertuples(index=False):
        effort, baseline = map(float, rest)
        run = (str(name), str(tier), float(cap), int(tasks), int(attempts), effort)
        offer = Offer(*run, baseline_cap=baseline)
        hours.append(staff_hours(catalogue.eval(offer.eval), offer, catalogue))
    options = menu.options.copy()
    for column in staff_columns(catalogue):
        options.loc[evals, column] = [each[column] for each in hours]
    use = {each.name: each.use for each in shared_purchases(catalogue, options, 1, 0)}
    shared = tuple(
        replace(each, use=use.get(each.name, each.use), draws=None) for each in menu.shared
    )
    return replace(menu.at_costs(options), shared=shared)


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Basis:
    """A question with what its menu was built from."""

    question: Question  # with every figure as assumed
    # What the menu was built from; without them figures that ask for them cannot be changed.
    catalogue: Catalogue | None = None
    posterior: Posterior | None = None
    seed: int = 0  # as the menu was built with

    @property
    def menu(self) -> Menu:
        """The menu with every figure as assumed."""
        return self.question.menu

    def menu_under(self, levels: Mapping[Assumed, float]) -> Menu:
        """Return the menu with assumed figures at other levels.

        Figures of `ON_MENU` are put into the menu as it is; for the others the menu is built again
        from the posterior's draws, without a new fit. InputError if a figure asks for a new menu
        and there is no catalogue and posterior to build from.
        """
        inputs = {a: v for a, v in levels.items() if a.kind in ON_INPUTS and v != a.mid}
        return self.put_on(self.rebuilt(inputs) if inputs else self.lean, levels)

    @cached_property
    def lean(self) -> Menu:
        """The menu without its draws, which no plan at mean information reads."""
        return self.question.lean.menu

    def put_on(self, menu: Menu, levels: Mapping[Assumed, float]) -> Menu:
        """Return a menu with the figures of `ON_MENU` at other levels; the others are let be."""
        moved = {a: v for a, v in levels.items() if a.kind in ON_MENU and v != a.mid}
        hours = {a: v for a, v in moved.items() if a.kind in HOURS}
        if hours:
            if self.catalogue is None:
                raise InputError(f"{next(iter(hours)).name} asks for the catalogue: give it too")
            catalogue = self.catalogue
            for assumed, level in hours.items():
                catalogue = changed_catalogue(catalogue, assumed, level)
            menu = with_hours_of(menu, catalogue)
        options, decisions = menu.options, menu.decisions
        mean, covariance = menu.prior_mean, menu.prior_covariance
        for assumed, level in moved.items():
            if assumed.kind == "price":
                options = self._priced(menu, level)
            elif assumed.kind in STATES:
                own = parts_of(menu.states, STATES[assumed.kind], assumed.domain)
                scale = np.where(own, level, 1.0)
                covariance = covariance * np.outer(scale, scale)
                mean = mean * scale if assumed.kind == "gap" else mean
            elif assumed.kind not in HOURS:
                decisions = tuple(self._decision(d, assumed, level, menu.states) for d in decisions)
        priced = menu if options is menu.options else menu.at_costs(options)
        return replace(priced, prior_mean=mean, prior_covariance=covariance, decisions=decisions)

    def rebuilt(self, levels: Mapping[Assumed, float]) -> Menu:
        """Return the menu built again, once, with figures of `ON_INPUTS` at other levels.

        InputError if there is no catalogue and posterior to build from.
        """
        if self.catalogue is None or self.posterior is None:
            raise InputError(
                f"{next(iter(levels)).name} asks for a new menu: "
                "give the catalogue and the posterior too"
            )
        key = frozenset(levels.items())
        if key in self._built:
            return self._built[key]
        catalogue, posterior = self.catalogue, self.posterior
        for assumed, level in levels.items():
            catalogue = changed_catalogue(catalogue, assumed, level)
            posterior = changed_posterior(posterior, assumed, level)
        self._built[key] = build_menu(posterior, catalogue, seed=self.seed, with_draws=False)[0]
        return self._built[key]

    @cached_property
    def _built(self) -> dict[frozenset[tuple[Assumed, float]], Menu]:
        """Menus that were built again: several analyses move a figure to the same end."""
        return {}

    def __getstate__(self) -> dict[str, object]:
        """Leave out the menus built, which a worker makes anew."""
        return {name: value for name, value in vars(self).items() if name != "_built"}

    def _priced(self, menu: Menu, level: float) -> pd.DataFrame:
        """Every eval's price moved as far along its own interval as the mean price moves."""
        spreads = price_spreads(self.catalogue)
        factor = level ** np.array([spreads.get(str(name), 1.0) for name in menu.options["eval"]])
        columns = [c for c in ("usd", "usd_p90", "usd_ceiling") if c in menu.options.columns]
        return menu.options.assign(**{c: menu.options[c] * factor for c in columns})

    def _decision(
        self, decision: Decision, assumed: Assumed, level: float, states: Sequence[str]
    ) -> Decision:
        """Return a decision with one figure known to be at a level: its own sd falls away.

        Later gain is a domain's, and counts by its weight; the others are the decision's own.
        """
        if assumed.kind == "later_gain":
            return self._gaining(decision, assumed.domain, level, states)
        if decision.name != assumed.domain:
            return decision
        if assumed.kind in ("loss_missed", "loss_false_alarm"):
            moved = replace(decision, **{assumed.kind: getattr(decision, assumed.kind) * level})
            if decision.mitigate_above is None:
                return moved
            # a stated rule is that of its losses: it moves with them
            ratio = moved.loss_missed / moved.loss_false_alarm
            return replace(moved, mitigate_above=implied_probability(ratio))
        specs = self.catalogue.decisions if self.catalogue else ()
        sd = next((d.threshold.normal()[1] for d in specs if d.name == decision.name), 0.0)
        rest = _without(decision.later_gain_sd, sd)
        return replace(decision, threshold=level, later_gain_sd=rest)

    def _gaining(
        self, decision: Decision, domain: str, level: float, states: Sequence[str]
    ) -> Decision:
        """Return a decision with a domain's later gain at a level, per year.

        Without a catalogue the domain is a decision's own, and its gain all there is.
        """
        if domain not in decision.domains(states):
            return decision
        if self.catalogue is None:
            return replace(decision, later_gain_mean=level, later_gain_sd=0.0)
        weight = max(
            float(w)
            for name, w in zip(states, decision.contrast, strict=True)
            if State.read(name).domain == domain
        )
        spec = self.catalogue.domain(domain)
        mean, sd = spec.post_training_gain_per_year.normal()
        years = weight * gain_years(self.catalogue, spec)
        more, rest = (level - mean) * years, _without(decision.later_gain_sd, sd * years)
        gain = decision.later_gain_mean + more
        return replace(decision, later_gain_mean=gain, later_gain_sd=rest)


def _without(whole: float, part: float) -> float:
    """Sd that is left when one of its independent parts is known.

    >>> round(_without(5.0, 3.0), 12), _without(1.0, 1.0)
    (4.0, 0.0)
    """
    return float(np.sqrt(max(whole**2 - part**2, 0.0)))
