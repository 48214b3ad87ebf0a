"""What a back-test measures, with bootstrap intervals clustered by AI model, and what it shows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.arrays import Array

RESAMPLES = 2000
FEWEST = 5  # AI models below which they say nothing of how far AI models differ
INTERVAL = (0.025, 0.975)
EXACT = 1e-3  # doublings: errors below it are none
LEVEL = 0.9  # of the intervals that are scored


def scored(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the trials with what each scores.

    Adds error and squared error of the horizon (doublings), whether the 50 % and 90 % intervals
    hold it, the interval score (Gneiting & Raftery 2007: width + 2/α·miss), mean loss of the calls
    over thresholds and the value realised, the loss saved against calls made without any run; and
    means of that loss, of what it was expected to be (EVPI), and of the value promised.
    """
    found = trials.copy()
    truth = found["truth"]
    found["error"] = found["median"] - truth
    found["squared"] = found["error"] ** 2
    found["absolute"] = found["error"].abs()
    found["held_50"] = (found["quarter"] <= truth) & (truth <= found["three_quarters"])
    found["held_90"] = (found["low"] <= truth) & (truth <= found["high"])
    miss = np.maximum(found["low"] - truth, 0.0) + np.maximum(truth - found["high"], 0.0)
    found["interval_score"] = found["high"] - found["low"] + 2.0 / (1.0 - LEVEL) * miss
    found["mean_loss"] = [float(np.mean(row)) for row in found["loss"]]
    found["realised"] = [float(np.mean(row)) for row in found["value"]]
    for name, column in (("lost", "without"), ("evpi_mean", "evpi"), ("foretold", "promised")):
        found[name] = [np.nan if row is None else float(np.mean(row)) for row in found[column]]
    found["overspend"] = np.maximum(found["spent"] - 1.0, 0.0)
    return found


MEASURES = {
    "squared": "rmse",
    "absolute": "mae",
    "held_50": "coverage_50",
    "held_90": "coverage_90",
    "interval_score": "interval_score",
    "mean_loss": "loss",
    "wrong": "wrong_calls",
    "realised": "value",
    "share_error": "share_error",
    "share_inside": "share_coverage_90",
    "spent": "spent",
    "overspend": "overspend",
    "runs": "runs",
}

# What became of the value promised: each a ratio of means over AI models, and
# came_true = realised_of_lost / (evpi_of_lost · promised_of_evpi).
RATIOS = {
    "promised_of_evpi": ("foretold", "evpi_mean"),
    "evpi_of_lost": ("evpi_mean", "lost"),
    "realised_of_lost": ("realised", "lost"),
    "came_true": ("realised", "foretold"),
}


class Bootstrap:
    """Resamples AI models: they, not repetitions, are the independent units.

    Fewer than five of them give no interval: both its ends are NaN.
    """

    def __init__(self, n_models: int, seed: int = 0) -> None:
        rng = np.random.default_rng([seed, 5])
        self.rows = rng.integers(0, n_models, (RESAMPLES, n_models))
        self.few = n_models < FEWEST

    def interval(
        self, by_model: Array, of: Callable[[Array], Array] = lambda mean: mean
    ) -> tuple[float, float]:
        """Return the 95 % interval of a function of means over AI models.

        Means are over the repetitions of each AI model, (n_models, ...); the function takes them
        over AI models, (n_resamples, ...) or (1, ...).
        """
        if self.few:
            return float("nan"), float("nan")
        low, high = np.quantile(of(by_model[self.rows].mean(axis=1)), INTERVAL)
        return float(low), float(high)


def by_model(trials: pd.DataFrame, column: str) -> dict[tuple[str, float], Array]:
    """Return means of a column by AI model (sorted), for every strategy and budget."""
    means = trials.assign(**{column: trials[column].astype(float)}).pivot_table(
        values=column, index=["strategy", "budget"], columns="ai_model", dropna=False
    )
    found = {}
    for strategy in trials["strategy"].unique():
        rows = means.loc[strategy].sort_index()
        for budget, own in zip(rows.index, rows.to_numpy(np.float64), strict=True):
            found[str(strategy), float(budget)] = own[np.argsort(rows.columns.to_numpy(str))]
    return found


def between(low: float, high: float, form: str = ".2f") -> str:
    """Return an interval in brackets after a blank, or nothing where there is none.

    >>> between(0.1, 0.25), between(float("nan"), float("nan"))
    (' [0.10, 0.25]', '')
    """
    return f" [{low:{form}}, {high:{form}}]" if np.isfinite([low, high]).all() else ""


def interval(row: "Mapping[Any, Any] | pd.Series[Any]", name: str, form: str = ".2f") -> str:
    """Return a figure with its interval in brackets, in words."""
    return f"{row[name]:{form}}{between(row[f'{name}_low'], row[f'{name}_high'], form)}"


def at(table: pd.DataFrame, strategy: str, budget: float) -> "pd.Series[float]":
    """Return the row of a strategy and a budget."""
    rows = table[(table["strategy"] == strategy) & (table["budget"] == budget)]
    return rows.iloc[0]


def summary(trials: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Return every measure by strategy and budget with its 95 % interval, clustered by AI model.

    Trials are as `scored` returns them.
    """
    boot = Bootstrap(trials["ai_model"].nunique(), seed)
    rows: dict[tuple[str, float], dict[str, float]] = {}
    for column, name in MEASURES.items():
        of = np.sqrt if name == "rmse" else np.asarray
        for key, values in by_model(trials, column).items():
            low, high = boot.interval(values, of)
            rows.setdefault(key, {}).update(
                {name: float(of(values.mean())), f"{name}_low": low, f"{name}_high": high}
            )
    columns = {
        name: by_model(trials, name) for name in {c for pair in RATIOS.values() for c in pair}
    }
    for name, (over, under) in RATIOS.items():
        for key, row in rows.items():
            pair = np.stack([columns[over][key], columns[under][key]], axis=1)
            low, high = boot.interval(pair, ratio_of_means)
            value = float(ratio_of_means(pair.mean(axis=0)[None])[0])
            row |= {name: value, f"{name}_low": low, f"{name}_high": high}
    return pd.DataFrame(
        [{"strategy": name, "budget": budget, **row} for (name, budget), row in rows.items()]
    )


def ratios(trials: pd.DataFrame, to: str, seed: int = 0) -> pd.DataFrame:
    """Return, for one strategy against every other: ratio of RMSE, difference in loss, intervals.

    Intervals are of the paired comparison: both strategies in the same resampled AI models.
    """
    boot = Bootstrap(trials["ai_model"].nunique(), seed)
    squared, loss = by_model(trials, "squared"), by_model(trials, "mean_loss")
    rows = []
    for strategy, budget in squared:
        if strategy == to:
            continue
        pair = np.stack([squared[to, budget], squared[strategy, budget]], axis=1)
        low, high = boot.interval(pair, _root_ratio)
        more = loss[to, budget] - loss[strategy, budget]
        less, most = boot.interval(more)
        rows.append(
            {
                "budget": budget,
                "strategy": strategy,
                "rmse_ratio": float(_root_ratio(pair.mean(axis=0)[None])[0]),
                "rmse_ratio_low": low,
                "rmse_ratio_high": high,
                "loss_more": float(more.mean()),
                "loss_more_low": less,
                "loss_more_high": most,
            }
        )
    return pd.DataFrame(rows)


def calibration_of_value(trials: pd.DataFrame, strategy: str, seed: int = 0) -> dict[str, float]:
    """Return the slope of realised on promised value over budgets, thresholds and AI models.

    Of the least-squares line with an intercept, with its 95 % interval clustered by AI model.
    """
    own = trials[(trials["strategy"] == strategy) & trials["promised"].notna()]
    if not len(own):
        return {}
    realised = np.stack(own["value"].to_list()).astype(np.float64)
    promised = np.stack(own["promised"].to_list()).astype(np.float64)
    moments = []
    for rows in own.groupby("ai_model").indices.values():
        x, y = promised[rows].ravel(), realised[rows].ravel()
        moments.append([x.mean(), y.mean(), (x * x).mean(), (x * y).mean()])
    table = np.asarray(moments)

    def slope(mean: Array) -> Array:
        x, y, xx, xy = mean.T
        return np.asarray((xy - x * y) / np.maximum(xx - x * x, 1e-12))

    low, high = Bootstrap(len(table), seed).interval(table, slope)
    return {
        "slope": float(slope(table.mean(axis=0)[None])[0]),
        "slope_low": low,
        "slope_high": high,
    }


def saved(summary_table: pd.DataFrame, to: str) -> pd.DataFrame:
    """Return the money one strategy saves at the accuracy of each other one.

    The least budget at which `to` is as accurate is read off the line of ln RMSE over ln budget
    between its own budgets; the share saved is 1 − that/the other's budget. NaN where `to` is not
    as accurate at any budget tried, or already is at its smallest (then at least the share shown in
    `at_least`).
    """
    own = summary_table[summary_table["strategy"] == to].sort_values("budget")
    budgets = np.log(own["budget"].to_numpy(np.float64))
    errors = np.log(np.maximum(own["rmse"].to_numpy(np.float64), EXACT))
    best = np.minimum.accumulate(errors)
    rows = []
    for strategy, budget, error in summary_table[["strategy", "budget", "rmse"]].to_numpy():
        if strategy == to:
            continue
        target = float(np.log(max(error, EXACT)))
        if target >= best[0]:
            need, bounded = budgets[0], True
        elif target < best[-1]:
            need, bounded = np.nan, False
        else:
            need, bounded = float(np.interp(-target, -best, budgets)), False
        share = 1.0 - float(np.exp(need)) / budget
        rows.append(
            {
                "budget": budget,
                "strategy": strategy,
                "saved": np.nan if bounded else share,
                "at_least": share if bounded else np.nan,
            }
        )
    return pd.DataFrame(rows)


def ratio_of_means(mean: Array) -> Array:
    """Return the first column over the second."""
    return mean[:, 0] / np.maximum(mean[:, 1], 1e-12)


def _root_ratio(mean: Array) -> Array:
    return np.sqrt(ratio_of_means(mean))


ADAPTED = ("evalfolio, at once", "evalfolio, by task")  # evalfolio's own: no rivals
CHANCE = "uniform random"
MOST_OF_CHANCE, UP_TO = 0.6, 0.1
ACCURATE = 0.12  # doublings, at a tenth of the bill
SLOPES = (0.7, 1.3)
VALUES = ("budget", *(f"{name}{end}" for name in RATIOS for end in ("", "_low", "_high")))


@dataclass(frozen=True)
class Finding:
    """One claim and what the trials say of it."""

    claim: str  # what was to hold
    holds: bool | None  # whether it does; None: too few AI models for a verdict
    figures: str  # the numbers behind it, in words
    # them by budget, where they are several ratios
    numbers: tuple[Mapping[str, float | None], ...] = ()

    def __str__(self) -> str:
        return f"{verdict(self.holds, 'FAILS')}: {self.claim} ({self.figures})"


def verdict(holds: bool | None, fails: str = "fails") -> str:
    """Return whether a claim holds, in words."""
    return "no verdict" if holds is None else "holds" if holds else fails


def findings_of(
    trials: pd.DataFrame, table: pd.DataFrame, ours: str, seed: int = 0
) -> tuple[Finding, ...]:
    """Return the findings for one strategy against all others; `table` is the trials' summary.

    With fewer than five AI models figures come without intervals, and claims without a verdict.
    """
    found = (*_claims(table, ratios(trials, ours, seed), ours), *_value(trials, table, ours, seed))
    n = trials["ai_model"].nunique()
    if n >= FEWEST:
        return found
    few = f"{n} AI model{'' if n == 1 else 's'}, of {FEWEST} that a verdict takes"
    return tuple(replace(f, holds=None, figures=f"{f.figures}; {few}") for f in found)


def _claims(table: pd.DataFrame, pairs: pd.DataFrame, ours: str) -> Iterator[Finding]:
    rivals = pairs[~pairs["strategy"].isin(ADAPTED)]
    for budget in sorted(pairs["budget"].unique().tolist()):
        rows = rivals[rivals["budget"] == budget]
        best = rows.loc[rows["rmse_ratio"].idxmax()]
        own = at(table, ours, budget)["rmse"]
        other = at(table, str(best["strategy"]), budget)["rmse"]
        yield Finding(
            f"at {budget:.1%} of the bill the error is at or below the best baseline's, within "
            "the bootstrap interval",
            bool(best["rmse_ratio_low"] <= 1.0),
            f"RMSE {own:.2f} against {other:.2f} of {best['strategy']}, ratio "
            f"{interval(best, 'rmse_ratio')}",
        )
    rows = pairs[(pairs["strategy"] == CHANCE) & (pairs["budget"] <= UP_TO)]
    if len(rows):
        yield Finding(
            f"the error is at most {MOST_OF_CHANCE} of {CHANCE}'s up to {UP_TO:.0%} of the bill",
            bool((rows["rmse_ratio"] <= MOST_OF_CHANCE).all()),
            ", ".join(f"{x:.2f} at {b:.1%}" for x, b in rows[["rmse_ratio", "budget"]].to_numpy()),
        )
    rows = table[table["strategy"] == ours]
    yield Finding(
        "90 % predictive intervals hold the full-data horizon in 90 % of trials or more, within "
        "the 95 % interval clustered by AI model",
        bool((rows["coverage_90_high"] >= LEVEL).all()),
        _by_budget(rows, "coverage_90", ".0%"),  # too wide is for the interval score to say
    )
    worse = rivals[rivals["loss_more_low"] > 0]
    figures = "; ".join(
        f"{row['strategy']} at {row['budget']:.1%} loses {row['loss_more']:.3f} less "
        f"[{row['loss_more_low']:.3f}, {row['loss_more_high']:.3f}]"
        for row in worse.to_dict("records")
    )
    many = f"{figures}; {len(worse)} of {len(rivals)} comparisons at 2.5 % each"
    yield Finding(
        "no baseline loses significantly less by wrong calls",
        not len(worse),
        many if figures else f"none of {len(rivals)} comparisons",
    )
    if UP_TO in table["budget"].tolist():
        row = at(table, ours, UP_TO)
        yield Finding(
            f"at {UP_TO:.0%} of the bill the error is at most {ACCURATE} doublings",
            bool(row["rmse"] <= ACCURATE),
            f"RMSE {interval(row, 'rmse')}",
        )


def _by_budget(rows: pd.DataFrame, name: str, form: str = ".2f") -> str:
    found = rows.to_dict("records")
    return ", ".join(f"{interval(row, name, form)} at {row['budget']:.1%}" for row in found)


def _value(trials: pd.DataFrame, table: pd.DataFrame, ours: str, seed: int) -> tuple[Finding, ...]:
    slopes = calibration_of_value(trials, ours, seed)
    if not slopes or not np.isfinite(slopes["slope"]):
        return ()
    own = table[table["strategy"] == ours].sort_values("budget")
    rows = own.to_dict("records")
    lost = rows[0]
    return (
        Finding(
            f"the slope of realised on promised value lies in [{SLOPES[0]}, {SLOPES[1]}]",
            bool(SLOPES[0] <= slopes["slope"] <= SLOPES[1]),
            f"slope {interval(slopes, 'slope')}",
        ),
        Finding(
            "calls without any run lose what the belief about a new AI model expects (EVPI), "
            "within the 95 % interval clustered by AI model",
            bool(lost["evpi_of_lost_low"] <= 1.0 <= lost["evpi_of_lost_high"]),
            f"EVPI over that loss {interval(lost, 'evpi_of_lost')}",
        ),
        Finding(
            "the value promised comes true, within the 95 % interval clustered by AI model",
            all(row["came_true_low"] <= 1.0 <= row["came_true_high"] for row in rows),
            f"realised over promised {_by_budget(own, 'came_true')}; promised over EVPI "
            f"{_by_budget(own, 'promised_of_evpi')}; realised over the loss without runs "
            f"{_by_budget(own, 'realised_of_lost')}",
            tuple({k: float(row[k]) if row[k] == row[k] else None for k in VALUES} for row in rows),
        ),
        *_by_stage(trials[trials["strategy"] == ours], seed),
    )


def _by_stage(own: pd.DataFrame, seed: int) -> Iterator[Finding]:
    """Yield what became of the value that every stage promised to add, over all budgets."""
    pairs = {
        name: np.array([np.stack(rows[["stages_saved", "stages_promised"]].to_numpy().tolist())])
        for name, rows in own.groupby("ai_model")
    }
    by_model = np.concatenate([each.mean(axis=1) for _, each in sorted(pairs.items())])
    if by_model.shape[2]:
        boot = Bootstrap(len(by_model), seed)
        stages = [by_model[:, :, k] for k in range(by_model.shape[2])]
        ends = [boot.interval(pair, ratio_of_means) for pair in stages]
        yield Finding(
            "the value that each stage promises to add comes true, within the 95 % interval "
            "clustered by AI model",
            all(low <= 1.0 <= high for low, high in ends),
            "realised over promised "
            + ", ".join(
                f"{float(ratio_of_means(pair.mean(axis=0)[None])[0]):.2f}{between(*end)} in stage "
                f"{k} ({pair[:, 1].mean():.3f} promised)"
                for k, (pair, end) in enumerate(zip(stages, ends, strict=True), start=1)
            ),
        )
