"""Frontiers: never falling, certified, concave where relaxed, with prices that are slopes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import evalfolio as ef
from evalbayes import Menu
from evalfolio.errors import InfeasibleError, InputError
from evalfolio.examples import small_menu
from evalfolio.search.answer import Status
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question
from evalfolio.sensitivities.frontiers import Frontier, carried
from evalfolio.sensitivities.relaxed_line import relaxed_line
from evalfolio.sensitivities.sweep import Solution

BUDGET = {"usd": 60.0, "staff_hours": 25.0}
AMPLE = {"usd": 9_500.0, "staff_hours": 90.0}


@cache
def line_of(make_menu: Callable[..., Menu]) -> Frontier:
    menu = make_menu(3, n_evals=5, n_domains=2, n_tiers=3)
    return ef.frontier(Question(menu, BUDGET), points=12, method=Certified(gap=1e-4))


@pytest.fixture(name="line")
def line_fixture(make_menu: Callable[..., Menu]) -> Frontier:
    return line_of(make_menu)


@pytest.fixture(name="menu")
def menu_fixture(line: Frontier) -> Menu:
    return line.question.menu


def test_values_and_bounds_never_fall_and_every_gap_is_certified(line: Frontier) -> None:
    assert (line.points["value"].diff().dropna() >= 0).all()
    assert (line.points["bound"].diff().dropna() >= -1e-15).all()
    assert (line.points["gap"] <= 1e-4).all()
    assert (line.points["value"] <= line.points["bound"]).all()


def test_every_point_is_the_best_of_all_choices(
    menu: Menu, line: Frontier, every_choice: Callable[[Menu], NDArray[np.float64]]
) -> None:
    choices = every_choice(menu)
    costs = choices @ menu.costs
    for _, point in line.points.iterrows():
        fits = (costs[:, 0] <= point["amount"]) & (costs[:, 1] <= BUDGET["staff_hours"])
        best = max(
            ef.evaluate(menu, list(menu.options.index[x > 0.5])).value for x in choices[fits]
        )
        assert point["value"] <= best * (1 + 1e-12)
        assert best <= point["bound"] * (1 + 1e-12)
        assert ef.evaluate(menu, point["options"]).value == pytest.approx(point["value"])


def test_the_relaxation_is_concave_above_the_plans_and_its_prices_are_slopes(
    menu: Menu, line: Frontier
) -> None:
    amounts, relaxed = line.points["amount"].to_numpy(), line.points["relaxed"].to_numpy()
    slopes, price = np.diff(relaxed) / np.diff(amounts), line.points["price"].to_numpy()
    assert (np.diff(slopes) <= 1e-9).all()
    assert (relaxed >= line.points["value"]).all()
    # a concave function's slope between two points lies between its prices there
    assert (slopes <= price[:-1] + 1e-9).all()
    assert (slopes >= price[1:] - 1e-9).all()
    ahead = ef.frontier(
        Question(menu, BUDGET), points=(amounts * (1 + 1e-4)).tolist(), method=Certified(gap=1e-4)
    )
    finite = (ahead.points["relaxed"].to_numpy() - relaxed) / (amounts * 1e-4)
    inner = np.abs(np.diff(price, append=price[-1])) < 0.5 * price.max()
    np.testing.assert_allclose(finite[inner], price[inner], atol=0.05 * price.max())


def test_the_relaxation_is_tighter_than_the_cone_programme_and_equals_it_by_shares(
    menu: Menu, line: Frontier
) -> None:
    points = line.points.iloc[::4]
    others = {name: amount for name, amount in BUDGET.items() if name != "usd"}
    amounts = points["amount"].to_numpy()
    programme = ef.Relaxation(Question(menu, {**others, "usd": float(amounts[-1])}))
    by_shares, _ = relaxed_line(Question(menu, others), "usd", amounts, by_odds=False)
    for (_, point), share in zip(points.iterrows(), by_shares, strict=True):
        cone = programme.solve({**BUDGET, "usd": point["amount"]})
        assert point["value"] <= point["relaxed"] <= cone.bound * (1 + 1e-3)
        assert share == pytest.approx(cone.bound, rel=1e-3)


def test_the_budget_is_a_point_and_the_plan_there_is_the_plan(menu: Menu, line: Frontier) -> None:
    row = line.points[line.points["amount"] == BUDGET["usd"]]
    assert len(row) == 1
    plan = ef.optimise(menu, budget=BUDGET, gap=1e-4)
    assert row["value"].iloc[0] == pytest.approx(plan.value, rel=1e-4)
    assert tuple(row["options"].iloc[0]) == plan.chosen


def test_what_enters_and_leaves_adds_up_to_the_mixes(line: Frontier) -> None:
    held: set[str] = set()
    for _, point in line.points.iterrows():
        assert not held & set(point["enters"])
        assert set(point["leaves"]) <= held
        held = (held - set(point["leaves"])) | set(point["enters"])
        assert held == set(point["options"])


def test_saturation_brackets_the_share_of_the_ceiling(line: Frontier) -> None:
    bracket = line.saturation(0.5)
    assert bracket is not None
    values = dict(zip(line.points["amount"], line.points["value"], strict=True))
    assert values[bracket[1]] >= 0.5 * line.ceiling
    assert bracket[0] == 0 or values[bracket[0]] < 0.5 * line.ceiling
    assert line.saturation(1.01) is None


def test_amounts_too_small_for_the_limits_are_named() -> None:
    limits = (ef.Mandatory("b"),)
    line = ef.frontier(Question(small_menu(), {"usd": 10_000}, limits), points=[100, 700, 2_000])
    assert line.infeasible == (100.0,)
    assert list(line.points["amount"]) == [700.0, 2_000.0]
    with pytest.raises(InfeasibleError, match="at any of the 2 amounts of USD up to 200"):
        ef.frontier(Question(small_menu(), {}, limits), points=[100, 200])


def test_sentences_say_what_moves() -> None:
    line = ef.frontier(Question(small_menu(), {"usd": 10_000}), points=[400, 1_500, 8_000])
    text = " ".join(line.kinks())
    assert "By 1,500 USD" in text
    assert "max-elicitation" in text
    same = line.points.iloc[[0, 0]]
    assert ef.Frontier(line.question, "usd", same, line.ceiling, line.evpi).kinks() == []
    assert "perfect information" in str(line)


def test_the_record_speaks_of_whole_budgets() -> None:
    question = Question(small_menu(), {"usd": 10_000}, contingency=0.1)
    line = ef.frontier(question, points=[1_000, 10_000])
    record = line.record()
    spent = ef.frontier(Question(small_menu(), {"usd": 9_000}), points=[900, 9_000])
    assert list(line.points["options"]) == list(spent.points["options"])
    assert line.points["price"].tolist() == pytest.approx(spent.points["price"].tolist())
    assert [row["usd"] for row in record] == pytest.approx([1_000, 10_000])
    assert record[0]["options"] == list(line.points["options"].iloc[0])


def test_the_record_never_contradicts_the_plan_beside_it() -> None:
    budget = {"usd": 8_000.0}
    line = ef.frontier(Question(small_menu(), budget), points=[500, 2_000, 8_000, 16_000])
    plan = ef.optimise(small_menu(), budget=budget)
    rows = line.record(plan)
    assert [row["usd"] for row in rows] == [500, 2_000, 16_000]
    best = replace(plan, value=line.points["value"].max() + 1.0)
    assert [row["value"] for row in line.record(best)][-1] == best.value
    assert line.record(best)[-1]["options"] == list(plan.chosen)
    worst = replace(plan, value=0.0)
    assert [row["usd"] for row in line.record(worst)] == [16_000]


def test_choices_carry_upwards_and_bounds_downwards() -> None:
    rough = [
        Solution(("a",), 2.0, 2.5, 0.2, Status.CERTIFIED, {}),
        Solution(("b",), 1.0, 2.2, 0.5, Status.CERTIFIED, {}),
        Solution(("c",), 3.0, 3.0, 0.0, Status.CERTIFIED, {}),
    ]
    line = carried(rough)
    assert [s.value for s in line] == [2.0, 2.0, 3.0]
    assert [s.bound for s in line] == [2.2, 2.2, 3.0]
    assert line[1].options == ("a",)
    assert line[0].gap == pytest.approx(0.2 / 2.2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"budget": {"usd": 10.0}, "resource": "euro"}, "must be one of staff_hours, usd"),
        ({"budget": {"staff_hours": 1.0}}, "must hold a finite amount of usd"),
        ({"budget": {"usd": 0.0}}, "must hold a finite amount of usd"),
        ({"budget": {"usd": 10.0}, "points": 1}, "points must be 2 or more"),
        ({"budget": {"usd": 10.0}, "points": [2.0, 1.0]}, "finite amounts that rise"),
        ({"budget": {"usd": 10.0}, "points": [-2.0, 1.0]}, "points must be 0 or more"),
    ],
)
def test_wrong_input_is_refused(arguments: dict[str, Any], message: str) -> None:
    budget = arguments.pop("budget")
    with pytest.raises(InputError, match=message):
        ef.frontier(Question(small_menu(), budget), **arguments)


def test_lines_between_solved_amounts_are_near_what_each_amount_says_by_itself() -> None:
    menu, amounts = small_menu(), np.linspace(300.0, 12_000.0, 25)
    values, prices = relaxed_line(Question(menu), "usd", amounts, tolerance=1e-4)
    alone = [relaxed_line(Question(menu), "usd", amounts[[k, -1]])[0][0] for k in range(24)]
    np.testing.assert_allclose(values[:-1], alone, rtol=3e-4)
    assert (np.diff(values, 2) <= 1e-9 * values[-1]).all()
    assert (np.diff(prices) <= 1e-12).all()


def test_amounts_at_which_nothing_fits_have_no_value() -> None:
    amounts = np.linspace(300.0, 12_000.0, 25)
    limits = (ef.Floor("max-elicitation", 4_000.0),)
    values, prices = relaxed_line(Question(small_menu(), {}, limits), "usd", amounts)
    assert (np.isnan(values) == (amounts < 4_000.0)).all()
    assert (np.isnan(prices) == np.isnan(values)).all()


def test_all_budgets_together_are_plans_at_their_multiples() -> None:
    question = Question(small_menu(), AMPLE)
    line = ef.frontier(question, resource="all", points=[0.25, 0.5, 1, 2], method=Certified(1e-4))
    for amount, value in zip(line.points["amount"], line.points["value"], strict=True):
        budget = {name: stated * amount for name, stated in AMPLE.items()}
        plan = ef.optimise(small_menu(), budget=budget)
        assert value == pytest.approx(plan.value, rel=1e-3)
    assert (line.points["used"] <= line.points["amount"]).all()
    assert (np.diff(line.points["value"]) >= 0).all()
    assert "times all budgets the best mix rises" in str(line)
    found = ef.entries(line, method=Certified(1e-4))
    assert (found["at"].dropna() <= 100).all()
    with pytest.raises(InputError, match="of some resource to vary all of them, got none"):
        ef.frontier(Question(small_menu()), resource="all")


def test_the_resource_that_binds_is_found() -> None:
    for budget, binds in (
        ({"usd": 2_000.0, "staff_hours": 9_000.0}, "usd"),
        ({"usd": 90_000.0, "staff_hours": 60.0}, "staff_hours"),
    ):
        line = ef.frontier(Question(small_menu(), budget), resource="binding", points=4)
        assert line.resource == binds
