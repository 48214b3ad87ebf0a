"""Calibration of the whole model by simulation: ranks of the truth among posterior draws.

Truth is drawn from the prior, runs from the truth, and the posterior from the runs. If all three
are right, the truth's rank among independent posterior draws is uniform, whatever the design
(Talts, Betancourt, Simpson, Vehtari & Gelman 2018, Validating Bayesian inference algorithms with
simulation-based calibration). The likelihood of the data is ranked too: it sees a posterior that
misses what the data say (Modrák et al. 2023, Simulation-based calibration checking).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit, ndtr

from evalbayes.errors import InputError
from evalbayes.model import derived
from evalbayes.model.likelihood import (
    Betas,
    Counts,
    Curves,
    Ended,
    Scores,
    Stopped,
    log_likelihood,
)

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue
    from evalbayes.model.design import Design
    from evalbayes.model.evidence import Evidence
    from evalbayes.observations import Observations

Array = NDArray[np.float64]
Index = NDArray[np.int64]

RANKED = 99  # near-independent draws that a truth is ranked among
NULLS = 20_000  # sets of uniform ranks that a deviation is compared with


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Calibration:
    """Ranks of the truth, one per data set and quantity.

    Parameters
    ----------
    ranks
        A column per quantity, a row per data set: how many of `RANKED` draws lie below the truth.
        Where a quantity has many entries (a plateau per cell), each data set ranks another one, so
        that ranks of different rows are independent.
    divergences, transitions
        Divergent transitions out of how many, over all fits.
    seconds
        CPU-seconds of all fits, compiling left out.
    ess
        Bulk effective sample sizes of what was ranked, like `ranks`; those below `RANKED` were
        thinned too little, which puts the truth too often at either end.
    """

    ranks: pd.DataFrame
    divergences: int
    transitions: int
    ess: pd.DataFrame
    seconds: float = 0.0

    def table(self, seed: int = 0) -> pd.DataFrame:
        """Return mean rank, share of ranks in the outer tenths, and p of uniformity, by quantity.

        Uniform ranks have mean 0.5 and an outer share of 0.2. `short` is the share of data sets
        with a smaller effective sample than draws ranked.
        """
        rows = []
        for name in self.ranks:
            ranks = self.ranks[name].to_numpy(dtype=np.int64)
            share = (ranks + 0.5) / (RANKED + 1)
            rows.append(
                {
                    "quantity": name,
                    "data_sets": len(ranks),
                    "mean_rank": share.mean(),
                    "outer_share": ((share < 0.1) | (share > 0.9)).mean(),
                    "short": (self.ess[name] < RANKED).mean(),
                    "p": uniformity(ranks, RANKED, seed=seed),
                }
            )
        return pd.DataFrame(rows).set_index("quantity")


class Simulator:
    """Data sets of one design, simulated from the prior and fitted; the model is compiled once.

    InputError if there are no elicited runs, so that nothing would be learned of δ.

    Parameters
    ----------
    catalogue, observations
        The design: which evals, AI models and efforts there are results of. The results
        themselves are not used, but they fix the typical ln spend that priors are centred on.
    data_sets
        How many truths are drawn.
    runs
        Runs of every cell; counts and scores keep the number of runs, or noise, and caps they have.
    ln_cap
        Ln of the one cap of cells, above the typical ln spend in their unit.
    seed, draws, tune, chains
        Of the fit of every data set.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        observations: Observations,
        *,
        data_sets: int,
        runs: int = 20,
        ln_cap: float = 3.0,
        seed: int = 0,
        draws: int = 396,
        tune: int = 300,
        chains: int = 1,
    ) -> None:
        from evalbayes.model import sampling  # loads PyMC: only where something is sampled
        from evalbayes.model.design import design_of
        from evalbayes.model.evidence import evidence_of
        from evalbayes.model.graph import build

        evidence = evidence_of(observations, catalogue)
        self.design = design_of(catalogue, evidence)
        if not self.design.elicited:
            raise InputError(
                "a design for calibration must hold results with effort above 0, got none; "
                "give such observations"
            )
        self.runs, self.seed, self.draws, self.tune = runs, seed, draws, tune
        self.chains = chains
        unit = self.design.unit_of[self.design.condition_eval]
        self.ln_cap = self.design.ln_spend_centre[unit] + ln_cap
        run = evidence.ended.n_success + evidence.ended.n_gave_up + evidence.n_stopped
        self.run_of = np.flatnonzero(run > 0)  # the others are known by counts or scores alone
        stopped = Stopped(self.run_of, self.ln_cap[self.run_of], np.ones(len(self.run_of)))
        evidence = replace(evidence, stopped=stopped)
        self.evidence = evidence
        self.graph = build(self.design, evidence)
        self.program = sampling.compiled(self.graph.model)
        variables = [self.graph.model[name] for name in ("base", "effects", "cells")]
        self.truths = self.graph.named(
            *sampling.pm.draw(variables, draws=data_sets, random_seed=seed, mode="FAST_COMPILE")
        )

    def rank(self, k: int) -> dict[str, Any]:
        """Ranks of the truth of data set k and their ESS by quantity, divergences, CPU-seconds."""
        from evalbayes.model import sampling

        start = time.process_time()
        truth = {key: value[[k]] for key, value in self.truths.items()}
        curves = Curves(*(v[0] for v in vars(derived.curves_of(self.design, truth)).values()))
        evidence = self._simulated(curves, np.random.default_rng([self.seed, k]))
        result = sampling.sample(
            self.program.with_data(**evidence.data),
            seed=k,
            draws=self.draws,
            tune=self.tune,
            chains=self.chains,
            cores=1,
        )
        shape = (self.chains, self.draws)
        named = {
            key: value.reshape(-1, *value.shape[2:])
            for key, value in self.graph.named(**result.draws).items()
        }
        keep = np.linspace(0, self.chains * self.draws - 1, RANKED).astype(int)
        ranks, chosen = {}, {}
        pairs = zip(
            quantities(self.design, evidence, named),
            quantities(self.design, evidence, truth),
            strict=True,
        )
        for (name, values), (_, true) in pairs:
            entry = k % values.shape[1]
            chosen[name] = values[:, entry].reshape(shape)
            ranks[name] = int((values[keep, entry] < true[0, entry]).sum())
        _, bulk, _ = sampling.convergence(np.stack(list(chosen.values()), axis=-1))
        ess = dict(zip(chosen, bulk.round(1).tolist(), strict=True))
        spent = time.process_time() - start
        return {"ranks": ranks, "ess": ess, "divergences": result.divergences, "seconds": spent}

    def _simulated(self, truth: Curves, rng: np.random.Generator) -> Evidence:
        """Runs of every condition that has some, counts and scores."""
        evidence = self.evidence
        ended, n_stopped = simulated_runs(truth, self.runs, self.ln_cap, rng)
        run = np.isin(np.arange(len(evidence)), self.run_of)
        counts, scores, betas = evidence.counts, evidence.scores, evidence.betas
        n = counts.n_runs
        won = rng.binomial(n.astype(np.int64), share_within(truth, counts)).astype(float)
        concentration, share = betas.concentration, share_within(truth, betas)
        beta = rng.beta(share * concentration, (1.0 - share) * concentration)
        return replace(
            evidence,
            ended=replace(ended, **{key: value * run for key, value in ended.figures.items()}),
            stopped=replace(evidence.stopped, n=n_stopped[self.run_of]),
            counts=replace(counts, n_success=won, n_failure=n - won),
            nested=replace(evidence.nested, n=self._nested(truth, won, rng)),
            scores=replace(scores, score=rng.normal(share_within(truth, scores), scores.error)),
            betas=replace(betas, score=np.clip(beta, 1e-12, 1.0 - 1e-12)),
        )

    def _nested(self, truth: Curves, won: Array, rng: np.random.Generator) -> Array:
        """Successes between caps of every set of runs, given those within its largest."""
        nested, counts = self.evidence.nested, self.evidence.counts
        at = truth.of(nested.of)
        low, high = (
            ndtr((cap - at.success_location) / at.success_scale)
            for cap in (nested.ln_low, nested.ln_high)
        )
        found = np.zeros(len(low))
        for row in range(len(counts)):
            own = np.flatnonzero(
                (nested.of == counts.of[row]) & (nested.ln_last == counts.ln_cap[row])
            )
            if len(own):
                share = np.maximum((high - low)[own], 1e-300)
                found[own] = rng.multinomial(int(won[row]), share / share.sum())
        return found


def share_within(truth: Curves, rows: Counts | Scores | Betas) -> Array:
    """Share of success within the caps of some rows of the evidence."""
    share: Array = np.exp(truth.of(rows.of).log_success(rows.ln_cap))
    return share


def calibrate(
    simulator: Simulator, data_sets: Iterable[int], folder: Path | None = None
) -> Calibration:
    """Fit the data sets of these numbers and rank the truth of each.

    A `folder` keeps one file per data set, from which a run that was broken off goes on.
    """
    rows = []
    for k in data_sets:
        file = folder / f"{k:04d}.json" if folder else None
        if file is not None and file.exists():
            rows.append(json.loads(file.read_text(encoding="utf-8")))
            continue
        rows.append(simulator.rank(k))
        if file is not None:
            partial = file.with_suffix(".partial")
            partial.write_text(json.dumps(rows[-1]), encoding="utf-8")
            partial.replace(file)
    return Calibration(
        pd.DataFrame([row["ranks"] for row in rows]),
        sum(row["divergences"] for row in rows),
        len(rows) * simulator.chains * simulator.draws,
        pd.DataFrame([row["ess"] for row in rows]),
        sum(row["seconds"] for row in rows),
    )


def quantities(
    design: Design, evidence: Evidence, named: Mapping[str, Array]
) -> Iterator[tuple[str, Array]]:
    """Name and draws, of shape (n_draws, n_entries), of everything that is ranked.

    All that is sampled, what is reported of it, and the log-likelihood of the evidence.
    """
    gap = derived.gaps(design, named)
    shown = derived.capabilities(design, named)
    curves = derived.curves_of(design, named)
    values = dict(named) | {
        "plateau": expit(curves.logit),
        "shown_at": shown,
        "gap": gap,
        "capability": shown + gap,
        "slope": derived.slopes(design, named),
        "log_likelihood": log_likelihood(curves, evidence).sum(axis=-1),
    }
    for name, value in values.items():
        table = value.reshape(len(value), -1)
        if table.shape[1]:
            yield name, table


def simulated_runs(
    truth: Curves, runs: int, ln_cap: Array | float, rng: np.random.Generator
) -> tuple[Ended, Array]:
    """Draw so many runs of every condition under one cap: those that ended, and stopped ones.

    Parameters
    ----------
    truth
        Curves with fields of shape (n_conditions,).
    ln_cap
        One for all, or of shape (n_conditions,).
    """
    shape = (runs, len(truth.logit))
    would = rng.random(shape) < expit(truth.logit)
    ln_spend = np.where(
        would,
        rng.normal(truth.success_location, truth.success_scale, shape),
        rng.normal(truth.gave_up_location, truth.gave_up_scale, shape),
    )
    ended = ln_spend <= ln_cap
    figures: dict[str, Array] = {}
    for name, way in (("success", would & ended), ("gave_up", ~would & ended)):
        n = way.sum(axis=0)
        mean = np.where(way, ln_spend, 0.0).sum(axis=0) / np.maximum(n, 1)
        square = np.where(way, (ln_spend - mean) ** 2, 0.0).sum(axis=0)
        figures |= {f"n_{name}": n.astype(float), f"mean_{name}": mean, f"square_{name}": square}
    return Ended(np.arange(shape[1]), **figures), (~ended).sum(axis=0).astype(float)


def uniformity(ranks: Index, ranked: int, *, seed: int = 0) -> float:
    """P of ranks at least as far from uniform as these, were they uniform on 0, ..., ranked.

    The distance is the least two-sided binomial tail of the ranks' distribution function over all
    its points: Säilynoja, Bürkner & Vehtari (2022), Graphical test for discrete uniformity. It
    sees truth that lies too low, too high, or too often in the middle or the tails.

    Examples
    --------
    >>> even = np.arange(200) % 100
    >>> uniformity(even, 99) > 0.9, uniformity(even // 2, 99) < 1e-3
    (True, True)
    """
    n = len(ranks)
    points = np.arange(ranked)
    share = (points + 1.0) / (ranked + 1.0)
    below = np.arange(n + 1)
    tail = np.minimum(
        stats.binom.cdf(below[:, None], n, share), stats.binom.sf(below[:, None] - 1, n, share)
    )  # (n + 1, ranked): of so many ranks at or below each point

    def distance(counts: Index) -> Array:
        reached = counts.cumsum(axis=1)[:, :-1]
        least: Array = tail[reached, points].min(axis=1)
        return least

    rng = np.random.default_rng(seed)
    null = distance(rng.multinomial(n, np.full(ranked + 1, 1.0 / (ranked + 1)), size=NULLS))
    own = distance(np.bincount(ranks, minlength=ranked + 1)[None])[0]
    return float((1 + (null <= own + 1e-15).sum()) / (1 + NULLS))
