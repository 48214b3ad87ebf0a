"""Which quantities are sampled themselves, and which by their departures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from tests.evalbayes.model.simulated import catalogue, observed, runs
from tests.evalbayes.model.test_units import results, two_units

from evalbayes.model.centring import TELLING, told
from evalbayes.model.design import design_of
from evalbayes.model.evidence import evidence_of


def test_both_outcomes_must_be_many_and_conditions_of_a_pair_count_together() -> None:
    evidence = evidence_of(observed(runs(catalogue(), n=30)))
    n = len(evidence)
    won, lost = np.zeros(n), np.full(n, 1e6)  # no success tells no plateau, however many runs
    won[1], lost[1] = 2 * TELLING, 2 * TELLING  # n₁n₀/(n₁ + n₀) = TELLING
    won[2], lost[2] = 2 * TELLING, 2 * TELLING - 1
    won[3], lost[3], won[4], lost[4] = 2 * TELLING, 0, 0, 2 * TELLING  # one pair below
    pair = np.array([0, 1, 2, 3, 3, *range(4, n - 1)])
    found = told(
        replace(evidence, ended=replace(evidence.ended, n_success=won, n_gave_up=lost)), pair, n - 1
    )
    assert np.flatnonzero(found[2 * n :]).tolist() == [1, 3]
    assert np.flatnonzero(found[:n]).tolist() == [1, 2, 3]  # a known spend tells the location
    assert np.flatnonzero(found[n : 2 * n]).tolist() == [k for k in range(n) if k != 3]


def test_a_capability_that_one_eval_tells_is_known_from_those_that_several_tell() -> None:
    table = runs(catalogue(), n=5)
    first = table["eval"].iloc[0]
    table = table[(table["ai_model"] != "A") | (table["eval"] == first)]
    design = design_of(catalogue(), evidence_of(observed(table)))
    names = [design.ai_models[m] for _, m in design.seen_capabilities]
    told = pd.Series(design.told_shown, names)
    assert told["A"] == 0.0
    assert (told.drop("A") == 1.0).all()


def test_beside_a_general_factor_capabilities_are_half_their_own() -> None:
    """Its loading may be all there is: the sd of what is left is a funnel."""
    specs = two_units()
    design = design_of(specs, evidence_of(observed(results(specs, n=6))))
    assert design.factored
    assert (design.told_shown == 0.5).all()
