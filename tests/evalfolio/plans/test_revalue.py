"""The skewed revaluation agrees with G where the gap is nearly normal, and with simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evalbayes import Decision
from evalfolio.examples import small_menu
from evalfolio.plans.evaluation import evaluate
from evalfolio.plans.revalue import skewed_value


def test_a_gap_far_from_zero_is_normal_and_gives_g() -> None:
    menu = replace(small_menu(), skewed=("cyber.gap",))
    shift = np.array([0.0, 40.0, 0.0])  # a lognormal far from 0 has no skew
    far = replace(
        menu,
        prior_mean=menu.prior_mean + shift,
        decisions=tuple(
            replace(d, threshold=d.threshold + float(d.contrast @ shift)) for d in menu.decisions
        ),
    )
    options = ["a max", "b plateau", "c plateau"]
    result = skewed_value(far, options, n_draws=40_000, n_nodes=81)
    assert result.value == pytest.approx(
        evaluate(far, options).value, abs=4 * result.standard_error
    )


def test_no_options_are_worth_nothing() -> None:
    assert skewed_value(small_menu(), []).value == pytest.approx(0.0, abs=1e-12)


def test_more_options_are_never_worth_less() -> None:
    menu = replace(small_menu(), skewed=("cyber.gap",))
    few = skewed_value(menu, ["b plateau"], n_draws=20_000)
    more = skewed_value(menu, ["a max", "b plateau", "c plateau"], n_draws=20_000)
    assert more.value > few.value - 3 * few.standard_error


def test_a_skewed_gap_agrees_with_nested_simulation() -> None:
    """One decision, one option: the posterior by importance weights over a large prior sample."""
    menu = replace(
        small_menu(),
        decisions=(Decision("cyber", np.array([1.0, 1.0, 0.0]), 9.0, 4.0, 1.0),),
        prior_covariance=np.diag([0.8, 0.9, 1.0]),
        skewed=("cyber.gap",),
    )
    rng = np.random.default_rng(3)
    mean, sd = 1.0, np.sqrt(0.9)
    spread = np.sqrt(np.log1p((sd / mean) ** 2))
    n = 40_000
    gap = np.exp(np.log(mean) - spread**2 / 2 + spread * rng.standard_normal(n))
    shown = 7.0 + np.sqrt(0.8) * rng.standard_normal(n)
    y = shown + gap - 9.0
    information = menu.information[menu.options.index.get_loc("a max")][:2, :2]
    root = np.linalg.cholesky(information + 1e-12 * np.eye(2)).T
    states = np.stack([shown, gap], axis=1) @ root.T
    loss = np.stack([4.0 * np.maximum(y, 0), np.maximum(-y, 0)])
    before = loss.mean(axis=1).min()
    after = []
    for i in range(2000):
        reading = states[i] + rng.standard_normal(2)
        weight = np.exp(-0.5 * np.square(reading - states).sum(axis=1))
        after.append(((loss * weight).sum(axis=1) / weight.sum()).min())
    simulated, error = before - np.mean(after), np.std(after) / np.sqrt(len(after))
    ours = skewed_value(menu, ["a max"], n_draws=20_000, n_nodes=81)
    assert ours.value == pytest.approx(simulated, abs=3 * float(error) + 0.01)


def test_the_same_seed_gives_the_same_value() -> None:
    menu = small_menu()
    assert skewed_value(menu, ["a max"]) == skewed_value(menu, ["a max"])
