"""Does evidence reach as far as the model says? The longest tasks foretold from the shortest.

    python -m benchmarks.distance ../shared/data [cyber metr]

Tasks are cut into thirds by human time and every third into three evals. Of each AI model in turn
all runs but those on the shortest third are hidden, and its successes on the evals of the longest
third are foretold. Beside the model: the same without distance (no walk), and a binomial by eval,
p from what the other AI models solved there. Runs are told as counts, so that fits are of
capability alone. Coverage is by CONTRIBUTING's rule, clustered by AI model, beside what it would be
in worlds drawn from the fits; the model without distance is compared and is no baseline.
"""

from __future__ import annotations

import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
from benchmarks.beyond_the_cap import first_attempts
from benchmarks.cyber_runs import APART, cyber_runs
from benchmarks.forecasts import HEAD, binomial_shares, by_luck, judged, rows_of, verdict
from benchmarks.tables import circumstances, table, write_section

from evalbayes.catalogue import Catalogue, parse_catalogue
from evalbayes.model import priors
from evalbayes.model.eval_curve import eval_curve
from evalbayes.model.fit import fit
from evalbayes.observations import Observations, Rows, observations_of
from evalbayes.posterior import Posterior

SEED = 1
STUDIES = ("cyber", "metr")
THIRDS, EACH = 3, 3
OURS, WITHOUT, BINOMIAL = "evalbayes", "without distance", "binomial by eval"
NO_WALK = (-12.0, 0.01)  # ln odds of distance's share of departures: none
CAP = 1.0  # of counts whose spends are not told
DRAWS = {"draws": 500, "tune": 700, "chains": 2}


def by_length(runs: pd.DataFrame) -> pd.DataFrame:
    """Counts of runs and successes by eval of like length and AI model, with the eval's third."""
    tasks = runs.groupby("task")["human_minutes"].median().rank(method="first", pct=True)
    part = np.ceil(tasks * THIRDS * EACH).astype(int).clip(1, THIRDS * EACH)
    runs = runs.assign(part=runs["task"].map(part), success=runs["outcome"] == "success")
    counts = runs.groupby(["part", "ai_model"]).agg(
        n_runs=("success", "size"), n_success=("success", "sum")
    )
    minutes = runs.groupby("part")["human_minutes"].median().rename("human_minutes")
    counts = counts.reset_index().join(minutes, on="part")
    return counts.assign(
        eval="part " + counts["part"].astype(str), third=(counts["part"] - 1) // EACH, cap=CAP
    )


def catalogue_of(counts: pd.DataFrame) -> Catalogue:
    """One domain, its threshold at the longest of the evals."""
    minutes = counts.groupby("eval")["human_minutes"].first()
    evals = [
        {
            "name": str(name), "domain": "all", "tasks": 30, "human_minutes": float(length),
            "spend_unit": "runs", "usd_per_unit": 1, "max_cap": CAP,
        }
        for name, length in minutes.items()
    ]  # fmt: skip
    return parse_catalogue(
        {
            "portfolio": {"ai_model": str(counts["ai_model"].iloc[-1])},
            "domain": [{"name": "all", "threshold": float(np.log2(minutes.max()))}],
            "eval": evals,
        }
    )


def observed(counts: pd.DataFrame) -> Observations:
    names = ["eval", "ai_model", "cap", "n_runs", "n_success", "human_minutes"]
    return observations_of([Rows(counts[names].reset_index(drop=True), "counts")])


def shares(posterior: Posterior, row: pd.Series, rng: np.random.Generator) -> np.ndarray:
    """Draws of the share of a row's runs that succeed."""
    i, m = (posterior.index_of(axis, row[axis]) for axis in ("eval", "ai_model"))
    p = eval_curve(posterior, i, m).success_within(np.log(CAP))
    return rng.binomial(int(row["n_runs"]), np.clip(p, 0.0, 1.0)) / row["n_runs"]


def study(counts: pd.DataFrame) -> str:
    """Leave every AI model out in turn."""
    specs, rng, rows, drawn = catalogue_of(counts), np.random.default_rng(SEED), [], []
    for ai_model, own in counts.groupby("ai_model"):
        hidden = (counts["ai_model"] == ai_model) & (counts["third"] > 0)
        fits = {OURS: fit(specs, observed(counts[~hidden]), seed=SEED, **DRAWS)}
        with mock.patch.object(priors, "DISTANCE_SHARE", NO_WALK):
            fits[WITHOUT] = fit(specs, observed(counts[~hidden]), seed=SEED, **DRAWS)
        others = counts[counts["ai_model"] != ai_model]
        for _, row in own[own["third"] == THIRDS - 1].iterrows():
            there = others[others["eval"] == row["eval"]]
            won, n = int(there["n_success"].sum()), int(there["n_runs"].sum())
            seen = pd.Series(np.repeat([1.0, 0.0], [won, n - won]))
            told = {name: shares(posterior, row, rng) for name, posterior in fits.items()}
            drawn.append(told[OURS])
            told[BINOMIAL] = binomial_shares(seen, int(row["n_runs"]), rng)
            actual = row["n_success"] / row["n_runs"]
            rows += [
                {"method": name, "ai_model": ai_model, "eval": row["eval"], **judged(draws, actual)}
                for name, draws in told.items()
            ]
    found = pd.DataFrame(rows)
    luck = by_luck(found[found["method"] == OURS], np.array(drawn))
    return "\n\n".join([table(HEAD, rows_of(found)), verdict(found, OURS, beside=(WITHOUT,)), luck])


def runs_of(name: str, folder: Path) -> pd.DataFrame:
    """Return the runs of a study by name."""
    if name == "metr":
        return first_attempts(folder / "metr_runs.csv.gz")
    runs = cyber_runs(folder / "cyber_runs.csv.gz")
    return runs[runs["ai_model"] != APART]


def main(folder: Path, names: list[str]) -> None:
    """Run the studies; each writes its own section."""
    for name in names or STUDIES:
        body = study(by_length(runs_of(name, folder)))
        when = circumstances(SEED, ("evalfolio", "pymc", "nutpie", "numba", "numpy"))
        command = f"`python -m benchmarks.distance ../shared/data {name}`"
        title = f"The longest third of tasks from the shortest ({name})"
        write_section(f"distance-{name}", title, f"{body}\n\n{command}. {when}")
        print(body, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
