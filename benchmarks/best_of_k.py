"""Does best-of-k fitted on some of each task's attempts predict the tasks solved in all of them?

Run with the folder of the public data: python -m benchmarks.best_of_k ../shared/data [splits]; it
writes the section "best of k" of benchmarks/README.md. A half, and then a quarter, of METR's
attempts are seen. Units are AI models (eight: far fewer than 100), so coverage comes with an
interval clustered by AI model, and errors and interval scores stand beside those of the naive
rules. METR's answers cannot be guessed: what guessing does is shown in 400 worlds of which the
truth is known, each an independent unit, 4 attempts seen and 16 foretold.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.forecasts import HEAD, clustered, judged, rows_of
from benchmarks.tables import circumstances, table, write_section
from numpy.typing import NDArray
from scipy.special import betaln, expit

from evalbayes.repeats import BestOfK, fit_best_of_k
from evalbayes.repeats.best_of_k import FLOOR_PRIOR, FLOORS, PRIOR_MEAN, PRIOR_SD

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]

SEED = 0
LEVEL = 0.9
WORLDS, TASKS, SEEN, FORETOLD = 400, 40, 4, 16
BUCKETS = [0.0, 4.0, 16.0, 60.0, 240.0, np.inf]
SPLITS, DRAWS = 20, 400
PARTS = {2: "half", 4: "a quarter"}
LABELS = {
    "model": "zero-inflated beta-binomial",
    "naive": "1 − (1 − p)^k, one p",
    "by_task": "1 − (1 − p)^k, p by task",
}
NAMES = ["to 4 min", "to 16 min", "to 1 h", "to 4 h", "above 4 h"]


def interval_score(low: float, high: float, seen: float) -> float:
    miss = max(low - seen, 0.0) + max(seen - high, 0.0)
    return high - low + 2.0 / (1.0 - LEVEL) * miss


def still_unsolved(
    fitted: BestOfK, attempts: Counts, total: Counts, x: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """P(a task unsolved in `attempts` is unsolved in `total`), of shape (n_draws, n_tasks)."""
    a, b = fitted.shapes(np.zeros(len(attempts)) + fitted.x_mean if x is None else x)
    never, wrong = fitted.never[:, None], fitted.wrong[:, None]
    late, soon = (
        wrong**k * (never + (1.0 - never) * np.exp(betaln(a, b + k) - betaln(a, b)))
        for k in (total, attempts)
    )
    return np.asarray(late / soon)


def solved_in(
    fitted: BestOfK,
    attempts: Counts,
    successes: Counts,
    total: Counts,
    x: NDArray[np.float64] | None = None,
    *,
    seed: int = 0,
) -> Mask:
    """Draw which tasks are solved once each has had `total` attempts, (n_draws, n_tasks)."""
    missed = still_unsolved(fitted, attempts, total, x)
    return (successes > 0) | (np.random.default_rng(seed).random(missed.shape) > missed)


def one_split(
    tasks: pd.DataFrame, part: int, rng: np.random.Generator, seed: int
) -> list[dict[str, object]]:
    """A part of each task's attempts is kept at random; the solved share in all is foretold."""
    total = tasks["n"].to_numpy()
    half = (total + rng.integers(0, part, len(total)) * (total % part > 0)) // part
    seen = rng.hypergeometric(tasks["k"], total - tasks["k"], half)
    x = np.log2(tasks["human_minutes"].to_numpy(float))
    fitted = fit_best_of_k(half, seen, x, seed=seed, n_draws=DRAWS)
    drawn = solved_in(fitted, half, seen, total, x, seed=seed)
    naive_draws = naive(half, seen, total, rng)
    task_draws = by_task(half, seen, total, rng)
    truth = (tasks["k"] > 0).to_numpy()
    groups = [("AI model", "all", np.ones(len(tasks), bool))]
    groups += [("length", name, (tasks["bucket"] == name).to_numpy()) for name in NAMES]
    rows: list[dict[str, object]] = []
    for kind, name, at in groups:
        if at.sum() < 3:
            continue
        actual = truth[at].mean()
        row: dict[str, object] = {"kind": kind, "bucket": name, "tasks": int(at.sum())}
        for label, draws in (
            ("model", drawn[:, at]),
            ("naive", naive_draws(at)),
            ("by_task", task_draws[:, at]),
        ):
            share = draws.mean(axis=1)
            low, high = np.quantile(share, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
            # Shares are discrete: the chance that a share drawn below or at the truth is the truth
            # is split at random, so that a calibrated forecast covers exactly the nominal level.
            below, equal = (share < actual - 1e-9).mean(), (np.abs(share - actual) < 1e-9).mean()
            place = below + rng.random() * equal
            row[f"{label}_error"] = share.mean() - actual
            row[f"{label}_covered"] = low - 1e-9 <= actual <= high + 1e-9
            row[f"{label}_placed"] = (1 - LEVEL) / 2 <= place <= (1 + LEVEL) / 2
            row[f"{label}_score"] = interval_score(low, high, actual)
        rows.append(row)
    return rows


def naive(
    half: Counts, seen: Counts, total: Counts, rng: np.random.Generator
) -> Callable[[Mask], Mask]:
    """1 − (1 − p)^k with one p for the tasks of a group, p from a Beta(½, ½) posterior."""

    def draws(at: Mask) -> Mask:
        n, k = half[at].sum(), seen[at].sum()
        p = rng.beta(k + 0.5, n - k + 0.5, 1000)[:, None]
        solved: Mask = rng.random((1000, int(at.sum()))) < 1.0 - (1.0 - p) ** total[at]
        return solved

    return draws


def by_task(half: Counts, seen: Counts, total: Counts, rng: np.random.Generator) -> Mask:
    """1 − (1 − p)^k with each task's own p from a Beta(½, ½) posterior; solved stays solved."""
    p = rng.beta(seen + 0.5, half - seen + 0.5, (1000, len(seen)))
    again: Mask = rng.random(p.shape) < 1.0 - (1.0 - p) ** (total - half)
    return (seen > 0) | again


def study(folder: Path, splits: int = SPLITS, part: int = 2) -> pd.DataFrame:
    runs = pd.read_csv(folder / "metr_runs.csv.gz")
    tasks = (
        runs.groupby(["ai_model", "task"])
        .agg(n=("success", "size"), k=("success", "sum"), human_minutes=("human_minutes", "first"))
        .reset_index()
    )
    tasks = tasks[tasks["n"] >= part]
    tasks["bucket"] = pd.cut(tasks["human_minutes"], BUCKETS, labels=NAMES).astype(str)
    rows = []
    for split in range(splits):
        for i, (name, own) in enumerate(tasks.groupby("ai_model")):
            rng = np.random.default_rng([split, i])
            rows += [
                {"ai_model": name, "split": split} | row for row in one_split(own, part, rng, split)
            ]
    return pd.DataFrame(rows)


def report(found: pd.DataFrame) -> str:
    """Coverage, errors and scores as a Markdown table, one row per way to foretell and grouping."""
    rows = []
    for kind, own in found.groupby("kind"):
        for label, words in LABELS.items():
            mean, low, high = clustered(own[f"{label}_placed"].astype(float), own["ai_model"])
            error = own[f"{label}_error"].astype(float)
            rows.append(
                [
                    f"by {kind} ({len(own)} forecasts)",
                    words,
                    f"{mean:.2f} [{low:.2f}, {high:.2f}]",
                    f"{error.abs().mean():.3f}",
                    f"{error.mean():+.3f}",
                    f"{own[f'{label}_score'].astype(float).mean():.3f}",
                ]
            )
    head = ["solved share", "foretold by", "coverage of 90 %", "absolute error", "bias", "score"]
    return table(head, rows)


def details(found: pd.DataFrame) -> str:
    """Error and coverage of the model by AI model and by length of tasks."""
    rows = []
    for column in ("ai_model", "bucket"):
        own = found[found["kind"] == ("AI model" if column == "ai_model" else "length")]
        for name, part in own.groupby(column):
            rows.append(
                [
                    str(name),
                    f"{part['model_placed'].mean():.2f}",
                    f"{part['model_error'].astype(float).mean():+.3f}",
                    f"{part['naive_error'].astype(float).mean():+.3f}",
                    f"{part['by_task_error'].astype(float).mean():+.3f}",
                ]
            )
    return table(["", "coverage", "bias", "bias with one p", "bias with p by task"], rows)


def worlds(mixed: bool, n: int = WORLDS) -> pd.DataFrame:
    """Foretell the tasks solved in 16 attempts from 4, truths drawn from the prior.

    A guess is right once in four, or as often as floors are likely before any count.
    """
    rows = []
    for world in range(n):
        rng = np.random.default_rng([SEED, int(mixed), world])
        logit_never, centre, ln_concentration = PRIOR_MEAN[:3] + PRIOR_SD[:3] * rng.normal(size=3)
        guessing = rng.choice(FLOORS, p=FLOOR_PRIOR) if mixed else 0.25
        mean, whole = expit(centre), np.exp(ln_concentration)
        p = rng.beta(mean * whole, (1.0 - mean) * whole, TASKS)
        p = guessing + (1.0 - guessing) * p * (rng.random(TASKS) >= expit(logit_never))
        seen = rng.binomial(SEEN, p)
        actual = ((seen > 0) | (rng.binomial(FORETOLD - SEEN, p) > 0)).mean()
        before, after = np.full(TASKS, SEEN), np.full(TASKS, FORETOLD)
        stated = {"guessing stated": guessing, "guessing estimated": None, "no guessing": 0.0}
        for method, told in stated.items():
            fitted = fit_best_of_k(before, seen, guessing=told, seed=world, n_draws=DRAWS)
            drawn = solved_in(fitted, before, seen, after, seed=world).mean(axis=1)
            rows.append({"ai_model": world, "method": method} | judged(drawn, float(actual)))
    return pd.DataFrame(rows)


def body(folder: Path, splits: int) -> str:
    parts = []
    for part, words in PARTS.items():
        found = study(folder, splits, part)
        parts += [
            f"METR's runs of early 2025 (`metr_runs.csv.gz`, {found['ai_model'].nunique()} AI "
            f"models): {splits} random splits of every task's attempts, fitted to {words}, "
            "foretelling the share of tasks solved in all of them. Coverage splits ties at "
            "random, its 95 % interval is clustered by AI model; score is the mean interval score "
            "of the 90 % interval (smaller is better).",
            report(found),
            "By AI model and by length of tasks:",
            details(found),
        ]
    head = tuple("worlds" if cell == "AI models" else cell for cell in HEAD)
    for mixed, words in ((False, "a guess is right once in four"), (True, "guesses as the prior")):
        parts += [
            f"{WORLDS} worlds with truths from the prior, {words}: the share of {TASKS} tasks "
            f"solved in {FORETOLD} attempts, from {SEEN}:",
            table(head, rows_of(worlds(mixed))),
        ]
    return "\n\n".join(parts)


if __name__ == "__main__":
    text = body(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else SPLITS)
    when = circumstances(SEED, ["evalfolio", "numpy", "scipy", "pandas"])
    text = f"{text}\n\n`python -m benchmarks.best_of_k ../shared/data`. {when}"
    write_section("best of k", "Best of k foretold", text)
    print(text)
