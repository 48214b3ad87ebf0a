r"""What one run tells about the plateau, from the likelihood of the spend curve.

A run ends in success at spend t (likelihood A·f(t)), gives up at t ((1 − A)·h(t)) or is stopped at
the cap c (A(1 − F) + (1 − A)(1 − H)). Everything here is expected Fisher information per run.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from evalbayes.arrays import Array
from evalbayes.curves.law import Law

TINY = 1e-300


def margin_information(
    margin: Array,
    slope: Array | float,
    ln_cap: Array | float,
    success_location: Array | float,
    success_scale: Array | float,
    gave_up_location: Array | float,
    gave_up_scale: Array | float,
    location_covariance: Array,
    n_runs: float,
    tail: Array | float = 1.0,
    weights: Array | None = None,
) -> Array:
    r"""Information of `n_runs` runs about the margin m, logit A = a·m, the curve half known.

    The runs tell about m and about the two locations of the curve at once. With J the 3 × 3 Fisher
    information of one run and P the prior covariance of the locations, what is left for m is

        n·J_mm − n·J_ml (n·J_ll + P⁻¹)⁻¹ n·J_lm.

    It is at most n·a²A(1 − A) and never falls as the cap or n grows, since J and n·J do not.

    Parameters
    ----------
    margin
        Capability above difficulty, in the domain's unit.
    slope
        a, logits per unit.
    ln_cap
        Log of the cap in spend units.
    success_location, success_scale, gave_up_location, gave_up_scale
        Mean and sd of ln spend of runs that would succeed, and of those that would give up.
    location_covariance
        P, of shape (2, 2); zeros where the curve is known.
    n_runs
        Effective number of runs.
    tail, weights
        Of stacked families of spend, see `evalbayes.curves.law.Law`; by default lognormal.

    Returns
    -------
    Array
        Per squared unit of the margin, in the shape that the arguments broadcast to.
    """
    law = Law(success_location, success_scale, tail, weights)
    z_gave_up = (ln_cap - gave_up_location) / gave_up_scale
    plateau, missing = _plateau(slope * margin), _plateau(-slope * margin)
    ended, left = law.cdf(ln_cap), np.exp(law.log_survival(ln_cap))
    gave_up, going = ndtr(z_gave_up), ndtr(-z_gave_up)
    density = np.exp(law.log_density(ln_cap))
    gave_up_density = np.exp(-0.5 * z_gave_up**2) / np.sqrt(2.0 * np.pi)
    stopped = np.maximum(plateau * left + missing * going, TINY)

    # Scores of a stop with respect to m and to the two locations, times P(stop).
    by_margin = slope * plateau * missing * (gave_up - ended)
    by_success = plateau * density
    by_gave_up = missing * gave_up_density / gave_up_scale

    margin_margin = (
        slope**2 * (missing**2 * plateau * ended + plateau**2 * missing * gave_up)
        + by_margin**2 / stopped
    )
    margin_success = -slope * missing * plateau * density + by_margin * by_success / stopped
    margin_gave_up = (
        slope * plateau * missing * gave_up_density / gave_up_scale
        + by_margin * by_gave_up / stopped
    )
    success_success = plateau * law.location_information(ln_cap) + by_success**2 / stopped
    gave_up_gave_up = (
        missing * (gave_up - z_gave_up * gave_up_density) / gave_up_scale**2
        + by_gave_up**2 / stopped
    )
    success_gave_up = by_success * by_gave_up / stopped

    # n·J_mm − n²·J_ml (I + P n·J_ll)⁻¹ P J_lm, written so that P may be singular or 0.
    n = n_runs
    (p_ss, p_sg), (_, p_gg) = location_covariance
    a = 1.0 + n * (p_ss * success_success + p_sg * success_gave_up)
    b = n * (p_ss * success_gave_up + p_sg * gave_up_gave_up)
    c = n * (p_sg * success_success + p_gg * success_gave_up)
    d = 1.0 + n * (p_sg * success_gave_up + p_gg * gave_up_gave_up)
    shift_success = p_ss * margin_success + p_sg * margin_gave_up
    shift_gave_up = p_sg * margin_success + p_gg * margin_gave_up
    determinant = a * d - b * c
    lost = (
        margin_success * (d * shift_success - b * shift_gave_up)
        + margin_gave_up * (a * shift_gave_up - c * shift_success)
    ) / determinant
    information: Array = np.maximum(n * margin_margin - n**2 * lost, 0.0)
    return information


def _plateau(logit: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-np.clip(logit, -500.0, 500.0)))
