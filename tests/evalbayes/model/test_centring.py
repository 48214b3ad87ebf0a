"""Which margins are sampled themselves, and the departures worked out from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.evalbayes.model.simulated import catalogue, observed, runs

from evalbayes.model import derived
from evalbayes.model.centring import TELLING, well_told
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
    told = well_told(replace(evidence, n_success=won, n_gave_up=lost), pair, n - 1)
    assert np.flatnonzero(told).tolist() == [1, 3]


def test_departures_and_margins_are_each_other() -> None:
    evidence = evidence_of(observed(runs(catalogue(), n=30)))
    design = design_of(catalogue(), evidence)
    n, rng = len(design.centred), np.random.default_rng(3)
    design = replace(design, centred=rng.random(n) < 0.5)
    named = {
        "shown": rng.normal(5.0, 2.0, (4, len(design.seen_capabilities))),
        "difficulty_departure": rng.normal(size=(4, len(design.seen_evals))),
        "validity_sd": rng.uniform(0.5, 1.0, (4, 1)),
        "family_sd": rng.uniform(0.2, 0.5, (4, 1)),
        "walk_sd": rng.uniform(0.2, 0.5, (4, 1)),
        "walk": rng.normal(size=(4, len(design.walking))),
        "family_offset": rng.normal(size=(4, len(design.seen_families))),
    }
    offset = rng.normal(size=(4, n))
    margin = derived.expected_margins(design, named) + named["validity_sd"] * offset
    sampled = {
        "private_offset": offset[:, ~design.centred],
        "margin": margin[:, design.centred],
    }
    found = derived.with_departures(design, named | sampled)
    assert "margin" not in found
    assert found["private_offset"] == pytest.approx(offset)
