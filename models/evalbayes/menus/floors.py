r"""The two floors of every domain: what no number of plateau-level runs, or of any, gets below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from evalbayes.arrays import Array
from evalbayes.decision import Decision
from evalbayes.menus.reading import Reading
from evalbayes.menus.states import States

UNLIMITED = 1e-6  # sampling variance of unlimited runs, as a share of the margin's


def floors_of(
    decisions: Sequence[Decision],
    states: States,
    plateau: Iterable[Reading],
    everything: Iterable[Reading],
    validity_variance: Mapping[str, float],
) -> Mapping[str, Mapping[str, float]]:
    """Return by decision the sds of y that are left, later gain included, and two plain spreads.

    Parameters
    ----------
    decisions, states
        What the results are for, and the belief before them.
    plateau
        Readings of every eval on the menu at effort 0.
    everything
        Readings of every eval at every effort on the menu.
    validity_variance
        ω² by domain: how far one eval's own reading is off.

    Returns
    -------
    Mapping
        elicitation_floor_sd (all evals of the menu run at plateau level without limit),
        validity_floor_sd (all evals and tiers of the menu without limit), validity_sd (ω) and
        gap_sd (of δ, or of its weighted sum over domains: what plateau-level runs of ever more
        evals never touch).
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
