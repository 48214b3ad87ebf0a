"""Calibration of the whole model by simulation: ranks of the truth among posterior draws.

Truth is drawn from the prior, runs from the truth, and the posterior from the runs. If all three
are right, the truth's rank among independent posterior draws is uniform, whatever the design
(Talts, Betancourt, Simpson, Vehtari & Gelman 2018, Validating Bayesian inference algorithms with
simulation-based calibration).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit, ndtr

from evalbayes.errors import InputError
from evalbayes.model import derived
from evalbayes.model.evidence import SUFFICIENT
from evalbayes.model.likelihood import Curves

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue
    from evalbayes.model.design import Design
    from evalbayes.observations import Observations

Array = NDArray[np.float64]
Index = NDArray[np.int64]

QUANTITIES = ("plateau", "location", "scale", "omega", "theta", "delta", "walk", "range")
RANKED = 99  # near-independent draws that a truth is ranked among
NULLS = 20_000  # sets of uniform ranks that a deviation is compared with


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Calibration:
    """Ranks of the truth, one per data set and quantity.

    Parameters
    ----------
    ranks
        Columns `QUANTITIES`, one row per data set: how many of `RANKED` draws lie below the truth.
        Where a quantity has many entries (a plateau per cell), each data set ranks another one, so
        that ranks of different rows are independent.
    divergences, transitions
        Divergent transitions out of how many, over all fits.
    """

    ranks: pd.DataFrame
    divergences: int
    transitions: int

    def table(self, seed: int = 0) -> pd.DataFrame:
        """Return mean rank, share of ranks in the outer tenths, and p of uniformity, by quantity.

        Uniform ranks have mean 0.5 and an outer share of 0.2.
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
                    "p": uniformity(ranks, RANKED, seed=seed),
                }
            )
        return pd.DataFrame(rows).set_index("quantity")


class Simulator:
    """Data sets of one design, simulated from the prior and fitted; the model is compiled once.

    InputError if there are no elicited runs, so that nothing would be learned of δ, or if there are
    scores or nested counts, which are not simulated.

    Parameters
    ----------
    catalogue, observations
        The design: which evals, AI models and efforts there are results of. The results
        themselves are not used, but they fix the typical ln spend that priors are centred on.
    data_sets
        How many truths are drawn.
    runs
        Runs of every cell; counts keep the number of runs they have.
    ln_cap
        Ln of the one cap, above the typical ln spend.
    seed, draws, tune
        Of one chain for every data set.
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
    ) -> None:
        from evalbayes.model import sampling  # loads PyMC: only where something is sampled
        from evalbayes.model.design import design_of
        from evalbayes.model.evidence import evidence_of
        from evalbayes.model.graph import build

        evidence = evidence_of(observations)
        self.design = design_of(catalogue, evidence)
        untold = (evidence.score_of, evidence.beta_of, evidence.nested_of)
        if not self.design.elicited or any(len(of) for of in untold):
            raise InputError(
                "a design for calibration must hold runs, cells or independent counts, some of "
                "them with effort above 0, and no scores; give such observations"
            )
        self.runs, self.seed, self.draws, self.tune = runs, seed, draws, tune
        self.ln_cap = float(self.design.ln_spend_centre.mean() + ln_cap)
        ended = evidence.n_success + evidence.n_gave_up + evidence.stopped_by_condition
        self.run_of = np.flatnonzero(ended > 0)  # the others are known by counts alone
        n = len(self.run_of)
        evidence = replace(
            evidence,
            stopped_of=self.run_of,
            stopped_ln_spend=np.full(n, self.ln_cap),
            n_stopped=np.ones(n),
            count_ln_cap=np.full(len(evidence.count_of), self.ln_cap),
        )
        self.evidence = evidence
        self.graph = build(self.design, evidence)
        self.program = sampling.compiled(self.graph.model)
        variables = [self.graph.model[name] for name in ("base", "effects", "cells")]
        self.truths = self.graph.named(
            *sampling.pm.draw(variables, draws=data_sets, random_seed=seed, mode="FAST_COMPILE")
        )

    def rank(self, k: int) -> tuple[dict[str, int], int]:
        """Rank of the truth of data set k in every quantity, and divergent transitions."""
        from evalbayes.model import sampling

        truth = {key: value[[k]] for key, value in self.truths.items()}
        curves = Curves(*(v[0] for v in vars(derived.curves_of(self.design, truth)).values()))
        rng = np.random.default_rng([self.seed, k])
        result = sampling.sample(
            self.program.with_data(**self._simulated(curves, rng)),
            seed=k,
            draws=self.draws,
            tune=self.tune,
            chains=1,
            cores=1,
        )
        keep = np.linspace(0, self.draws - 1, RANKED).astype(int)
        few = {key: value[0][keep] for key, value in self.graph.named(**result.draws).items()}
        row = {}
        pairs = zip(quantities(self.design, few), quantities(self.design, truth), strict=True)
        for (name, values), (_, true) in pairs:
            entry = k % values.shape[1]
            row[name] = int((values[:, entry] < true[0, entry]).sum())
        return row, result.divergences

    def _simulated(self, truth: Curves, rng: np.random.Generator) -> dict[str, Array]:
        """Statistics of the runs of every condition that has some, and counts."""
        data = simulated_statistics(truth, self.runs, self.ln_cap, rng)
        none = np.setdiff1d(np.arange(len(self.evidence)), self.run_of)
        for key in SUFFICIENT:
            data[key][none] = 0.0
        data["n_stopped"] = data["n_stopped"][self.run_of]
        if len(self.evidence.count_of):
            at = truth.of(self.evidence.count_of)
            within = ndtr((self.ln_cap - at.success_location) / at.success_scale)
            n = self.evidence.count_runs
            won = rng.binomial(n.astype(np.int64), expit(at.logit) * within).astype(float)
            data |= {"count_success": won, "count_failure": n - won}
        return data


def calibrate(simulator: Simulator, data_sets: Iterable[int]) -> Calibration:
    """Fit the data sets of these numbers and rank the truth of each."""
    rows, divergences = [], 0
    for k in data_sets:
        row, diverged = simulator.rank(k)
        rows.append(row)
        divergences += diverged
    return Calibration(pd.DataFrame(rows), divergences, len(rows) * simulator.draws)


def quantities(design: Design, named: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """Name and draws, of shape (n_draws, n_entries), of everything that is ranked."""
    gap = derived.gaps(design, named)
    values = (
        expit(derived.plateau_logits(design, named)),
        named["success_location"],
        named["success_scale"],
        named["validity_sd"],
        derived.capabilities(design, named) + gap,
        gap,
        named["walk_sd"],
        named["gap_range"],
    )
    yield from zip(QUANTITIES, values, strict=True)


def simulated_statistics(
    truth: Curves, runs: int, ln_cap: float, rng: np.random.Generator
) -> dict[str, Array]:
    """Sufficient statistics of so many runs of every condition under one cap.

    Parameters
    ----------
    truth
        Curves with fields of shape (n_conditions,).

    Returns
    -------
    dict
        By the names of the model's data: numbers, means and sums of squares of ln spend.
    """
    shape = (runs, len(truth.logit))
    would = rng.random(shape) < expit(truth.logit)
    ln_spend = np.where(
        would,
        rng.normal(truth.success_location, truth.success_scale, shape),
        rng.normal(truth.gave_up_location, truth.gave_up_scale, shape),
    )
    ended = ln_spend <= ln_cap
    data = {"n_stopped": (~ended).sum(axis=0).astype(float)}
    for name, way in (("success", would & ended), ("gave_up", ~would & ended)):
        n = way.sum(axis=0)
        mean = np.where(way, ln_spend, 0.0).sum(axis=0) / np.maximum(n, 1)
        square = np.where(way, (ln_spend - mean) ** 2, 0.0).sum(axis=0)
        data |= {f"n_{name}": n.astype(float), f"mean_{name}": mean, f"square_{name}": square}
    return data


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
