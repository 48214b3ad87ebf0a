"""The value of options on the menu, against simulations of what the readings would say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.evalbayes.menus.simulated_value import simulated_value
from tests.evalbayes.menus.synthetic import decided_catalogue, prior_posterior, small_catalogue

from evalbayes import Decision, Menu
from evalbayes.catalogue import Catalogue
from evalbayes.menus import build_menu, menu_of
from evalbayes.menus.reading import reading_of
from evalbayes.menus.states import states_of
from evalbayes.posterior.posterior import Posterior
from evalfolio import evaluate

Array = NDArray[np.float64]

MIX = (
    "cybench / max-elicitation / 12 tasks x 4",
    "nyuctf / plateau / 47 tasks",
    "range / plateau / 4 tasks x 3",
    "hcast / plateau / 60 tasks",
)


def nested_value(
    menu: Menu, rows: Any, noise: Any, n: Any = 40000, seed: Any = 0
) -> tuple[float, float]:
    """EVSI with normal readings: states, readings and their update drawn without information K."""
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(menu.prior_covariance)
    states = menu.prior_mean + rng.standard_normal((n, len(menu.states))) @ root.T
    errors = rng.standard_normal((n, len(rows))) @ np.linalg.cholesky(noise).T
    readings = states @ rows.T + errors
    gain = (
        menu.prior_covariance
        @ rows.T
        @ np.linalg.inv(rows @ menu.prior_covariance @ rows.T + noise)
    )
    mean = menu.prior_mean + (readings - menu.prior_mean @ rows.T) @ gain.T
    left = menu.prior_covariance - gain @ rows @ menu.prior_covariance
    inner, weights = np.polynomial.hermite_e.hermegauss(61)
    weights = weights / weights.sum()
    total = np.zeros(n)
    for decision in menu.decisions:

        def losses(centre: Any, variance: Any, decision: Decision = decision) -> Array:
            y = centre[:, None] + np.sqrt(variance) * inner
            values = decision.expected_losses(y.ravel()).reshape(2, *y.shape)
            averaged: Array = values @ weights
            return averaged

        c = decision.contrast
        before = losses(np.array([c @ menu.prior_mean]), c @ menu.prior_covariance @ c)
        after = losses(mean @ c, c @ left @ c)
        total += after[int(np.argmin(before[:, 0]))] - after.min(axis=0)
    return total.mean(), total.std() / np.sqrt(n)


def test_analytic_value_agrees_with_nested_simulation_of_normal_readings(
    menu: Menu, posterior: Posterior, catalogue: Catalogue
) -> None:
    # Two evals, one read twice: the private error is shared by its readings and counted once.
    states = states_of(posterior, catalogue)
    rows, blocks, information = [], [], np.zeros_like(menu.prior_covariance)
    for i, efforts, sampling in ((0, (0.0, 0.8), (0.3, 0.6)), (3, (0.0,), (0.4,))):
        reading = reading_of(posterior, states, i, 1, efforts)
        rows.append(reading.rows)
        blocks.append(reading.noise(np.array(sampling)))
        information += reading.information(np.array(sampling))
    noise = np.zeros((3, 3))
    noise[:2, :2], noise[2:, 2:] = blocks
    value, error = nested_value(menu, np.concatenate(rows), noise)
    one = menu.options.iloc[:1]
    single = replace(
        menu,
        options=one,
        information=information[None],
        information_draws=None,
        resource_draws=None,
        replicates=None,
        skewed=(),  # as the simulation has it
    )
    assert evaluate(single, list(one.index)).value == pytest.approx(value, abs=4 * error)


def test_levels_and_joint_decisions_agree_with_direct_simulation() -> None:
    # Levels of a domain are settled by the same capability: all their calls come from one draw.
    catalogue = decided_catalogue()
    posterior = prior_posterior(catalogue, n_draws=1000)
    menu, _ = build_menu(posterior, catalogue, with_draws=False)
    menu = replace(menu, skewed=())  # as the simulation has it
    names = [d.name for d in menu.decisions]
    assert names == ["cyber, High", "cyber, Critical", "autonomy", "both"]
    states = states_of(posterior, catalogue)
    deep, shown = (
        reading_of(posterior, states, i, 1, e) for i, e in ((0, (0.0, 0.8)), (3, (0.0,)))
    )
    noise = np.zeros((3, 3))
    noise[:2, :2], noise[2:, 2:] = deep.noise(np.array([0.3, 0.6])), shown.noise(np.array([0.4]))
    rows = np.concatenate([deep.rows, shown.rows])
    one = menu.options.iloc[:1]
    single = replace(
        menu,
        options=one,
        information=(rows.T @ np.linalg.inv(noise) @ rows)[None],
        replicates=None,
    )
    told = evaluate(single, list(one.index))
    for d, decision in enumerate(menu.decisions):
        alone = replace(single, decisions=(decision,))
        value, error = nested_value(alone, rows, noise, seed=d)
        assert told.by_decision[decision.name] == pytest.approx(value, abs=4 * error), decision.name
    value, error = nested_value(single, rows, noise, seed=9)
    assert told.value == pytest.approx(value, abs=4 * error)


def test_real_outcomes_and_skewed_gaps_of_levels_and_joint_decisions() -> None:
    catalogue = decided_catalogue()
    posterior = prior_posterior(catalogue)
    menu = menu_of(posterior, catalogue)
    mix = tuple(name for name in MIX if name in menu.options.index)
    assert len(mix) > 2
    simulated = simulated_value(posterior, catalogue, menu, mix, n_results=400, copies=2)
    value = evaluate(menu, mix).value
    assert abs(value - simulated.value) <= 0.15 * simulated.value + 3 * simulated.standard_error


def test_no_option_is_worth_nothing_and_value_repeats_with_the_seed(
    menu: Menu, posterior: Posterior, catalogue: Catalogue
) -> None:
    assert simulated_value(posterior, catalogue, menu, ()).value == pytest.approx(0.0, abs=1e-6)
    first, again = (
        simulated_value(posterior, catalogue, menu, MIX[1:2], n_results=50) for _ in range(2)
    )
    assert first == again
    assert first.value > 0


def test_menu_agrees_with_real_outcomes_and_a_skewed_gap(
    menu: Menu, posterior: Posterior, catalogue: Catalogue
) -> None:
    simulated = simulated_value(posterior, catalogue, menu, MIX, n_results=400, copies=2)
    value = evaluate(menu, MIX).value
    assert abs(value - simulated.value) <= 0.15 * simulated.value + 3 * simulated.standard_error


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        MIX,
        ("cybench / plateau / 38 tasks",),
        ("cybench / plateau / 4 tasks",),
        ("cybench / max-elicitation / 38 tasks x 4",),
    ],
)
def test_value_of_any_mix_is_within_15_per_cent_of_simulation(options: tuple[str, ...]) -> None:
    catalogue = small_catalogue()
    posterior = prior_posterior(catalogue, n_draws=8000)
    menu = menu_of(posterior, catalogue)
    simulated = simulated_value(posterior, catalogue, menu, options, n_results=1000, copies=2)
    value = evaluate(menu, options).value
    assert abs(value - simulated.value) <= 0.15 * simulated.value + 2 * simulated.standard_error


@pytest.mark.slow
def test_value_of_the_examples_mix_is_within_10_per_cent_of_simulation() -> None:
    from evalbayes.catalogue import read_catalogue
    from evalbayes.model.fit import fit
    from evalbayes.observations import read_observations
    from evalfolio import optimise

    folder = Path(__file__).parents[3] / "examples" / "cyber"
    catalogue = read_catalogue(folder / "catalogue.toml")
    observations = read_observations(sorted(folder.glob("*.csv")), catalogue)
    posterior = fit(catalogue, observations, seed=0, draws=1000, tune=700, chains=2)
    menu = menu_of(posterior, catalogue)
    assert catalogue.budget.usd is not None
    assert isinstance(catalogue.budget.staff_hours, float)
    plan = optimise(
        menu,
        budget={
            "usd": 0.9 * catalogue.budget.usd,
            "staff_hours": 0.9 * catalogue.budget.staff_hours,
        },
    )
    simulated = simulated_value(posterior, catalogue, menu, plan.chosen, n_results=600, copies=6)
    assert simulated.effective_draws > 100
    assert abs(plan.value - simulated.value) <= 0.1 * simulated.value
