"""Does the response model foretell an AI model it has not seen? Out-of-sample study (a).

python -m benchmarks.left_out ../shared/data

Each AI model of the cyber runs is left out in turn, without its release date. Of its tasks a random
fifth of every eval is then seen (20 draws), and the share solved among the other four fifths is
foretold, beside a binomial of the fifth alone and the population of the other AI models alone. The
fifth on which least was spent is shown as the warning that it is. Intervals are predictive; nine AI
models are nine independent units, so coverage is clustered by AI model.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.cyber_runs import APART, cyber_runs
from benchmarks.forecasts import HEAD, binomial_shares, judged, rows_of, verdict
from benchmarks.tables import circumstances, table, write_section
from numpy.typing import NDArray

from evalbayes.responses import Newcomer, Population, fit_history

Array = NDArray[np.float64]

SEED = 1
SHARE, SPLITS = 0.2, 20
DRAWS, OUTCOMES = 400, 8  # of the history, and of the outcomes in each
ALL = "all evals"


def random_part(own: pd.DataFrame, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Choose a fifth of the tasks of every eval at random."""
    return smallest(own, pd.Series(rng.random(len(own)), own.index))


def cheapest_part(own: pd.DataFrame) -> NDArray[np.bool_]:
    """Choose the fifth of the tasks of every eval on which least was spent."""
    return smallest(own, own["spend"].astype(float))


def smallest(own: pd.DataFrame, by: pd.Series) -> NDArray[np.bool_]:
    order = by.groupby(own["eval"]).rank(method="first")
    size = own.groupby("eval")["task"].transform("size")
    return (order <= np.maximum(np.round(SHARE * size), 1)).to_numpy()


def left_out(runs: pd.DataFrame, names: Iterable[str] = (), splits: int = SPLITS) -> pd.DataFrame:
    """Foretell the share solved among tasks not seen: AI models × splits × methods × evals."""
    rows = []
    for name in names or sorted(runs["ai_model"].unique()):
        own = runs[runs["ai_model"] == name].reset_index(drop=True)
        others = runs[runs["ai_model"] != name]
        history = fit_history(others, seed=SEED, draws=DRAWS, tasks=own)
        for split in range(splits):
            rng = np.random.default_rng([SEED, split])
            seen = random_part(own, rng)
            found = foretold(history, own, seen, split, rng)
            found["the population alone"] = drawn_of(
                Newcomer.inferred(history, None), own[~seen], rng
            )
            rows += scored(found, name, own, seen, rng, "random")
        rng = np.random.default_rng([SEED, SPLITS])
        seen = cheapest_part(own)
        rows += scored(foretold(history, own, seen, SPLITS, rng), name, own, seen, rng, "cheapest")
        print(name, f"{time.process_time():.0f} CPU-s", flush=True)
    return pd.DataFrame(rows)


def foretold(
    history: Population,
    own: pd.DataFrame,
    seen: NDArray[np.bool_],
    seed: int,
    rng: np.random.Generator,
) -> dict[str, NDArray[np.bool_]]:
    """Outcomes on the tasks not seen, given those seen."""
    newcomer = Newcomer.inferred(history, own[seen], seed)
    return {"evalbayes": drawn_of(newcomer, own[~seen], rng)}


def drawn_of(
    newcomer: Newcomer, tasks: pd.DataFrame, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Outcomes of tasks, (DRAWS × OUTCOMES, n_tasks)."""
    return np.concatenate([newcomer.completions(tasks, rng) for _ in range(OUTCOMES)])


def scored(
    found: dict[str, NDArray[np.bool_]],
    name: str,
    own: pd.DataFrame,
    seen: NDArray[np.bool_],
    rng: np.random.Generator,
    part: str,
) -> list[dict[str, object]]:
    """Judge every method on every eval, and on all evals together."""
    rest = own[~seen].reset_index(drop=True)
    rows: list[dict[str, object]] = []
    alone: list[Array] = []
    of: list[int] = []
    for eval_, tasks in [*rest.groupby("eval"), (ALL, rest)]:
        shares = {method: drawn[:, tasks.index].mean(axis=1) for method, drawn in found.items()}
        if eval_ == ALL:
            shares["the fifth alone"] = np.average(alone, axis=0, weights=of)
        else:
            fifth = own.loc[seen & (own["eval"] == eval_).to_numpy(), "success"]
            shares["the fifth alone"] = binomial_shares(fifth, len(tasks), rng)
            alone.append(shares["the fifth alone"])
            of.append(len(tasks))
        for method, share in shares.items():
            row = judged(share, float(tasks["success"].mean()))
            rows.append({"ai_model": name, "eval": eval_, "part": part, "method": method} | row)
    return rows


def by(found: pd.DataFrame, key: str) -> str:
    """Table of our forecasts by eval or AI model, with the scores of the baselines."""
    rows = []
    for name, part in found.groupby(key, sort=True):
        ours = part[part["method"] == "evalbayes"]
        scores = part.groupby("method", sort=False)["score0.9"].mean()
        cells = [f"{ours[c].mean():.2f}" for c in ("covered0.5", "covered0.9")]
        rows.append(
            [str(name), *cells, f"{ours['error'].mean():+.3f}"]
            + [f"{scores[m]:.3f}" for m in ("evalbayes", "the fifth alone", "the population alone")]
        )
    head = ("", "50 % covered", "90 % covered", "bias", "score", "fifth alone", "population alone")
    return table(head, rows)


def body(found: pd.DataFrame) -> str:
    main, apart = found[found["ai_model"] != APART], found[found["ai_model"] == APART]
    random = main[main["part"] == "random"]
    each, whole = random[random["eval"] != ALL], random[random["eval"] == ALL]
    cheapest = main[(main["part"] == "cheapest") & (main["eval"] != ALL)]
    apart = apart[(apart["part"] == "random") & (apart["eval"] != ALL)]
    return "\n\n".join(
        [
            "Share solved on the four fifths of an eval's tasks not seen, each AI model left out "
            f"in turn, {SPLITS} random fifths seen:",
            table(HEAD, rows_of(each)),
            verdict(each, "evalbayes"),
            "The share over all seven evals together:",
            table(HEAD, rows_of(whole)),
            "**Warning.** The same with the *cheapest* fifth instead of a random one (those tasks "
            "are cheap because they are easy, in ways that their human time does not tell):",
            table(HEAD, rows_of(cheapest)),
            f"{APART}, apart, as it ran half of the tasks and not a random half (one AI model: "
            "the interval says nothing):",
            table(HEAD, rows_of(apart)),
            "By eval, random fifths:",
            by(each, "eval"),
            "By AI model, random fifths:",
            by(each, "ai_model"),
        ]
    )


def main(folder: Path) -> None:
    """Run the study and write its section."""
    start = time.process_time()
    found = left_out(cyber_runs(folder / "cyber_runs.csv.gz"))
    cpu = time.process_time() - start
    when = circumstances(SEED, ("evalfolio", "numpy", "scipy", "pandas"))
    text = (
        f"{body(found)}\n\n`python -m benchmarks.left_out ../shared/data`, {cpu:.0f} CPU-s. {when}"
    )
    write_section("left-out", "Out of sample (a): AI models left out", text)
    print(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
