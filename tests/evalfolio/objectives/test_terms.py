"""A term of one's own is searched, certified and printed as those that ship."""

from __future__ import annotations

import pytest

import evalfolio as ef
from evalfolio import small_menu
from evalfolio.objectives import Objective, evsi, variance
from evalfolio.objectives.terms import Believed, Evsi, TailValue, Term, Variance
from evalfolio.value.worth import Proportional, Worth


class Share(Term):
    """Shares of the decisions' variances explained."""

    name = "share of variance"

    def worth(self, weight: float, of: Believed) -> Worth:
        return Proportional(weight / of.variance, of.variance)


def test_a_term_of_ones_own_is_planned_for() -> None:
    menu = small_menu()
    objective = 2 * Objective((Share(),))
    assert str(objective) == "2 * share of variance"
    budget = {"usd": 5_000.0, "staff_hours": 60.0}
    plan = ef.optimise(menu, budget=budget, objective=objective, gap=1e-6)
    told = ef.evaluate(menu, plan.chosen).explained
    y = {d.name: float(d.contrast @ menu.prior_covariance @ d.contrast) for d in menu.decisions}
    assert plan.value == pytest.approx(2 * sum(told[name] / y[name] for name in y))
    assert plan.value <= plan.bound


def test_terms_are_values_told_apart_by_kind_and_weight() -> None:
    assert evsi().parts == (Evsi(1.0),) != variance().parts
    assert variance().parts == (Variance(),)
    assert str(3 * Objective((TailValue(share=0.25),))) == "3 * tail(0.25)"
