"""What a plan is made from, so that it can be made again under other figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from evalbayes import Decision, Menu
from evalbayes.catalogue.stakes import implied_probability
from evalbayes.decision import told
from evalfolio.errors import InputError
from evalfolio.search.question import Question
from evalfolio.sensitivities.assumed import HOURS, ON_INPUTS, ON_MENU, Assumed
from evalfolio.sensitivities.ranges import price_spreads
from evalfolio.sensitivities.remade import changed_catalogue, changed_posterior, with_hours_of

if TYPE_CHECKING:
    import pandas as pd

    from evalbayes.catalogue import Catalogue
    from evalbayes.posterior.posterior import Posterior

# A gap of another size is the same belief in another unit: what a reading tells of it hangs on its
# size in second order only.
STATES = {"gap": "gap", "gap_sd": "gap", "shown_sd": "shown"}


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Basis:
    """A question with what its menu was built from.

    Parameters
    ----------
    question
        What is asked of the menu, every figure as assumed.
    catalogue, posterior
        What the menu was built from; without them figures that ask for them cannot be changed.
    seed
        As the menu was built with.
    """

    question: Question
    catalogue: Catalogue | None = None
    posterior: Posterior | None = None
    seed: int = 0

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
                what = (assumed.domain, STATES[assumed.kind])
                scale = np.array([level if told(name) == what else 1.0 for name in menu.states])
                covariance = covariance * np.outer(scale, scale)
                mean = mean * scale if assumed.kind == "gap" else mean
            elif assumed.kind not in HOURS:
                decisions = tuple(self._decision(d, assumed, level, menu.states) for d in decisions)
        return replace(
            menu,
            options=options,
            prior_mean=mean,
            prior_covariance=covariance,
            decisions=decisions,
        )

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
        from evalbayes.menus import build_menu

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
        return replace(
            decision,
            threshold=level,
            later_gain_sd=_without(decision.later_gain_sd, self._threshold_sd(decision.name)),
        )

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
            if told(name)[0] == domain
        )
        mean, sd = self.catalogue.domain(domain).post_training_gain_per_year.normal()
        years = weight * self._gain_years(domain)
        return replace(
            decision,
            later_gain_mean=decision.later_gain_mean + (level - mean) * years,
            later_gain_sd=_without(decision.later_gain_sd, sd * years),
        )

    def _threshold_sd(self, decision: str) -> float:
        if self.catalogue is None:
            return 0.0
        found = [spec for spec in self.catalogue.decisions if spec.name == decision]
        return found[0].threshold.normal()[1] if found else 0.0

    def _gain_years(self, domain: str) -> float:
        from evalbayes.menus.stakes import gain_years

        if self.catalogue is None:
            return 1.0
        return gain_years(self.catalogue, self.catalogue.domain(domain))


def _without(whole: float, part: float) -> float:
    """Sd that is left when one of its independent parts is known.

    Examples
    --------
    >>> round(_without(5.0, 3.0), 12), _without(1.0, 1.0)
    (4.0, 0.0)
    """
    return float(np.sqrt(max(whole**2 - part**2, 0.0)))
