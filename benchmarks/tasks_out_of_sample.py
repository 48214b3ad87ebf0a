"""Does the task-level model foretell what more spend brings? Three studies on the cyber runs.

Run with the folder of the public data and the parts:
python -m benchmarks.tasks_out_of_sample ../shared/data bcp
(b) all runs cut at 200k tokens, success within 2M foretold; (p) the same inside what (b) is given:
cut at 50k, success within 200k foretold; (c) fresh attempts at failed tasks with 10M tokens; (a) is
`left_out.py`. Far fewer than 100 units are independent, so coverage comes with an interval
clustered by AI model, and interval scores stand beside those of baselines. The forecast has no
constant that was chosen by what came of it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.cyber_runs import CAP, cyber_runs
from benchmarks.forecasts import HEAD, LEVELS, binomial_shares, in_worlds, judged, rows_of, verdict
from benchmarks.tables import circumstances, table, write_section
from numpy.typing import NDArray

from evalbayes.tasks import Forecast, TaskHistory, recapped

Array = NDArray[np.float64]

SEED = 1
FIT = {"seed": SEED, "draws": 1000, "tune": 500, "chains": 4}
# Cut runs say little of what is slow and what is hard: the chains need more draws to pass the gate.
OF_CUT = FIT | {"draws": 4000, "tune": 1000, "kept": 512}
LARGE = 10_000_000.0
CUTS = {"b": (200_000.0, CAP), "p": (50_000.0, 200_000.0)}  # cut at, and foretold
UNFINISHED = ("cvebench", "cybench", "cybergym", "nyuctf")  # evals in which caps bind
RERUN = "GPT-5.3 Codex"
HALVINGS = np.array([3, 2, 1, 0])  # of the cap: those through which the log-linear line goes


def drawn_of(
    forecast: Forecast, tasks: pd.DataFrame, cap: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Draw outcomes, eight for every draw of what the AI model can do."""
    probability = forecast.success(tasks, cap)
    drawn = rng.random((8, *probability.shape)) < probability
    return drawn.reshape(-1, probability.shape[1])


def beyond_the_cap(
    runs: pd.DataFrame, history: TaskHistory, small: float, large: float
) -> tuple[pd.DataFrame, Array]:
    """Foretell success within a cap from a history of runs cut at a smaller; and our draws."""
    rows, draws = [], []
    solved = recapped(runs, large)["outcome"] == "success"
    runs = runs.assign(solved=solved.astype(int), early=(solved & (runs["spend"] <= small)))
    for k, name in enumerate(history.ai_models):
        forecast = history.member(name)
        for eval_ in UNFINISHED:
            own = runs[(runs["ai_model"] == name) & (runs["eval"] == eval_)]
            rng = np.random.default_rng([SEED, k])
            shares = {
                "tasks": drawn_of(forecast, own, large, rng).mean(axis=1),
                "flat": binomial_shares(own["early"], len(own), rng),
                "log-linear": log_linear_shares(own, small, large, rng),
            }
            for method, share in shares.items():
                row = judged(share, float(own["solved"].mean()))
                row |= {"ai_model": name, "eval": eval_, "method": method}
                rows.append(row | {"early": own["early"].mean()})
            draws.append(shares["tasks"])
    return pd.DataFrame(rows), np.array(draws)


def by_luck(found: pd.DataFrame, draws: Array) -> str:
    """Say what coverage these forecasts would have in worlds that are draws of their own.

    What forecasts share through figures of AI models and evals is in such worlds; what they share
    through tasks alone is not, so coverage varies more than this says.
    """
    ours = found[found["method"] == "tasks"]
    said = []
    for level in LEVELS:
        coverage, seen = in_worlds(draws, level), ours[f"covered{level}"].mean()
        low, high = np.quantile(coverage, [0.025, 0.975])
        fewer = (coverage <= seen).mean()
        said.append(
            f"{level:.0%} intervals cover between {low:.2f} and {high:.2f} in 95 % of them, and no "
            f"more than the {seen:.2f} seen in {fewer:.0%}"
        )
    return (
        f"Forecasts of an AI model err together, and those on an eval too, so {len(ours)} of them "
        "tell as much as far fewer. In worlds drawn from the fit itself, where intervals are right "
        f"by construction, {'; '.join(said)}."
    )


def by_eval(found: pd.DataFrame) -> str:
    """Table of our forecasts by eval."""
    ours = found[found["method"] == "tasks"]
    rows = [
        [str(name), *(f"{own[f'covered{level}'].mean():.2f}" for level in LEVELS)]
        + [f"{own[column].mean():.3f}" for column in ("early", "actual")]
        + [f"{own['error'].mean():+.3f}", f"{own['score0.9'].mean():.3f}"]
        for name, own in ours.groupby("eval")
    ]
    head = ("", "50 % covered", "90 % covered", "solved early", "in the end", "bias", "score")
    return table(head, rows)


def log_linear_shares(
    own: pd.DataFrame, small: float, large: float, rng: np.random.Generator
) -> Array:
    """Shares on a line through those at smaller caps against ln cap; tasks are resampled."""
    caps = small / 2.0**HALVINGS
    solved = (own["success"] == 1).to_numpy()[:, None]
    within = solved & (own["spend"].to_numpy()[:, None] <= caps)
    picks = rng.integers(0, len(own), (4000, len(own)))
    shares = within[picks].mean(axis=1)
    x = np.log(caps) - np.log(caps).mean()
    slope = shares @ x / (x @ x)
    at = shares.mean(axis=1) + slope * (np.log(large) - np.log(caps).mean())
    return np.clip(at, 0.0, 1.0)


def reruns(history: TaskHistory, again: pd.DataFrame) -> list[list[str]]:
    """Foretell fresh attempts at failed tasks, by eval."""
    forecast = history.member(RERUN)
    rng = np.random.default_rng(SEED)
    fresh = forecast.outcomes(again, LARGE, rng, fresh=True)
    goes_on = forecast.outcomes(again, LARGE, rng)
    alike = without_task_effects(forecast, again, rng)
    rows = []
    for eval_, part in [("all", again), *again.groupby("eval")]:
        at = part.index.to_numpy()
        counts = [drawn[:, at].sum(axis=1) for drawn in (fresh, goes_on, alike)]
        rows.append(
            [str(eval_), str(len(at)), str(int(part["success"].sum())), *map(in_words, counts)]
        )
    return rows


def without_task_effects(
    forecast: Forecast, again: pd.DataFrame, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Outcomes if failed tasks were like any other: share at 10M of tasks drawn anew."""
    known, at = forecast.known.holding(again)
    probability = np.empty((forecast.n_draws, len(at)))
    every = np.arange(len(known.table))
    for i in np.unique(known.table.eval_of[at]):
        tasks = every[known.table.eval_of == i]
        share = forecast.success(tasks, LARGE, fresh=True).mean(axis=1, keepdims=True)
        probability[:, known.table.eval_of[at] == i] = share
    return rng.random(probability.shape) < probability


def in_words(counts: NDArray[np.int64]) -> str:
    low, high = np.quantile(counts, [0.05, 0.95])
    return f"{counts.mean():.1f} [{low:.0f}, {high:.0f}]"


def part_b(runs: pd.DataFrame, small: float, large: float) -> str:
    title = f"Success within {large:,.0f} tokens from all runs cut at {small:,.0f}, four evals:"
    history = TaskHistory.fit(recapped(runs, small), **OF_CUT)
    found, draws = beyond_the_cap(runs, history, small, large)
    return "\n\n".join(
        [
            title,
            table(HEAD, rows_of(found)),
            verdict(found, "tasks"),
            by_luck(found, draws),
            "By eval:",
            by_eval(found),
            converged(history, OF_CUT),
        ]
    )


def part_c(runs: pd.DataFrame, again: pd.DataFrame) -> str:
    head = ("eval", "reruns", "solved", "fresh attempt", "had the run gone on", "tasks alike")
    title = f"{RERUN}, failed tasks again with {LARGE:,.0f} tokens: solved, and foretold [90 %]:"
    history = TaskHistory.fit(runs, **FIT)
    return f"{title}\n\n{table(head, reruns(history, again))}\n\n{converged(history, FIT)}"


def converged(history: TaskHistory, asked: dict[str, int]) -> str:
    told = history.diagnostics.quantities
    return (
        f"{asked['chains']} chains of {asked['draws']} draws, {len(told)} quantities: "
        f"R-hat at most {told['r_hat'].max():.3f}, effective sample size at least "
        f"{told['ess_bulk'].min():.0f} (bulk) and {told['ess_tail'].min():.0f} (tail), "
        f"{history.diagnostics.divergences} divergences. "
        f"The gate is {'passed' if history.diagnostics.passed else '**failed**'}."
    )


def main(folder: Path, parts: str = "bcp") -> None:
    """Run parts of the study; each writes its own section."""
    runs = cyber_runs(folder / "cyber_runs.csv.gz")
    again = cyber_runs(folder / "cyber_rerun_10m.csv").reset_index(drop=True)
    studies = {
        "b": ("beyond the cap", lambda: part_b(runs, *CUTS["b"])),
        "p": ("the same, earlier", lambda: part_b(runs, *CUTS["p"])),
        "c": ("reruns", lambda: part_c(runs, again)),
    }
    for part in parts:
        title, study = studies[part]
        body = study()
        when = circumstances(SEED, ("evalfolio", "pymc", "nutpie", "numba", "numpy"))
        command = f"`python -m benchmarks.tasks_out_of_sample ../shared/data {part}`"
        body = f"{body}\n\n{command}. {when}"
        write_section(f"tasks-{part}", f"Task-level forecasts ({part}): {title}", body)
        print(body)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "bcp")
