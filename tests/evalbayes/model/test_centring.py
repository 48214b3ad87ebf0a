"""Which quantities are sampled themselves, and which by their departures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from tests.evalbayes.model.simulated import catalogue, observed, runs

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
    found = told(replace(evidence, n_success=won, n_gave_up=lost), pair, n - 1)
    assert np.flatnonzero(found[2 * n :]).tolist() == [1, 3]
    assert np.flatnonzero(found[:n]).tolist() == [1, 2, 3]  # a known spend tells the location
    assert np.flatnonzero(found[n : 2 * n]).tolist() == [k for k in range(n) if k != 3]


def test_a_capability_that_one_eval_tells_is_known_from_those_that_several_tell() -> None:
    table = runs(catalogue(), n=5)
    first = table["eval"].iloc[0]
    table = table[(table["ai_model"] != "A") | (table["eval"] == first)]
    specs = catalogue()
    design = design_of(specs, evidence_of(observed(table)))
    seen = pd.Series(
        design.evals_telling, [design.ai_models[m] for _, m in design.seen_capabilities]
    )
    assert seen["A"] == 1
    assert (seen.drop("A") == len(specs.evals)).all()
