"""Knots of difficulty: where they lie, and the two processes along them, before any sampling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evalbayes.catalogue import Catalogue, parse_catalogue
from evalbayes.model.completion import completed, prior_base
from evalbayes.model.design import Design, design_of
from evalbayes.model.evidence import evidence_of
from evalbayes.model.layout import PARTS, base_layout, sampled, shared_out
from evalbayes.model.priors import DEPARTURE, DEPARTURE_AT
from evalbayes.observations import Observations

LEVELS = (9.0, 11.0)
MINUTES = {"seconds": 0.25, "minute": 1.0, "hour": 60.0, "hours": 90.0, "day": 512.0}


def catalogue(**domain: Any) -> Catalogue:
    evals = [
        {"name": n, "domain": "cyber", "tasks": 9, "human_minutes": m, "usd_per_run": [1, 2]}
        for n, m in MINUTES.items()
    ]
    levels = [
        {
            "domain": "cyber",
            "name": f"L{t:g}",
            "threshold": t,
            "loss_missed": 2,
            "loss_false_alarm": 1,
        }
        for t in LEVELS
    ]
    data = {
        "portfolio": {"ai_model": "C"},
        "domain": [{"name": "cyber", "unit": "doublings of human task time", **domain}],
        "level": levels,
        "eval": evals,
        "ai_model": [{"name": f"M{k}"} for k in range(3)],
    }
    return parse_catalogue(data)


def designed(**domain: Any) -> Design:
    specs = catalogue(**domain)
    return design_of(specs, evidence_of(Observations()))


def drawn(design: Design, n: int = 20_000, **fixed: float) -> dict[str, Any]:
    named = prior_base(design, n, seed=1)
    named |= {key: np.full_like(named[key], value) for key, value in fixed.items()}
    return completed(design, named, seed=2)


def test_thresholds_are_knots_and_evals_that_lie_close_together_share_one() -> None:
    knots = designed().knots
    # -2 and 0 are apart, 60 and 90 minutes together, and the day's eval is at the first threshold
    np.testing.assert_allclose(knots.place, [9.0, 11.0, -2.0, 0.0, np.log2([60, 90]).mean()])
    assert knots.reach.argmax(axis=1).tolist() == [2, 3, 4, 4, 0]
    assert (knots.reach.sum(axis=1) == 1).all()
    assert knots.reference.tolist() == [0]
    assert knots.parent.tolist() == [-1, 0, 3, 4, 0]
    assert knots.path(2) == [2, 3, 4, 0]
    np.testing.assert_allclose(knots.step, [0, 2, 2, knots.place[4], 9 - knots.place[4]])


def test_capability_walks_and_is_as_stated_at_the_threshold() -> None:
    design = designed(shown_capability=[4.0, 8.0])
    found = drawn(design, walk_sd=0.5)
    c = design.ai_models.index("C")
    shown = found["shown"][:, :, c]
    np.testing.assert_allclose(np.quantile(shown[:, 0], (0.05, 0.95)), (4.0, 8.0), atol=0.05)
    for k, place in enumerate(design.knots.place):
        assert (shown[:, k] - shown[:, 0]).var() == pytest.approx(0.25 * abs(place - 9), rel=0.05)
    # increments on either side of a knot are independent
    first, second = shown[:, 4] - shown[:, 0], shown[:, 2] - shown[:, 4]
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03
    assert abs(np.corrcoef(first, shown[:, 0])[0, 1]) < 0.03


def test_the_gap_has_its_prior_everywhere_and_fades_with_distance() -> None:
    design = designed(elicitation_gap=[0.2, 2.5])
    gap = drawn(design)["gap"]
    for k in range(len(design.knots)):
        np.testing.assert_allclose(np.quantile(gap[:, k], (0.05, 0.95)), (0.2, 2.5), rtol=0.08)
    named = prior_base(design, 20_000, seed=1)
    ln_gap = np.log(completed(design, named, seed=2)["gap"][:, :, 0])
    place = design.knots.place
    ranges = completed(design, named, seed=2)["gap_range"][:, 0]
    for k in range(len(place)):
        wanted = np.exp(-abs(place[k] - place[0]) / ranges).mean()
        assert np.corrcoef(ln_gap[:, k], ln_gap[:, 0])[0, 1] == pytest.approx(wanted, abs=0.04)


def test_one_prior_of_the_total_is_shared_out() -> None:
    design = designed()
    base = base_layout(design)
    vector = np.random.default_rng(0).normal(base.mean, base.sd, (4000, len(base)))
    named = base.named(shared_out(base, vector, np))
    total = sum(named[key] ** 2 * (DEPARTURE_AT if key == "walk_sd" else 1) for key in PARTS)
    assert np.median(np.sqrt(total)) == pytest.approx(DEPARTURE.median, rel=0.03)
    assert np.log(total).std() / 2 == pytest.approx(DEPARTURE.sd_ln, rel=0.05)
    back = sampled(named)
    for key in PARTS:
        np.testing.assert_allclose(back[key], vector[:, slice(*base.spans[key][:2])])
