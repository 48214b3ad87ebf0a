"""Where a skewed decision's chances hold: against every choice, and the programmes it leads to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.evalfolio.value.skew.menus import skewed_menu

from evalfolio.limits import DangerMissed, NeedlessMitigation, WrongCall
from evalfolio.limits.level_set import level_set
from evalfolio.search.certified import Certified
from evalfolio.targets.requirement import require


@pytest.mark.parametrize("kind", [WrongCall, NeedlessMitigation, DangerMissed])
@pytest.mark.parametrize("seed", [1, 4])
def test_no_row_cuts_a_choice_off_that_meets_the_target(
    kind: type[WrongCall], seed: int, every_choice: Any
) -> None:
    menu = skewed_menu(seed, n_evals=3)
    choices = every_choice(menu)
    for decision in menu.decisions:
        left = np.array([kind(decision.name, 0.5).left(menu, x) for x in choices])
        target = kind(decision.name, float(np.clip(np.quantile(left, 0.3), 1e-6, 0.99)))
        calls = target.known(menu).calls
        assert calls is not None
        enough = level_set(menu, calls, target.kinds, target.at_most)
        meets = (left <= target.at_most) & (left < left[0])  # calm ones are a row of their own
        if enough.empty or target.calm(menu):
            continue
        for x in choices[::7]:
            short, gradient = enough.row(x, firm=False)
            assert ((choices[meets] - x) @ gradient >= short - 1e-9).all()


def test_two_targets_near_their_reach_are_met_within_the_gap_that_is_told(
    every_choice: Any,
) -> None:
    menu = skewed_menu(1, n_evals=4)
    choices = every_choice(menu)
    usd = choices @ menu.options["usd"].to_numpy()
    names = [decision.name for decision in menu.decisions]
    left = np.array([[WrongCall(n, 0.5).left(menu, x) for n in names] for x in choices])
    target = left[left.sum(axis=1).argmin()] * 1.02 + 1e-9
    meets = (left <= target * (1 + 1e-9)).all(axis=1)
    assert meets.any()
    wanted = dict(zip(names, target.tolist(), strict=True))
    found = require(menu, wrong_call=wanted, method=Certified(gap=1e-6))
    assert found.bound <= usd[meets].min() * (1 + 1e-9)
    assert found.need == pytest.approx(usd[meets].min(), rel=0.02)
    late = require(menu, wrong_call=wanted, method=Certified(time_limit=30.0))
    assert late.need >= usd[meets].min() * (1 - 1e-9)
