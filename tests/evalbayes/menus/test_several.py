"""Two AI models in one budget: what one tells of the other moves what is spent on each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.evalbayes.menus.synthetic import UNDER_TEST, prior_posterior, small_catalogue

import evalfolio as ef
from evalbayes import InputError, Menu
from evalbayes.menus import menu_of, menu_of_several
from evalbayes.posterior.posterior import Posterior

BOTH = ("older", UNDER_TEST)


def tied(correlation: float) -> Posterior:
    """Two AI models whose shown capability goes together so far."""
    posterior = prior_posterior(small_catalogue(), n_draws=8000)
    shown = posterior.draws["shown"].copy()
    mean = shown.mean(axis=0)
    one, other = (shown[..., m] - mean[:, m] for m in (0, 1))
    shown[..., 0] = correlation * other + np.sqrt(1 - correlation**2) * one + mean[:, 0]
    return replace(posterior, draws={**posterior.draws, "shown": shown})


def correlation_of(menu: Menu, state: str) -> float:
    a, b = (menu.states.index(f"{name}: {state}") for name in BOTH)
    cov = menu.prior_covariance
    return float(cov[a, b] / np.sqrt(cov[a, a] * cov[b, b]))


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_what_is_believed_of_one_and_of_both_is_the_posterior(correlation: float) -> None:
    catalogue, posterior = small_catalogue(), tied(correlation)
    menu = menu_of_several(posterior, catalogue, BOTH)
    assert correlation_of(menu, "cyber.shown") == pytest.approx(correlation, abs=0.05)
    assert correlation_of(menu, "cyber.gap") == pytest.approx(0.0, abs=0.05)
    assert np.linalg.eigvalsh(menu.prior_covariance).min() > 0
    alone = menu_of(posterior, catalogue)
    own = [menu.states.index(f"{UNDER_TEST}: {name}") for name in alone.states]
    np.testing.assert_allclose(menu.prior_mean[own], alone.prior_mean)
    np.testing.assert_allclose(
        menu.prior_covariance[np.ix_(own, own)], alone.prior_covariance, atol=1e-9
    )
    names = [f"{UNDER_TEST}: {name}" for name in alone.options.index]
    worth = ef.evaluate(alone, [alone.options.index[0]]).value
    assert ef.evaluate(menu, names[:1]).value >= worth * (1 - 1e-12)  # equal, but for rounding
    assert {each.name for each in menu.decisions} == {
        f"{name}: {domain}" for name in BOTH for domain in ("cyber", "autonomy")
    }


def test_what_is_spent_on_each_moves_as_their_tie_goes_from_nothing_to_all() -> None:
    """The closer they are, the less is gained by running both, so money goes to one of them."""
    shares, values = [], []
    for correlation in (0.0, 0.6, 1.0):
        menu = menu_of_several(tied(correlation), small_catalogue(), BOTH)
        plain = menu.subset((menu.options["tier"] == "plateau").to_numpy())
        plan = ef.optimise(plain, budget={"usd": 300.0}, gap=1e-4)
        usd = plan.choices.groupby("ai_model")["usd"].sum().reindex(list(BOTH), fill_value=0.0)
        shares.append(float(usd.max() / usd.sum()))
        values.append(plan.value)
    assert shares[0] < shares[-1]
    assert values == sorted(values)  # what one is run for tells of the other as well


def test_certified_is_the_best_of_all_mixes_of_a_small_menu() -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        menu = menu_of_several(tied(rng.uniform(0, 1)), small_catalogue(), BOTH)
        keep = np.zeros(len(menu), dtype=bool)
        keep[rng.choice(len(menu), 9, replace=False)] = True
        few = menu.subset(keep)
        budget = float(rng.uniform(0.2, 0.6) * few.costs[:, 0].sum())
        plan = ef.optimise(few, budget={"usd": budget}, gap=1e-5)
        evals = few.options["eval"].to_numpy()
        best = 0.0
        for mask in range(2 ** len(few)):
            rows = [k for k in range(len(few)) if mask >> k & 1]
            within = few.costs[rows, 0].sum() <= budget
            if within and len(set(evals[rows])) == len(rows):
                value = ef.evaluate(few, [str(few.options.index[k]) for k in rows]).value
                best = max(best, value)
        # the search goes by a stand-in for skewed gaps, whose error the plan states
        assert plan.value >= best * (1 - 1e-3) - (plan.apart or 0.0) * plan.evpi


def test_several_must_be_several() -> None:
    for names in (("older",), ("older", "older"), ()):
        with pytest.raises(InputError, match="several AI models must be two or more, each once"):
            menu_of_several(tied(0.0), small_catalogue(), names)
