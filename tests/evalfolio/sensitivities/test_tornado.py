"""Assumed figures one at a time: what they do to the menu, the value and the mix."""

from __future__ import annotations

import numpy as np
import pytest

import evalfolio as ef
from evalfolio.errors import InputError
from evalfolio.examples import small_menu
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question
from evalfolio.sensitivities.assumed import FIGURES as KNOWN
from evalfolio.sensitivities.assumed import Assumed, assumptions_of
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.mixes import changed, plan_under, tornado
from evalfolio.sensitivities.sweep import Solution, Sweep, solve

BUDGET = {"usd": 9_500.0, "staff_hours": 90.0}
FIGURES = [
    Assumed("threshold", "cyber", 8.0, 9.0, 10.0, True),
    Assumed("loss_missed", "autonomy", 0.5, 1.0, 2.0, False),
    Assumed("later_gain", "autonomy", 0.0, 0.5, 1.5, True),
    Assumed("gap_sd", "cyber", 0.1, 1.0, 2.0, False),
    Assumed("price", "", 0.5, 1.0, 2.0, False),
]


def test_every_end_is_the_certified_plan_of_the_changed_menu() -> None:
    basis = Basis(Question(small_menu(), BUDGET))
    found = tornado(basis, FIGURES)
    rows = found.rows.set_index("name")
    assert found.value == ef.optimise(small_menu(), budget=BUDGET).value
    for figure in FIGURES:
        for end in ("low", "high"):
            menu = basis.menu_under({figure: getattr(figure, end)})
            plan = ef.optimise(menu, budget=BUDGET)
            assert rows.loc[figure.name, f"value_{end}"] == pytest.approx(plan.value, rel=1e-12)
            kept = ef.evaluate(menu, ef.optimise(small_menu(), budget=BUDGET).chosen).value
            lost = max(1 - kept / plan.value, 0.0)
            assert rows.loc[figure.name, f"lost_{end}"] == pytest.approx(lost, abs=1e-12)


def test_the_figure_that_moves_the_value_most_comes_first() -> None:
    found = tornado(Basis(Question(small_menu(), BUDGET)), FIGURES)
    ends = found.rows[["value_low", "value_high"]].assign(base=found.value)
    swing = ends.max(axis=1) - ends.min(axis=1)
    assert (swing.diff().dropna() <= 0).all()
    assert found.rows["name"].iloc[0] in str(found)
    assert "the mix on" in str(found)


def test_a_gap_believed_small_takes_depth_out_of_the_mix() -> None:
    found = tornado(Basis(Question(small_menu(), BUDGET)), FIGURES)
    basis = Basis(Question(small_menu(), BUDGET))
    shares = []
    for level in (0.05, 1.0):
        menu, solution = plan_under(basis, {FIGURES[3]: level})
        deep = menu.options.loc[list(solution.options), "tier"] == "max-elicitation"
        shares.append(ef.evaluate(menu, solution.options).value)
        assert bool(deep.any()) == (found.deep > 0)
    assert shares[0] < shares[1]


def test_levels_in_use_change_nothing() -> None:
    basis = Basis(Question(small_menu(), BUDGET))
    menu = basis.menu_under({figure: figure.mid for figure in FIGURES})
    np.testing.assert_array_equal(menu.costs, small_menu().costs)
    np.testing.assert_array_equal(menu.prior_covariance, small_menu().prior_covariance)
    assert [d.threshold for d in menu.decisions] == [9.0, 9.0]


def test_several_figures_change_together() -> None:
    menu, solution = plan_under(
        Basis(Question(small_menu(), BUDGET)), {FIGURES[0]: 8.0, FIGURES[4]: 2.0}
    )
    assert menu.decisions[0].threshold == 8.0
    np.testing.assert_allclose(menu.costs[:, 0], 2 * small_menu().costs[:, 0])
    np.testing.assert_allclose(menu.costs[:, 1], small_menu().costs[:, 1])
    assert solution.options == ef.optimise(menu, budget=BUDGET).chosen


def test_two_workers_find_the_same() -> None:
    one = tornado(Basis(Question(small_menu(), BUDGET)), FIGURES)
    two = tornado(Basis(Question(small_menu(), BUDGET)), FIGURES, sweep=Sweep(workers=2))
    assert one.rows.equals(two.rows)


def test_the_record_has_a_row_per_figure() -> None:
    record = tornado(Basis(Question(small_menu(), BUDGET)), FIGURES).record()
    assert {row["name"] for row in record} == {figure.name for figure in FIGURES}
    assert {"low", "high", "value_low", "value_high"} <= set(record[0])


def test_a_figure_that_needs_a_new_menu_asks_for_its_inputs() -> None:
    with pytest.raises(InputError, match=r"validity error \(factor\) asks for a new menu"):
        Basis(Question(small_menu(), BUDGET)).menu_under(
            {Assumed("validity_sd", "", 0.5, 1.0, 2.0, True): 2.0}
        )


def test_wrong_figures_are_refused() -> None:
    with pytest.raises(InputError, match="kind of an assumption must be one of threshold"):
        Assumed("mood", "cyber", 0, 1, 2, False)
    with pytest.raises(InputError, match="cyber: danger threshold: low, mid and high must rise"):
        Assumed("threshold", "cyber", 2, 1, 3, False)


def test_nothing_changed_between_no_mixes() -> None:
    assert changed({}, {}) == 0.0


def test_what_moves_nothing_gives_the_plan_s_own_value_whatever_the_gap() -> None:
    # A wider gap lets the search end with another mix, worth a trifle less than the plan's.
    still = Assumed("price", "", 0.99, 1.0, 1.01, True)
    nothing = Assumed("loss_missed", "cyber", 1.0 - 1e-13, 1.0, 1.0 + 1e-13, True)
    plan = ef.optimise(small_menu(), budget=BUDGET, gap=1e-6)
    for gap in (1e-3, 0.3):
        found = tornado(Basis(plan.question), [still, nothing], method=Certified(gap), plan=plan)
        assert found.value == plan.value
        assert (found.rows[["value_low", "value_high"]] == plan.value).all().all()
        assert (found.rows[["changed_low", "changed_high"]] == 0).all().all()
        assert str(found) == "No assumption moves the value; no assumption changes the mix."


def test_a_mix_stays_only_where_it_meets_all_limits() -> None:
    plan = ef.optimise(small_menu(), budget=BUDGET, gap=1e-6)
    limits = (ef.Forbidden(plan.chosen[0]),)
    found = solve(plan.question.under(*limits), Certified(0.9), Solution.of(plan))
    assert plan.chosen[0] not in found.options
    dear = Assumed("price", "", 0.5, 1.0, 9.0, True)  # at the high end the mix exceeds the budget
    row = tornado(Basis(plan.question), [dear], method=Certified(0.9), plan=plan).rows.iloc[0]
    assert row["value_high"] < plan.value


def test_figures_to_find_out_are_those_nobody_gave_by_how_far_they_move_the_plan(
    whole_basis: Basis,
) -> None:
    assert whole_basis.catalogue is not None
    assert whole_basis.posterior is not None
    question = Question(whole_basis.menu, {"usd": 30_000.0, "staff_hours": 120.0})
    basis = Basis(question, whole_basis.catalogue, whole_basis.posterior)
    figures = [
        figure
        for figure in assumptions_of(whole_basis.catalogue, whole_basis.posterior)
        if figure.kind in ("gap", "validity_sd", "effort", "price", "threshold", "curve_family")
    ]
    asked = {figure.kind for figure in figures if figure.ask}
    # prices, gaps and thresholds stand in the catalogue; efforts there are defaults
    assert asked == {"validity_sd", "effort", "curve_family"}
    found = tornado(basis, figures, method=Certified(gap=1e-3))
    first = found.find_out_first()
    assert set(first["name"]) == {figure.name for figure in figures if figure.ask}
    moves = {}
    for figure in figures:  # by plans of their own
        if figure.ask:
            ends = []
            for level in (figure.low, figure.high):
                menu, solution = plan_under(basis, {figure: level})
                here = set(basis.menu.options.index) <= set(menu.options.index)
                kept = ef.evaluate(menu, solve(question).options).value if here else solution.value
                ends += [abs(solution.value / found.value - 1), 1 - kept / solution.value]
            moves[figure.name] = max(ends)
    for name, move in zip(first["name"], first["moves"], strict=True):
        assert move == pytest.approx(moves[name], abs=5e-3)
    assert list(first["moves"]) == sorted(first["moves"], reverse=True)
    assert found.find_out_first(1)["name"].tolist() == first["name"].tolist()[:1]


def test_every_kind_of_figure_has_a_way_to_find_it_out_or_is_always_given() -> None:
    assert [kind for kind, figure in KNOWN.items() if not figure.get("ask")] == ["threshold"]
