"""The joint model of capability and spend, before it sees results."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue
from evalbayes.model.evidence import Evidence
from evalbayes.model.predictive import Replicates
from evalbayes.observations import Observations
from evalbayes.predictive.predictive import Predictive

MODEL = "curves"


def prior(
    catalogue: Catalogue, observations: Observations, n_draws: int, rng: np.random.Generator
) -> list[Predictive]:
    """Success shares, mean ln spend and scores of every eval, AI model and effort seen.

    Without observations plateau and ln spend of the AI model under test, eval by eval.
    """
    seed = int(rng.integers(2**31))
    if not observations.evals:
        return _unseen(catalogue, observations, n_draws, seed)
    from evalbayes.model import derived, sampling  # loads PyMC: its graph is what is drawn from
    from evalbayes.model.design import design_of
    from evalbayes.model.evidence import evidence_of
    from evalbayes.model.graph import build
    from evalbayes.model.predictive import replicated

    evidence = evidence_of(observations, catalogue)
    design = design_of(catalogue, evidence)
    graph = build(design, evidence)
    variables = [graph.model[name] for name in ("base", "effects", "cells")]
    drawn = sampling.pm.draw(variables, draws=n_draws, random_seed=seed, mode="FAST_COMPILE")
    curves = derived.curves_of(design, graph.named(*drawn))
    again = replicated(curves, evidence, rng)
    shares, scores = again["successes"], again["scores"]
    shares = _per(shares, shares.number)
    scores = _per(scores, scores.number)
    figures = {
        "success share": shares,
        "mean ln spend of successes": again["mean ln spend"],
        "score, as a share of its scale": scores,
    }
    named = _named(evidence)
    return [found for figure, each in figures.items() if (found := _shown(figure, each, named))]


def _unseen(
    catalogue: Catalogue, observations: Observations, n_draws: int, seed: int
) -> list[Predictive]:
    from evalbayes.model.fit import fit

    posterior = fit(catalogue, observations, seed=seed, draws=n_draws)  # nothing is sampled
    under_test = catalogue.portfolio.ai_model
    m = posterior.index_of("ai_model", under_test)
    of = tuple(f"{name} by {under_test}" for name in posterior.evals)
    nothing = np.full(len(of), np.nan)
    figures = {
        "success share with unlimited spend": posterior.plateau(under_test),
        "ln of the median spend of successes": posterior.draws["success_location"][:, :, m],
    }
    return [Predictive(MODEL, key, of, draws, nothing) for key, draws in figures.items()]


def _per(replicates: Replicates, number: Array) -> Replicates:
    """Return sums as means."""
    n = np.where(number > 0, number, np.nan)
    return replace(replicates, seen=replicates.seen / n, draws=replicates.draws / n)


def _named(evidence: Evidence) -> list[str]:
    rows = evidence.conditions[["eval", "ai_model", "effort"]].to_dict("records")
    return [
        f"{row['eval']} by {row['ai_model']}"
        + (f", effort {row['effort']:g}" if row["effort"] else "")
        for row in rows
    ]


def _shown(figure: str, replicates: Replicates, names: list[str]) -> Predictive | None:
    """Return the conditions that have the figure; None if none has."""
    rows = np.flatnonzero(np.isfinite(replicates.draws).all(axis=0))
    if not len(rows):
        return None
    of = tuple(names[k] for k in rows)
    return Predictive(MODEL, figure, of, replicates.draws[:, rows], replicates.seen[rows])
