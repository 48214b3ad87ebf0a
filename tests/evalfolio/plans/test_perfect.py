"""Properties of EVPI, EVPPI and EVSI, and perfect information against simulation."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.evalbayes.menus.synthetic import prior_posterior, small_catalogue
from tests.evalbayes.menus.unlimited import unlimited_menu

from evalbayes import Menu
from evalbayes.menus import menu_of
from evalbayes.menus.states import state_draws
from evalfolio import evaluate
from evalfolio.errors import InputError
from evalfolio.objectives.valuation import worth_of
from evalfolio.plans.perfect import evppi, matching_warnings, perfect_information
from evalfolio.value.skew.stand_in import stand_in_of

Array = NDArray[np.float64]

CATALOGUE = small_catalogue()
POSTERIOR = prior_posterior(CATALOGUE, n_draws=4000)
MENU = menu_of(POSTERIOR, CATALOGUE)
LIMITLESS = unlimited_menu(POSTERIOR, CATALOGUE)
EVALS = [spec.name for spec in CATALOGUE.evals]
SLACK = 1e-9  # of the EVPI: rounding
QUADRATURE = 2e-6  # of the EVPI: integrals over other grids, as two beliefs have them

mixes = st.lists(
    st.sampled_from(EVALS).flatmap(
        lambda name: st.sampled_from(list(MENU.options.index[MENU.options["eval"] == name]))
    ),
    unique_by=lambda option: option.split(" / ")[0],
    max_size=len(EVALS),
)


def evpi(menu: Menu) -> dict[str, float]:
    return {d.name: worth_of(menu, d).evpi for d in menu.decisions}


def without_limit(evals: list[str]) -> dict[str, float]:
    return evaluate(LIMITLESS, [f"{name} / without limit" for name in evals]).by_decision


def test_what_follows_is_under_a_skewed_gap() -> None:
    """Every property below is of the value that plans use, by the index of a lognormal gap."""
    for menu in (MENU, LIMITLESS):
        assert menu.skewed
        for decision in menu.decisions:
            assert stand_in_of(menu, decision) is not None


@given(st.permutations(EVALS), st.permutations(list(MENU.states)))
@settings(max_examples=25, deadline=None)
def test_one_more_eval_or_state_known_never_lowers_evppi_and_evpi_is_above(
    evals: list[str], states: list[str]
) -> None:
    most = evpi(MENU)
    for chain in (
        [without_limit(evals[:k]) for k in range(len(evals) + 1)],
        [evppi(MENU, states[:k]) for k in range(len(states) + 1)],
    ):
        for name, whole in most.items():
            values = [link[name] for link in chain]
            assert values[0] == 0.0
            assert all(b >= a - SLACK * whole for a, b in pairwise(values))
            assert values[-1] <= whole * (1 + SLACK)


@given(mixes)
@settings(max_examples=60, deadline=None)
def test_evsi_is_between_nothing_and_the_evppi_of_its_evals(options: list[str]) -> None:
    by_decision = evaluate(MENU, options).by_decision
    most = without_limit([option.split(" / ")[0] for option in options])
    for name, whole in evpi(MENU).items():
        assert -SLACK * whole <= by_decision[name] <= most[name] + 1e-6 * whole
        assert most[name] <= whole * (1 + SLACK)


@given(mixes, st.data())
@settings(max_examples=40, deadline=None)
def test_one_more_eval_never_lowers_evsi(options: list[str], data: st.DataObject) -> None:
    before = evaluate(MENU, options).by_decision
    if options:
        fewer = list(options)
        fewer.remove(data.draw(st.sampled_from(options)))
        after = evaluate(MENU, fewer).by_decision
        for name, whole in evpi(MENU).items():
            assert before[name] >= after[name] - SLACK * whole


@pytest.mark.parametrize("losses", [(1.0, 1.0), (30.0, 1.0), (1.0, 20.0)])
def test_the_order_holds_whatever_the_stakes(losses: tuple[float, float]) -> None:
    decisions = tuple(
        replace(d, loss_missed=losses[0], loss_false_alarm=losses[1]) for d in MENU.decisions
    )
    menu = replace(MENU, decisions=decisions)
    limitless = replace(LIMITLESS, decisions=decisions)
    everything = evaluate(limitless, list(limitless.options.index)).by_decision
    for option in menu.options.index[::5]:
        for name, value in evaluate(menu, [option]).by_decision.items():
            assert 0.0 <= value <= everything[name] + 1e-9 * evpi(menu)[name]
            assert everything[name] <= evpi(menu)[name] * (1 + SLACK)


@given(st.integers(0, 10_000), st.floats(-2.0, 2.0))
@settings(max_examples=15, deadline=None)
def test_an_observation_more_never_lowers_evsi_or_evppi(seed: int, ln_precision: float) -> None:
    """Any reading h·z + noise added to an option, or to an eval without limit."""
    rng = np.random.default_rng(seed)
    row = rng.standard_normal(len(MENU.states)) * rng.integers(0, 2, len(MENU.states))
    reading = np.exp(ln_precision) * np.outer(row, row)
    for menu in (MENU, LIMITLESS):
        option = str(rng.choice(menu.options.index))
        more = menu.information.copy()
        more[menu.options.index.get_loc(option)] += reading
        richer = replace(menu, information=more, information_draws=None)
        before, after = (evaluate(m, [option]).by_decision for m in (menu, richer))
        for name, whole in evpi(menu).items():
            assert after[name] >= before[name] - QUADRATURE * whole
            assert after[name] <= whole * (1 + SLACK)


def test_more_tasks_or_repeats_of_an_eval_are_never_worth_less() -> None:
    plain = MENU.options[MENU.options["effort"] == 0]
    for _, group in plain[plain["attempts"] == 1].groupby(["eval", "tier"]):
        ordered = list(group.sort_values("tasks").index)
        values = [evaluate(MENU, [option]).value for option in ordered]
        assert all(b >= a for a, b in pairwise(values))


def test_perfect_information_by_draws_is_the_nested_simulation() -> None:
    draws = state_draws(POSTERIOR, CATALOGUE)
    table: Any = perfect_information(MENU, draws).set_index(["decision", "known"])
    rng = np.random.default_rng(0)
    for decision in MENU.decisions:
        s = draws[:, MENU.states.index(f"{decision.name}.shown")]
        gap = draws[:, MENU.states.index(f"{decision.name}.gap")]
        now = decision.expected_losses(s + gap).mean(axis=1).min()
        # Gap and shown are independent here, so the inner mean is over draws of the other.
        for words, outer, inner in (("shown", s, gap), ("gap", gap, s)):
            some, others = rng.choice(outer, 1500), rng.choice(inner, 1500)
            losses = decision.expected_losses(some[:, None] + others).mean(axis=2)
            nested = now - losses.min(axis=0).mean()
            row = table.loc[(decision.name, words)]
            # Groups of a hundred draws find a little that is not there: 0.1 of a small value.
            slack = 0.1 * table.loc[(decision.name, "capability"), "draws"]
            assert float(row["draws"]) == pytest.approx(nested, abs=float(slack))
        y = s + gap
        perfect = now - decision.expected_losses(y).min(axis=0).mean()
        assert float(table.loc[(decision.name, "capability"), "draws"]) == pytest.approx(perfect)
        assert table.loc[(decision.name, "shown"), "draws"] <= perfect * (1 + 1e-9)


def test_without_skew_the_normal_model_has_no_error() -> None:
    rng = np.random.default_rng(1)
    root = np.linalg.cholesky(MENU.prior_covariance)
    draws: Array = MENU.prior_mean + rng.standard_normal((40_000, len(root))) @ root.T
    table = perfect_information(replace(MENU, skewed=()), draws)
    for _, row in table.iterrows():
        slack = 5 * row["standard_error"] + 0.02 * row["normal"]
        assert row["draws"] == pytest.approx(row["normal"], abs=slack)
        assert row["menu"] == pytest.approx(row["normal"], rel=1e-12)


def test_a_gap_far_from_normal_is_warned_of() -> None:
    table = perfect_information(MENU, state_draws(POSTERIOR, CATALOGUE))
    shown = table[table["known"] == "shown"].set_index("decision")["error"]
    sentences = matching_warnings(table)
    for name, error in shown.items():
        told = [s for s in sentences if f"capability of {name} is" in s]
        assert bool(told) == (abs(error) > 0.25)
    rng = np.random.default_rng(2)
    root = np.linalg.cholesky(MENU.prior_covariance)
    normal = MENU.prior_mean + rng.standard_normal((20_000, len(root))) @ root.T
    assert matching_warnings(perfect_information(MENU, normal)) == []


def test_the_menu_knows_what_shown_capability_is_worth_though_the_gap_is_skewed() -> None:
    table = perfect_information(MENU, state_draws(POSTERIOR, CATALOGUE))
    for _, row in table.iterrows():
        slack = 0.1 * row["draws"] + 4 * row["standard_error"]
        assert row["menu"] == pytest.approx(row["draws"], abs=slack)
    worst = {kind: (table[kind] / table["draws"] - 1).abs().max() for kind in ("menu", "normal")}
    assert worst["menu"] < 0.5 * worst["normal"]


def test_an_unknown_state_is_told() -> None:
    with pytest.raises(InputError, match=r"a state must be one of the menu's, got 'cyber\.shwon'"):
        evppi(MENU, ["cyber.shwon"])
