"""Assumed figures: what a plan rests on, and the range each is tried over."""

import tomllib
from dataclasses import dataclass, replace
from importlib.resources import files

import numpy as np

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue, Interval
from evalbayes.catalogue.anchors import without_anchor
from evalbayes.posterior.posterior import Posterior
from evalfolio.errors import InputError

FIGURES = tomllib.loads(files(__package__).joinpath("figures.toml").read_text("utf-8"))
WORDS = {kind: figure["words"] for kind, figure in FIGURES.items()}
# Kinds that only enter the menu's decisions, prior, prices and hours; and kinds that change what
# the options tell: the menu is built again from the posterior's draws.
ON_MENU = tuple(kind for kind, figure in FIGURES.items() if figure["on"] == "menu")
ON_INPUTS = tuple(kind for kind in FIGURES if kind not in ON_MENU)
KINDS = (*ON_MENU, *ON_INPUTS)

HOURS = ("staff_hours", "elicitation_hours", "review")
# Kinds that change what options cost or which there are: a mix cannot be held against them.
ON_COSTS = ("price", *HOURS, "curve_family")
FAMILIES = {-1.0: "weibull", 0.0: "lognormal", 1.0: "hill"}
FACTOR = 2.0  # a figure without a range of its own is tried at half and at twice its value
UNIT = 1.0  # a threshold without one is tried a unit lower and higher
EFFORT = 0.25  # efforts are tried a quarter lower and higher


@dataclass(frozen=True)
class Assumed:
    """One assumed figure and the range it is tried over.

    Parameters
    ----------
    kind
        What it is, one of `KINDS`. `threshold` and `later_gain` (gain still to come, per year) are
        in the domain's unit; `curve_family` is -1, 0 or 1 for spends whose upper tail is lighter
        than, equal to or heavier than the lognormal's, as `FAMILIES` names them; the others are
        factors on the figure of the catalogue or on the belief of the posterior: `loss_missed`,
        `loss_false_alarm`, `gap_sd` and `shown_sd` (how uncertain gap and shown capability are),
        `price` (of all spend), `staff_hours` (to run an eval), `elicitation_hours`, `review`
        (minutes per run), `gap` (its size), `gap_spread` (κ), `validity_sd` (ω), `effort` (of
        max elicitation) and `study_sd` (error of studies that no participants take away).
    domain
        The domain it belongs to, for thresholds and losses the decision; empty for figures of all
        evals.
    low, mid, high
        Ends of the range and the value in use.
    given
        Whether the range is the catalogue's or the posterior's own, not a default one.
    ask
        What to measure or whom to ask, where nobody gave the figure; else empty.
    """

    kind: str
    domain: str
    low: float
    mid: float
    high: float
    given: bool
    ask: str = ""

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
        if self.kind == "curve_family" and not {self.low, self.mid, self.high} <= set(FAMILIES):
            raise InputError(
                f"{self.name}: low, mid and high must be -1, 0 or 1, got {self.low:g}, "
                f"{self.mid:g}, {self.high:g}"
            )

    @property
    def name(self) -> str:
        """The figure in words."""
        return f"{self.domain or 'all evals'}: {WORDS[self.kind]}"


def assumptions_of(catalogue: Catalogue, posterior: Posterior) -> list[Assumed]:
    """Return the assumed figures of a catalogue, with ranges of its own where it gives them.

    Thresholds, later gains and prices range over their intervals; the gap's size, validity error
    and the spread of the gap over the posterior's 5 % and 95 % quantiles; the curve family over
    the three there are; the rest over half to twice, efforts over a quarter less and more.
    Of domains without an anchor there are none: no decision is about them.
    """
    found: list[Assumed] = []
    m = posterior.index_of("ai_model", catalogue.portfolio.ai_model)
    # No decision of the menu rests on a domain without an anchor.
    adrift = without_anchor(catalogue, posterior.human_minutes)
    for decision in catalogue.decisions:
        if set(decision.weights) & set(adrift):
            continue
        found.append(_interval("threshold", decision.name, decision.threshold, UNIT))
        found += [_factor(kind, decision.name) for kind in ("loss_missed", "loss_false_alarm")]
    for spec in catalogue.domains:
        if spec.name in adrift:
            continue
        gain = spec.post_training_gain_per_year
        found.append(_interval("later_gain", spec.name, gain, gain.mid / FACTOR))
        found += [_factor(kind, spec.name) for kind in ("shown_sd", "gap_sd")]
        size = posterior.draws["gap"][:, posterior.domains.index(spec.name), m]
        if size.mean() > 0:
            found.append(_quantiles("gap", spec.name, size))
    for kind, key in (("validity_sd", "validity_sd"), ("gap_spread", "gap_departure_sd")):
        by_unit = np.unique(posterior.draws[key], axis=1)  # domains of one unit have one
        found.append(_quantiles(kind, "", (by_unit / by_unit.mean(axis=0)).ravel()))
    found.append(Assumed("effort", "", 1 - EFFORT, 1.0, 1 + EFFORT, False))
    found += [_factor("study_sd", "")] if catalogue.studies else []
    found.append(_price(catalogue))
    found += [_factor(kind, "") for kind in ("staff_hours", "elicitation_hours", "review")]
    found.append(Assumed("curve_family", "", -1.0, 0.0, 1.0, False))
    return [replace(each, ask=how_to_find_out(each, catalogue)) for each in found]


def how_to_find_out(assumed: Assumed, catalogue: Catalogue) -> str:
    """Return what to measure or whom to ask about a figure; empty where somebody gave it."""
    way, name = FIGURES[assumed.kind], assumed.domain
    places = [f"{kind} {name!r}" for kind in ("domain", "level", "decision")] if name else None
    nobody = "key" not in way or any(
        each.key == way["key"] and (places is None or each.where in places)
        for each in catalogue.assumptions
        if "_defaults]" not in each.reason
    )
    return way.get("ask", "") if nobody else ""


def price_spreads(catalogue: Catalogue | None) -> dict[str, float]:
    """Return by eval how far its price moves, in ln, where prices move by 1 on average.

    Evals whose price is stated exactly do not move, unless all are: then all move alike.
    """
    if catalogue is None:
        return {}
    widths = _price_widths(catalogue)
    moving = [width for width in widths.values() if width > 0]
    unspent = {study.name: 0.0 for study in catalogue.studies}  # people are no spend
    if not moving:
        return dict.fromkeys(widths, 1.0) | unspent
    return {name: width / float(np.mean(moving)) for name, width in widths.items()} | unspent


def _price_widths(catalogue: Catalogue) -> dict[str, float]:
    """Return how wide every eval's price is, in ln; 0 where it is stated exactly."""
    prices = {spec.name: spec.usd_per_unit for spec in catalogue.evals}
    return {n: 0.0 if p.exact else float(np.log(p.high / p.low)) for n, p in prices.items()}


def _price(catalogue: Catalogue) -> Assumed:
    """All prices at the ends of their own intervals at once; the factor is their geometric mean."""
    widths = [width for width in _price_widths(catalogue).values() if width > 0]
    if not widths:
        return _factor("price", "")
    half = float(np.exp(np.mean(widths) / 2))
    return Assumed("price", "", 1 / half, 1.0, half, True)


def _interval(kind: str, domain: str, interval: Interval, default: float) -> Assumed:
    if interval.exact:
        middle = interval.mid
        return Assumed(kind, domain, middle - default, middle, middle + default, False)
    return Assumed(kind, domain, interval.low, interval.mid, interval.high, True)


def _factor(kind: str, domain: str) -> Assumed:
    return Assumed(kind, domain, 1 / FACTOR, 1.0, FACTOR, False)


def _quantiles(kind: str, domain: str, draws: Array) -> Assumed:
    middle = float(draws.mean())
    low, high = np.quantile(draws, [0.05, 0.95]) / middle
    return Assumed(kind, domain, min(float(low), 1.0), 1.0, max(float(high), 1.0), True)
