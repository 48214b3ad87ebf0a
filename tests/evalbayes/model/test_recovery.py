"""Recovering known truth: intervals hold it as often as they say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchmarks.ranks import simulated_runs
from numpy.typing import NDArray
from scipy.special import expit
from tests.batches import some
from tests.evalbayes.model.simulated import catalogue, observed, runs

from evalbayes.curves import Curve
from evalbayes.curves.verdict import LEVELLED, SATURATED, Seen, verdict
from evalbayes.model import derived
from evalbayes.model.design import design_of
from evalbayes.model.evidence import evidence_of
from evalbayes.model.fit import fit
from evalbayes.model.likelihood import Curves, Stopped

Array = NDArray[np.float64]

DATA_SETS = len(some(range(160)))
RUNS = 30
LEAST, MOST = 0.83, 0.96  # coverage of 90 % intervals over so many data sets


def curve_of(curves: Curves) -> Curve:
    return Curve(
        expit(curves.logit),
        curves.success_location,
        curves.success_scale,
        curves.gave_up_location,
        curves.gave_up_scale,
    )


def held(draws: Array, truth: Any) -> Any:
    """Whether the central 90 % interval of the draws (axis 0) holds the truth."""
    low, high = np.quantile(draws, (0.05, 0.95), axis=0)
    return (low <= truth) & (truth <= high)


def saturations(curves: Curves) -> tuple[Array, Array]:
    """ln saturation points by both definitions."""
    curve = curve_of(curves)
    return curve.saturation(), curve.saturation_share()


def classes(fitted: Curves, data: dict[str, Array], ln_cap: float) -> list[str]:
    """Class of every condition, as the table of curves gives it."""
    reached = curve_of(fitted).levelled(ln_cap)
    kinds = []
    for k in range(reached.shape[1]):
        n_success, n_gave_up, n_stopped = (
            int(data[key][k]) for key in ("ended_n_success", "ended_n_gave_up", "stopped_n")
        )
        seen = Seen(n_success, n_gave_up, n_stopped, RUNS, of_ai_model=True)
        p_levelled = float((reached[:, k] > LEVELLED).mean())
        p_saturated = float((reached[:, k] > SATURATED).mean())
        kinds.append(str(verdict(seen, p_levelled, p_saturated).kind))
    return kinds


@pytest.mark.slow  # a hundred and sixty fits of a small design, or a quarter
@pytest.mark.timeout(1800)
def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    from evalbayes.model import sampling
    from evalbayes.model.graph import build

    specs = catalogue()
    evidence = evidence_of(observed(runs(specs, ("A", "B", "C", "D"), n=RUNS)))
    design = design_of(specs, evidence)
    ln_cap = float(design.ln_spend_centre[0] + 3.0)
    one_cap = np.full(len(evidence), ln_cap)
    n = len(evidence)
    evidence = replace(evidence, stopped=Stopped(np.arange(n), one_cap, np.ones(n)))
    graph = build(design, evidence)
    program = sampling.compiled(graph.model)
    variables = [graph.model[name] for name in ("base", "effects", "cells")]
    prior = sampling.pm.draw(variables, draws=DATA_SETS, random_seed=7, mode="FAST_COMPILE")
    truths = graph.named(*prior)
    truth_curves = derived.curves_of(design, truths)
    rng = np.random.default_rng(8)
    results: dict[str, list[Any]] = {"plateau": [], "validity_sd": [], "saturation": []}
    results |= {"saturation_95": []}
    for k in range(DATA_SETS):
        truth = Curves(*(value[k] for value in vars(truth_curves).values()))
        ended, n_stopped = simulated_runs(truth, RUNS, ln_cap, rng)
        data = {f"ended_{key}": value for key, value in ended.figures.items()}
        data["stopped_n"] = n_stopped
        result = sampling.sample(program.with_data(**data), seed=k, draws=600, tune=600, chains=2)
        named = graph.named(**result.draws)
        flat = {key: value.reshape(-1, *value.shape[2:]) for key, value in named.items()}
        fitted = derived.curves_of(design, flat)
        results["plateau"].append(held(fitted.logit, truth.logit))
        results["validity_sd"].append(held(flat["validity_sd"], truths["validity_sd"][k]))
        kinds = classes(fitted, data, ln_cap)
        levelled = np.isin(kinds, ["plateau", "saturating"])
        for name, fitted_point, true_point in zip(
            ("saturation", "saturation_95"), saturations(fitted), saturations(truth), strict=True
        ):
            results[name].append(held(fitted_point, true_point)[levelled])
    coverage = {
        name: float(np.concatenate([np.atleast_1d(value) for value in values]).mean())
        for name, values in results.items()
    }
    print({name: round(value, 3) for name, value in coverage.items()})
    assert sum(len(value) for value in results["saturation"]) > 2 * DATA_SETS
    for name, value in coverage.items():
        assert LEAST <= value <= MOST, (name, coverage)


@pytest.mark.slow  # a fit of six evals with pairs: about half a CPU-minute
@pytest.mark.timeout(1800)
def test_the_spread_of_the_gap_between_evals_is_learned_from_pairs() -> None:
    """κ of 2 doublings, where the prior has nine tenths below 1.1."""
    kappa = 2.0
    evals = [{"name": f"e{k}", "human_minutes": 30 * 1.5**k} for k in range(6)]
    specs = catalogue(*evals, elicitation_gap=[0.7, 3.0])
    rng = np.random.default_rng(3)
    rows = []
    for spec in specs.evals:
        for m, ai_model in enumerate("AB"):
            margin = 5.0 + 1.5 * m - np.log2(spec.human_minutes or 30.0)
            departure = kappa * rng.standard_normal()
            for effort in (0.0, 1.0):
                share = expit(0.6 * (margin + effort * (1.5 + departure)))
                rows.append(
                    {
                        "eval": spec.name,
                        "ai_model": ai_model,
                        "cap": 1e12,  # far above any spend: the share is the plateau's
                        "effort": effort,
                        "n_runs": 400,
                        "n_success": rng.binomial(400, share),
                    }
                )
    posterior = fit(specs, observed(pd.DataFrame(rows)), draws=250, tune=400, chains=2, seed=2)
    low, middle, high = np.quantile(posterior.draws["gap_departure_sd"], (0.05, 0.5, 0.95))
    assert low > np.exp(np.log(0.5) + 0.5 * 1.28)  # nine tenths of the prior lie below
    assert low <= kappa <= high
    assert 1.0 < middle < 3.0
