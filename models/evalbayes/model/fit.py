"""The fit: from a catalogue and observations to a posterior that says whether to trust it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue
from evalbayes.curves.families.selection import selection_of
from evalbayes.curves.law import STACKED
from evalbayes.curves.verdict import LATE
from evalbayes.model import derived
from evalbayes.model.carrying import carried
from evalbayes.model.completion import completed, prior_base
from evalbayes.model.convergence import NOTEWORTHY, convergence
from evalbayes.model.design import Design, design_of
from evalbayes.model.evidence import Evidence, evidence_of
from evalbayes.model.task_spread import task_spreads
from evalbayes.model.updating import updated
from evalbayes.observations import Observations
from evalbayes.posterior.diagnostics import Diagnostics
from evalbayes.posterior.posterior import Posterior
from evalbayes.posterior.provenance import kept_posterior, provenance_of

# Runs a condition from which plateaus are told so much better than what they are summed from that
# scales of single quantities do not do: of 1,000 draws of 10⁵ runs the typical slope's are then
# worth 30, and ten times as much with the strongest correlations followed.
MANY = 200
DRAWS = 2000  # of each chain


def fit(
    catalogue: Catalogue,
    observations: Observations,
    *,
    seed: int = 0,
    draws: int = DRAWS,
    tune: int = 1500,
    chains: int = 4,
    progress: bool = False,
    families: Sequence[str] = STACKED,
    keep: Path | None = None,
) -> Posterior:
    """Sample the joint model of capability and spend, and check the result.

    Evals without observation keep the catalogue's expert ranges, AI models without any come from
    the population of those seen. A fit that fails its gate is returned all the same: its
    `diagnostics` say why.

    InputError if an observation is about an eval that the catalogue does not hold, or a family of
    spend is unknown.

    Parameters
    ----------
    catalogue
        What could be run.
    observations
        What was seen; evals must be the catalogue's.
    seed
        Same inputs and seed, same draws.
    draws, tune, chains
        Draws of each chain after `tune` steps of adaptation.
    progress
        Whether to show a progress bar.
    families
        Families of spend to weigh eval by eval where single spends are known, or one for all; see
        `evalbayes.curves.families.selection_of`.
        The joint likelihood is the lognormal's: draws of other families are reweighted from each
        cell's own posterior (`evalbayes.model.carrying`).
    keep
        A stored posterior that is returned as it is if this fit would give the same: same inputs,
        seed, settings and versions.
    """
    evidence = evidence_of(observations, catalogue)
    sampler = {"seed": seed, "draws": draws, "tune": tune}
    asked = {**sampler, "chains_asked": chains, "families": list(families)}
    provenance = provenance_of(catalogue, observations, **asked)
    kept = kept_posterior(keep, provenance) if keep is not None else None
    if kept is not None:
        return kept
    selection = selection_of(evidence.plain, evidence.summed, families, seed=seed)
    design = design_of(catalogue, evidence)
    if len(evidence):
        named, divergences = _sampled(design, evidence, **sampler, chains=chains, progress=progress)
    else:
        chains = 1
        named = {key: value[None] for key, value in prior_base(design, draws, seed).items()}
        divergences = 0
    # sizes spelt out: -1 cannot be worked out where an axis is empty, e.g. without families
    flat = {
        key: value.reshape(value.shape[0] * value.shape[1], *value.shape[2:])
        for key, value in named.items()
    }
    complete = completed(design, flat, seed)
    complete["task_sd"] = task_spreads(
        evidence.plain,
        design.evals,
        flat["slope_mean"][:, design.eval_scale],
        complete["task_sd"],
        np.random.default_rng([seed, 2]),
    )
    shape = len(design.evals), len(design.ai_models)
    posterior = Posterior(
        domains=design.domains,
        evals=design.evals,
        ai_models=design.ai_models,
        families=design.families,
        draws=complete,
        loadings=design.loadings,
        family_of=design.family_of,
        knot_domain=design.knots.domain,
        knot_place=design.knots.place,
        reach=design.knots.reach,
        gap_prior=np.stack([design.gap, design.gap_sd], axis=1),
        told_at=design.knots.place[design.anchor_knots],
        elicited_history=design.elicited,
        diagnostics=_diagnostics(design, evidence, named, flat, divergences, seed),
        provenance=provenance | {"chains": chains},
        **evidence.by_pair(design.condition_eval, design.condition_model, shape),
        **_near_the_cap(design, evidence),
        spend_weights=selection.weights_of(design.evals),
        spend_families=selection.table,
        attempts=evidence.attempts,
        human_minutes=evidence.human_minutes,
    )
    posterior = replace(posterior, draws=carried(posterior, selection, seed))
    return updated(posterior, catalogue, Observations(studies=observations.studies), seed=seed)


def _sampled(design: Design, evidence: Evidence, **settings: Any) -> tuple[dict[str, Array], int]:
    """Draws by name, of shape (chains, draws, ...), and the number of divergences."""
    from evalbayes.model import sampling  # loads PyMC: only where something is sampled
    from evalbayes.model.graph import build

    graph = build(design, evidence)
    many = bool(evidence.n_runs.mean() >= MANY)
    result = sampling.sample(sampling.compiled(graph.model), correlated=many, **settings)
    return graph.named(**result.draws), result.divergences


def _near_the_cap(design: Design, evidence: Evidence) -> dict[str, Any]:
    """Count runs as they come that had the largest cap, and successes late in it, by pair."""
    facing = np.zeros((len(design.evals), len(design.ai_models)), dtype=np.int64)
    late = facing.copy()
    for name, runs in evidence.plain.items():
        for ai_model, own in runs.groupby("ai_model"):
            at = design.evals.index(name), design.ai_models.index(str(ai_model))
            largest = own["cap"] == own["cap"].max()
            facing[at] = largest.sum()
            in_time = own["spend"] > LATE * own["cap"]
            late[at] = (largest & (own["outcome"] == "success") & in_time).sum()
    return {"n_facing": facing, "n_late": late}


def _diagnostics(
    design: Design,
    evidence: Evidence,
    named: Mapping[str, Array],
    flat: Mapping[str, Array],
    divergences: int,
    seed: int,
) -> Diagnostics:
    from evalbayes.model.predictive import checks

    chains, draws = named["validity_sd"].shape[:2]
    if not len(evidence):
        note = "no observations: everything is prior"
        return Diagnostics(pd.DataFrame(), pd.DataFrame(), 0, chains * draws, (note,))
    quantities = convergence(design, evidence, named)
    cells = checks(derived.curves_of(design, flat), evidence, seed)
    notes = list(evidence.remarks)
    if divergences:
        notes.append(f"{divergences} of {chains * draws} transitions diverged")
    resting = quantities["prior_shift"][quantities["prior_shift"] > NOTEWORTHY]
    if len(resting):
        notes.append(
            f"{len(resting)} of {len(quantities)} reported quantities move by more than "
            f"{NOTEWORTHY} sd when the priors weigh twice as much, most of all "
            f"{resting.idxmax()} (by {resting.max():.1f} sd)"
        )
    if not design.elicited:
        notes.append("no elicited runs among the observations: the elicitation gap is prior only")
    return Diagnostics(quantities, cells, divergences, chains * draws, tuple(notes))
