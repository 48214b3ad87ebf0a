"""Rows called firm or exchangeable, on menus whose Monte Carlo noise is made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evalbayes import Decision, Menu
from evalbayes.halves import Replicates
from evalfolio.limits import Mandatory
from evalfolio.limits.limit import Limit
from evalfolio.plans.firm_rows import FirmRows, firm_rows
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question

TRUE = {"a": 1.0, "b": 1.0, "c": 1.0, "strong": 6.0}
COST = {"a": 100.0, "b": 100.0, "c": 100.0, "strong": 100.0, "weak": 1.0}
BUDGET = {"usd": 201.0}


def noisy(rng: np.random.Generator, sd: float, true: dict[str, float] | None = None) -> Menu:
    """Return a menu as a fit would make it: true information times e to the noise."""
    true = true or TRUE
    known = np.array(list(true.values()))
    seen = known * np.exp(sd * rng.standard_normal(len(known)))
    again = seen * np.exp(sd * rng.standard_normal((16, len(known))))
    options = pd.DataFrame(
        {
            "eval": list(true),
            "domain": "cyber",
            "tier": "plateau",
            "usd": [COST[name] for name in true],
        },
        index=pd.Index([f"{name} plateau" for name in true], name="option"),
    )
    return Menu(
        options,
        ("usd",),
        seen[:, None, None],
        ("cyber.shown",),
        np.array([7.9]),
        np.array([[2.0]]),
        (Decision("cyber", np.array([1.0]), 8.9, 3.0, 1.0),),
        replicates=Replicates(
            again[:, :, None, None],
            np.full((16, 1), 7.9),
            np.full((16, 1, 1), 2.0),
            np.repeat(options[["usd"]].to_numpy()[None], 16, axis=0),
        ),
    )


def found(menu: Menu, *limits: Limit) -> FirmRows:
    result = firm_rows(Question(menu, BUDGET, limits), Certified())
    assert result is not None
    return result


def test_evals_alike_but_for_noise_are_any_one_of_three_and_the_strong_one_is_firm() -> None:
    plan = found(noisy(np.random.default_rng(0), 0.05))
    assert plan.firm == (("strong", "plateau"),)
    (row, ways), *_ = plan.instead.items()
    rest = {"a", "b", "c"} - {row[0]}
    assert {way[0][0] for way in ways if way} >= rest
    told = " ".join(plan.sentences())
    assert "Any one of these 3: " in told
    assert "Firm, whatever the draws: strong (plateau)." in told
    assert f"± {2.12 * plan.noise:.1g}" in told


def test_without_noise_every_row_that_is_better_by_more_than_the_gap_is_firm() -> None:
    true = {"a": 1.2, "b": 1.0, "c": 0.8, "strong": 6.0}
    plan = found(noisy(np.random.default_rng(0), 1e-9, true))
    assert set(plan.firm) == {("strong", "plateau"), ("a", "plateau")}
    assert plan.instead == {}
    assert plan.noise < 1e-6


def test_the_fewest_evals_are_taken_among_mixes_that_noise_cannot_tell_apart() -> None:
    true = {**TRUE, "weak": 0.6}
    calm, loud = (found(noisy(np.random.default_rng(1), sd, true)) for sd in (1e-9, 0.8))
    assert "weak plateau" in calm.answer.chosen
    assert "weak plateau" not in loud.answer.chosen
    assert 0 <= loud.given_up <= 3 * loud.noise


def test_a_mandatory_row_is_firm_and_a_menu_without_replicates_says_nothing() -> None:
    menu = noisy(np.random.default_rng(2), 0.05)
    assert ("c", "plateau") in found(menu, Mandatory("c")).firm
    assert firm_rows(Question(replace(menu, replicates=None), BUDGET), Certified()) is None


@pytest.mark.parametrize("sd", [0.05, 0.2])
def test_firm_rows_are_in_nine_of_ten_plans_of_other_fits(sd: float) -> None:
    rng = np.random.default_rng(3)
    plans = [found(noisy(rng, sd)) for _ in range(20)]
    rows = [{name.split()[0] for name in plan.answer.chosen} for plan in plans]
    shares = [np.mean([row[0] in mix for mix in rows]) for plan in plans for row in plan.firm]
    assert min(shares) >= 0.9
    values = np.array([plan.answer.value for plan in plans])
    inside = np.abs(values - values.mean()) <= 2.5 * np.array([plan.noise for plan in plans])
    assert inside.mean() >= 0.8
