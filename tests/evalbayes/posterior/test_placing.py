"""Thresholds that moved since the fit: capability and gap there, given the knots beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evalbayes.catalogue import Catalogue, parse_catalogue
from evalbayes.halves import halves, noise
from evalbayes.menus import menu_of
from evalbayes.menus.states import states_of
from evalbayes.model.fit import fit
from evalbayes.observations import Observations
from evalbayes.posterior.placing import placed, threshold_places
from evalbayes.posterior.posterior import Posterior

N = 20_000
MINUTES = (1.0, 64.0, 1024.0)


def catalogue(threshold: Any, levels: tuple[float, ...] = ()) -> Catalogue:
    stakes = {"loss_missed": 2.0, "loss_false_alarm": 1.0}
    domain = {"name": "cyber", "elicitation_gap": [0.2, 2.5], "shown_capability": [5, 9]}
    data: dict[str, Any] = {
        "portfolio": {"ai_model": "C"},
        "domain": [domain if levels else {**domain, "threshold": threshold, **stakes}],
        "eval": [
            {
                "name": f"e{k}",
                "domain": "cyber",
                "tasks": 30,
                "human_minutes": minutes,
                "usd_per_run": [1, 2],
            }
            for k, minutes in enumerate(MINUTES)
        ],
    }
    if levels:
        domain["unit"] = "doublings of human task time"
        data["level"] = [
            {"domain": "cyber", "name": f"L{k}", "threshold": t, **stakes}
            for k, t in enumerate(levels)
        ]
    return parse_catalogue(data)


@pytest.fixture(scope="module")
def posterior() -> Posterior:
    return fit(catalogue(8.0), Observations(), draws=N)


@pytest.mark.parametrize("at", [9.0, 13.0])  # between two knots, and beyond the last
def test_a_moved_threshold_is_told_as_if_it_had_been_fitted(
    posterior: Posterior, at: float
) -> None:
    moved = placed(posterior, catalogue(at))
    assert moved.knot_place[0] == at
    assert 8.0 not in moved.knot_place  # no eval reads it
    np.testing.assert_allclose(np.sort(moved.knot_place), np.sort([at, 0.0, 6.0, 10.0]))
    order = np.argsort(moved.knot_place)
    shown = moved.draws["shown"][:, order, 0]
    variance = (moved.draws["walk_sd"][:, 0] ** 2).mean()
    increments = np.diff(shown, axis=1)
    wanted = variance * np.diff(moved.knot_place[order])
    np.testing.assert_allclose(increments.var(axis=0), wanted, rtol=0.1)
    ln_gap = np.log(moved.draws["gap"][:, :, 0])
    low, high = np.quantile(np.exp(ln_gap[:, 0]), (0.05, 0.95))
    assert (low, high) == (pytest.approx(0.2, rel=0.08), pytest.approx(2.5, rel=0.08))
    for k in range(1, 4):
        distance = abs(moved.knot_place[k] - at)
        wanted = np.exp(-distance / moved.draws["gap_range"][:, 0]).mean()
        assert np.corrcoef(ln_gap[:, k], ln_gap[:, 0])[0, 1] == pytest.approx(wanted, abs=0.03)
    np.testing.assert_array_equal(
        moved.plateau("C"), posterior.plateau("C")
    )  # evals read as before


@pytest.mark.parametrize("at", [8.0, 9.0])  # as fitted; moved off where capability was stated
def test_the_belief_has_the_moments_of_paths_simulated_by_hand(
    posterior: Posterior, at: float
) -> None:
    moved = placed(posterior, catalogue(at))
    states = states_of(moved, catalogue(at))
    place, told = moved.knot_place, 8.0
    rng = np.random.default_rng(5)
    walk, rho = (moved.draws[key][:, 0] for key in ("walk_sd", "gap_range"))
    order = np.argsort(np.append(place, told))
    steps = np.diff(np.append(place, told)[order], prepend=0.0)
    steps[0] = 0.0
    path = np.empty((N, len(order)))
    path[:, order] = (walk[:, None] * np.sqrt(steps) * rng.standard_normal((N, len(order)))).cumsum(
        axis=1
    )
    shown = 7.0 + 2.0 / 1.645 * rng.standard_normal((N, 1)) + path[:, :-1] - path[:, -1:]
    kernel = np.exp(-np.abs(place[:, None] - place) / rho[:, None, None])
    z = (np.linalg.cholesky(kernel) @ rng.standard_normal((N, len(place), 1)))[..., 0]
    mean, sd = moved.gap_prior[0]
    gap = np.exp(mean + sd * z)
    for of, paths in (("shown", shown), ("gap", gap)):
        rows = [states.index_of(f"{name}.{of}") for name in states.knots]
        np.testing.assert_allclose(states.mean[rows], paths.mean(axis=0), rtol=0.04)
        wanted = np.cov(paths.T)
        np.testing.assert_allclose(
            states.covariance[np.ix_(rows, rows)], wanted, atol=0.12 * wanted.max()
        )


def test_moments_between_knots_have_next_to_no_luck_of_the_draws() -> None:
    """As products of draws they are off by 1/sqrt(1,600), 2.5 % of the sds and more."""
    few = fit(catalogue(8.0), Observations(), draws=1600)
    held = halves(few.n_draws)
    assert held is not None
    found = [states_of(few.kept(half), catalogue(8.0)).covariance for half in held]
    whole = states_of(few, catalogue(8.0)).covariance
    sd = np.sqrt(np.diag(whole))
    luck = noise(np.array(found), whole) / np.outer(sd, sd)
    assert luck[:-1, :-1].max() < 0.015


def test_nothing_moves_where_no_threshold_did(posterior: Posterior) -> None:
    assert placed(posterior, catalogue(8.0)) is posterior
    assert placed(posterior, catalogue([7.0, 9.0])) is posterior  # of an interval its mean


def test_levels_are_decided_at_their_own_thresholds(posterior: Posterior) -> None:
    specs = catalogue(None, (8.0, 12.0))
    assert threshold_places(specs, "cyber") == [8.0, 12.0]
    menu = menu_of(posterior, specs)
    low, high = menu.decisions
    at = [[menu.states[k] for k in np.flatnonzero(d.contrast)] for d in (low, high)]
    assert at == [["cyber.shown", "cyber.gap"], ["cyber@12.shown", "cyber@12.gap"]]
    assert low.domains(menu.states) == high.domains(menu.states) == ("cyber",)
    variance = [d.contrast @ menu.prior_covariance @ d.contrast for d in (low, high)]
    assert variance[1] > variance[0]  # capability at 8 is as stated, further off less sure
