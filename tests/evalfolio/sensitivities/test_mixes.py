"""Many figures at once: three levels that stand for a range, menus put together from parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evalbayes.menus import build_menu
from evalfolio.errors import InputError
from evalfolio.plans.evaluation import evaluate
from evalfolio.search.certified import Certified
from evalfolio.sensitivities.assumed import Assumed
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.mixes import BATCH, levels_at, mixes_under, plan_under, summary
from evalfolio.sensitivities.sweep import Sweep, solve

BUDGET = {"usd": 27_000.0, "staff_hours": 216.0}
GAPS = [
    Assumed("gap", "cyber", 0.3, 1.0, 2.0, True),
    Assumed("gap", "autonomy", 0.4, 1.0, 1.8, True),
]


def test_three_levels_have_the_moments_of_an_even_spread() -> None:
    figures = [
        Assumed("threshold", "cyber", -1.0, 0.0, 1.0, True),
        Assumed("validity_sd", "", 0.5, 1.0, 1.5, True),
    ]
    unit = (np.arange(60_000) + 0.5)[:, None] / 60_000
    levels = levels_at(figures, np.repeat(unit, 2, axis=1))
    assert set(levels[:, 1]) == {0.5, 1.0, 1.5}
    np.testing.assert_allclose(levels.mean(axis=0), [0.0, 1.0], atol=1e-9)
    np.testing.assert_allclose(levels.std(axis=0), [1 / np.sqrt(3), 0.5 / np.sqrt(3)], rtol=1e-3)


def test_a_gap_moved_on_the_menu_is_the_menu_of_the_posterior_moved(whole_basis: Basis) -> None:
    cyber, autonomy = GAPS
    assert whole_basis.posterior is not None
    assert whole_basis.catalogue is not None
    moved = whole_basis.menu_under({cyber: cyber.high, autonomy: autonomy.low})
    draws = dict(whole_basis.posterior.draws)
    by_domain = np.array([cyber.high, autonomy.low])
    draws["gap"] = draws["gap"] * by_domain[whole_basis.posterior.knot_domain, None]
    posterior = replace(whole_basis.posterior, draws=draws)
    exact, _ = build_menu(posterior, whole_basis.catalogue, with_draws=False)
    np.testing.assert_allclose(moved.prior_mean, exact.prior_mean, rtol=1e-9)
    np.testing.assert_allclose(moved.prior_covariance, exact.prior_covariance, atol=1e-9)
    both = [name for name in moved.options.index if name in exact.options.index]
    assert len(both) > 0.9 * len(exact)
    question = whole_basis.question.within(**BUDGET)
    best = [solve(question.on(menu), Certified(1e-3)) for menu in (moved, exact)]
    for each in best:  # either menu's best mix is worth about as much on both
        if set(each.options) <= set(both):
            here, there = (evaluate(menu, each.options).value for menu in (moved, exact))
            assert here == pytest.approx(there, rel=0.03)
    assert best[0].value == pytest.approx(best[1].value, rel=0.03)


def test_a_menu_is_built_again_once(whole_basis: Basis) -> None:
    wide = Assumed("validity_sd", "", 0.6, 1.0, 1.5, True)
    assert whole_basis.rebuilt({wide: 1.5}) is whole_basis.rebuilt({wide: 1.5})
    assert "_built" not in whole_basis.__getstate__()


def test_mixes_are_those_of_the_menus_they_stand_for(whole_basis: Basis) -> None:
    figures = [
        GAPS[0],
        Assumed("validity_sd", "", 0.6, 1.0, 1.5, True),
        Assumed("threshold", "cyber", 8.5, 9.0, 9.5, True),
    ]
    points = [[1.0, 1.0, 9.2], [2.0, 1.0, 8.7], [0.3, 1.5, 9.0]]
    mixes = mixes_under(
        replace(whole_basis, question=whole_basis.question.within(**BUDGET)),
        figures,
        points,
        method=Certified(gap=1e-3),
    )
    for point, mix in zip(points, mixes, strict=True):
        levels = dict(zip(figures, point, strict=True))
        menu, found = plan_under(
            replace(whole_basis, question=whole_basis.question.within(**BUDGET)),
            levels,
            Certified(gap=1e-3),
        )
        assert mix["value"] == pytest.approx(summary(menu, found)["value"], rel=2e-3)


def test_batches_share_menus_and_keep_the_order(whole_basis: Basis) -> None:
    figures = [Assumed("threshold", "cyber", 8.5, 9.0, 9.5, True)]
    points = [[float(level)] for level in np.linspace(8.5, 9.5, BATCH + 2)]
    seen: list[int] = []
    run = Sweep(progress=lambda _, done, total: seen.append(total))
    mixes = mixes_under(
        replace(whole_basis, question=whole_basis.question.within(**BUDGET)),
        figures,
        points,
        sweep=run,
        method=Certified(gap=0.02),
    )
    assert seen == [2, 2]
    alone = mixes_under(
        replace(whole_basis, question=whole_basis.question.within(**BUDGET)),
        figures,
        points[-1:],
        method=Certified(gap=0.02),
    )
    assert mixes[-1] == alone[0]


def test_levels_between_are_refused(whole_basis: Basis) -> None:
    wide = Assumed("validity_sd", "", 0.6, 1.0, 2.0, True)
    with pytest.raises(InputError, match=r"all evals: validity .* must be at 0.6, 1 or 2, got 0.9"):
        mixes_under(
            replace(whole_basis, question=whole_basis.question.within(**BUDGET)), [wide], [[0.9]]
        )
