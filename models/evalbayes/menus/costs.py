"""What an option costs: money, staff hours, agent hours and days."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from evalbayes.arrays import Array
from evalbayes.catalogue import BudgetSpec, Catalogue, EvalSpec
from evalbayes.catalogue.interval import Interval
from evalbayes.curves import Curve
from evalbayes.curves.families import lognormal
from evalbayes.menu import SharedPurchase, Tariff
from evalbayes.menus.offer import MAX_ELICITATION, Offer

MOST_REVIEWED = 100  # transcripts read by a person, however many runs there are
HOURS_PER_DAY = 24.0
SECONDS_PER_HOUR = 3600.0
STAFF_HOURS = "staff_hours"


Spends = Callable[[float, float], tuple[Array, Array]]  # of effort and cap: `spend_moments`


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Cost:
    """Cost of one option; `usd_draws`, of shape (n_draws,), is what it may turn out to cost.

    `usd_means`, of shape (n_draws,), are what it is expected to cost under each draw of the curves,
    at the expected price: their mean is `usd`. `units`, of shape (n_draws,), is what it may turn
    out to spend in the eval's unit, `mean_units` what is expected.
    """

    usd: float
    usd_p90: float
    usd_ceiling: float
    usd_draws: Array
    usd_means: Array
    units: Array
    mean_units: float
    staff_hours: Mapping[str, float]
    agent_hours: float
    days: float


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Priced:
    """One option, whatever evidence it is, with what it costs and tells."""

    described: Mapping[str, Any]  # columns of the menu's table before what it uses
    cost: Cost
    information: Array
    information_draws: Array
    replicates: Array  # of the information, (n_replicates, n_states, n_states)

    def row(self, columns: tuple[str, ...]) -> dict[str, Any]:
        """Return its row of the menu's table, with these columns of staff hours."""
        cost = self.cost
        return {
            **self.described,
            "usd": cost.usd,
            "usd_p90": cost.usd_p90,
            "usd_ceiling": cost.usd_ceiling,
            **{column: cost.staff_hours[column] for column in columns},
            "agent_hours": cost.agent_hours,
            "days": cost.days,
        }


def option_cost(
    spec: EvalSpec, offer: Offer, spends: Spends, prices: Array, luck: Array, catalogue: Catalogue
) -> Cost:
    """Work out the cost of an option.

    usd = Σ runs · E[min(T, cap)] · usd_per_unit, over the option's runs and its baseline pass, plus
    usd_per_reset for every run of a task after its first. A run lasts hours_per_run, or as long as
    its tokens take at the budget's throughput. `prices` are draws of usd per unit, (n_draws,), with
    the mean that counts as expected; `luck` standard normal ones: how the runs themselves turn out.
    The catalogue's budget gives days and agents in parallel.
    """
    passes = [(offer.runs, offer.cap, offer.effort), (offer.baseline_runs, offer.baseline_cap, 0.0)]
    mean, variance, most = np.zeros(len(prices)), np.zeros(len(prices)), 0.0
    agent_hours = longest = 0.0
    for runs, cap, effort in passes:
        if runs:
            first, second = spends(effort, cap)
            mean = mean + runs * first
            variance = variance + runs * np.maximum(second - first**2, 0.0)
            most += runs * cap
            agent_hours += runs * run_hours(spec, catalogue.budget, float(first.mean()))
            longest += run_hours(spec, catalogue.budget, cap)
    resets = offer.resets * spec.usd_per_reset
    units = np.clip(mean + luck * np.sqrt(variance), 0.0, most)
    draws = units * prices + resets
    means = mean * prices.mean() + resets
    steps = [t.steps.values() for t in catalogue.tariffs if spec.name in t.evals]
    dearest = max([1.0, *(factor for each in steps for factor in each)])
    return Cost(
        usd=float(means.mean()),
        usd_p90=float(np.quantile(draws, 0.9)),
        usd_ceiling=float(most * max(spec.usd_per_unit.high, prices.max()) * dearest) + resets,
        usd_draws=draws,
        usd_means=means,
        units=units,
        mean_units=float(mean.mean()),
        staff_hours=staff_hours(spec, offer, catalogue),
        agent_hours=agent_hours,
        days=calendar_days(
            spec,
            offer,
            agent_hours,
            longest,
            catalogue.budget.agents_in_parallel,
            max((each.days for each in catalogue.elicitations_of(spec.name)), default=0.0),
        ),
    )


def run_hours(spec: EvalSpec, budget: BudgetSpec, spend: float) -> float:
    """Hours that a run of this spend lasts: hours_per_run, or spend over tokens a second."""
    if spec.hours_per_run is not None or budget.tokens_per_second is None:
        return spec.hours_per_run or 0.0  # a catalogue has one or the other
    return spend / budget.tokens_per_second / SECONDS_PER_HOUR


def spend_moments(curve: Curve, cap: float) -> tuple[Array, Array]:
    """E[min(T, c)] and E[min(T, c)²] of one run, in spend units and their squares.

    ln T² = 2 ln T has twice the location and scale in every family, so min(T, c)² is the same
    formula again.
    """
    ln_cap = math.log(cap)
    success = curve.law.squared().limited_mean(2.0 * ln_cap)
    gave_up = lognormal.limited_mean(
        2.0 * ln_cap, 2.0 * curve.gave_up_location, 2.0 * curve.gave_up_scale
    )
    second = curve.plateau * success + (1.0 - curve.plateau) * gave_up
    return curve.expected_spend(ln_cap), second


def price_draws(spec: EvalSpec, n_draws: int, rng: np.random.Generator) -> Array:
    """Draws of usd per unit: lognormal quantiles in random order, so few draws have its mean."""
    return lognormal_draws(spec.usd_per_unit, n_draws, rng)


def lognormal_draws(interval: Interval, n_draws: int, rng: np.random.Generator) -> Array:
    """Draws of a lognormal figure: its quantiles in random order, with its mean."""
    mean, sd = interval.lognormal()
    shares = (rng.permutation(n_draws) + 0.5) / n_draws
    draws: Array = np.exp(mean + sd * ndtri(shares))
    scaled: Array = draws * (interval.lognormal_mean / draws.mean())
    return scaled


def shared_purchases(
    catalogue: Catalogue,
    options: pd.DataFrame,
    n_draws: int,
    seed: int,
    elicited: Collection[str] = (),
) -> tuple[SharedPurchase, ...]:
    """Return the catalogue's shared elicitations as a menu's options need them.

    Those at max elicitation of the evals it serves do. Money that is a range is a lognormal of its
    own, independent of all else; `draws` of shape (n_draws, n_resources) hold it. What an eval
    elicited already has needed is paid.
    """
    columns = staff_columns(catalogue)
    deep, found = options.index[options["tier"] == MAX_ELICITATION], []
    for k, each in enumerate(catalogue.elicitations):
        if set(each.evals) & set(elicited):
            continue
        hours = by_skill(each.hours, catalogue.skills, "")
        skills = catalogue.skills or ("",)
        staff = {name: hours.get(s, 0.0) for name, s in zip(columns, skills, strict=True)}
        usd = each.usd.lognormal_mean
        draws = None
        if not each.usd.exact:
            width = len(columns) + 2 + len(catalogue.tariffs)  # usd, staff and agent hours, units
            draws = np.zeros((n_draws, width))
            draws[:, 0] = lognormal_draws(each.usd, n_draws, np.random.default_rng([seed, k]))
            draws[:, 1 : 1 + len(staff)] = list(staff.values())
        needed = tuple(deep[options.loc[deep, "eval"].isin(each.evals)])
        found.append(SharedPurchase(each.name, {"usd": usd, **staff}, needed, each.days, draws))
    return tuple(found)


def tariffs_of(catalogue: Catalogue, used: Mapping[str, float]) -> tuple[Tariff, ...]:
    """Return the catalogue's tariffs, of which so many units are used by resource already."""
    return tuple(
        Tariff(
            each.resource,
            catalogue.eval(each.evals[0]).usd_per_unit.lognormal_mean,
            tuple((float(start), factor) for start, factor in each.steps.items()),
            each.kind == "all-units",
            used.get(each.resource, 0.0),
        )
        for each in catalogue.tariffs
    )


def staff_hours(spec: EvalSpec, offer: Offer, catalogue: Catalogue) -> dict[str, float]:
    """Staff hours by resource column: running, elicitation in proportion to effort, and review.

    Review takes review_minutes_per_run · min(runs, 100)/60, shared among skills as running is.
    Repaired runs take the hours of mending in place of elicitation, and the transcripts of the pass
    before are read too: that is how spurious failures are found.
    """
    if not offer.tasks:
        return dict.fromkeys(staff_columns(catalogue), 0.0)
    read = min(offer.runs, MOST_REVIEWED)
    if offer.repaired:
        read += min(offer.baseline_runs, MOST_REVIEWED)
    share = 1.0 if offer.repaired else offer.effort / spec.effort_max
    if offer.built:
        share = 0.0
    hours = spec.staff_hours_repair if offer.repaired else spec.staff_hours_elicitation
    review = spec.review_minutes_per_run * read / 60.0
    skills = catalogue.skills
    columns = staff_columns(catalogue)
    run = by_skill(spec.staff_hours, skills, spec.domain)
    elicit = by_skill(hours, skills, spec.domain)
    total = sum(run.values())
    return {
        column: run.get(skill, 0.0)
        + share * elicit.get(skill, 0.0)
        + review * (run.get(skill, 0.0) / total if total else 1.0 / len(columns))
        for column, skill in zip(columns, skills or ("",), strict=True)
    }


def staff_columns(catalogue: Catalogue) -> tuple[str, ...]:
    """Return the staff resource columns: one, or one per skill."""
    return tuple(f"{STAFF_HOURS}.{skill}" for skill in catalogue.skills) or (STAFF_HOURS,)


def calendar_days(
    spec: EvalSpec,
    offer: Offer,
    agent_hours: float,
    longest: float,
    agents: float | None,
    shared: float = 0.0,
) -> float:
    """Return the days an option takes by itself: elicitation, then runs over parallel agents.

    At max elicitation the days of what it shares, the longest of it, come first. `longest` is how
    many hours its passes take one after the other, with an agent for every run.
    """
    if not offer.tasks:
        return 0.0
    elicitation = 0.0 if offer.built else spec.days_elicitation * offer.effort / spec.effort_max
    if offer.tier == MAX_ELICITATION and not offer.built:
        elicitation += shared
    if offer.repaired:
        elicitation = 0.0 if offer.built else spec.days_repair
    side_by_side = agent_hours / agents if agents else 0.0
    return elicitation + max(side_by_side, longest) / HOURS_PER_DAY


def by_skill(
    hours: float | Mapping[str, float], skills: tuple[str, ...], domain: str
) -> dict[str, float]:
    """Return hours by skill: one number is of the domain's skill, or of the first."""
    if isinstance(hours, Mapping):
        return dict(hours)
    if not skills:
        return {"": float(hours)}
    return {domain if domain in skills else skills[0]: float(hours)}
