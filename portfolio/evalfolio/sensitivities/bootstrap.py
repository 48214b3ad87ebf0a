"""Bootstrap over observations: whether other results of the same kind give another mix."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalfolio.search.answer import Method
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question
from evalfolio.sensitivities.solution import solve
from evalfolio.sensitivities.stability import Stability, gathered
from evalfolio.sensitivities.sweep import Sweep, inputs_hash
from evalfolio.sensitivities.tornado import summary

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue
    from evalbayes.observations import Observations

OUTCOMES = ("n_success", "n_gave_up", "n_stopped")


def resampled(observations: Observations, seed: int) -> Observations:
    """Return results as they might have come out instead.

    Runs are drawn again with replacement, whole tasks at a time within each eval and AI model.
    Where only summaries are known they are drawn again from what they say: outcomes of a cell
    multinomially, its means and sds of ln spend as those of normal samples, counts binomially, and
    scores normally around themselves.

    Parameters
    ----------
    observations
        The results.
    seed
        Same seed, same results.
    """
    rng = np.random.default_rng(seed)
    return replace(
        observations,
        cells=_cells(observations.cells, rng),
        runs=_runs(observations.runs, rng),
        counts=_counts(observations.counts, rng),
        scores=_scores(observations.scores, rng),
    )


def stability_over_observations(
    question: Question,
    catalogue: Catalogue,
    observations: Observations,
    *,
    resamples: int = 20,
    draws: int = 500,
    tune: int = 1000,
    chains: int = 2,
    seed: int = 0,
    method: Method = Certified(),
    sweep: Sweep | None = None,
) -> Stability:
    """Return how stable the mix is when the results are drawn again and fitted anew.

    Each resample is a fit: minutes where the other analyses take seconds, so give a checkpoint.

    Parameters
    ----------
    question
        What is asked of every menu; its own is not looked at.
    catalogue, observations
        The inputs.
    resamples
        How many times the results are drawn again.
    draws, tune, chains
        Of every fit; fewer than a plan of record needs, as only the mix is compared.
    seed
        Of the draws.
    method
        Of every plan.
    sweep
        Workers, checkpoint and progress.
    """
    settings = {"draws": draws, "tune": tune, "chains": chains}
    task = partial(_point, question.lean, catalogue, observations, settings, method)
    hashed = inputs_hash(question, catalogue.hash, observations.hash, settings, method)
    seeds = np.random.SeedSequence(seed).generate_state(resamples).tolist()
    return gathered((sweep or Sweep()).run(task, seeds, inputs=hashed))


def _point(
    question: Question,
    catalogue: Catalogue,
    observations: Observations,
    settings: dict[str, Any],
    method: Method,
    seed: int,
) -> dict[str, Any]:
    from evalbayes.menus import build_menu
    from evalbayes.model.fit import fit

    posterior = fit(catalogue, resampled(observations, seed), seed=seed, **settings)
    menu, _ = build_menu(posterior, catalogue, with_draws=False)
    return summary(menu, solve(question.on(menu), method))


def _cells(cells: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    if cells.empty:
        return cells
    out = cells.copy()
    counts = cells[list(OUTCOMES)].to_numpy(dtype=np.int64)
    fresh = np.array(
        [rng.multinomial(row.sum(), row / row.sum()) if row.sum() else row for row in counts]
    )
    out[list(OUTCOMES)] = fresh
    for k, kind in enumerate(("success", "gave_up")):
        n = fresh[:, k]
        mean = cells[f"mean_ln_spend_{kind}"].to_numpy(dtype=np.float64)
        sd = cells[f"sd_ln_spend_{kind}"].to_numpy(dtype=np.float64)
        error = np.where(np.isfinite(sd), sd, 0.0) / np.sqrt(np.maximum(n, 1))
        out[f"mean_ln_spend_{kind}"] = np.where(
            n > 0, mean + error * rng.standard_normal(len(n)), np.nan
        )
        freedom = np.maximum(n - 1, 1)
        spread = sd * np.sqrt(rng.chisquare(freedom) / freedom)
        out[f"sd_ln_spend_{kind}"] = np.where(n > 1, spread, np.nan)
    return out


def _runs(runs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    if runs.empty:
        return runs
    parts = []
    for _, group in runs.groupby(["eval", "ai_model"], sort=True):
        tasks = [own for _, own in group.groupby("task", sort=True, dropna=False)]
        parts += [tasks[k] for k in rng.integers(len(tasks), size=len(tasks))]
    fresh: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return fresh


def _counts(counts: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    if counts.empty:
        return counts
    n = counts["n_runs"].to_numpy(dtype=np.int64)
    share = counts["n_success"].to_numpy(dtype=np.float64) / np.maximum(n, 1)
    return counts.assign(n_success=rng.binomial(n, share))


def _scores(scores: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    if scores.empty:
        return scores
    error = scores["standard_error"].to_numpy(dtype=np.float64)
    return scores.assign(score=scores["score"] + error * rng.standard_normal(len(error)))
