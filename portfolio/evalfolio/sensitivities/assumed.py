"""Assumed figures: what a plan rests on, over what range, and the menu under other figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from evalbayes import Decision, Menu
from evalfolio.errors import InputError

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue, Interval
    from evalbayes.posterior import Posterior

FACTOR = 2.0  # a figure without a range of its own is tried at half and at twice its value
UNIT = 1.0  # a threshold without one is tried a unit lower and higher

# Kinds that only enter the menu's decisions, prior and prices; the others ask for a new menu.
ON_MENU = ("threshold", "loss_missed", "later_gain", "gap_sd", "price")
ON_INPUTS = ("gap", "gap_spread", "validity_sd", "elicitation_hours", "review", "effort")
KINDS = (*ON_MENU, *ON_INPUTS)


@dataclass(frozen=True)
class Assumed:
    """One assumed figure and the range it is tried over.

    Parameters
    ----------
    kind
        What it is, one of `KINDS`. `threshold` and `later_gain` (gain still to come, per year) are
        in the domain's unit; the others are factors on the figure of the catalogue or on the
        belief of the posterior: `loss_missed`, `gap_sd` (how uncertain the elicitation gap is),
        `price` (of all spend), `gap` (its size), `gap_spread` (κ), `validity_sd` (ω),
        `elicitation_hours`, `review` (minutes per run) and `effort` (of max elicitation).
    domain
        The domain it belongs to; empty for figures of all evals.
    low, mid, high
        Ends of the range and the value in use.
    given
        Whether the range is the catalogue's or the posterior's own, not a default one.
    """

    kind: str
    domain: str
    low: float
    mid: float
    high: float
    given: bool

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(
                f"kind of an assumption must be one of {', '.join(KINDS)}, got {self.kind!r}"
            )
        if not self.low <= self.mid <= self.high:
            raise InputError(
                f"{self.name}: low, mid and high must rise, got {self.low:g}, {self.mid:g}, "
                f"{self.high:g}; swap them"
            )

    @property
    def name(self) -> str:
        """The figure in words."""
        text = {
            "threshold": "danger threshold",
            "loss_missed": "loss of a missed danger (factor)",
            "later_gain": "post-training gain per year",
            "gap_sd": "uncertainty of the elicitation gap (factor)",
            "price": "price of spend (factor)",
            "gap": "size of the elicitation gap (factor)",
            "gap_spread": "spread of the gap between evals (factor)",
            "validity_sd": "validity error (factor)",
            "elicitation_hours": "staff hours of elicitation (factor)",
            "review": "review minutes per run (factor)",
            "effort": "effort of max elicitation (factor)",
        }[self.kind]
        return f"{self.domain}: {text}" if self.domain else f"all evals: {text}"


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Basis:
    """What a plan is made from, so that it can be made again under other figures.

    Parameters
    ----------
    menu
        The menu with every figure as assumed.
    catalogue, posterior
        What it was built from; without them only the kinds of `ON_MENU` can be changed.
    seed
        As the menu was built with.
    """

    menu: Menu
    catalogue: Catalogue | None = None
    posterior: Posterior | None = None
    seed: int = 0

    def menu_under(self, levels: Mapping[Assumed, float]) -> Menu:
        """Return the menu with assumed figures at other levels.

        Figures that only enter decisions, prior and prices are put into the menu as it is; for the
        others the menu is built again from the posterior's draws, without a new fit.

        Raises
        ------
        InputError
            If a figure asks for a new menu and there is no catalogue and posterior to build from.
        """
        inputs = {a: v for a, v in levels.items() if a.kind in ON_INPUTS and v != a.mid}
        menu = self._rebuilt(inputs) if inputs else self.lean
        for assumed, level in levels.items():
            if assumed.kind in ON_MENU and level != assumed.mid:
                menu = self._on_menu(menu, assumed, level)
        return menu

    @cached_property
    def lean(self) -> Menu:
        """The menu without its draws, which no plan at mean information reads."""
        return replace(self.menu, information_draws=None, resource_draws=None)

    def _rebuilt(self, levels: Mapping[Assumed, float]) -> Menu:
        if self.catalogue is None or self.posterior is None:
            named = next(iter(levels))
            raise InputError(
                f"{named.name} asks for a new menu: give the catalogue and the posterior too"
            )
        from evalbayes.menus import build_menu

        catalogue, posterior = self.catalogue, self.posterior
        for assumed, level in levels.items():
            catalogue = changed_catalogue(catalogue, assumed, level)
            posterior = changed_posterior(posterior, assumed, level)
        menu, _ = build_menu(posterior, catalogue, seed=self.seed)
        return replace(menu, information_draws=None, resource_draws=None)

    def _on_menu(self, menu: Menu, assumed: Assumed, level: float) -> Menu:
        if assumed.kind == "price":
            options = menu.options.copy()
            columns = [c for c in ("usd", "usd_p90", "usd_ceiling") if c in options.columns]
            options[columns] = options[columns] * level
            return replace(menu, options=options)
        if assumed.kind == "gap_sd":
            name = f"{assumed.domain}.gap"
            scale = np.where(np.array(menu.states) == name, level, 1.0)
            return replace(menu, prior_covariance=menu.prior_covariance * np.outer(scale, scale))
        decisions = tuple(
            self._decision(d, assumed, level) if d.name == assumed.domain else d
            for d in menu.decisions
        )
        return replace(menu, decisions=decisions)

    def _decision(self, decision: Decision, assumed: Assumed, level: float) -> Decision:
        """Return a decision with one figure known to be at a level: its own sd falls away."""
        if assumed.kind == "loss_missed":
            return replace(decision, loss_missed=decision.loss_missed * level)
        threshold_sd, gain_sd = self._sds(assumed.domain, decision.later_gain_sd)
        if assumed.kind == "threshold":
            return replace(decision, threshold=level, later_gain_sd=gain_sd)
        gain = level * self._gain_years(assumed.domain)
        return replace(decision, later_gain_mean=gain, later_gain_sd=threshold_sd)

    def _sds(self, domain: str, whole: float) -> tuple[float, float]:
        """Return the parts of later_gain_sd that come from the threshold and from later gain."""
        if self.catalogue is None:
            return 0.0, whole
        threshold_sd = self.catalogue.domain(domain).threshold.normal()[1]
        return threshold_sd, float(np.sqrt(max(whole**2 - threshold_sd**2, 0.0)))

    def _gain_years(self, domain: str) -> float:
        from evalbayes.menus.stakes import gain_years

        if self.catalogue is None:
            return 1.0
        return gain_years(self.catalogue, self.catalogue.domain(domain))


def changed_catalogue(catalogue: Catalogue, assumed: Assumed, level: float) -> Catalogue:
    """Return the catalogue with one figure of all evals times a factor."""
    field = {
        "elicitation_hours": "staff_hours_elicitation",
        "review": "review_minutes_per_run",
        "effort": "effort_max",
    }.get(assumed.kind)
    if field is None:
        return catalogue
    evals = []
    for spec in catalogue.evals:
        now = getattr(spec, field)
        if isinstance(now, Mapping):
            then: object = {skill: hours * level for skill, hours in now.items()}
        else:
            then = min(now * level, 1.0) if field == "effort_max" else now * level
        evals.append(spec.model_copy(update={field: then}))
    return catalogue.model_copy(update={"evals": tuple(evals)})


def changed_posterior(posterior: Posterior, assumed: Assumed, level: float) -> Posterior:
    """Return the posterior with some draws times a factor, for a belief held and not learned."""
    draws = dict(posterior.draws)
    if assumed.kind == "gap":
        d = posterior.domains.index(assumed.domain)
        draws["gap"] = draws["gap"].copy()
        draws["gap"][:, d] *= level
    elif assumed.kind == "gap_spread":
        for key in ("gap_departure", "gap_departure_sd"):
            draws[key] = draws[key] * level
    elif assumed.kind == "validity_sd":
        for key in ("private_error", "validity_sd"):
            draws[key] = draws[key] * level
    else:
        return posterior
    return replace(posterior, draws=draws)


def assumptions_of(catalogue: Catalogue, posterior: Posterior) -> list[Assumed]:
    """Return the assumed figures of a catalogue, with ranges of its own where it gives them.

    Thresholds, gains and gaps range over their intervals; validity error and the spread of the gap
    over the posterior's 5 % and 95 % quantiles; the rest over half to twice, efforts over a quarter
    less and more.
    """
    found: list[Assumed] = []
    for spec in catalogue.domains:
        found.append(_interval("threshold", spec.name, spec.threshold, UNIT))
        found.append(_factor("loss_missed", spec.name))
        gain = spec.post_training_gain_per_year
        found.append(_interval("later_gain", spec.name, gain, gain.mid / FACTOR))
        found.append(_factor("gap_sd", spec.name))
        size = posterior.draws["gap"][:, posterior.domains.index(spec.name)].ravel()
        if size.mean() > 0:
            found.append(_quantiles("gap", spec.name, size))
    found.append(_quantiles("validity_sd", "", posterior.draws["validity_sd"]))
    found.append(_quantiles("gap_spread", "", posterior.draws["gap_departure_sd"]))
    prices = [spec.usd_per_unit for spec in catalogue.evals if not spec.usd_per_unit.exact]
    if prices:
        low = float(np.mean([np.log(p.low / p.geometric_mid) for p in prices]))
        found.append(Assumed("price", "", float(np.exp(low)), 1.0, float(np.exp(-low)), True))
    else:
        found.append(_factor("price", ""))
    found += [_factor("elicitation_hours", ""), _factor("review", "")]
    found.append(Assumed("effort", "", 0.75, 1.0, 1.25, False))
    return found


def levels_of(assumed: Sequence[Assumed], values: Sequence[float]) -> dict[Assumed, float]:
    """Return the levels of several figures at once."""
    return dict(zip(assumed, values, strict=True))


def _interval(kind: str, domain: str, interval: Interval, default: float) -> Assumed:
    if interval.exact:
        middle = interval.mid
        return Assumed(kind, domain, middle - default, middle, middle + default, False)
    return Assumed(kind, domain, interval.low, interval.mid, interval.high, True)


def _factor(kind: str, domain: str) -> Assumed:
    return Assumed(kind, domain, 1 / FACTOR, 1.0, FACTOR, False)


def _quantiles(
    kind: str, domain: str, draws: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> Assumed:
    middle = float(draws.mean())
    low, high = np.quantile(draws, [0.05, 0.95]) / middle
    return Assumed(kind, domain, min(float(low), 1.0), 1.0, max(float(high), 1.0), True)
