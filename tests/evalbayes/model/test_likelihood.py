"""The likelihood against brute force over single runs, in numpy and in the sampler's own graph."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit
from tests.evalbayes.model.simulated import catalogue, log_density, observed, runs
from tests.evalbayes.observations.as_cells import as_cells

from evalbayes.catalogue import Catalogue
from evalbayes.model import derived
from evalbayes.model.design import Design, design_of
from evalbayes.model.evidence import Evidence, evidence_of
from evalbayes.model.likelihood import Curves, log_likelihood
from evalbayes.observations import Observations
from evalbayes.observations.score_scale import on_scale

COUNTS = pd.DataFrame(
    {"eval": "hard", "ai_model": ["A", "B"], "cap": [3e4, 3e5], "n_runs": [20, 30]}
).assign(n_success=[2, 11])
NESTED = pd.DataFrame(
    {"eval": "hard", "ai_model": "C", "cap": [5e4, 2e5, 9e5], "n_runs": 25, "run_set": "first"}
).assign(n_success=[3, 3, 8])
SCORES = pd.DataFrame(
    {
        "eval": ["easy", "middle"],
        "ai_model": ["A", "B"],
        "cap": [1e5, 2e5],
        "score": [0.4, 1.9],
        "standard_error": [0.1, 0.2],
    }
)
BETA: dict[str, Any] = {"score_low": 1.0, "score_high": 3.0, "score_noise": "beta"}


@pytest.fixture(scope="module")
def observations() -> Observations:
    table = runs(catalogue(), n=25)
    # Every outcome: some stops by other limits and spurious failures, at their own spend.
    gave_up = np.flatnonzero(table["outcome"] == "gave_up")
    table.loc[gave_up[:9], "outcome"] = "stopped_otherwise"
    table.loc[gave_up[9:14], "outcome"] = "spurious"
    table.loc[gave_up[14:17], "outcome"] = "excluded"
    table["effort"] = np.where((table["ai_model"] == "B") & (table.index % 3 == 0), 0.8, 0.0)
    return on_scale(observed(table, COUNTS, NESTED, SCORES), scored())


def scored() -> Catalogue:
    """Return the catalogue with the scale on which the eval "middle" is scored."""
    return catalogue({"name": "easy"}, {"name": "middle", **BETA}, {"name": "hard"})


def some_curves(evidence: Evidence, seed: int = 0) -> Curves:
    rng = np.random.default_rng(seed)
    n = len(evidence)
    return Curves(
        rng.normal(0.0, 1.5, n),
        rng.normal(11.0, 1.0, n),
        rng.uniform(0.5, 2.0, n),
        rng.normal(12.0, 1.0, n),
        rng.uniform(0.5, 2.0, n),
    )


def rows_of(frame: pd.DataFrame) -> Any:
    """Rows with the columns as attributes."""
    return frame.itertuples()


def brute_force(curves: Curves, evidence: Evidence, observations: Observations) -> Any:
    """Sum over single runs, straight from the table of outcomes in the model's description."""
    row_of = {
        key: k for k, key in enumerate(evidence.conditions.itertuples(index=False, name=None))
    }
    total = np.zeros(len(evidence))
    for run in rows_of(observations.runs):
        k = row_of[(run.eval, run.ai_model, run.effort)]
        a = expit(curves.logit[k])
        f = stats.norm(curves.success_location[k], curves.success_scale[k])
        h = stats.norm(curves.gave_up_location[k], curves.gave_up_scale[k])
        if run.outcome == "success":
            total[k] += np.log(a * f.pdf(np.log(run.spend)))
        elif run.outcome == "gave_up":
            total[k] += np.log((1 - a) * h.pdf(np.log(run.spend)))
        else:
            at = np.log(run.cap if run.outcome == "stopped_by_cap" else run.spend)
            total[k] += np.log(a * f.sf(at) + (1 - a) * h.sf(at))
    for row in rows_of(observations.counts[observations.counts["run_set"].isna()]):
        k = row_of[(row.eval, row.ai_model, row.effort)]
        f = stats.norm(curves.success_location[k], curves.success_scale[k])
        p = expit(curves.logit[k]) * f.cdf(np.log(row.cap))
        choose = stats.binom.logpmf(row.n_success, row.n_runs, 0.5) - row.n_runs * np.log(0.5)
        total[k] += stats.binom.logpmf(row.n_success, row.n_runs, p) - choose
    for row in rows_of(observations.scores):
        k = row_of[(row.eval, row.ai_model, row.effort)]
        f = stats.norm(curves.success_location[k], curves.success_scale[k])
        p = expit(curves.logit[k]) * f.cdf(np.log(row.cap))
        if row.eval == "middle":  # scored from 1 to 3 with beta noise
            share, error = (1.9 - 1.0) / 2.0, 0.2 / 2.0
            n = share * (1 - share) / error**2 - 1
            total[k] += stats.beta.logpdf(share, p * n, (1 - p) * n)
        else:
            total[k] += stats.norm.logpdf(row.score, p, row.standard_error)
    k = row_of[("hard", "C", 0.0)]
    # One set of 25 runs: 3 succeed within the first cap, none up to the second, 5 up to the third.
    f = stats.norm(curves.success_location[k], curves.success_scale[k])
    reached = expit(curves.logit[k]) * f.cdf(np.log([5e4, 2e5, 9e5]))
    shares = [reached[0], reached[1] - reached[0], reached[2] - reached[1], 1 - reached[2]]
    total[k] += np.dot([3, 0, 5, 17], np.log(shares))
    return total


def test_log_likelihood_is_the_sum_over_runs_of_every_outcome(observations: Observations) -> None:
    assert set(observations.runs["outcome"]) == {
        "success",
        "gave_up",
        "stopped_by_cap",
        "stopped_otherwise",
        "spurious",
    }
    evidence = evidence_of(observations)
    for seed in range(3):
        curves = some_curves(evidence, seed)
        np.testing.assert_allclose(
            log_likelihood(curves, evidence),
            brute_force(curves, evidence, observations),
            rtol=1e-10,
        )


def test_runs_and_the_cells_that_summarise_them_have_the_same_likelihood(
    observations: Observations,
) -> None:
    summarised = as_cells(observations)
    assert len(summarised.cells)
    assert len(summarised.runs) < len(observations.runs)
    by_run, by_cell = evidence_of(observations), evidence_of(summarised)
    pd.testing.assert_frame_equal(by_run.conditions, by_cell.conditions)
    for seed in range(3):
        curves = some_curves(by_run, seed)
        np.testing.assert_allclose(
            log_likelihood(curves, by_run), log_likelihood(curves, by_cell), rtol=1e-10
        )


def test_cells_read_from_a_file_are_the_runs_they_summarise() -> None:
    table = runs(catalogue(), n=30)
    logged = table.assign(ln=np.log(table["spend"]))
    rows = []
    for (name, ai_model), group in logged.groupby(["eval", "ai_model"]):
        success = group.loc[group["outcome"] == "success", "ln"]
        gave_up = group.loc[group["outcome"] == "gave_up", "ln"]
        rows.append(
            {
                "eval": name,
                "ai_model": ai_model,
                "n_success": len(success),
                "n_gave_up": len(gave_up),
                "n_stopped_by_cap": (group["outcome"] == "stopped_by_cap").sum(),
                "mean_ln_spend_success": success.mean(),
                "sd_ln_spend_success": success.std(),
                "mean_ln_spend_gave_up": gave_up.mean(),
                "sd_ln_spend_gave_up": gave_up.std(),
                "cap": 1e6,
            }
        )
    by_run, by_cell = evidence_of(observed(table)), evidence_of(observed(pd.DataFrame(rows)))
    curves = some_curves(by_run)
    np.testing.assert_allclose(log_likelihood(curves, by_run), log_likelihood(curves, by_cell))


def test_pooling_two_cells_of_one_condition_is_exact() -> None:
    table = runs(catalogue(), n=30)
    half = table.index % 2 == 0
    first, second = as_cells(observed(table[half])), as_cells(observed(table[~half]))
    apart = evidence_of(Observations(cells=pd.concat([first.cells, second.cells.assign(cap=2e6)])))
    curves = some_curves(apart)
    one = log_likelihood(curves, evidence_of(first))
    two = log_likelihood(curves, evidence_of(Observations(cells=second.cells.assign(cap=2e6))))
    np.testing.assert_allclose(log_likelihood(curves, apart), one + two)


@pytest.fixture(scope="module")
def design(observations: Observations) -> Design:
    specs = catalogue(shown_capability=[2.0, 9.0])
    return design_of(specs, evidence_of(observations))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])  # of the quantities that are sampled themselves
def test_the_samplers_density_is_prior_times_likelihood(
    design: Design, observations: Observations, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The graph's log density at random points, against scipy and the numpy likelihood."""
    from evalbayes.model.graph import build

    rng = np.random.default_rng(5)
    n, n_pairs = len(design.effort), len(design.pair_eval)
    assert not design.told[2 * n :].any()  # 30 runs of a pair are few
    design = replace(design, told=np.where(rng.random(2 * n + n_pairs) < share, 1.0, 0.0))
    told = np.maximum(rng.random(len(design.seen_capabilities)), share)
    monkeypatch.setattr(Design, "told_shown", told)
    evidence = evidence_of(observations)
    graph = build(design, evidence)
    density_at = log_density(graph.model)
    apart = design.told == 0
    for _ in range(3):
        base = rng.normal(graph.base.mean, graph.base.sd)
        effects = rng.normal(0.0, 0.5, len(graph.effects))  # no scale next to none
        effects[slice(*graph.effects.spans["eval_location"][:2])] += 11.5
        cells = rng.normal(np.where(apart, 0.0, 11.5), 1.0)
        named = graph.named(base, effects, cells)
        expected = np.sum(stats.norm.logpdf(base, graph.base.mean, graph.base.sd))
        expected += prior_of_effects(design, named)
        expected += prior_of_cells(design, named)
        u = named["private_offset"]  # of a normal margin about all but u, sd ω
        expected += np.sum(stats.norm.logpdf(u) - np.log(named["validity_sd"]))
        # of departures over their sds where these are sampled
        expected += np.log(named["cell_spread"]) * apart[:n].sum()
        expected += np.log(named["gave_up_cell_spread"]) * apart[n : 2 * n].sum()
        expected += np.log(named["validity_sd"][0]) * apart[2 * n :].sum()
        for k, share_told in enumerate(told):
            expected += (1.0 - share_told) * np.log(shown_prior(design, named, k)[1])
        curves = derived.curves_of(design, named)
        expected += brute_force(curves, evidence, observations).sum()
        got = density_at({"base": base, "effects": effects, "cells": cells})
        assert got == pytest.approx(expected, rel=1e-9)


def shown_prior(design: Design, named: Any, k: int) -> tuple[float, float]:
    """Mean and sd of a seen capability."""
    d, m = design.seen_capabilities[k]
    stated = m == design.under_test
    return (
        design.shown[d] if stated else named["shown_mean"][d],
        design.shown_sd[d] if stated else named["shown_spread"][d],
    )


def prior_of_effects(design: Design, named: Any) -> float:
    """ln prior of the effects, written out."""
    log: Any = stats.norm.logpdf
    total = 0.0
    for k in range(len(design.seen_capabilities)):
        total += log(named["shown"][k], *shown_prior(design, named, k))
    spread = named["difficulty_spread"]
    total += np.sum(log(named["difficulty_departure"], 0.0, spread))
    for k, i in enumerate(design.seen_evals):
        centre = named["spend_centre"][design.unit_of[i]]
        centre = centre + named["spend_per_minutes"] * design.ln_minutes[i]
        total += log(named["eval_location"][k], centre, named["eval_spread"])
    total += log(named["gave_up_later_of"], named["gave_up_later"], named["gave_up_spread"]).sum()
    total += np.sum(log(named["speed"], 0.0, named["speed_spread"]))
    for name in ("success_scale", "gave_up_scale"):
        total += log(np.log(named[name]), named[f"{name}_mean"], named[f"{name}_spread"]).sum()
    return float(total)


def prior_of_cells(design: Design, named: Any) -> float:
    """ln prior of the cells' locations, written out."""
    total = 0.0
    speed = named["speed"] - named["speed"].mean()
    for k, (i, m) in enumerate(zip(design.condition_eval, design.condition_model, strict=True)):
        row = list(design.seen_evals).index(i)
        typical = named["eval_location"][row] + speed[list(design.seen_speeds[:, 1]).index(m)]
        typical = typical + named["effort_spend"] * design.effort[k]
        total += stats.norm.logpdf(named["success_location"][k], typical, named["cell_spread"])
        total += stats.norm.logpdf(
            named["gave_up_location"][k],
            typical + named["gave_up_later_of"][row],
            named["gave_up_cell_spread"],
        )
    return float(total)


def test_plateau_logits_are_the_formula_written_out(design: Design) -> None:
    rng = np.random.default_rng(1)
    n_seen = len(design.seen_capabilities)
    named = {
        "slope_mean": np.array([0.5]),
        "slope_spread": np.array([0.2]),
        "slope_offset": rng.normal(size=len(design.seen_models)),
        "shown": rng.normal(5.0, 2.0, n_seen),
        "difficulty_departure": rng.normal(size=len(design.seen_evals)),
        "validity_sd": np.array([0.7]),
        "private_offset": rng.normal(size=len(design.pair_eval)),
        "family_sd": np.array([0.4]),
        "family_offset": rng.normal(size=len(design.seen_families)),
        "gap_population": rng.normal(size=1),
        "walk_sd": np.array([0.6]),
        "walk": rng.normal(size=len(design.walking)),
        "gap_common": rng.normal(size=len(design.knots)),
        "gap_range": np.array([7.0]),
        "gap_spread": np.array([0.7]),
        "gap_offset": rng.normal(size=len(design.places)),
        "gap_departure_sd": np.array([0.3]),
        "gap_departure_offset": rng.normal(size=len(design.pair_eval)),
    }
    places, walking = design.places.tolist(), design.walking.tolist()
    reference = int(design.knots.reference[0])
    logits = derived.plateau_logits(design, named)
    departure = named["difficulty_departure"]
    for k, (i, m) in enumerate(zip(design.condition_eval, design.condition_model, strict=True)):
        slope = 0.5 * np.exp(0.2 * named["slope_offset"][m])
        # Told at the reference (for C, whose capability is stated, at the threshold), s and ln δ
        # go step by step to the knot that the eval reads.
        knot, stated = int(design.knots.reach[i].argmax()), m == design.under_test
        shown = named["shown"][m]
        for end, sign in ((knot, 1.0), (0 if stated else design.knots.reference[0], -1.0)):
            for j in design.knots.path(end)[:-1]:
                shown += sign * 0.6 * named["walk"][walking.index([j, m])]
        # No expert gave the gap: half of what is common is the population's.
        common = np.sqrt(0.5) * (named["gap_population"][0] + named["gap_common"][reference])
        own = named["gap_offset"][places.index([reference, m])]
        for j in design.knots.path(knot)[-2::-1]:
            r = np.exp(-design.knots.step[j] / 7.0)
            common = r * common + np.sqrt(1 - r**2) * named["gap_common"][j]
            own = r * own + np.sqrt(1 - r**2) * named["gap_offset"][places.index([j, m])]
        z = np.sqrt(0.5) * (common + 0.7 * own)
        gap = np.exp(design.gap[0] + design.gap_sd[0] * z)
        pair = design.condition_pair[k]
        difficulty = design.difficulty[i] + departure[i] - departure.mean()
        margin = shown - difficulty + 0.7 * named["private_offset"][pair]
        margin += 0.4 * named["family_offset"][m]
        margin += design.effort[k] * (gap + 0.3 * named["gap_departure_offset"][pair])
        assert logits[k] == pytest.approx(slope * margin)
