"""Capability at an adversary's budget, against closed forms, simulated runs and the unlimited."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from tests.evalbayes.menus.synthetic import (
    UNDER_TEST,
    decided_catalogue,
    prior_posterior,
    small_catalogue,
)

from evalbayes.catalogue import Catalogue, catalogue_to_toml, parse_catalogue, read_catalogue
from evalbayes.catalogue.population import effort_share, population_gap
from evalbayes.catalogue.writing import catalogue_to_workbook
from evalbayes.elicitation.adversary import (
    capability_within,
    gap_share,
    horizon_within,
    in_line,
    spend_line,
)
from evalbayes.errors import InputError
from evalbayes.inputs import check_inputs
from evalbayes.menus.stakes import decisions_of
from evalbayes.menus.states import states_of
from evalbayes.observations import Observations
from evalbayes.summaries.capability import capability_table

VERIFIED: dict[str, Any] = {"adversary_verifier": True}
PLAIN = small_catalogue()
POSTERIOR = prior_posterior(PLAIN, n_draws=4000)


def limited(base: Catalogue = PLAIN, level: dict[str, Any] | None = None, **keys: Any) -> Catalogue:
    """Return the catalogue with keys of its first domain, and of its last level."""
    data = tomllib.loads(catalogue_to_toml(base))
    data["domain"][0] |= keys
    if level:
        data["level"][-1] |= level
    return parse_catalogue(data)


def drawn() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    m = POSTERIOR.index_of("ai_model", UNDER_TEST)
    return POSTERIOR.draws["shown"][:, 0, m], POSTERIOR.draws["gap"][:, 0, m]


def within(catalogue: Catalogue) -> np.ndarray[Any, Any]:
    adversary = catalogue.adversary("cyber", "cyber")
    assert adversary is not None
    return capability_within(POSTERIOR, catalogue, adversary, *drawn())


@pytest.mark.parametrize("tools", [True, False])
def test_without_limit_it_is_today_and_with_one_attempt_what_staff_adds(tools: bool) -> None:
    shown, gap = drawn()
    keys: dict[str, Any] = {**VERIFIED, "baseline_tools": tools}
    endless = limited(**keys, adversary_spend=1e30, adversary_attempts=8)
    np.testing.assert_allclose(within(endless), shown + gap, rtol=1e-14)
    one, four = (within(limited(**keys, adversary_attempts=k)) for k in (1, 4))
    whole = population_gap("cyber", tools=tools).median
    share = float(np.median((one - shown) / gap))
    assert share == pytest.approx(whole / np.hypot(whole, 0.996 * 3**0.591), abs=0.02)
    if tools:  # what an eval of full effort and one attempt reaches of such a gap
        assert share == pytest.approx(effort_share(1.0, 1), abs=0.03)
    assert (shown < one).all()
    assert (one < four).all()
    assert (four < shown + gap).all()


def test_the_same_decisions_come_without_a_limit_and_with_one_that_never_binds() -> None:
    def decisions(catalogue: Catalogue) -> list[tuple[Any, ...]]:
        found = decisions_of(catalogue, states_of(POSTERIOR, catalogue), POSTERIOR)
        return [(*d.contrast, d.later_gain_mean, d.later_gain_sd, d.threshold) for d in found]

    endless = limited(**VERIFIED, adversary_spend=1e30, adversary_attempts=20)
    np.testing.assert_allclose(decisions(endless), decisions(PLAIN), atol=1e-12)


def test_it_is_the_smaller_of_capability_and_of_the_length_that_takes_the_spend() -> None:
    theta, slope = np.array([3.0, 9.0]), np.full(2, 1e6)
    level, steep, width = np.full(2, -1.0), np.full(2, 1.5), np.full(2, 1e-9)
    length = (np.log(1000.0) + 1.0) / 1.5
    found = horizon_within(theta, slope, 1000.0, level, steep, width)
    np.testing.assert_allclose(found, [3.0, length], atol=1e-5)


@pytest.mark.parametrize("spend", [3.0, 100.0, 1e5])
def test_half_of_simulated_runs_at_that_length_succeed_within_the_spend(spend: float) -> None:
    rng, one = np.random.default_rng(4), np.ones(1)
    found = horizon_within(8.0 * one, 0.7 * one, spend, -2.0 * one, 0.9 * one, 1.3 * one)
    can = rng.random(400_000) < expit(0.7 * (8.0 - found))
    spent = np.exp(-2.0 + 0.9 * found + 1.3 * rng.standard_normal(400_000))
    assert (can & (spent <= spend)).mean() == pytest.approx(0.5, abs=0.004)


def test_a_larger_budget_never_reaches_less() -> None:
    found = [within(limited(**VERIFIED, adversary_spend=10.0**k)) for k in (4, 5, 6, 7, 9)]
    for smaller, larger in pairwise(found):
        assert (smaller <= larger).all()
    assert np.median(found[0]) < np.median(found[-1]) - 2


def with_spends(lengths: tuple[float, ...], per_length: float) -> tuple[Catalogue, Any]:
    """Return evals of some lengths, and a posterior whose ln spends lie on a line, in tokens."""
    evals = [
        {
            "name": f"e{k}",
            "domain": "cyber",
            "tasks": 30,
            "human_minutes": 2.0**h,
            "usd_per_unit": 1e-6,
        }
        for k, h in enumerate(lengths)
    ]
    data = tomllib.loads(catalogue_to_toml(PLAIN))
    catalogue = parse_catalogue(
        {"domain": data["domain"][:1], "eval": evals, "portfolio": {"ai_model": UNDER_TEST}}
    )
    posterior = prior_posterior(catalogue, n_draws=4000, sharp=True)
    draws = dict(posterior.draws)
    line = 9.0 + per_length * posterior.draws["difficulty"]
    draws["success_location"] = np.repeat(line[..., None], 2, axis=2)
    return catalogue, replace(posterior, draws=draws)


def test_a_line_through_the_evals_is_found_and_less_sure_beyond_them() -> None:
    lengths = (-2.0, 0.0, 1.0, 3.0, 4.0, 6.0)
    catalogue, posterior = with_spends(lengths, 1.2)
    rng = np.random.default_rng(0)
    luck = rng.standard_normal(len(lengths))  # of evals about the line, the same in all draws
    draws = dict(posterior.draws)
    draws["success_location"] = draws["success_location"] + luck[:, None]
    level, slope, width = spend_line(replace(posterior, draws=draws), catalogue, "cyber", rng)
    fitted = np.polyfit(lengths, 9.0 + np.log(1e-6) + 1.2 * np.array(lengths) + luck, 1)
    assert slope.mean() == pytest.approx(fitted[0], abs=0.05)  # the prior pulls it by little
    assert level.mean() - 1.0 == pytest.approx(fitted[1], abs=0.1)
    assert width == pytest.approx(1.3)
    sds = [(level + slope * h).std() for h in (2.0, 6.0, 10.0, 14.0)]
    assert (np.diff(sds) > 0.1).all()
    left = np.sum((luck - np.polyval(np.polyfit(lengths, luck, 1), lengths)) ** 2)
    assert sds[0] == pytest.approx(np.sqrt((left + 2) / 6 / 6), rel=0.05)


def test_evals_exactly_on_a_line_are_no_proof_that_others_are() -> None:
    catalogue, posterior = with_spends((0.0, 3.0, 6.0), 1.2)
    level, slope, _ = spend_line(posterior, catalogue, "cyber", np.random.default_rng(0))
    assert np.isfinite(level).all()
    assert slope.mean() == pytest.approx(1.2, abs=0.15)
    assert (level + 3.0 * slope).std() == pytest.approx(np.sqrt(2 / 3 / 3), rel=0.05)


def test_one_eval_leaves_the_slope_to_what_is_published() -> None:
    catalogue, posterior = with_spends((3.0,), 1.2)
    _, slope, _ = spend_line(posterior, catalogue, "cyber", np.random.default_rng(0))
    low, middle, high = np.quantile(np.log(2) / slope, (0.05, 0.5, 0.95))
    assert low == pytest.approx(0.12, abs=0.02)  # doublings of horizon per doubling of tokens
    assert 0.15 < middle < 0.3
    assert high > 0.5


def test_of_a_line_the_weights_are_found_and_nothing_is_left() -> None:
    shown, gap = drawn()
    weights, constant, left = in_line(0.7 * shown + 0.4 * gap + 2.0, shown, gap, 9.0)
    assert (*weights, constant, left) == pytest.approx((0.7, 0.4, 2.0, 0.0), abs=1e-9)


@pytest.mark.parametrize("spend", [2e6, 2e7, 2e8])
def test_the_chance_to_exceed_is_that_of_the_draws(spend: float) -> None:
    catalogue = limited(**VERIFIED, adversary_spend=spend)
    decision = decisions_of(catalogue, states_of(POSTERIOR, catalogue), POSTERIOR)[0]
    shown, gap = drawn()
    line = decision.contrast[0] * shown + decision.contrast[1] * gap
    luck = np.random.default_rng(1).standard_normal(len(shown))
    y = line + decision.later_gain_mean + decision.later_gain_sd * luck
    table = capability_table(POSTERIOR, catalogue).set_index(["domain", "figure"])["median"]
    assert (y > decision.threshold).mean() == pytest.approx(
        table[("cyber", "chance to exceed in 6 months")], abs=0.02
    )
    assert table[("cyber", "at the adversary's budget")] == pytest.approx(
        float(np.median(within(catalogue)))
    )
    plain = capability_table(POSTERIOR, PLAIN).set_index(["domain", "figure"])["median"]
    for figure in ("chance to exceed now", "buffer after shown, 95%"):
        assert table[("cyber", figure)] < plain[("cyber", figure)]
    assert ("cyber", "at the adversary's budget") not in plain.index
    assert ("cyber", "at the budget to threshold") in table.index


def test_a_level_has_its_own_budget_and_a_joint_decision_its_domains() -> None:
    keys: dict[str, Any] = {**VERIFIED, "adversary_spend": 1e6, "adversary_attempts": 2}
    catalogue = limited(decided_catalogue(), {"adversary_spend": 1e9}, **keys)
    told = {d.name: d for d in decisions_of(catalogue, states_of(POSTERIOR, catalogue), POSTERIOR)}
    assert told["cyber, High"].held_against == "2 attempts at up to 1,000,000 tokens each"
    assert told["cyber, Critical"].held_against == "2 attempts at up to 1,000,000,000 tokens each"
    assert told["autonomy"].held_against == ""
    assert told["both"].held_against == "2 attempts at up to 1,000,000 tokens each in cyber"
    high, critical, both = (told[n].contrast for n in ("cyber, High", "cyber, Critical", "both"))
    assert high[0] < critical[0] < 1
    assert both[:2] == pytest.approx(0.6 * high[:2])
    assert both[2:4] == pytest.approx([0.3, 0.3])


def test_toml_and_workbook_say_the_same_and_check_tells_it(tmp_path: Path) -> None:
    keys = {
        **VERIFIED,
        "adversary_spend": 500,
        "adversary_spend_unit": "usd",
        "adversary_attempts": 3,
    }
    catalogue = limited(decided_catalogue(), {"adversary_attempts": 8}, **keys)
    (tmp_path / "c.xlsx").write_bytes(catalogue_to_workbook(catalogue))
    (tmp_path / "c.toml").write_text(catalogue_to_toml(catalogue), encoding="utf-8")
    for name in ("c.xlsx", "c.toml"):
        again = read_catalogue(tmp_path / name)
        assert again.adversary("cyber, High", "cyber") == catalogue.adversary(
            "cyber, High", "cyber"
        )
        assert again.levels[1].adversary_attempts == 8
    lines = "\n".join(check_inputs(catalogue, Observations()).lines)
    assert "held against 3 attempts at up to $500 each" in lines
    assert "held against 8 attempts at up to $500 each" in lines
    (unlimited,) = [
        a for a in PLAIN.assumptions if (a.where, a.key) == ("domain 'cyber'", "adversary_spend")
    ]
    assert str(unlimited).startswith("domain 'cyber': adversary_spend = unlimited (assumption: ")


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"adversary_spend": -1}, "adversary_spend must be above 0, got -1"),
    ({"adversary_spend": "2M"}, "adversary_spend must be a number, got the text '2M'"),
    (
        VERIFIED | {"adversary_attempts": 0},
        "adversary_attempts must be a whole number, 1 or more, got 0",
    ),
    (
        {"adversary_attempts": 3},
        "domain 'cyber': adversary_attempts must go with adversary_verifier = true, got 3 attempts "
        "of one who cannot tell a success",
    ),
    (
        {"adversary_spend_unit": "usd"},
        "domain 'cyber': adversary_spend_unit must go with adversary_spend, got 'usd' alone",
    ),
    (
        {"adversary_spend": 5, "adversary_spend_unit": "hours"},
        "adversary_spend must be in usd or a unit of the domain's evals (tokens), got hours; write",
    ),
]


@pytest.mark.parametrize(("keys", "message"), MISTAKES)
def test_a_budget_that_cannot_be_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        limited(**keys)
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_level_without_a_verifier_is_named() -> None:
    with pytest.raises(InputError, match=r"level 'cyber, Critical': adversary_attempts must go"):
        limited(decided_catalogue(), {"adversary_attempts": 3})


def test_a_unit_is_needed_where_evals_have_several_and_a_spend_needs_evals() -> None:
    data = tomllib.loads(catalogue_to_toml(PLAIN))
    data["domain"][0]["adversary_spend"] = 5
    data["eval"][1] |= {"spend_unit": "hours", "usd_per_unit": 20}
    with pytest.raises(InputError, match=r"evals \(hours and tokens\), got none; write"):
        parse_catalogue(data)
    data["domain"][0]["adversary_spend_unit"] = "usd"
    adversary = parse_catalogue(data).adversary("cyber", "cyber")
    assert adversary is not None
    assert adversary.usd == 5
    data["eval"] = data["eval"][3:]
    with pytest.raises(InputError, match="must go with evals whose runs say what tasks take"):
        parse_catalogue(data)


def test_budgets_in_words() -> None:
    def words(**keys: Any) -> str:
        return str(limited(**VERIFIED, **keys).adversary("cyber", "cyber"))

    assert words(adversary_attempts=1) == "1 attempt at any spend"
    assert words(adversary_spend=2e6) == "up to 2,000,000 tokens an attempt"
    assert words(adversary_spend=2.5, adversary_spend_unit="usd", adversary_attempts=4) == (
        "4 attempts at up to $2.5 each"
    )


def test_attempts_and_their_share_are_drawn_within_the_published_range() -> None:
    share = gap_share(2, 1.24, 20_000, np.random.default_rng(0))
    assert ((share > 0.4) & (share < 1)).all()
    assert 0.01 < share.std() < 0.1
    assert (gap_share(9, 1.24, 10, np.random.default_rng(0)) == 1).all()
