r"""The value of options by simulation of what runs really yield, as a check on the menu.

Nothing is normal here: runs succeed, give up or are stopped, each at its own spend; the elicitation
gap, slopes and curves are posterior draws with all their skew; and the losses after each simulated
result are averaged over posterior draws weighted by the likelihood of that result. It is far too
slow to choose options by.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from tests.evalbayes.menus.simulated_runs import (
    STATISTICS,
    shown_margin,
    simulated_runs,
    statistic_weights,
)

from evalbayes.decision import Decision
from evalbayes.menus.states import eval_error, explained_error, states_of
from evalbayes.posterior.placing import placed

if TYPE_CHECKING:
    import pandas as pd

    from evalbayes.catalogue import Catalogue
    from evalbayes.menu import Menu
    from evalbayes.posterior.posterior import Posterior

Array = NDArray[np.float64]
ERROR_NODES, DEPARTURE_NODES = 9, 5
CURVES = 60  # curve draws that a likelihood is averaged over
LOGITS = np.linspace(-16.0, 16.0, 257)
CHUNK = 20  # results worked on at a time


@dataclass(frozen=True)
class SimulatedValue:
    """Value in the unit of the losses, its standard error, and draws that the weights are worth."""

    value: float
    standard_error: float
    effective_draws: float


def simulated_value(
    posterior: Posterior,
    catalogue: Catalogue,
    menu: Menu,
    options: Sequence[str],
    *,
    n_results: int = 400,
    copies: int = 4,
    seed: int = 0,
) -> SimulatedValue:
    """Return the expected value of the results of some options.

    Half of the posterior's draws play the truth, the other half the belief that is updated, so
    that no truth is recognised by its own draw.

    Parameters
    ----------
    posterior, catalogue, menu
        What the menu was made from, and the menu.
    options
        Names of the options run.
    n_results
        Sets of results simulated.
    copies
        How often every draw is used, each time with another draw of what is independent of it:
        gaps where none were observed, and family errors without results of the AI model.
    seed
        Same seed, same value.
    """
    rng = np.random.default_rng(seed)
    m = posterior.index_of("ai_model", catalogue.portfolio.ai_model)
    posterior = placed(posterior, catalogue)
    own = set(states_of(posterior, catalogue).own_error)
    truth, belief = (_recombined(half, copies, m, rng) for half in _halves(posterior))
    chosen = np.resize(rng.permutation(truth.n_draws), n_results)
    log_weights = np.zeros((n_results, belief.n_draws))
    for name in options:
        row: pd.Series = menu.options.loc[[name]].iloc[0]
        log_weights += _log_likelihood(
            truth, belief, chosen, row, m, catalogue, row["eval"] in own, rng
        )
    weights = np.exp(log_weights - logsumexp(log_weights, axis=1, keepdims=True))
    gain = np.zeros(n_results)
    controls = []
    for decision in menu.decisions:
        weights_by_knot = knot_weights(decision, menu, posterior)
        losses = decision.expected_losses(_capability(belief, weights_by_knot, m))
        now = int(np.argmin(losses.mean(axis=1)))
        after = losses @ weights.T  # (2, n_results)
        # Against the call that is right now: the same mean as against its loss now, less noise.
        gain += after[now] - after.min(axis=0)
        perfect = decision.expected_losses(_capability(truth, weights_by_knot, m))
        controls.append(perfect[now] - perfect.min(axis=0))
    value, error = _controlled(gain, np.stack(controls, axis=1), chosen)
    return SimulatedValue(value, error, float((1.0 / (weights**2).sum(axis=1)).mean()))


def knot_weights(decision: Decision, menu: Menu, posterior: Posterior) -> Array:
    """Return the weight of every knot of the posterior in a decision, of shape (n_knots,)."""
    weight = dict(zip(menu.states, decision.contrast.tolist(), strict=True))
    return np.array([weight.get(f"{name}.shown", 0.0) for name in posterior.knot_names])


def _capability(posterior: Posterior, weights: Array, m: int) -> Array:
    full = posterior.draws["shown"][:, :, m] + posterior.draws["gap"][:, :, m]
    capability: Array = full @ weights
    return capability


def _controlled(gain: Array, controls: Array, chosen: NDArray[np.int64]) -> tuple[float, float]:
    """Mean gain and its standard error, the luck of the truths drawn taken out.

    What perfect knowledge would have gained is known for every truth, drawn or not: where the
    truths drawn have more of it than all of them, the gain is lowered by as much as goes with it.
    """
    excess = controls[chosen] - controls.mean(axis=0)
    design = np.column_stack([np.ones(len(gain)), excess])
    weights, *_ = np.linalg.lstsq(design, gain, rcond=None)
    left = gain - design @ weights
    return float(weights[0]), float(left.std(ddof=1) / math.sqrt(len(gain)))


def _halves(posterior: Posterior) -> tuple[Posterior, Posterior]:
    """Split the draws into every other one."""
    every = np.arange(posterior.n_draws)
    return _taken(posterior, every[::2]), _taken(posterior, every[1::2])


def _taken(posterior: Posterior, rows: NDArray[np.int64]) -> Posterior:
    """Keep these draws."""
    return replace(
        posterior,
        draws={key: array[rows] for key, array in posterior.draws.items()},
        provenance={**posterior.provenance, "chains": 1},
    )


def _recombined(posterior: Posterior, copies: int, m: int, rng: np.random.Generator) -> Posterior:
    """Repeat the draws, exchanging between them what is independent of the rest."""
    draws = {key: np.concatenate([array] * copies) for key, array in posterior.draws.items()}
    exchanged = [] if posterior.elicited_history else ["gap"]
    if not posterior.n_runs[:, m].any():
        exchanged.append("family_error")
    for key in exchanged:
        draws[key] = draws[key][rng.permutation(len(draws[key]))]
    return replace(posterior, draws=draws)


def _log_likelihood(
    truth: Posterior,
    belief: Posterior,
    chosen: NDArray[np.int64],
    row: pd.Series,
    m: int,
    catalogue: Catalogue,
    own_error: bool,
    rng: np.random.Generator,
) -> Array:
    """Simulate an option's results under the chosen truths; log-likelihood under every belief.

    Of shape (n_results, n_draws). What concerns the eval alone is integrated out: its curve, its
    departure in gap and, unless results have tied it to capability already, its own error.
    """
    spec = catalogue.eval(str(row["eval"]))
    i = truth.index_of("eval", spec.name)
    deep = row["effort"] > 0
    passes = [(float(row["effort"]), float(row["cap"]), 1 if deep else int(row["attempts"]))]
    if deep:
        passes.insert(0, (0.0, float(row["baseline_cap"]), 1))
    base, spread = _belief_margin(belief, i, m, own_error)
    error, error_weight = _nodes(1 if own_error else ERROR_NODES)
    departure, departure_weight = _nodes(DEPARTURE_NODES if deep else 1)
    gap = belief.draws["gap"][:, :, m] @ belief.reach[i]
    total = np.zeros((len(chosen), belief.n_draws, len(error), len(departure)), dtype=np.float32)
    for effort, cap, attempts in passes:
        results = simulated_runs(
            truth, chosen, i, m, effort, cap, attempts, int(row["tasks"]), spec.tasks, rng
        )
        table = _logit_table(results, belief, i, m, effort, cap, rng)
        margin = (
            (base + effort * gap)[:, None, None]
            + spread[:, None, None] * error[None, :, None]
            + effort * belief.in_unit_of(i, "gap_departure_sd")[:, None, None] * departure
        )
        logit = belief.in_unit_of(i, "slope")[:, m][:, None, None] * margin
        place = np.clip((logit - LOGITS[0]) / (LOGITS[1] - LOGITS[0]), 0, len(LOGITS) - 1.001)
        below = place.astype(np.int64)
        share = (place - below).astype(np.float32)
        for r, line in enumerate(table.astype(np.float32)):
            total[r] += line[below] + (line[below + 1] - line[below]) * share
    weights = error_weight[:, None] * departure_weight[None, :]
    top = total.max(axis=(2, 3), keepdims=True)
    np.exp(total - top, out=total)
    likelihood: Array = top[:, :, 0, 0] + np.log(
        np.einsum("rdef,ef->rd", total, weights.astype(np.float32)).astype(np.float64)
    )
    return likelihood


def _logit_table(
    results: Array,
    belief: Posterior,
    i: int,
    m: int,
    effort: float,
    cap: float,
    rng: np.random.Generator,
) -> Array:
    """Log-likelihood of every result at every logit of the plateau, averaged over curves.

    Of shape (n_results, n_logits). The curves are draws of their own: apart from what runs show,
    an eval's spending tells nothing about capability here.
    """
    few = _taken(belief, rng.choice(belief.n_draws, CURVES))
    logits = np.broadcast_to(LOGITS, (CURVES, len(LOGITS)))
    weights = statistic_weights(logits, few, i, m, effort, cap).reshape(STATISTICS, -1)
    table = np.empty((len(results), len(LOGITS)))
    for start in range(0, len(results), CHUNK):  # keeps memory within reason
        part = (results[start : start + CHUNK] @ weights).reshape(-1, CURVES, len(LOGITS))
        table[start : start + CHUNK] = logsumexp(part, axis=1)
    return table


def _belief_margin(belief: Posterior, i: int, m: int, own_error: bool) -> tuple[Array, Array]:
    """Margin at effort 0 without the eval's own error, and the sd of that error, (n_draws,) each.

    Where results of the AI model under test are in, its own error is part of the margin.
    """
    margin = shown_margin(belief, i, m)
    error = eval_error(belief, i, m)
    difficulty = belief.draws["difficulty"][:, i]
    if own_error:
        return margin + belief.draws["private_error"][:, i, m], np.zeros(belief.n_draws)
    slope = belief.in_unit_of(i, "slope")[:, m]
    predictors = np.column_stack([belief.draws["shown"][:, :, m], slope])
    explained = explained_error(error, predictors)
    margin = margin + difficulty - difficulty.mean()
    margin = margin + explained.mean + (predictors - predictors.mean(axis=0)) @ explained.weights
    validity = belief.in_unit_of(i, "validity_sd") ** 2
    left = max(explained.variance - float(validity.mean()), 0.0)
    return margin, np.sqrt(left + validity)


def _nodes(n: int) -> tuple[Array, Array]:
    """Nodes and weights of a standard normal; 0 with weight 1 where there is one."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(n)
    return nodes, weights / weights.sum()
