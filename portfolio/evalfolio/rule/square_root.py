r"""The square-root law: how many evals are worth running deep, without an optimiser.

One domain of like evals at one price, as `like_evals` has it: n evals are run, q of them deep, at C
times the price of a plateau-level run. Without sampling noise they leave
Var(s + δ | results) = W/(W/σs² + n) + D/(D/σδ² + q), W = ω² and D = κ², whatever the effort: a run
elicited by half reads half of the gap and half of its spread. With noise t² the two readings
separate nearly into one of s with error W = ω² + t² and, as their difference over e, one of δ with
error D = κ² + 2t²/e²: halving the effort costs four times the noise. Neglecting what the two share
overstates what is left, so it is used for the slope below only, never for whole numbers.

Under n + (C − 1)·q = B the least of W/(W/σs² + n) + D/(D/σδ² + q) lies where

    q + D/σδ² = √(D/W)/√(C − 1) · (n + W/σs²).

So the first n₀ = √(W(C − 1)D)/σδ² − W/σs² evals stay at plateau level, and of the further ones
every √(W/D)·√(C − 1)-th is worth running deep. With no noise and e = 1 this is
q + κ²/σδ² = (κ/ω)(n + ω²/σs²)/√(C − 1).

A threshold decision does not move the split. The value of the results is G(v) of the variance they
explain, v = σs² + σδ² − Var(s + δ | results), whatever the threshold, the losses and the gain still
to come; and G never falls. So whatever is spent is best split to explain the most. They decide
whether to spend at all: below the variance where the concave envelope of G first meets G, spending
pays less than saving up to that point, and that point moves with the
distance to the threshold. Where results cannot change the call, neither depth nor breadth pays.

Whole numbers: all numbers of deep runs are compared by the variance they leave, and a first deep
run has to beat the C − 1 plateau-level runs it displaces, not an infinitesimal part.

Where it fails: on 800 one-domain problems with prices spread by a factor of two
(`benchmarks/rule.py`) the law at the mean price is right on about five in six. Nearly all of its
mistakes are budgets of about one deep run, where a cheap eval can be run deep and one at the mean
price cannot; `priced_rule`, the same formula over a price list, is right on more than 99 %.
Evals of unequal validity, errors shared by a family and several domains that compete for the same
hours are outside it: ask the optimiser.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from evalfolio.narrative import percent, two_digits
from evalfolio.rule.like_evals import RuleFigures as RuleFigures
from evalfolio.rule.like_evals import check_purchase
from evalfolio.rule.like_evals import left_variance as left_variance

MOST_GAP = 1e6  # an sd of the gap beyond which no deep run is ever worth its price


@dataclass(frozen=True)
class DepthRule:
    """What the square-root law says of a domain."""

    evals_share: float  # share of the evals run that are run deep
    budget_share: float  # that goes to deep runs, with the plateau-level reading they contain
    plateau_first: float  # n₀: evals at plateau level before the first deep run is worth its price
    one_in: float  # of the evals beyond n₀ one in so many is worth running deep; infinite for none
    plateau: int | None = None  # plateau, deep: how many to run so; None without a budget
    deep: int | None = None

    def __str__(self) -> str:
        if math.isinf(self.one_in):
            return "No deep run is worth its price: there is no gap to learn about."
        start = "Depth pays from the first eval on"
        if self.plateau_first >= 0.5:
            start = f"Run the first {two_digits(round(self.plateau_first))} evals at plateau level"
        text = f"{start}; of the rest run one in {two_digits(max(self.one_in, 1.0))} deep."
        if self.plateau is None or self.deep is None:
            return (
                f"{text} In a large budget {percent(self.evals_share)} of the evals are deep and "
                f"take {percent(self.budget_share)} of the money."
            )
        if not self.deep:
            return f"{text} This budget: {self.plateau} at plateau level, none deep."
        return (
            f"{text} This budget: {self.plateau} at plateau level and {self.deep} deep, which take "
            f"{percent(self.budget_share)} of the money spent."
        )


def depth_rule(
    *,
    cost_ratio: float,
    validity_sd: float,
    gap_sd: float,
    gap_spread: float,
    shown_sd: float = math.inf,
    noise_sd: float = 0.0,
    effort: float = 1.0,
    budget: float | None = None,
    evals: int | None = None,
) -> DepthRule:
    """Return how much depth is worth by the square-root law.

    InputError if a figure is out of its range.

    Parameters
    ----------
    cost_ratio
        C, price of a deep run over that of a plateau-level one; above 1.
    validity_sd
        ω, by how much an eval departs from the capability it stands for.
    gap_sd
        σδ, sd of the belief about the domain's elicitation gap.
    gap_spread
        κ, by how much an eval's own gap departs from the domain's.
    shown_sd
        σs, sd of the belief about the shown capability; infinite if nothing is known.
    noise_sd
        t, sd of one reading from sampling tasks and runs.
    effort
        e of a deep run, above 0 and at most 1.
    budget
        In plateau-level runs; without it, the shares of a large budget.
    evals
        How many evals there are; without it, as many as the budget pays for.

    Examples
    --------
    >>> rule = depth_rule(cost_ratio=25, validity_sd=1, gap_sd=0.7, gap_spread=0.5)
    >>> str(rule)[:71]
    'Run the first 5 evals at plateau level; of the rest run one in 9.8 deep'
    >>> equal = depth_rule(cost_ratio=25, validity_sd=1, gap_sd=9, gap_spread=1)
    >>> round(equal.evals_share, 2), round(equal.budget_share, 2)
    (0.2, 0.87)
    """
    check_purchase(cost_ratio, budget, evals)
    case = RuleFigures(validity_sd, gap_sd, gap_spread, shown_sd, noise_sd, effort)
    first, one_in = depth_line(cost_ratio, case.breadth, case.depth, gap_sd, shown_sd)
    if budget is None:
        share = min(1.0 / one_in, 1.0)
        money = cost_ratio * share / (1 + (cost_ratio - 1) * share)
        return DepthRule(share, money, first, one_in)
    n, q = _whole_mix(case, cost_ratio, budget, evals)
    spent = n + (cost_ratio - 1) * q
    money = cost_ratio * q / spent if spent else 0.0
    return DepthRule(q / n if n else 0.0, money, first, one_in, plateau=n - q, deep=q)


def depth_line(
    cost_ratio: float, breadth: float, depth: float, gap_sd: float, shown_sd: float
) -> tuple[float, float]:
    """Return n₀ and the number of further evals per deep one; W and D are `breadth`, `depth`.

    >>> depth_line(17.0, 1.0, 0.25, 0.5, 1.0)
    (7.0, 8.0)
    """
    if gap_sd == 0:
        return math.inf, math.inf
    known = breadth / shown_sd**2
    first = math.sqrt(breadth * depth * (cost_ratio - 1)) / gap_sd**2 - known
    one_in = math.sqrt(breadth * (cost_ratio - 1) / depth) if depth > 0 else math.inf
    # Without spread in the gap and without noise a single deep run settles it: one, then no more.
    return max(first, 0.0), one_in


def least_gap_sd(
    *,
    cost_ratio: float,
    validity_sd: float,
    gap_spread: float,
    budget: float,
    shown_sd: float = math.inf,
    noise_sd: float = 0.0,
    effort: float = 1.0,
    evals: int | None = None,
) -> float:
    """Return the sd of the gap from which one deep run is worth what it displaces.

    With n₀ runs without it and n₁ beside it, a deep run is worth them where
    Var(s + δ | n₁, 1 deep) = Var(s + δ | n₀): without noise where σδ² = (Δ + √(Δ² + 4ΔD))/2 with
    Δ = W/(W/σs² + n₁) − W/(W/σs² + n₀), the variance that the displaced runs explain. With noise
    the deep run's own reading of s counts too, and the equation is solved by halving. Infinite
    where the budget does not pay for a deep run, 0 where it displaces nothing.

    Parameters
    ----------
    cost_ratio
        Price of a deep run in plateau-level runs.
    validity_sd, gap_spread, shown_sd, noise_sd, effort
        As `depth_rule` has them.
    budget
        In plateau-level runs.
    evals
        How many there are; without end by default.

    Examples
    --------
    >>> round(least_gap_sd(cost_ratio=5, validity_sd=1, gap_spread=0.5, budget=20), 3)
    0.25
    """
    check_purchase(cost_ratio, budget, evals)
    known = RuleFigures(validity_sd, 0.0, gap_spread, shown_sd, noise_sd, effort)
    if budget < cost_ratio:
        return math.inf
    most = math.inf if evals is None else evals
    without = min(math.floor(budget + 1e-9), most)
    beside = min(math.floor(budget - (cost_ratio - 1) + 1e-9), most)

    def gained(gap_sd: float) -> float:
        case = replace(known, gap_sd=gap_sd)
        return left_variance(without, 0, case) - left_variance(beside, 1, case)

    low, high = 1e-9, 1.0
    if gained(low) >= 0 and beside == without:
        return 0.0
    while gained(high) < 0:
        high *= 2
        if high > MOST_GAP:
            return math.inf
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if gained(middle) < 0 else (low, middle)
    return high


def _whole_mix(
    case: RuleFigures, cost_ratio: float, budget: float, evals: int | None
) -> tuple[int, int]:
    """Return whole (n, q) within the budget that leave the least variance."""
    most = math.inf if evals is None else evals

    def n_with(q: int) -> int:
        return int(min(math.floor(budget - (cost_ratio - 1) * q + 1e-9), most))

    affordable = int(min(budget // cost_ratio, most))
    # Without limit on the evals what is left is convex in q, so any fall but the last is passed on
    # the way; 64 steps apart and then one by one, large budgets cost no more than small ones.
    coarse = range(0, affordable + 1, max(affordable // 64, 1))
    best = min(coarse, key=lambda q: (left_variance(n_with(q), q, case), q))
    near = range(max(best - coarse.step, 0), min(best + coarse.step, affordable) + 1)
    best = min(near, key=lambda q: (left_variance(n_with(q), q, case), q))
    return n_with(best), best


def priced_mix(
    prices: Sequence[float], budget: float, *, cost_ratio: float, **figures: float
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return which evals to run at plateau level and which deep, where prices differ.

    The q cheapest evals run deep, then the cheapest others at plateau level while the money lasts,
    then what is left deepens further ones; of all q, the one that leaves the least variance by the
    law's formula. Prices close to the budget make this necessary: a deep run of a cheap eval may
    be affordable where one at the mean price is not. Prices are of a plateau-level run of every
    eval, in the unit of the budget; deep runs cost `cost_ratio` times as much. All else is as
    `RuleFigures` has it.

    >>> priced_mix(
    ...     [1.0, 3.0, 1.0], 6.0, cost_ratio=4, validity_sd=1, gap_sd=1, gap_spread=0.5, shown_sd=1
    ... )
    ((2,), (0,))
    """
    check_purchase(cost_ratio, budget, None)
    case = RuleFigures(**figures)
    order = sorted(range(len(prices)), key=lambda i: (prices[i], i))
    best: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    least = math.inf
    for q in range(len(order) + 1):
        if sum(prices[i] for i in order[:q]) * cost_ratio > budget * (1 + 1e-12):
            break
        plateau, deep = _filled(prices, order, q, budget, cost_ratio)
        n = len(plateau) + len(deep)
        left = left_variance(n, len(deep), case)
        if left < least:
            best, least = (plateau, deep), left
    return best


def _filled(
    prices: Sequence[float], order: Sequence[int], q: int, budget: float, cost_ratio: float
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return plateau-level and deep evals with the q cheapest deep and all money used."""
    deep = list(order[:q])
    left = budget - cost_ratio * sum(prices[i] for i in deep)
    plateau = []
    for i in order[q:]:
        if prices[i] <= left:
            plateau.append(i)
            left -= prices[i]
    for i in [*plateau] if len(deep) + len(plateau) == len(order) else []:
        if prices[i] * (cost_ratio - 1) <= left:
            left -= prices[i] * (cost_ratio - 1)
            plateau.remove(i)
            deep.append(i)
    return tuple(plateau), tuple(deep)
