"""A long-run reference of the cyber fit: what its ordinary draws are held to.

python -m benchmarks.reference ../shared/data

Twelve times as many draws as a fit takes by default, from twice as many chains with smaller steps
and longer adaptation. What every reported quantity's mean and sd came to, with the Monte Carlo
errors of both, goes into `cyber_reference.csv`, which `test_reference_posteriors.py` compares an
ordinary fit with.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import arviz
import numpy as np
import pandas as pd
from benchmarks.cyber_runs import FAMILIES, cyber_runs
from benchmarks.fits import PACKAGES, catalogue_of, observed
from benchmarks.tables import circumstances

from evalbayes.model import sampling
from evalbayes.model.convergence import convergence, reported
from evalbayes.model.design import design_of
from evalbayes.model.evidence import evidence_of
from evalbayes.model.graph import build
from evalbayes.posterior.diagnostics import Diagnostics

TABLE = Path(__file__).with_name("cyber_reference.csv")
SEED = 20261130
LONG = {"draws": 12_000, "tune": 4_000, "chains": 8}
TARGET_ACCEPT = 0.95


def moments(folder: Path, seed: int, **asked: Any) -> tuple[pd.DataFrame, Diagnostics]:
    """Fit the cyber runs; return moments with Monte Carlo errors by quantity, and the gate."""
    runs = cyber_runs(folder / "cyber_runs.csv.gz")
    evidence = evidence_of(observed(runs))
    design = design_of(catalogue_of(runs, FAMILIES), evidence)
    graph = build(design, evidence)
    found = sampling.sample(sampling.compiled(graph.model), seed=seed, **asked)
    named = graph.named(**found.draws)
    names, draws = reported(design, evidence, named)
    mean, sd = draws.mean(axis=(0, 1)), draws.std(axis=(0, 1))
    squares = np.square(draws - mean)
    table = pd.DataFrame(
        {
            "mean": mean,
            "mean_error": error_of_mean(draws),
            "sd": sd,
            "sd_error": error_of_mean(squares) / (2 * sd),
        },
        index=names,
    )
    told = convergence(design, evidence, named)
    n = draws.shape[0] * draws.shape[1]
    return table, Diagnostics(told, pd.DataFrame(), found.divergences, n)


def error_of_mean(draws: Any) -> Any:
    """Return the Monte Carlo error of every mean, draws of shape (chains, draws, n)."""
    each = np.moveaxis(draws, 2, 0)
    sizes = [arviz.ess(values, method="mean") for values in each]
    return draws.std(axis=(0, 1)) / np.sqrt(sizes)


def main(folder: Path) -> None:
    sampling.TARGET_ACCEPT = TARGET_ACCEPT
    start = time.process_time()
    table, gate = moments(folder, SEED, **LONG)
    took = time.process_time() - start
    lines = (
        f"The cyber runs fitted with {LONG['chains']} chains of {LONG['draws']} draws after "
        f"{LONG['tune']} steps, target acceptance {TARGET_ACCEPT}, {took:.0f} CPU-s.",
        gate.summary(),
        f"`python -m benchmarks.reference ../shared/data`. {circumstances(SEED, PACKAGES[1:])}",
    )
    head = "".join(f"# {line}\n" for text in lines for line in text.splitlines())
    partial = TABLE.with_suffix(".partial")
    partial.write_text(head + table.to_csv(float_format="%.6g"), encoding="utf-8")
    partial.replace(TABLE)
    print(head)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
