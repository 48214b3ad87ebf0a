"""The exact value under a lognormal gap against simulation, closed forms and necessary orders."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from tests.evalfolio.value.skew.menus import left_by, skewed_menu

from evalfolio.plans.revalue import skewed_value
from evalfolio.value.known import call_change
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew import SkewedGap, outcome_of
from evalfolio.value.skew.gap import contrasts, gap_weights

CYBER = SkewedGap(8.0, 1.4, 1.0, 0.9, 0.0, 1.0, -10.8, 0.2, 56.0, 2.0)
TIED = replace(CYBER, covariance=0.4, later_sd=0.0, loss_missed=3.0)
# P(exceeds) 0.112 and a rule of 0.12: losses alone would have it mitigated
RULED = replace(CYBER, mitigate_above=0.12)


@pytest.mark.parametrize("seed", range(4))
def test_it_agrees_with_simulated_readings(seed: int) -> None:
    menu = skewed_menu(seed)
    options = ["a max-elicitation", "b plateau", "c plateau", "d max-elicitation"]
    exact = 0.0
    for decision in menu.decisions:
        gap, gaps = SkewedGap.of(menu, decision), gap_weights(menu, decision)
        assert gap is not None
        assert gaps is not None
        both = contrasts(decision, gaps)
        exact += outcome_of(gap, both @ left_by(menu, options) @ both.T).value
    simulated = skewed_value(menu, options, n_draws=6000)
    assert exact == pytest.approx(simulated.value, abs=4 * simulated.standard_error)


@pytest.mark.parametrize("gap", [CYBER, TIED, RULED])
def test_calls_and_losses_agree_with_states_and_results_drawn(gap: SkewedGap) -> None:
    """Two readings of known noise, the belief after them by weights over draws of the prior."""
    rng = np.random.default_rng(0)
    a, beta, c = 1.2, 0.4, 0.5
    gaps = gap.gap_mean * np.exp(gap.log_sd * rng.standard_normal(30_000) - gap.log_sd**2 / 2)
    free = np.sqrt(gap.rest) * rng.standard_normal(len(gaps))
    y = gap.mean + gap.distance + gap.slope * (gaps - gap.gap_mean) + free + gap.weight * gaps
    y = y + gap.later_sd * rng.standard_normal(len(gaps))
    weights = np.array([[gap.loss_missed], [-gap.loss_false_alarm]])
    losses = np.maximum(weights * y, 0.0)
    now = int(losses.mean(axis=1).argmin())
    assert now == gap.now[1]
    assert gap.p_exceeds == pytest.approx(float((y > 0).mean()), abs=0.01)
    assert float((y > gap.quantile(0.9)).mean()) == pytest.approx(0.1, abs=0.006)
    first, second = free + beta * gaps, gaps
    rule = gap.mitigate_above
    call_now = now if rule is None else int(gap.p_exceeds > rule)
    assert gap.mitigates == call_now
    saved, missed, needless, turned = [], [], [], []
    for k in range(1200):
        r1 = first[k] + rng.standard_normal() / np.sqrt(a)
        r2 = second[k] + rng.standard_normal() / np.sqrt(c)
        weight = np.exp(-0.5 * (a * (r1 - first) ** 2 + c * (r2 - second) ** 2))
        after = losses @ weight / weight.sum()
        above = weight @ (y > 0) / weight.sum()
        call = int(after.argmin()) if rule is None else int(above > rule)
        saved.append(after[now] - after.min())
        turned.append(call != call_now)
        missed.append((1 - call) * above)
        needless.append(call * (1 - above))
    found = outcome_of(gap, gap.left_by(a, beta, c))
    for value, draws in (
        (found.value, saved),
        (found.p_turned, turned),
        (found.p_missed, missed),
        (found.p_needless, needless),
    ):
        error = float(np.std(draws)) / np.sqrt(len(draws))
        assert value == pytest.approx(float(np.mean(draws)), abs=4 * error)


@pytest.mark.parametrize("covariance", [0.0, 0.3])
def test_a_gap_far_from_zero_is_normal(covariance: float) -> None:
    gap = SkewedGap(8.0, 1.4, 400.0, 0.9, covariance, 1.0, -409.0, 0.3, 9.0, 1.0)
    c = np.ones(2)
    normal = DecisionValue(-1.0, float(c @ gap.prior @ c) + 0.09, 9.0, 1.0)
    for readings in ((0.5, 0.0, 0.0), (2.0, 0.7, 0.4), (0.3, 1.0, 30.0)):
        left = gap.left_by(*readings)
        v = float(c @ (gap.prior - left) @ c)
        found = outcome_of(gap, left)
        assert found.value == pytest.approx(float(normal.gain(v)), rel=0.03)
        assert found.p_turned == pytest.approx(call_change(normal, v), abs=0.01)
        wrong = found.p_missed + found.p_needless
        assert wrong == pytest.approx(float(normal.wrong_call(v)), abs=0.01)
    assert gap.evpi == pytest.approx(normal.evpi, rel=0.01)


@pytest.mark.parametrize("gap", [CYBER, TIED])
def test_more_information_is_never_worth_less_and_nothing_beats_all(gap: SkewedGap) -> None:
    rng = np.random.default_rng(1)
    for _ in range(6):
        information, values = np.linalg.inv(gap.prior), []
        for _ in range(4):
            row = rng.standard_normal(2) * rng.uniform(0, 1.5)
            information = information + np.outer(row, row)
            values.append(outcome_of(gap, np.asarray(np.linalg.inv(information))).value)
        assert all(b >= a - 2e-3 * gap.evpi for a, b in pairwise([0.0, *values]))
        assert values[-1] <= gap.evpi
    nothing = outcome_of(gap, gap.prior)
    assert nothing.value == pytest.approx(0.0, abs=1e-6)
    assert nothing.p_turned == pytest.approx(0.0, abs=1e-6)


def test_only_gaps_that_bear_on_a_decision_and_are_skewed_count() -> None:
    menu = skewed_menu(0)
    assert SkewedGap.of(replace(menu, skewed=()), menu.decisions[0]) is None
    sharp = menu.prior_covariance.copy()
    sharp[1, 1] = 1e-6
    assert SkewedGap.of(replace(menu, prior_covariance=sharp), menu.decisions[0]) is None
    assert SkewedGap.of(menu, menu.decisions[1]) is not None
