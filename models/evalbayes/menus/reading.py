r"""Readings of an eval: how they load on the states, and the noise around them.

A reading at effort e is a success share turned back into capability. Its row is h: loadings on
s and e · loadings on δ at the eval's difficulty, (s̄ + e·δ̄ − β̄)/ā on the slope error γ, 1 on the
family's f and 1 on the eval's own error where that is a state; elsewhere what the states say of
that error adds to the row. What is left is noise: the private error (validity and difficulty),
shared by all readings of the eval; κ²·eeᵀ, the eval's own departure in gap; and sampling s², which
readings from the same tasks share in part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evalbayes.arrays import Array, Index
from evalbayes.decision import Decision
from evalbayes.menus.states import States, eval_error, explained_error
from evalbayes.posterior.posterior import Posterior


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Reading:
    """One eval's readings of the AI model under test."""

    rows: Array  # h at every effort, of shape (n_efforts, n_states)
    efforts: Array  # of shape (n_efforts,)
    # private: variance of the private error by draw, of shape (n_draws,); 0 where it is a state
    private: Array
    departure: Array  # κ² by draw, of shape (n_draws,)
    # margin_mean, margin_variance: moments of what the runs see, capability above difficulty, at
    # every effort: of shape (n_efforts,), errors of all kinds included
    margin_mean: Array
    margin_variance: Array

    def at(self, *efforts: float) -> Reading:
        """Return those at some of its efforts."""
        k = [self.efforts.tolist().index(effort) for effort in efforts]
        own = {key: getattr(self, key)[k] for key in ("rows", "margin_mean", "margin_variance")}
        return replace(self, efforts=self.efforts[k], **own)

    def noise(
        self, sampling: Array, draw: int | Index | None = None, *, correlation: float = 0.0
    ) -> Array:
        """R, of shape (..., n_efforts, n_efforts), for sampling variances of (..., n_efforts).

        Without a draw, or several, from the mean over draws: the mean of the information instead
        would take the best draws at their word. `correlation` is that of the sampling noise of two
        readings from the same tasks: the second tells less of capability, their difference more of
        the gap.
        """
        private, departure = (
            np.asarray(each.mean() if draw is None else each[draw])[..., None, None]
            for each in (self.private, self.departure)
        )
        shared: Array = private + departure * np.outer(self.efforts, self.efforts)
        sd = np.sqrt(sampling)
        same_tasks = correlation + (1.0 - correlation) * np.eye(len(self.efforts))
        return shared + sd[..., :, None] * sd[..., None, :] * same_tasks

    def information(
        self, sampling: Array, draw: int | Index | None = None, *, correlation: float = 0.0
    ) -> Array:
        """K = HᵀR⁻¹H, of shape (..., n_states, n_states)."""
        noise = self.noise(sampling, draw, correlation=correlation)
        rows = np.broadcast_to(self.rows, (*noise.shape[:-1], self.rows.shape[-1]))
        information: Array = np.swapaxes(rows, -1, -2) @ np.linalg.solve(noise, rows)
        return (information + np.swapaxes(information, -1, -2)) / 2.0


def stacked(readings: Sequence[Reading]) -> Reading:
    """Return readings of several beliefs as one: the mean of each stands where a draw does."""
    every = {
        key: np.array([getattr(each, key) for each in readings])
        for key in ("rows", "margin_mean", "margin_variance")
    }
    means = [[each.private.mean(), each.departure.mean()] for each in readings]
    private, departure = np.array(means).reshape(-1, 2).T
    return Reading(efforts=readings[0].efforts, private=private, departure=departure, **every)


def reading_of(
    posterior: Posterior, states: States, i: int, m: int, efforts: tuple[float, ...]
) -> Reading:
    """Return the readings of eval `i` by AI model `m` at some efforts."""
    name = posterior.evals[i]
    effort = np.array(efforts)
    difficulty = posterior.draws["difficulty"][:, i]
    reach, at_shown, at_gap = posterior.reach[i], states.at_knots("shown"), states.at_knots("gap")
    shown, gap = (float(reach @ states.mean[at]) for at in (at_shown, at_gap))
    slope = float(posterior.in_unit_of(i, "slope")[:, m].mean())
    own_slope = states.index_of(states.slopes[int(posterior.loadings[i].argmax())])

    rows = np.zeros((len(efforts), len(states.names)))
    rows[:, at_shown] = reach
    rows[:, at_gap] = np.outer(effort, reach)
    above = shown + effort * gap - difficulty.mean()
    rows[:, own_slope] = above / slope
    margin_mean = above.copy()
    if posterior.family_of[i] >= 0:
        state = states.index_of(posterior.families[posterior.family_of[i]], "family")
        rows[:, state] = 1.0
        margin_mean += states.mean[state]

    validity = posterior.in_unit_of(i, "validity_sd") ** 2
    own = states.own_error.get(name)
    if own is None:
        predictors = [*at_shown, own_slope]
        error = explained_error(eval_error(posterior, i, m), states.draws[:, predictors])
        rows[:, predictors] += error.weights
        margin_mean += error.mean
        # Difficulty's part does not vary by draw; validity's does.
        private = np.maximum(error.variance - validity.mean(), 0.0) + validity
    else:
        rows[:, states.index_of(own)] = 1.0
        margin_mean += states.mean[states.index_of(own)]
        private = np.zeros(posterior.n_draws)
    departure = posterior.in_unit_of(i, "gap_departure_sd") ** 2
    if own is not None and effort.any():  # elicited runs, if any are among them, told of it
        pairs = zip(at_shown, at_gap, strict=True)
        tied = [*(k for pair in pairs for k in pair), states.index_of(own)]
        known = explained_error(posterior.draws["gap_departure"][:, i, m], states.draws[:, tied])
        if known.weights.any():
            rows[:, tied] += effort[:, None] * known.weights
            margin_mean += effort * known.mean
            departure = np.full(posterior.n_draws, known.variance)
    spread = np.einsum("es,st,et->e", rows, states.covariance, rows)
    return Reading(
        rows=rows,
        efforts=effort,
        private=private,
        departure=departure,
        margin_mean=margin_mean,
        margin_variance=spread + private.mean() + departure.mean() * effort**2,
    )


UNLIMITED = 1e-6  # sampling variance of unlimited runs, as a share of the margin's


def floors_of(
    decisions: Sequence[Decision],
    states: States,
    plateau: Iterable[Reading],
    everything: Iterable[Reading],
    validity_variance: Mapping[str, float],
) -> Mapping[str, Mapping[str, float]]:
    """Return by decision what no number of runs gets below: sds of y left, and two plain spreads.

    `plateau` are readings of every eval of the menu at effort 0, `everything` those at every
    effort; validity variances are ω² by domain. The names are elicitation_floor_sd (all evals of
    the menu run at plateau level without limit), validity_floor_sd (all evals and tiers of the menu
    without limit), validity_sd (ω) and gap_sd (of δ, or of its weighted sum over domains: what
    plateau-level runs of ever more evals never touch).
    """
    rows = {
        "elicitation_floor_sd": _left(decisions, states, plateau),
        "validity_floor_sd": _left(decisions, states, everything),
    }
    floors = {}
    for k, decision in enumerate(decisions):
        about = decision.domains(states.names)
        gap = decision.contrast * np.isin(states.names, states.skewed)
        floors[decision.name] = {
            **{key: float(sds[k]) for key, sds in rows.items()},
            "validity_sd": float(np.sqrt(np.mean([validity_variance[d] for d in about]))),
            "gap_sd": float(np.sqrt(gap @ states.covariance @ gap)),
        }
    return floors


def _left(decisions: Sequence[Decision], states: States, readings: Iterable[Reading]) -> Array:
    precision = np.linalg.inv(states.covariance)
    for reading in readings:
        precision = precision + reading.information(UNLIMITED * reading.margin_variance)
    contrasts = np.array([d.contrast for d in decisions])
    left = np.einsum("ds,sd->d", contrasts, np.linalg.solve(precision, contrasts.T))
    later = np.array([d.later_gain_sd for d in decisions])
    sds: Array = np.sqrt(np.maximum(left, 0.0) + later**2)
    return sds
