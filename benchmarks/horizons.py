"""Does a horizon's interval hold? Split halves of METR's tasks, and worlds with known truth.

python -m benchmarks.horizons ../shared/data

Tasks of every AI model are split at random into halves (20 times). The curve of one half foretells
the most probable horizon that the other shows, at the lengths of its tasks; every method has the
same to foretell, and what tasks scatter is in the forecast. Eight AI models are eight independent
units, so coverage is clustered by AI model. Halves of the families show what an interval for more
tasks of the same evals does not hold. Then 300 worlds with truths drawn from the prior, each an
independent unit. Baselines: runs taken as independent (how `horizons` was), and METR's bootstrap of
families, tasks and runs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.forecasts import HEAD, judged, rows_of, verdict
from benchmarks.tables import circumstances, table, write_section
from numpy.typing import NDArray
from scipy.special import expit

from evalbayes.horizons import Horizon, fit_horizon
from evalbayes.horizons.horizon import LEVEL_SD, SLOPE_MEAN_LN, SLOPE_SD_LN, most_probable
from evalbayes.horizons.of_runs import task_weights

Array = NDArray[np.float64]

SEED = 1
SPLITS, WORLDS = 20, 300
RESAMPLES = 1000  # of METR's bootstrap
OURS, RUNS, METR = "evalbayes", "runs as independent", "METR's bootstrap"
LOGITS = (1.0, 3.0)  # between tasks of one length in simulated worlds, sd


def told(own: pd.DataFrame, method: str, seed: int) -> tuple[Horizon, float]:
    """Horizon by one method, and the scatter of tasks' shares about it (0: of single runs)."""
    minutes, success = own["human_minutes"].to_numpy(float), own["success"].to_numpy(float)
    if method == RUNS:
        return fit_horizon(minutes, success, seed=seed), 0.0
    if method == METR:
        return bootstrapped(own, np.random.default_rng(seed)), 1.0
    of = {"tasks": own["task"].to_numpy(), "evals": own["eval"].to_numpy()}
    found = fit_horizon(minutes, success, task_weights(own), **of, seed=seed)
    return found, found.scatter


def bootstrapped(own: pd.DataFrame, rng: np.random.Generator) -> Horizon:
    """Most probable curves of what METR's bootstrap draws."""
    return Horizon(*most_probable(*resampled(own, rng)))


def resampled(own: pd.DataFrame, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Families, then their tasks, then their runs drawn anew: log2 minutes, shares and weights."""
    tasks, family, size = by_task(own)
    times = rng.multinomial(len(size), np.full(len(size), 1.0 / len(size)), RESAMPLES)
    counts = np.zeros((RESAMPLES, len(tasks)))
    for f in range(len(size)):  # every time a family is drawn, its tasks are drawn anew
        at = np.flatnonzero(family == f)
        counts[:, at] = rng.multinomial(times[:, f] * size[f], np.full(size[f], 1.0 / size[f]))
    drawn = rng.binomial(tasks["n"], tasks["share"], counts.shape) / tasks["n"].to_numpy()
    return tasks["x"].to_numpy(), drawn, counts / np.sqrt(size[family])


def by_task(own: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.int64], NDArray[np.int64]]:
    """Number of runs, share solved and log2 minutes by task; family of each, and their sizes."""
    tasks = own.groupby(["eval", "task"], as_index=False).agg(
        n=("success", "size"), share=("success", "mean"), minutes=("human_minutes", "first")
    )
    family = pd.factorize(tasks["eval"])[0]
    return tasks.assign(x=np.log2(tasks["minutes"])), family, np.bincount(family)


def shown(own: pd.DataFrame) -> float:
    """log2 of the most probable 50 % horizon in minutes."""
    tasks, family, size = by_task(own)
    figures = (tasks["x"].to_numpy(), tasks["share"].to_numpy(), 1.0 / np.sqrt(size[family]))
    return float(most_probable(*figures)[0])


def foretold(found: Horizon, scatter: float, own: pd.DataFrame, rng: np.random.Generator) -> Array:
    """Draws of what tasks will show: shares at their lengths, and the curve through those."""
    tasks, family, size = by_task(own)
    x, n = tasks["x"].to_numpy(), tasks["n"].to_numpy()
    p = expit(found.slope[:, None] * (found.level[:, None] - x))
    if scatter == 0.0:
        share = rng.binomial(n, p) / n
    elif scatter == 1.0:
        share = (rng.random(p.shape) < p).astype(float)
    else:  # beta shares with the variance of scatter·p·(1 − p)
        a, b = (np.maximum(part * (1.0 / scatter - 1.0), 1e-9) for part in (p, 1.0 - p))
        share = np.nan_to_num(rng.beta(a, b), nan=0.0)
    return most_probable(x, share, 1.0 / np.sqrt(size[family]))[0]


def halves(runs: pd.DataFrame, by: str) -> pd.DataFrame:
    """Foretell one half of the tasks, or of their families, from the other."""
    rows = []
    for k, (name, own) in enumerate(runs.groupby("ai_model")):
        units = own[by].unique()
        for split in range(SPLITS):
            rng = np.random.default_rng([SEED, split, k])
            chosen = rng.permutation(units)[: len(units) // 2]
            part, rest = own[own[by].isin(chosen)], own[~own[by].isin(chosen)]
            for method in (OURS, RUNS, METR):
                drawn = foretold(*told(part, method, split), rest, rng)
                rows.append({"ai_model": name, "method": method} | judged(drawn, shown(rest)))
    return pd.DataFrame(rows)


def worlds(n: int = WORLDS) -> pd.DataFrame:
    """Foretell truths drawn from the prior from 1 to 10 attempts at 40 tasks of 20 families."""
    rows = []
    for k in range(n):
        rng = np.random.default_rng([SEED, k])
        x = rng.uniform(0.0, 10.0, 40)
        level = np.median(x) + LEVEL_SD * rng.standard_normal()
        slope = np.exp(SLOPE_MEAN_LN + SLOPE_SD_LN * rng.standard_normal())
        # tasks of one length differ; the curve over tasks keeps its level, and its slope by the
        # probit approximation
        sd = rng.uniform(*LOGITS)
        steeper = slope * np.sqrt(1.0 + np.pi * sd**2 / 8.0)
        p = expit(steeper * (level - x) + sd * rng.standard_normal(40))
        attempts = rng.integers(1, 11, 40)
        of = np.repeat(np.arange(40), attempts)
        own = pd.DataFrame(
            {
                "eval": of // 2, "task": of, "human_minutes": 2.0 ** x[of],
                "success": (rng.random(len(of)) < p[of]).astype(float),
            }
        )  # fmt: skip
        for method in (OURS, RUNS):
            row = judged(told(own, method, k)[0].level, level)
            rows.append({"ai_model": k, "method": method} | row)
    return pd.DataFrame(rows)


def body(runs: pd.DataFrame) -> str:
    parts = []
    for by, words in (("task", "tasks"), ("eval", "families of tasks")):
        found = halves(runs, by)
        parts += [
            f"METR's runs (`metr_runs.csv.gz`), {SPLITS} random halves of the {words} of every AI "
            "model: the 50 % horizon in doublings that the other half shows:",
            table(HEAD, rows_of(found)),
            verdict(found, OURS),
        ]
    found = worlds()
    head = tuple("worlds" if cell == "AI models" else cell for cell in HEAD)
    parts += [
        f"{WORLDS} worlds with truths from the prior, 40 tasks of 20 families, 1 to 10 attempts "
        "at each, tasks of one length 1 to 3 logits apart:",
        table(head, rows_of(found)),
    ]
    return "\n\n".join(parts)


def main(folder: Path) -> None:
    """Run the study and write its section."""
    text = body(pd.read_csv(folder / "metr_runs.csv.gz"))
    when = circumstances(SEED, ("evalfolio", "numpy", "scipy", "pandas"))
    text = f"{text}\n\n`python -m benchmarks.horizons ../shared/data`. {when}"
    write_section("horizons", "Horizons of half the tasks", text)
    print(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
