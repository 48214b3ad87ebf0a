"""The emulator a spreadsheet computes runs through the exact figures and keeps close between."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.batches import some
from tests.evalfolio.value.skew.menus import skewed_menu
from tests.evalfolio.value.skew.test_calls import joint

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.value.skew.calls import Calls, calls_of
from evalfolio.value.skew.emulator import Emulator, emulator
from evalfolio.value.skew.stand_in import mixes


def left_by(menu: Menu, x: Array) -> Array:
    precision = np.linalg.inv(menu.prior_covariance)
    return np.asarray(np.linalg.inv(precision + np.einsum("...o,oij->...ij", x, menu.information)))


def made(menu: Menu, own: Array) -> tuple[Calls, Emulator]:
    calls = calls_of(menu, menu.decisions[0])
    assert calls is not None
    tried = np.vstack([own, mixes(menu, 400), np.eye(len(menu))])
    return calls, emulator(calls, left_by(menu, tried), 401)


def figures(calls: Calls, left: Array) -> Array:
    found = calls.after(left)
    return np.array([found.value, found.p_missed, found.p_needless])


SEVERAL = [pytest.param(seed, True, marks=pytest.mark.slow) for seed in some((1, 4))]


@pytest.mark.parametrize(("seed", "several"), [*((seed, False) for seed in range(4)), *SEVERAL])
def test_it_is_within_one_per_cent_of_every_mix(seed: int, several: bool) -> None:
    menu = joint(skewed_menu(seed, 7)) if several else skewed_menu(seed, 7)
    tried = mixes(menu, 60, seed=100 + seed)[20:]
    calls, found = made(menu, tried[0])
    floor = 1e-2 * np.array([calls.evpi, 1.0, 1.0])
    for x in tried:
        left = left_by(menu, x)
        exact = figures(calls, left)
        off = np.abs(found.at(found.places(left)) - exact)
        assert (off < 0.01 * np.maximum(exact, floor)).all()
    own = left_by(menu, tried[0])
    assert found.at(found.places(own)) == pytest.approx(figures(calls, own), rel=1e-5, abs=1e-9)


def test_a_gap_that_nothing_reads_leaves_one_point_and_no_fault() -> None:
    menu = skewed_menu(2, 4)
    menu = replace(menu, information=0.0 * menu.information)
    calls, found = made(menu, np.ones(len(menu)))
    prior = menu.prior_covariance
    assert found.at(found.places(prior)) == pytest.approx(figures(calls, prior), abs=1e-6)


def test_a_belief_far_above_the_threshold_leaves_chances_of_nothing_and_no_fault() -> None:
    menu = skewed_menu(2, 4)
    menu = replace(menu, decisions=tuple(replace(d, threshold=-20.0) for d in menu.decisions))
    calls, found = made(menu, np.ones(len(menu)))
    assert (figures(calls, menu.prior_covariance) >= 0.0).all()
    assert np.isfinite(found.weights).all()
    assert np.isfinite(found.plane).all()
