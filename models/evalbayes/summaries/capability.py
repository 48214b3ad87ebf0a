"""Capability by domain: what is shown, what elicitation adds, how far the threshold and the buffer.

One row per figure, draws boiled down to a median and a 90 % interval.
"""

import numpy as np
import pandas as pd

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue, DomainSpec
from evalbayes.catalogue.anchors import without_anchor
from evalbayes.catalogue.decided import DecisionSpec
from evalbayes.elicitation.adversary import capability_within
from evalbayes.elicitation.post_training import buffer, to_come
from evalbayes.horizons.horizon import HIGH, LENGTHS, LOW, MIDDLE, horizon_of, human_time
from evalbayes.posterior.placing import SAME, placed
from evalbayes.posterior.posterior import Posterior

BUFFERS = (0.5, 0.8, 0.9, 0.95, 0.99)
MONTHS = 12.0
ALL = "all"
COLUMNS = ["domain", "figure", "unit", "median", "low", "high"]


def capability_table(
    posterior: Posterior, catalogue: Catalogue, ai_model: str | None = None, *, seed: int = 0
) -> pd.DataFrame:
    """Return figures of capability, one row each: domain, figure, unit, median, low, high.

    Per domain, at its (first) threshold: shown capability; the elicitation gap; full capability,
    fully elicited; gain to come before the horizon; units from full capability to the threshold (an
    uncertain threshold adds to the interval; each level has its own, and its name); the chance to
    exceed it now and by the end of it; buffers, the quantiles of all that may still come on top of
    what is shown, and on top of what maximum elicitation has seen. Where an adversary has a budget,
    capability at it: it is then what exceeds, and is still to come on top of what is shown. Where
    the unit is doublings of human task time, also horizons at 50 % and 80 % (as shown and fully
    elicited), the share completed of tasks of 10 min, 30 min, 2 h and 8 h, and doublings from the
    80 % horizon to the threshold. For all domains of one unit together the sds of an eval's own
    departures: ω, from the capability it stands for, and κ, in its elicitation gap, which pairs of
    standard and elicited runs teach. Of a domain without an anchor only differences are told: gap,
    gain and buffers.

    Parameters
    ----------
    posterior, catalogue
        Belief about capability, and the domains with their thresholds.
    ai_model
        By default the one under test.
    seed
        Of the gains still to come.
    """
    name = ai_model or catalogue.portfolio.ai_model
    posterior = placed(posterior, catalogue)
    rows: list[dict[str, object]] = []
    for spec in catalogue.domains:
        rows += _domain_rows(posterior, catalogue, spec, name, np.random.default_rng(seed))
    of_unit: dict[str, list[str]] = {}
    for spec in catalogue.domains:
        of_unit.setdefault("doublings" if spec.minutes else spec.unit, []).append(spec.name)
    for figure, key in (
        ("validity error of an eval (sd)", "validity_sd"),
        ("spread of the gap between evals (sd)", "gap_departure_sd"),
    ):
        for unit, names in of_unit.items():
            draws = posterior.draws[key][:, posterior.index_of("domain", names[0])]
            whose = (ALL, "units of the domain") if len(of_unit) == 1 else (", ".join(names), unit)
            rows.append(_row(whose[0], figure, whose[1], draws))
    return pd.DataFrame(rows, columns=COLUMNS)


def later_gain(catalogue: Catalogue, spec: DomainSpec, n: int, rng: np.random.Generator) -> Array:
    """Draw a year's gain of better elicitation, 0 or more, of shape (n,)."""
    mean, sd = spec.post_training_gain_per_year.normal()
    return np.maximum(rng.normal(mean, sd, n), 0.0)


def _domain_rows(
    posterior: Posterior,
    catalogue: Catalogue,
    spec: DomainSpec,
    ai_model: str,
    rng: np.random.Generator,
) -> list[dict[str, object]]:
    d, m = posterior.index_of("domain", spec.name), posterior.index_of("ai_model", ai_model)
    shown, gap = posterior.draws["shown"][:, d, m], posterior.draws["gap"][:, d, m]
    months = catalogue.portfolio.horizon_months
    years, soon = months / MONTHS, f"in {months:g} months"
    rate = later_gain(catalogue, spec, len(shown), rng)
    overlap = spec.post_training_overlap
    decided = catalogue.decided(spec.name)
    luck = rng.standard_normal(len(shown))  # levels' thresholds are off together
    gain = to_come(gap, 1.0, 1.0, rate, years, overlap)
    thresholds, full, later, limited = {}, {}, {}, {}
    reach = dict.fromkeys((each.level or "threshold" for each in decided), "full")
    for each in decided:
        level = each.level or "threshold"
        mean, sd = each.threshold.normal()
        thresholds[level] = mean + sd * luck
        full[level] = reached(posterior, catalogue, each, spec.name, ai_model)
        later[level] = reached(posterior, catalogue, each, spec.name, ai_model, gain)
        if catalogue.adversary(each.name, spec.name) is not None:
            of = f" ({level})" if each.level else ""
            limited[f"at the adversary's budget{of}"] = full[level]
            reach[level] = "at the budget"
    capability = shown + gap
    unit = "doublings" if spec.minutes else spec.unit
    figures: dict[str, tuple[str, Array]] = {
        "shown": (unit, shown),
        "elicitation gap": (unit, gap),
        "full": (unit, capability),
        **{name: (unit, within) for name, within in limited.items()},
        f"gain {soon}": (unit, gain),
        **{f"{reach[name]} to {name}": (unit, t - full[name]) for name, t in thresholds.items()},
    }
    if spec.minutes:
        for words, effort in (("shown", 0.0), ("full", 1.0)):
            horizon = horizon_of(posterior, spec.name, ai_model, effort)
            for share in (0.5, 0.8):
                figures[f"{share:.0%} horizon, {words}"] = ("min", horizon.minutes(share))
            for length in LENGTHS:
                figure = f"completion of {human_time(length)} tasks, {words}"
                figures[figure] = ("share", horizon.completion(length))
            for level, threshold in thresholds.items():
                left = threshold - np.log2(horizon.minutes(0.8))
                figures[f"80% horizon to {level}, {words}"] = (unit, left)
    if spec.name in without_anchor(catalogue, posterior.human_minutes):
        thresholds = {}  # where on its scale it lies is made up, and differences alone are known
        figures = {name: figures[name] for name in figures if name.startswith(("elicit", "gain"))}
    rows = [_row(spec.name, figure, unit, draws) for figure, (unit, draws) in figures.items()]
    for level, threshold in thresholds.items():
        exceed = "chance to exceed" if level == "threshold" else f"chance to exceed {level}"
        for when, had in (("now", full[level]), (soon, later[level])):
            chance = float((had > threshold).mean())
            rows.append(_row(spec.name, f"{exceed} {when}", "share", chance))
    most = max((e.effort_max for e in catalogue.evals if spec.name in e.loadings), default=0.0)
    for after, elicited in (("shown", 0.0), ("maximum elicitation", most)):
        draws = to_come(gap, elicited, 1.0, rate, years, overlap)
        if limited and thresholds:  # less what the budget takes off full capability
            draws = draws + next(iter(full.values())) - capability
        rows += [
            _row(spec.name, f"buffer after {after}, {level:.0%}", unit, buffer(draws, level))
            for level in BUFFERS
        ]
    return rows


def reached(
    posterior: Posterior,
    catalogue: Catalogue,
    decision: DecisionSpec,
    domain: str,
    ai_model: str,
    gain: Array | float = 0.0,
) -> Array:
    """Return draws of what a decision of a domain is held against, with some gain: (n_draws,).

    Full capability at its threshold's difficulty, or that within its adversary's budget.
    """
    d, m = posterior.index_of("domain", domain), posterior.index_of("ai_model", ai_model)
    k = _knot(posterior, d, decision.threshold.normal()[0])
    shown, gap = (posterior.draws[key][:, k, m] for key in ("shown", "gap"))
    adversary = catalogue.adversary(decision.name, domain)
    if adversary is not None:
        return capability_within(posterior, catalogue, adversary, shown + gain, gap)
    return np.asarray(shown + gap + gain)


def _knot(posterior: Posterior, d: int, place: float) -> int:
    """Return the knot at a threshold; without places, the domain's."""
    at = (posterior.knot_domain == d) & (np.abs(posterior.knot_place - place) <= SAME)
    return int(np.flatnonzero(at)[0]) if at.any() else d


def _row(domain: str, figure: str, unit: str, told: Array | float) -> dict[str, object]:
    """Row of draws, with their interval, or of one figure without."""
    drawn = isinstance(told, np.ndarray)
    figures = np.quantile(told, (MIDDLE, LOW, HIGH)) if drawn else (told, np.nan, np.nan)
    return dict(zip(COLUMNS, (domain, figure, unit, *map(float, figures)), strict=True))
