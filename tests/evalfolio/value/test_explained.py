"""Explained variance against its definition, simulation and the laws of concavity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from evalbayes import Decision, Menu
from evalfolio.value.explained import ExplainedVariance, InformationGain, factors


def correlated_menu(seed: int = 0, n_evals: int = 6, n_states: int = 4, scale: float = 1.0) -> Menu:
    """Return two options per eval with information of rank one to three on correlated states."""
    rng = np.random.default_rng(seed)
    options = pd.DataFrame(
        [(f"{e}.{t}", str(e), "cyber", "plateau", 1.0 + t) for e in range(n_evals) for t in (0, 1)],
        columns=["option", "eval", "domain", "tier", "usd"],
    ).set_index("option")
    information = np.zeros((len(options), n_states, n_states))
    for row in information:
        root = rng.normal(size=(n_states, rng.integers(1, 4)))
        row += root @ root.T / scale**2
    root = rng.normal(size=(n_states, n_states))
    decisions = tuple(
        Decision(name, rng.normal(size=n_states), 0.0, 2.0, 1.0)
        for name in ("cyber", "bio", "arms")
    )
    return Menu(
        options,
        ("usd",),
        information,
        tuple(f"s{i}" for i in range(n_states)),
        np.zeros(n_states),
        scale**2 * (root @ root.T + 0.05 * np.eye(n_states)),
        decisions,
    )


def by_definition(menu: Menu, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """cᵀΣc − cᵀM⁻¹c with plain inverses."""
    precision = np.linalg.inv(menu.prior_covariance) + np.tensordot(x, menu.information, 1)
    posterior = np.linalg.inv(precision)
    return np.array(
        [d.contrast @ (menu.prior_covariance - posterior) @ d.contrast for d in menu.decisions]
    )


@pytest.mark.parametrize("seed", range(5))
def test_explained_variance_is_prior_less_posterior(seed: int) -> None:
    menu = correlated_menu(seed)
    x = np.random.default_rng(seed).uniform(size=len(menu))
    np.testing.assert_allclose(ExplainedVariance(menu).at(x), by_definition(menu, x), rtol=1e-9)
    assert ExplainedVariance(menu).at(np.zeros(len(menu))) == pytest.approx(0.0, abs=1e-12)


def test_explained_variance_is_that_of_the_posterior_mean() -> None:
    """Simulated readings t = √K z + e: the regression of y on t explains v."""
    menu = correlated_menu(3, n_evals=2, n_states=3)
    x = np.array([1.0, 0.0, 0.0, 1.0])
    information = np.tensordot(x, menu.information, 1)
    values, vectors = np.linalg.eigh(information)
    root = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
    rng = np.random.default_rng(1)
    z = rng.multivariate_normal(np.zeros(3), menu.prior_covariance, size=200_000)
    readings = z @ root.T + rng.standard_normal((200_000, 3))
    for decision, v in zip(menu.decisions, ExplainedVariance(menu).at(x), strict=True):
        y = z @ decision.contrast
        fitted = readings @ np.linalg.lstsq(readings, y, rcond=None)[0]
        assert fitted.var() == pytest.approx(v, rel=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_tangents_lie_above_everywhere_and_touch(seed: int) -> None:
    menu = correlated_menu(seed)
    explained, rng = ExplainedVariance(menu), np.random.default_rng(seed)
    for _ in range(20):
        x, other = rng.uniform(0, 1.5, size=(2, len(menu)))
        v, gradient = explained.tangent(x)
        np.testing.assert_allclose(v, explained.at(x), rtol=1e-12)
        assert (v + gradient @ (other - x) >= explained.at(other) - 1e-12 * explained.prior).all()
        step = 1e-6 * rng.uniform(size=len(menu))
        change = (explained.at(x + step) - explained.at(x - step)) / 2
        np.testing.assert_allclose(gradient @ step, change, rtol=1e-5, atol=1e-14)


def test_more_information_never_explains_less() -> None:
    menu = correlated_menu(7)
    explained, rng = ExplainedVariance(menu), np.random.default_rng(7)
    x = np.zeros(len(menu))
    before = explained.at(x)
    for option in rng.permutation(len(menu)):
        x[option] = 1.0
        after = explained.at(x)
        assert (after >= before - 1e-12).all()
        before = after
    assert (before < explained.prior).all()


@pytest.mark.parametrize("seed", range(3))
def test_exchanges_are_valued_as_if_made(seed: int) -> None:
    menu = correlated_menu(seed)
    explained = ExplainedVariance(menu)
    x = np.zeros(len(menu))
    x[[0, 5, 8]] = 1.0
    options = np.array([1, 4, 2, 11])
    without = np.array([0, 5, -1, -1])
    found = explained.exchanged(x, without, options)
    for row, (old, new) in enumerate(zip(without, options, strict=True)):
        y = x.copy()
        if old >= 0:
            y[old] = 0.0
        y[new] = 1.0
        np.testing.assert_allclose(found[row], by_definition(menu, y), rtol=1e-9)


def log_determinant(menu: Menu, x: NDArray[np.float64]) -> float:
    """log det(I + Σ_prior · Σ x K), by its eigenvalues."""
    gained = menu.prior_covariance @ np.tensordot(x, menu.information, 1)
    return float(np.log(np.linalg.eigvals(np.eye(len(gained)) + gained).real).sum())


@pytest.mark.parametrize("seed", range(3))
def test_information_is_the_log_determinant_with_its_gradient_and_exchanges(seed: int) -> None:
    menu, rng = correlated_menu(seed), np.random.default_rng(seed)
    gain = InformationGain(menu)
    x, other = rng.uniform(0, 1.5, size=(2, len(menu)))
    value, gradient = gain.tangent(x)
    assert value == pytest.approx(log_determinant(menu, x), rel=1e-9)
    assert log_determinant(menu, other) <= value + gradient @ (other - x) + 1e-9
    for option in range(len(menu)):
        step = np.where(np.arange(len(menu)) == option, 1e-5, 0.0)
        change = log_determinant(menu, x + step) - log_determinant(menu, x - step)
        assert gradient[0, option] == pytest.approx(change / 2e-5, rel=1e-5, abs=1e-8)
    x = np.zeros(len(menu))
    x[[0, 5]] = 1.0
    without, options = np.array([0, 5, -1]), np.array([1, -1, 8])
    for found, old, new in zip(gain.exchanged(x, without, options), without, options, strict=True):
        made = x.copy()
        made[[k for k in (old,) if k >= 0]] = 0.0
        made[[k for k in (new,) if k >= 0]] = 1.0
        assert found == pytest.approx(log_determinant(menu, made), rel=1e-9)


def test_factors_give_back_the_information_with_as_many_columns_as_its_rank() -> None:
    menu = correlated_menu(1)
    information = menu.information * np.logspace(-9, 9, len(menu))[:, None, None]
    information[3] = 0.0
    found = factors(information)
    size = np.abs(information).max(axis=(1, 2), keepdims=True)
    left = np.abs(found @ found.swapaxes(1, 2) - information)
    assert (left <= 1e-12 * size).all()
    ranks = [int(np.linalg.matrix_rank(each)) for each in menu.information]
    ranks[3] = 0
    assert [int((each != 0).any(axis=0).sum()) for each in found] == ranks
    assert factors(np.zeros((2, 3, 3))).shape == (2, 3, 1)


def test_factors_keep_what_is_told_of_a_state_on_a_far_larger_scale() -> None:
    sds = np.array([1e-4, 1e4])
    loadings = np.array([[1.0, 0.5], [0.3, 1.0]])
    plain = loadings.T @ loadings
    found = factors((plain / np.outer(sds, sds))[None])[0] * sds[:, None]
    np.testing.assert_allclose(found @ found.T, plain, rtol=1e-9)
    assert np.count_nonzero(found.any(axis=0)) == 2


def test_units_of_the_states_do_not_matter() -> None:
    x = np.random.default_rng(2).uniform(size=12)
    reference = ExplainedVariance(correlated_menu(2)).at(x)
    for scale in (1e-4, 1e5):
        found = ExplainedVariance(correlated_menu(2, scale=scale)).at(x)
        np.testing.assert_allclose(found / scale**2, reference, rtol=1e-9)


def test_other_information_can_be_used_in_place_of_the_mean() -> None:
    menu = correlated_menu(4)
    doubled = replace(menu, information=2 * menu.information)
    x = np.ones(len(menu))
    np.testing.assert_allclose(
        ExplainedVariance(menu, 2 * menu.information).at(x), ExplainedVariance(doubled).at(x)
    )


def test_almost_singular_priors_stay_accurate() -> None:
    """A state almost a sum of others: plain inverses lose their digits there."""
    menu = correlated_menu(6, n_states=2)
    covariance = np.array([[1.0, 1.0 - 1e-10], [1.0 - 1e-10, 1.0]])
    contrast = np.array([1.0, 0.0])
    decision = (Decision("cyber", contrast, 0.0, 1.0, 1.0),)
    information = np.zeros_like(menu.information)
    information[:, 1, 1] = 0.5
    near = replace(menu, prior_covariance=covariance, information=information, decisions=decision)
    v = ExplainedVariance(near).at(np.ones(len(near)))
    total = 0.5 * len(near)  # a reading of the twin state with noise variance 1/total
    assert v[0] == pytest.approx((1 - 1e-10) ** 2 / (1 + 1 / total), rel=1e-8)
