"""Paired runs: what elicitation, or best-of-k, added on the same eval by the same AI model."""

import numpy as np
import pandas as pd
from scipy.special import logit

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue
from evalbayes.observations import Observations
from evalbayes.posterior.posterior import Posterior
from evalbayes.repeats.best_of_k import fit_best_of_k

PAIR = ["eval", "ai_model"]
COLUMNS = [
    *("domain", "eval", "ai_model", "kind", "effort"),
    *("runs", "share", "elicited_runs", "elicited_share"),
    *("gain", "gain_low", "gain_high"),
]
TOLD = (*COLUMNS[1:-3], "draws")  # of a pair, before its gain and domain are
FEWEST = 5  # tasks with repeats
DRAWS = 2000
LOW, HIGH = 0.05, 0.95


def paired_gains(
    observations: Observations,
    catalogue: Catalogue,
    posterior: Posterior | None = None,
    *,
    seed: int = 0,
) -> pd.DataFrame:
    """Return what was gained in every pair, in logits, or in the domain's unit with a posterior.

    One row per pair. kind is "elicited" (runs at an effort above 0 beside runs as they come) or
    "best of k" (all attempts at a task beside single ones, where tasks can be reset and successes
    verified). gain, with a 90 % interval, is logit elicited − logit standard, each share from a
    Beta(½ + successes, ½ + failures); with a posterior over the slope of the AI model, in logits
    per unit. It is e·δ for elicited runs: over the effort it is the gap. Pairs at different caps
    are left out.
    """
    rng = np.random.default_rng(seed)
    keys = [*PAIR, "cap", "effort"]
    runs, cells, counts = observations.runs, observations.cells, observations.counts
    ended = cells[["n_success", "n_gave_up", "n_stopped"]]
    parts = [
        runs.assign(n=1, k=runs["outcome"] == "success"),
        cells.assign(n=ended.sum(axis=1), k=cells["n_success"]),
        counts.assign(n=counts["n_runs"], k=counts["n_success"]),
    ]
    whole = pd.concat([part[[*keys, "n", "k"]] for part in parts])
    whole = whole.astype({"cap": float, "effort": float, "n": float, "k": float})
    whole["effort"] = whole["effort"].fillna(0.0)
    table = whole.groupby(keys, as_index=False)[["n", "k"]].sum()
    rows = []
    for (name, ai_model, _), own in table.groupby([*PAIR, "cap"]):
        plain, deep = own[own["effort"] == 0], own[own["effort"] > 0]
        for _, seen in deep.iterrows() if len(plain) else ():
            n, k = int(plain["n"].sum()), int(plain["k"].sum())
            before, after = _beta(n, k, rng), _beta(seen["n"], seen["k"], rng)
            plainly, deeply = (n, k / n), (int(seen["n"]), seen["k"] / seen["n"])
            draws = logit(after) - logit(before)
            told = (name, ai_model, "elicited", seen["effort"], *plainly, *deeply, draws)
            rows.append(dict(zip(TOLD, told, strict=True)))
    rows += _best_of_k(observations, catalogue, seed)
    for row in rows:
        row["domain"] = catalogue.eval(row["eval"]).domain
        draws = row.pop("draws")
        if posterior is not None:
            m = posterior.index_of("ai_model", row["ai_model"])
            slope = posterior.in_unit_of(posterior.index_of("eval", row["eval"]), "slope")[:, m]
            draws = draws / rng.permutation(np.resize(slope, len(draws)))
        row["gain"], row["gain_low"], row["gain_high"] = np.quantile(draws, (0.5, LOW, HIGH))
    return pd.DataFrame(rows, columns=COLUMNS)


def _best_of_k(
    observations: Observations, catalogue: Catalogue, seed: int
) -> list[dict[str, object]]:
    """Compare single attempts with all at a task, by the zero-inflated beta-binomial."""
    runs = observations.runs
    fair = {spec.name: spec for spec in catalogue.evals if spec.verifier and spec.resettable > 0}
    plain = runs[(runs["effort"].astype(float).fillna(0.0) == 0) & runs["eval"].isin(list(fair))]
    rows: list[dict[str, object]] = []
    for (name, ai_model), own in plain.groupby(PAIR):
        tasks = (own["outcome"] == "success").groupby(own["task"]).agg(["size", "sum"])
        repeated = tasks[tasks["size"] > 1]
        if len(repeated) < FEWEST:
            continue
        k = int(repeated["size"].median())
        found = fit_best_of_k(
            tasks["size"].to_numpy(),
            tasks["sum"].to_numpy(),
            guessing=fair[str(name)].guessing,
            seed=seed,
            n_draws=DRAWS,
        )
        shares = np.clip(found.pass_at(np.array([1, k])), 1e-6, 1.0 - 1e-6)
        plainly = int(tasks["size"].sum()), float(tasks["sum"].sum() / tasks["size"].sum())
        deeply = len(repeated), float((repeated["sum"] > 0).mean())
        draws = np.diff(logit(shares), axis=1)[:, 0]
        told: tuple[object, ...] = (
            name,
            ai_model,
            f"best of {k}",
            np.nan,
            *plainly,
            *deeply,
            draws,
        )
        rows.append(dict(zip(TOLD, told, strict=True)))
    return rows


def _beta(n: float, k: float, rng: np.random.Generator) -> Array:
    return np.clip(rng.beta(k + 0.5, n - k + 0.5, DRAWS), 1e-9, 1.0 - 1e-9)
