"""Dates, relatives, a general factor and the gap: the formula written out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from tests.evalbayes.model.simulated import observed

from evalbayes.catalogue import Catalogue, parse_catalogue
from evalbayes.model.completion import completed
from evalbayes.model.design import Design, design_of
from evalbayes.model.evidence import Evidence, evidence_of

Array = NDArray[np.float64]

MODELS = ("A1", "A2", "B1", "C1")
UNSEEN = "A3"  # of A's lineage, newest of all
DATES = ("2024-01-01", "2025-01-01", "2024-07-01", "2025-04-01")
RUNS = 40
ELICITED = 0.8


def two_domains() -> Catalogue:
    domains = [
        {"name": name, "threshold_human_time": "16 h", **gap}
        for name, gap in (("cyber", {}), ("autonomy", {"elicitation_gap": [0.3, 2.0]}))
    ]
    evals = [
        {
            "name": f"{domain} {minutes}",
            "domain": domain,
            "tasks": 40,
            "human_minutes": minutes,
            "usd_per_unit": [4e-6, 9e-6],
            "max_cap": 1e7,
        }
        for domain in ("cyber", "autonomy")
        for minutes in (8, 120)
    ]
    known = [
        {"name": name, "released": day, "lineage": name[0]}
        for name, day in zip((*MODELS, UNSEEN), (*DATES, "2026-01-01"), strict=True)
    ]
    return parse_catalogue(
        {
            "portfolio": {"ai_model": UNSEEN},
            "domain": domains,
            "eval": evals,
            "ai_model": known,
        }
    )


def designed() -> tuple[Design, Evidence]:
    """Every eval run by every AI model but the unseen one, as it comes and elicited."""
    specs = two_domains()
    counts = pd.DataFrame(
        [
            {
                "eval": spec.name,
                "ai_model": model,
                "cap": 1e6,
                "n_runs": RUNS,
                "n_success": RUNS // 2,
                "effort": effort,
            }
            for spec in specs.evals
            for model in MODELS
            for effort in (0.0, ELICITED)
        ]
    )
    evidence = evidence_of(observed(counts))
    # A cap that nothing reaches: what is in question here is capability, not spend.
    return design_of(specs, evidence), replace(
        evidence, counts=replace(evidence.counts, ln_cap=np.full(len(counts), 60.0))
    )


def test_the_unseen_ai_model_has_a_date_and_relatives_among_those_seen() -> None:
    design, _ = designed()
    assert design.ancestry.dated
    assert design.ancestry.lineages == ("A",)
    assert design.factored
    years = design.ancestry.years[[design.ai_models.index(m) for m in ("A1", "A2", UNSEEN)]]
    np.testing.assert_allclose(np.diff(years), [366 / 365.25, 365 / 365.25])
    assert abs(design.ancestry.years.sum()) < 1e-9
    assert design.gap_stated.tolist() == [False, True]


@pytest.fixture(scope="module")
def prior() -> tuple[Design, dict[str, Array]]:
    """Draws of everything before any evidence."""
    from evalbayes.model import sampling
    from evalbayes.model.graph import build

    design, evidence = designed()
    graph = build(design, evidence)
    variables = [graph.model[name] for name in ("base", "effects", "cells")]
    drawn = sampling.pm.draw(variables, draws=10_000, random_seed=1, mode="FAST_COMPILE")
    return design, graph.named(*drawn)


def test_capability_is_mean_growth_lineage_loading_and_own(
    prior: tuple[Design, dict[str, Array]],
) -> None:
    design, named = prior
    own = np.empty_like(named["shown"])
    for k, (d, m) in enumerate(design.seen_capabilities):
        mean = named["shown_mean"][:, d] + named["growth"][:, d] * design.ancestry.years[m]
        if design.ancestry.lineage_of[m] >= 0:
            mean = (
                mean
                + named["lineage_spread"][:, 0] * named["lineage"][:, design.ancestry.lineage_of[m]]
            )
        seen = list(design.seen_models).index(m)
        mean = mean + named["general_loading"][:, d] * named["general"][:, seen]
        own[:, k] = (named["shown"][:, k] - mean) / named["shown_spread"][:, d]
    assert np.abs(own.mean(axis=0)).max() < 4.5 / np.sqrt(10_000)
    np.testing.assert_allclose(np.cov(own.T), np.eye(own.shape[1]), atol=0.1)
    # What was not seen is drawn from the same law, given what was.
    whole = completed(design, named, seed=2)["shown"]
    d, m = 0, design.ai_models.index(UNSEEN)
    at = design.knots.reference[d]
    excess = whole[:, at, m] - named["shown_mean"][:, d]
    excess -= named["growth"][:, d] * design.ancestry.years[m]
    relatives = named["lineage_spread"][:, 0] * named["lineage"][:, 0]
    left = excess - relatives
    expected = named["general_loading"][:, d] ** 2 + named["shown_spread"][:, d] ** 2
    assert np.median(left**2 / expected) == pytest.approx(0.4549, abs=0.05)  # of χ² with 1 df
    assert abs(np.corrcoef(left, relatives)[0, 1]) < 0.06


def test_an_interval_of_the_gap_is_given_back_whoever_stated_it(
    prior: tuple[Design, dict[str, Array]],
) -> None:
    """5 % and 95 % points of prior draws, experts' and the population's, are the catalogue's."""
    design, named = prior
    gap = completed(design, named, seed=4)["gap"]
    for d, (low, high) in enumerate([(0.475, 3.1), (0.3, 2.0)]):
        np.testing.assert_allclose(np.quantile(gap[:, d], (0.05, 0.95)), (low, high), rtol=0.06)
    # Domains share a part where no expert spoke, AI models of one domain always do.
    ln_gap = np.log(gap)
    assert np.corrcoef(ln_gap[:, 0, 0], ln_gap[:, 0, 1])[0, 1] == pytest.approx(0.5, abs=0.04)
    assert abs(np.corrcoef(ln_gap[:, 0, 0], ln_gap[:, 1, 0])[0, 1]) < 0.04
