"""Costs, against simulated runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.evalbayes.menus.synthetic import small_catalogue

from evalbayes.catalogue import Catalogue
from evalbayes.curves import Curve
from evalbayes.menus.costs import (
    Cost,
    calendar_days,
    option_cost,
    price_draws,
    spend_moments,
    staff_columns,
    staff_hours,
)
from evalbayes.menus.offer import Offer

DEEP = Offer("cybench", "max-elicitation", 1e7, 10, 4, effort=0.8, baseline_cap=2e6)
PLAIN = Offer("cybench", "plateau", 2e6, 10)
MENDED = Offer("cybench", "plateau", 2e6, 10, effort=0.3, baseline_cap=2e6)


def curve(n_draws: Any = 1, shift: Any = 0.0) -> Curve:
    one = np.ones(n_draws)
    return Curve(0.6 * one, (11.5 + shift) * one, 1.3 * one, (12.3 + shift) * one, 1.0 * one)


def test_moments_of_limited_spend_agree_with_simulation() -> None:
    rng = np.random.default_rng(0)
    n = 400_000
    success = rng.random(n) < 0.6
    ln = np.where(success, 11.5 + 1.3 * rng.standard_normal(n), 12.3 + rng.standard_normal(n))
    spend = np.minimum(np.exp(ln), 3e5)
    first, second = spend_moments(curve(), 3e5)
    assert first[0] == pytest.approx(spend.mean(), rel=5e-3)
    assert second[0] == pytest.approx((spend**2).mean(), rel=1e-2)


def priced(offer: Offer, catalogue: Catalogue | None = None, n: Any = 4000) -> Cost:
    catalogue = catalogue or small_catalogue()
    spec = catalogue.eval("cybench")
    rng = np.random.default_rng(0)
    return option_cost(
        spec,
        offer,
        lambda effort, cap: spend_moments(curve(n, effort), cap),
        price_draws(spec, n, rng),
        rng.standard_normal(n),
        catalogue,
    )


def test_expected_money_is_runs_times_limited_spend_times_price() -> None:
    mean, _ = spend_moments(curve(), 2e6)
    price = small_catalogue().eval("cybench").usd_per_unit.lognormal_mean
    assert priced(PLAIN).usd == pytest.approx(10 * mean[0] * price)
    elicited, _ = spend_moments(curve(shift=0.8), 1e7)
    assert priced(DEEP).usd == pytest.approx((40 * elicited[0] + 10 * mean[0]) * price)


def test_draws_of_money_average_to_the_expected_and_stay_below_the_ceiling() -> None:
    cost = priced(PLAIN, n=20_000)
    assert cost.usd_draws.mean() == pytest.approx(cost.usd, rel=0.02)
    assert cost.usd < cost.usd_p90 < cost.usd_ceiling
    assert cost.usd_draws.max() <= cost.usd_ceiling


def test_agent_hours_count_the_baseline_pass() -> None:
    assert priced(PLAIN).agent_hours == 10.0
    assert priced(DEEP).agent_hours == 50.0


def test_staff_hours_are_running_elicitation_by_effort_and_review_of_at_most_100_runs() -> None:
    catalogue = small_catalogue(review_minutes_per_run=3, effort_max=0.8)
    spec = catalogue.eval("cybench")
    assert staff_columns(catalogue) == ("staff_hours",)
    assert staff_hours(spec, PLAIN, catalogue) == {"staff_hours": pytest.approx(4 + 0.5)}
    half = Offer("cybench", "max-elicitation", 1e7, 50, 4, effort=0.4, baseline_cap=2e6)
    assert staff_hours(spec, half, catalogue) == {"staff_hours": pytest.approx(4 + 30 + 5)}


def test_staff_hours_by_skill_are_columns_of_their_own() -> None:
    catalogue = small_catalogue(
        staff_hours={"cyber": 3, "bio": 1},
        staff_hours_elicitation={"cyber": 60},
        effort_max=0.8,
        budget={"staff_hours": {"cyber": 100, "bio": 20, "autonomy": 50}},
    )
    assert set(staff_columns(catalogue)) == {
        "staff_hours.cyber",
        "staff_hours.bio",
        "staff_hours.autonomy",
    }
    hours = staff_hours(catalogue.eval("cybench"), DEEP, catalogue)
    review = 3 * 40 / 60
    assert hours["staff_hours.cyber"] == pytest.approx(63 + 0.75 * review)
    assert hours["staff_hours.bio"] == pytest.approx(1 + 0.25 * review)
    assert hours["staff_hours.autonomy"] == 0.0


def test_days_are_elicitation_then_runs_side_by_side() -> None:
    spec = small_catalogue(effort_max=0.8).eval("cybench")
    assert calendar_days(spec, DEEP, 50.0, 2.0, 1) == pytest.approx(10 + 50 / 24)
    assert calendar_days(spec, DEEP, 50.0, 2.0, 1000) == pytest.approx(10 + 2 / 24)
    assert calendar_days(spec, PLAIN, 10.0, 1.0, None) == pytest.approx(1 / 24)
    assert calendar_days(spec, MENDED, 20.0, 2.0, None) == pytest.approx(2 + 2 / 24)


def test_mending_has_hours_of_its_own_and_reads_the_pass_before() -> None:
    catalogue = small_catalogue(staff_hours_repair=12, review_minutes_per_run=6)
    spec = catalogue.eval("cybench")
    hours = staff_hours(spec, MENDED, catalogue)["staff_hours"]
    assert hours == pytest.approx(4 + 12 + 2 * 10 * 6 / 60)
    assert catalogue.eval("nyuctf").days_repair == 2.0  # 16 hours by default, eight a day


def test_every_fresh_start_of_a_task_has_its_price() -> None:
    dear = small_catalogue(usd_per_reset=3.0)
    for offer, resets in ((PLAIN, 0), (MENDED, 10), (DEEP, 40)):
        free, paid = priced(offer), priced(offer, dear)
        assert offer.resets == resets
        assert paid.usd == pytest.approx(free.usd + 3.0 * resets)
        assert paid.usd_p90 == pytest.approx(free.usd_p90 + 3.0 * resets)
        assert paid.usd_ceiling == pytest.approx(free.usd_ceiling + 3.0 * resets)


def test_wall_clock_follows_throughput_where_no_hours_are_given() -> None:
    # LITERATURE's server: an aggregate 14,800 tokens a second less a fifth, shared by 127 agents.
    servers = {
        "servers": 2,
        "agents_per_server": 127,
        "tokens_per_second_per_server": 0.8 * 14_800,
        "agents_in_parallel": None,
    }
    data: dict[str, Any] = {"budget": servers}
    timed = small_catalogue(hours_per_run=None, **data)
    assert timed.budget.agents_in_parallel == 254
    rate = 0.8 * 14_800 / 127
    mean, _ = spend_moments(curve(), 2e6)
    plain = priced(PLAIN, timed)
    assert plain.agent_hours == pytest.approx(10 * mean[0] / rate / 3600)
    # Nobody knows beforehand which run goes on to the cap, so days allow for it.
    assert plain.days == pytest.approx(2e6 / rate / 3600 / 24)
    stated = small_catalogue(**{"budget": servers})  # its evals say an hour
    assert priced(PLAIN, stated).agent_hours == 10.0
