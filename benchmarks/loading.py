"""Distance or a loading below 1 of ceiling suites? The log score of AI models left out.

    python -m benchmarks.loading ../shared/data [cyber metr]

As `benchmarks.distance`, with AI models left out three at a time: what they solve on the longest
third of tasks is foretold from the shortest third. The rival has no walk; evals of the shortest
third read capability times a loading (at what AI models show on average, difficulty moves along).
The score is the log probability of the counts seen, summed by AI model; differences with a 95 %
interval that resamples AI models.
"""

from __future__ import annotations

import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
from benchmarks.distance import (
    CAP,
    NO_WALK,
    STUDIES,
    THIRDS,
    by_length,
    catalogue_of,
    observed,
    runs_of,
)
from benchmarks.tables import circumstances, table, write_section
from scipy import stats
from scipy.special import logsumexp

from evalbayes.catalogue import Catalogue, Interval
from evalbayes.model import priors
from evalbayes.model.eval_curve import eval_curve
from evalbayes.model.fit import fit

SEED, GROUPS, TYPICAL = 1, 3, 5.0  # what AI models show on average, in doublings of a minute
METHODS = {"evalbayes": (1.0, True), "without distance": (1.0, False)}
METHODS |= {f"loading {of}, no walk": (of, False) for of in (0.75, 0.5)}


def loaded(counts: pd.DataFrame, loading: float) -> Catalogue:
    """Return the catalogue where evals of the shortest third have a loading."""
    specs = catalogue_of(counts)
    short = set(counts.loc[counts["third"] == 0, "eval"]) if loading < 1.0 else set()
    evals = []
    for each in specs.evals:
        at = np.log2(each.human_minutes) - (1.0 - loading) * TYPICAL
        apart = {"loadings": {"all": loading}, "difficulty": Interval(at - 2.5, at + 2.5)}
        evals.append(each.model_copy(update=apart) if each.name in short else each)
    return specs.model_copy(update={"evals": type(specs.evals)(evals)})


def study(counts: pd.DataFrame) -> pd.DataFrame:
    """Log score by method and AI model."""
    names, rows = sorted(counts["ai_model"].unique()), []
    for k in range(GROUPS):
        out = counts["ai_model"].isin(names[k::GROUPS])
        seen = observed(counts[~out | (counts["third"] == 0)])
        for method, (loading, walks) in METHODS.items():
            share = priors.DISTANCE_SHARE if walks else NO_WALK
            with mock.patch.object(priors, "DISTANCE_SHARE", share):
                specs = loaded(counts, loading)
                posterior = fit(specs, seen, seed=SEED, draws=250, tune=350, chains=2)
            for _, row in counts[out & (counts["third"] == THIRDS - 1)].iterrows():
                i, m = (posterior.index_of(axis, row[axis]) for axis in ("eval", "ai_model"))
                p = np.clip(eval_curve(posterior, i, m).success_within(np.log(CAP)), 1e-12, 1.0)
                each = stats.binom.logpmf(row["n_success"], row["n_runs"], np.minimum(p, 1 - 1e-12))
                rows.append((method, row["ai_model"], logsumexp(each) - np.log(len(each))))
    found = pd.DataFrame(rows, columns=["method", "ai_model", "log"])
    return found.pivot_table("log", "ai_model", "method", aggfunc="sum")[list(METHODS)]


def told(score: pd.DataFrame) -> str:
    """Table of the methods against ours."""
    picks = np.random.default_rng(0).integers(0, len(score), (10_000, len(score)))
    rows = []
    for method in score:
        more = (score[method] - score["evalbayes"]).to_numpy()
        low, high = np.quantile(more[picks].sum(axis=1), [0.025, 0.975])
        beside = ["", ""]
        if method != "evalbayes":
            beside = [f"{more.sum():+.1f} [{low:+.1f}, {high:+.1f}]", f"{(more > 0).sum()}"]
        rows.append([str(method), f"{score[method].sum():.1f}", *beside])
    return table(["model", "log score", "more than ours", f"better of {len(score)}"], rows)


def main(folder: Path, names: list[str]) -> None:
    """Run the studies and write their sections."""
    for name in names or STUDIES:
        body = told(study(by_length(runs_of(name, folder))))
        when = circumstances(SEED, ("pymc", "nutpie", "numba", "numpy"))
        body += f"\n\n`python -m benchmarks.loading ../shared/data {name}`. {when}"
        write_section(f"loading-{name}", f"Distance or a loading below 1 ({name})", body)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
