"""Releases against closed forms: the worked case of two stages, and Weitzman's boxes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

import evalfolio as ef
from evalbayes import Decision, Menu
from evalfolio.examples import sharing_menu, small_menu
from evalfolio.programmes.further import further, parts_of
from evalfolio.programmes.line import Line
from evalfolio.programmes.policy import Frame
from evalfolio.programmes.release import Block, Branch, reservation_price
from evalfolio.programmes.sequential import sequential_bound
from evalfolio.value.sample_information import DecisionValue, density


def screen_then_deep() -> Menu:
    """One domain, prior N(−0.8, 1.5²), a screen with noise 1 and a deep run with noise 0.3."""
    options = pd.DataFrame(
        {
            "eval": ["screen", "deep"],
            "domain": "cyber",
            "tier": ["plateau", "max-elicitation"],
            "usd": [2.0, 10.0],
            "days": [3.0, 12.0],
        },
        index=pd.Index(["screen", "deep"], name="option"),
    )
    information = np.array([[[1.0]], [[1 / 0.09]]])
    decision = Decision("cyber", np.array([1.0]), 0.0, 1.0, 1.0)
    states = ("cyber.shown",)
    return Menu(
        options, ("usd",), information, states, np.array([-0.8]), np.array([[2.25]]), (decision,)
    )


def test_screening_and_then_going_deep_where_it_pays_is_the_closed_form() -> None:
    menu, prices = screen_then_deep(), np.array([0.01])
    block = Block(menu, parts_of(menu)[0], 0)
    now = block.line.value.distance
    screen = block.bought(block.nothing, ["screen"])
    both = block.bought(block.nothing, ["screen", "deep"])

    def worth(branch: Branch) -> float:
        net = block.going(block.nothing, branch, prices)[0]
        return float(np.interp(now, block.line.means, net))

    assert worth(screen) == pytest.approx(0.1768, abs=1e-3)
    assert worth(both) == pytest.approx(0.1521, abs=1e-3)
    block.grow(screen, 1, 4, np.array([np.inf]))
    assert [each.options for each in screen.later] == [("deep",)]
    assert worth(screen) == pytest.approx(0.2053, abs=1e-3)


def test_the_worked_case_as_a_programme() -> None:
    # the price of expected budget is what is given up for it: spend so much that it is 0.01
    menu = screen_then_deep()
    question = ef.Question(menu, {"usd": 12.0})
    found = ef.stages(question, expected={"usd": 2.0 + 10.0 * 0.3048})
    assert found.now == ("screen",)
    assert found.price == pytest.approx(0.01, rel=0.01)
    (row,) = found.releases.to_dict("records")
    assert row["probability"] == pytest.approx(0.3048, abs=1e-3)
    assert row["when"][0] == pytest.approx((-0.5989, 0.5989), abs=2e-3)
    assert (row["alone_from"], row["alone_to"]) == pytest.approx((-0.5989, 0.5989), abs=1e-3)
    assert found.value - 0.01 * found.spend["expected"]["usd"] == pytest.approx(0.2053, abs=1e-3)
    assert found.spend["most"]["usd"] == 12.0
    assert found.days == pytest.approx({"now": 3, "expected": 6.66, "p90": 15, "most": 15}, abs=0.2)
    lines = str(found).splitlines()
    assert lines[0] == "Run now: screen near its plateau ($2, 3 days)."
    assert lines[1].startswith(
        "Then, if cyber comes out between -0.6 and 0.6 (30 %), run deep with"
    )


@pytest.mark.parametrize(
    ("payoffs", "periods", "cost", "price"),
    [({100: 0.5, 55: 0.5}, 1, 15, 55.833), ({240: 0.2}, 2, 20, 58.049)],
)
def test_weitzmans_reservation_prices(
    payoffs: dict[int, float], periods: int, cost: float, price: float
) -> None:
    def excess(z: float) -> float:
        return sum(chance * max(x - z, 0.0) for x, chance in payoffs.items())

    found = reservation_price(cost, excess, discount=1.1**-periods)
    assert found == pytest.approx(price, abs=1e-3)


@pytest.mark.parametrize(("ratio", "zeta"), [(0.2, 0.4929), (0.05, 1.2556), (0.01, 1.9384)])
def test_a_normal_boxs_price_is_zeta(ratio: float, zeta: float) -> None:
    def excess(z: float) -> float:
        return float(density(z) - z * ndtr(-z))

    assert reservation_price(ratio, excess) == pytest.approx(zeta, abs=1e-4)
    assert reservation_price(0.5, excess) == 0.0  # dearer than what it is worth at best


@pytest.mark.parametrize("losses", [(1.0, 1.0), (9.0, 1.0), (2.0, 5.0)])
def test_a_line_gains_as_the_value_of_sample_information(losses: tuple[float, float]) -> None:
    value = DecisionValue(0.7, 3.0, *losses)
    line = Line(value, 2.6)
    for v in (0.05, 0.8, 2.0):
        gain = np.interp(line.means, line.means, line.loss(3.0) - line.ahead(line.loss(3.0 - v), v))
        for k in (100, 150, 180, 210):
            moved = DecisionValue(float(line.means[k]), 3.0, *losses)
            assert gain[k] == pytest.approx(float(moved.gain(v)), abs=1e-3 * value.evpi)


def test_further_runs_pay_the_difference_where_they_contain_what_was_bought() -> None:
    menu = sharing_menu()
    left = further(menu, ["a max"])
    assert "a plateau" not in left.options.index  # it tells nothing more
    assert left.shared == ()  # the scaffold is there
    assert left.options["usd"]["b max"] == menu.options["usd"]["b max"]
    left = further(menu, ["a plateau"])
    assert left.options["usd"]["a max"] == 8_500.0
    assert left.information[0] == pytest.approx(menu.information[1] - menu.information[0], abs=1e-9)
    both = np.linalg.inv(left.prior_covariance) + left.information[0]
    at_once = np.linalg.inv(menu.prior_covariance) + menu.information[1]
    assert both == pytest.approx(at_once)


def test_what_does_not_contain_what_was_bought_is_paid_whole() -> None:
    menu = screen_then_deep()
    options = menu.options.assign(eval="one")
    turned = np.array([[[1.0, 0.0], [0.0, 0.0]], [[0.5, 0.2], [0.2, 0.9]]])
    two = Menu(
        options, ("usd",), turned, ("cyber.shown", "cyber.gap"), np.zeros(2), np.eye(2),
        (Decision("cyber", np.ones(2), 0.0, 1.0, 1.0),),
    )  # fmt: skip
    left = further(two, ["screen"])
    assert left.options["usd"].to_dict() == {"deep": 10.0}
    told = turned[0] + left.information[0]
    for each in turned:  # together they tell no less than either
        assert np.linalg.eigvalsh(told - each).min() > -1e-9


def test_levels_of_a_domain_go_together_and_domains_apart() -> None:
    menu = small_menu()
    cyber, autonomy = menu.decisions
    high = Decision("cyber, Critical", cyber.contrast, 10.5, 9.0, 1.0)
    parts = parts_of(replace(menu, decisions=(cyber, autonomy, high)))
    assert sorted(tuple(decisions) for decisions, _, _ in parts) == [(0, 2), (1,)]
    assert all(apart for *_, apart in parts)


def test_the_bound_of_one_option_is_its_value_at_the_price() -> None:
    menu = screen_then_deep().subset(np.array([True, False]))
    block = Block(menu, parts_of(menu)[0], 0)
    gain = float(block.line.value.gain(2.25**2 / 3.25))
    for expected in (0.0, 1.0, 5.0):
        frame = Frame(ef.Question(menu), [block], np.array([np.inf]), 0, expected, np.inf)
        # bought with a probability that spends the budget, at most surely
        assert sequential_bound(frame) == pytest.approx(gain * min(expected / 2.0, 1.0), abs=1e-4)


def test_the_bound_of_two_options_in_turn() -> None:
    # min over λ of λB + V(λ), V by hand: screen first, then deep within ζ; or deep, or nothing
    menu = screen_then_deep()
    block = Block(menu, parts_of(menu)[0], 0)

    def v(price: float) -> float:
        m = np.linspace(-9.0, 9.0, 20_001)
        sd, s2 = 2.25 / np.sqrt(3.25), 0.7827
        z = np.abs(m) / s2
        deep = np.maximum(s2 * (density(z) - z * ndtr(-z)) - 10 * price, 0.0)
        chance = density((m + 0.8) / sd) / sd * (m[1] - m[0])
        screen = DecisionValue(-0.8, 2.25, 1.0, 1.0).gain(sd**2) - 2 * price + chance @ deep
        first = DecisionValue(-0.8, 2.25, 1.0, 1.0).gain(2.25**2 / 2.34) - 10 * price
        return max(float(screen), float(first), 0.0)

    frame = Frame(ef.Question(menu), [block], np.array([np.inf]), 0, 5.0, np.inf)
    by_hand = min(5.0 * price + v(price) for price in np.linspace(0.0, 0.05, 501))
    assert sequential_bound(frame) == pytest.approx(by_hand, abs=5e-4)
