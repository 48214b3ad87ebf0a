"""Information of a run, against derivatives of the likelihood itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit, ndtr
from scipy.stats import gumbel_l, logistic, norm

from evalbayes.curves.law import STACKED, WIDTHS
from evalbayes.menus.sampling_noise import (
    margin_information,
)

Array = NDArray[np.float64]

SHAPES = ((1.3, 0.9), (0.7, 1.6))
KNOWN = np.zeros((2, 2))
NODES, WEIGHTS = np.polynomial.legendre.leggauss(150)
UNKNOWN = np.array([[0.5, 0.2], [0.2, 0.8]])


def success_spend(family: str, location: Any, scale: Any) -> Any:
    """The family's ln spend with this ln median, as SciPy has it."""
    if family == "weibull":
        return gumbel_l(location - scale * np.log(np.log(2.0)), scale)
    return {"lognormal": norm, "hill": logistic}[family](location, scale)


def log_density(
    x: Any, parameters: Any, scales: Any, slope: Any, family: str = "lognormal"
) -> tuple[Array, Array]:
    """Log density of ln spend of a success and of giving up, as the model fits them."""
    margin, success, gave_up = parameters
    plateau = expit(slope * margin)
    return (
        np.log(plateau) + success_spend(family, success, scales[0]).logpdf(x),
        np.log1p(-plateau) + norm.logpdf(x, gave_up, scales[1]),
    )


def stopped(
    ln_cap: Any, parameters: Any, scales: Any, slope: Any, family: str = "lognormal"
) -> Array:
    margin, success, gave_up = parameters
    plateau = expit(slope * margin)
    still_going = success_spend(family, success, scales[0]).sf(ln_cap)
    share: Array = plateau * still_going + (1 - plateau) * norm.sf(ln_cap, gave_up, scales[1])
    return share


def numerical_information(
    ln_cap: Any,
    parameters: Any,
    scales: Any,
    slope: Any,
    family: str = "lognormal",
    step: Any = 0.0001,
) -> Array:
    """E[score scoreᵀ] with scores by central differences and the expectation by quadrature."""
    parameters = np.array(parameters, dtype=float)

    def scores(function: Any) -> Array:
        return np.array(
            [
                (function(parameters + d) - function(parameters - d)) / (2 * step)
                for d in step * np.eye(3)
            ]
        )

    total = np.zeros((3, 3))
    for outcome in (0, 1):
        # a Weibull's lower tail in ln spend is exponential
        sds = 9 if family == "lognormal" or outcome else 25
        low = min(parameters[1 + outcome] - sds * scales[outcome], ln_cap - 1.0)
        nodes, weights = NODES, WEIGHTS
        x = low + (ln_cap - low) * (nodes + 1) / 2
        score = scores(lambda p, x=x, k=outcome: log_density(x, p, scales, slope, family)[k])
        density = np.exp(log_density(x, parameters, scales, slope, family)[outcome])
        total += np.einsum("ix,jx,x->ij", score, score, density * weights) * (ln_cap - low) / 2
    score = scores(lambda p: np.log(stopped(ln_cap, p, scales, slope, family)))
    return total + stopped(ln_cap, parameters, scales, slope, family) * np.outer(score, score)


@pytest.mark.parametrize("margin", [-2.0, 0.5, 4.0])
@pytest.mark.parametrize("ln_cap", [-1.0, 0.5, 3.0])
@pytest.mark.parametrize("scales", SHAPES)
@pytest.mark.parametrize("covariance", [KNOWN, UNKNOWN])
@pytest.mark.parametrize("family", ["lognormal", "hill", "weibull"])
def test_equals_the_numerical_information_of_the_fitted_likelihood(
    margin: Any, ln_cap: Any, scales: Any, covariance: Any, family: str
) -> None:
    slope, n = 0.7, 12.0
    whole = n * numerical_information(ln_cap, (margin, 0.0, 0.8), scales, slope, family)
    nuisance = whole[1:, 1:] @ covariance + np.eye(2)
    expected = whole[0, 0] - whole[0, 1:] @ covariance @ np.linalg.solve(nuisance, whole[1:, 0])
    weights = np.eye(len(STACKED))[STACKED.index(family)]
    got = margin_information(
        np.array(margin),
        slope,
        ln_cap,
        0.0,
        scales[0] / WIDTHS[family],
        0.8,
        scales[1],
        covariance,
        n,
        weights=None if family == "lognormal" else weights,
    )
    assert got == pytest.approx(expected, rel=2e-5)


def plateau_information(plateau: Any, success_ended: Any, gave_up_ended: Any) -> Any:
    """Of one run about the plateau A: F/A + H/(1 − A) + (F − H)²/(1 − A·F − (1 − A)·H)."""
    stopped = plateau * (1.0 - success_ended) + (1.0 - plateau) * (1.0 - gave_up_ended)
    return (
        success_ended / plateau
        + gave_up_ended / (1.0 - plateau)
        + (success_ended - gave_up_ended) ** 2 / stopped
    )


@pytest.mark.parametrize("plateau", [0.02, 0.3, 0.97])
@pytest.mark.parametrize("ln_cap", [-1.5, 0.0, 2.5])
def test_information_about_the_plateau_is_that_of_the_margin_on_another_scale(
    plateau: Any, ln_cap: Any
) -> None:
    slope = 0.6
    margin = np.log(plateau / (1 - plateau)) / slope
    ended, gave_up = ndtr(ln_cap / 1.2), ndtr((ln_cap - 0.5) / 0.9)
    expected = plateau_information(plateau, ended, gave_up) * (slope * plateau * (1 - plateau)) ** 2
    got = margin_information(np.array(margin), slope, ln_cap, 0.0, 1.2, 0.5, 0.9, KNOWN, 1.0)
    assert got == pytest.approx(expected, rel=1e-9)


@settings(deadline=None, max_examples=200)  # no promise of time on a busy machine
@given(
    margin=st.floats(-12, 12),
    slope=st.floats(0.2, 2.0),
    gave_up=st.floats(-3, 3),
    scales=st.tuples(st.floats(0.3, 3.0), st.floats(0.3, 3.0)),
    spread=st.tuples(st.floats(0, 3), st.floats(0, 3), st.floats(-0.99, 0.99)),
    n=st.floats(1, 500),
)
def test_information_is_bounded_and_never_falls_with_cap_or_runs(
    margin: Any, slope: Any, gave_up: Any, scales: Any, spread: Any, n: Any
) -> None:
    cross = spread[0] * spread[1] * spread[2]
    covariance = np.array([[spread[0] ** 2, cross], [cross, spread[1] ** 2]])
    caps = np.linspace(-8, 12, 81)

    def information(runs: Any) -> Array:
        return margin_information(
            np.array(margin), slope, caps, 0.0, scales[0], gave_up, scales[1], covariance, runs
        )

    most = n * slope**2 * expit(slope * margin) * expit(-slope * margin)
    got = information(n)
    assert np.diff(got).min() >= -1e-9 * most
    assert (got <= most * (1 + 1e-9)).all()
    assert (information(1.5 * n) >= got - 1e-9 * most).all()
