"""What a choice does for every decision: belief now, belief expected after, calls put right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from evalbayes import Decision, Menu
from evalbayes.arrays import Array
from evalbayes.decision import parts_of
from evalfolio.limits.group import describe, members
from evalfolio.limits.presence import Mandatory
from evalfolio.narrative import listing, words
from evalfolio.search import Problem
from evalfolio.value.explained import ExplainedVariance
from evalfolio.value.known import known
from evalfolio.value.sample_information import DecisionValue

if TYPE_CHECKING:
    from evalfolio.plans.plan import Plan

CALLS = ("do not mitigate", "mitigate")
MAX_STEPS = 60  # of the path on which minimum effort is read off


def decision_outlook(problem: Problem, x: Array) -> pd.DataFrame:
    """Return one row per decision: what is believed now and what the choice will change.

    Columns: domains (whose capability it weighs), mitigate_above, capability_mean,
    threshold, prior_sd, posterior_sd (of y, later gain included), v
    (variance explained), evsi, evpi, share_of_evpi, call_now, p_exceeds, p_missed_now,
    p_missed_expected, p_needless_now, p_needless_expected, p_wrong_call_now,
    p_wrong_call_expected, p_call_changes, upper95_now, upper95_expected, minimum_effort_usd,
    buffer, funded.

    Calls now and after the results follow the rule that is stated, mitigate when the probability
    of exceeding the threshold is above p*, under the belief as it is, skew included; without a
    rule they are those that lose least. The two wrong calls are of truth: danger missed, not
    mitigating above the threshold, and needless mitigation, mitigating below it; a wrong call is
    either. With a skewed gap calls, probabilities and evsi are exact and so is upper95_now;
    upper95_expected keeps its distance from the mean in sds. evsi is what results save someone
    whose calls lose least, which under a skewed gap are the rule's but near p*.
    """
    menu = problem.menu
    variances = ExplainedVariance(menu)
    explained, known = variances.at(x), problem.explained.at(x)
    precision = variances.precision(x)
    rows: list[dict[str, Any]] = []
    for d, (decision, worth) in enumerate(zip(menu.decisions, problem.values, strict=True)):
        value = DecisionValue.of(menu, decision)
        v = float(explained[d])
        left = float(np.sqrt(max(value.variance - v, 0.0)))
        mean = value.distance + decision.threshold
        calls = _calls(menu, decision, value, x)
        reach, evsi = calls.pop("reach"), calls.pop("evsi")
        effort_usd, least = minimum_effort(problem, d)
        rows.append(
            {
                "decision": decision.name,
                "domains": decision.domains(menu.states),
                "mitigate_above": decision.mitigate_above,
                "held_against": decision.held_against,
                "capability_mean": mean,
                "threshold": decision.threshold,
                "prior_sd": value.sd,
                "posterior_sd": left,
                "v": v,
                "evsi": evsi,
                "evpi": worth.evpi,
                "share_of_evpi": evsi / worth.evpi if worth.evpi > 0 else 0.0,
                **calls,
                "upper95_now": mean + reach * value.sd,
                "upper95_expected": mean + reach * left,
                "minimum_effort_usd": effort_usd,
                "buffer": buffer(menu, decision, precision),
                "funded": bool(v > 0 and known[d] >= least * (1 - 1e-6)),
            }
        )
    return pd.DataFrame(rows).set_index("decision")


def _calls(menu: Menu, decision: Decision, value: DecisionValue, x: Array) -> dict[str, Any]:
    """Return calls and their probabilities, and how many sds the upper 95 % is from the mean."""
    calls = known(menu, decision).calls
    outcome = known(menu, decision).outcome(x)
    if calls is None:
        mitigate, p_exceeds = value.mitigates, float(ndtr(value.distance / value.sd))
        reach = float(ndtri(0.95))
    else:
        mitigate, p_exceeds = calls.mitigates, calls.p_exceeds
        reach = (calls.quantile(0.95) - value.distance) / value.sd
    missed_now, needless_now = (0.0, 1.0 - p_exceeds) if mitigate else (p_exceeds, 0.0)
    return {
        "call_now": CALLS[mitigate],
        "p_exceeds": p_exceeds,
        "p_missed_now": missed_now,
        "p_missed_expected": outcome.p_missed,
        "p_needless_now": needless_now,
        "p_needless_expected": outcome.p_needless,
        "p_wrong_call_now": missed_now + needless_now,
        "p_wrong_call_expected": outcome.p_missed + outcome.p_needless,
        "p_call_changes": outcome.p_turned,
        "reach": reach,
        "evsi": outcome.value,
    }


def buffer(menu: Menu, decision: Decision, precision: Array, level: float = 0.95) -> float:
    """Return how far below the danger threshold to put the alert threshold of shown capability.

    The upper quantile, at `level`, of what full elicitation and the time to the horizon may still
    add: E[δ] + E[later gain] + z·√(Var(δ | results) + Var(later gain)), with the variance of δ
    as it is expected to be after the choice, whose whitened `precision` is given. The quantile is a
    normal's, also of a lognormal gap, whose own upper quantile lies higher where the gap is wide.
    At an adversary's budget a unit shown adds only w to y, so the alert is (threshold − that)/w.
    """
    gap = decision.contrast * parts_of(menu.states, "gap")
    root = np.linalg.cholesky(menu.prior_covariance)
    whitened = gap @ root
    variance = float(whitened @ np.linalg.solve(precision, whitened))
    mean = float(gap @ menu.prior_mean) + decision.later_gain_mean
    most = mean + float(ndtri(level)) * float(np.sqrt(variance + decision.later_gain_sd**2))
    if not decision.held_against or len(decision.domains(menu.states)) > 1:
        return most
    of_shown = float((decision.contrast - gap).sum())
    return decision.threshold - (decision.threshold - most) / of_shown


def way_out(plan: Plan, domains: Sequence[str]) -> str:
    """Say what to do about a decision on these domains funded below its minimum sensible effort.

    What is mandatory is not to be dropped, and where hours alone bind money is no way out.
    """
    here = plan.menu.options["domain"].isin(domains).to_numpy()
    for limit in plan.limits:
        if isinstance(limit, Mandatory) and (members(plan.menu, limit.of) & here).any():
            return f"it stays, as {describe(limit.of)} is mandatory; fund it to there if you can"
    binding = [words(name) for name, price in plan.shadow_prices.items() if price > 0]
    if binding and not plan.shadow_prices.get("usd"):
        return f"what holds it back is {listing(binding)}, not money"
    return "fund it to there, or drop it"


def minimum_effort(problem: Problem, decision: int) -> tuple[float | None, float]:
    """Return the minimum sensible effort of a decision in usd, and what is known by it.

    Options are bought in the order of knowledge per cost, where cost is the sum of the
    shares of the budgets (of usd alone without budgets). Along this path the average value per
    cost, G/cost, peaks where the line from nothing first touches the concave envelope of value
    over cost: below it each unit of cost buys less than on average up to it, so fund the decision
    to there or drop it. It is the decision's own sweet spot. (None, 0) where nothing on the menu
    is worth anything to the decision, or the menu has no usd.
    """
    menu, value = problem.menu, problem.values[decision]
    most = float(problem.v_max[decision])
    if "usd" not in menu.resources:
        return None, 0.0
    usd = problem.costs[:, menu.resources.index("usd")]
    shares = [
        used / amount
        for used, amount in zip(problem.use.T, problem.spendable.values(), strict=True)
        if np.isfinite(amount) and amount > 0
    ]
    cost = np.asarray(sum(shares)) if shares else usd
    x, chosen = np.zeros(len(menu)), np.full(len(problem.evals), -1)
    path: list[tuple[float, float, float]] = []  # cost, usd, variance explained
    for _ in range(MAX_STEPS):
        # Rated by tangents: exact exchanges of every option at every step would take the time of
        # the plan itself, and the path only has to be a sensible one.
        now, gradient = problem.explained.tangent(x)
        without = chosen[problem.eval_codes]
        replaced = without >= 0
        gain = gradient[decision] - np.where(replaced, gradient[decision, without], 0.0)
        options = np.arange(len(menu))
        extra = problem.more(x, options, np.where(replaced, without, -1), cost[:, None])[:, 0]
        worth = (x < 0.5) & (gain > 1e-6 * most)
        if not worth.any():
            break
        rate = np.where(worth, gain, -np.inf) / np.maximum(extra, 1e-9)
        option = int(np.argmax(rate))
        if replaced[option]:
            x[without[option]] = 0.0
        x[option] = 1.0
        chosen[problem.eval_codes[option]] = option
        after = float(problem.explained.at(x)[decision])
        if after <= float(now[decision]):
            break
        both = menu.with_shared(x)
        path.append((float(cost @ both), float(usd @ both), after))
    if not path:
        return None, 0.0
    spent, dollars, explained = np.array(path).T
    average = value.gain(explained) / np.maximum(spent, 1e-12)
    if average.max() <= 0:
        return None, 0.0
    sweet = int(np.argmax(average))
    return float(dollars[sweet]), float(explained[sweet])
