"""How good forecasts of shares are: coverage by AI model, and the interval score."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

LEVELS = (0.5, 0.9)


def judged(share: Array, actual: float) -> dict[str, float]:
    """Judge draws of a share against what came."""
    below = float((share < actual - 1e-9).mean())
    equal = float((np.abs(share - actual) < 1e-9).mean())
    row = {"error": float(share.mean() - actual), "actual": actual}
    for level in LEVELS:
        tail = (1.0 - level) / 2.0
        low, high = np.quantile(share, [tail, 1.0 - tail])
        miss = max(low - actual, 0.0) + max(actual - high, 0.0)
        row[f"covered{level}"] = float(covered(below, equal, level))
        row[f"score{level}"] = float(high - low + 2.0 / (1.0 - level) * miss)
    return row


def covered(below: ArrayLike, equal: ArrayLike, level: float) -> Array:
    """How far a central interval covers a truth, given the chances of less and of just that.

    Shares are discrete. Were the place of the truth drawn at random between the chance of less and
    that of no more, a calibrated forecast would cover it exactly as often as nominal: this is the
    mean over that lottery, the same coverage without its luck.

    Examples
    --------
    >>> round(float(covered(0.2, 0.1, 0.5)), 9)  # half of what lies between 0.2 and 0.3
    0.5
    >>> covered([0.3, 0.8], 0.0, 0.5).round(6).tolist()
    [1.0, 0.0]
    """
    tail = (1.0 - level) / 2.0
    low, width = np.asarray(below, dtype=float), np.maximum(equal, 1e-9)
    inside = np.minimum(low + width, 1.0 - tail) - np.maximum(low, tail)
    value: Array = np.clip(inside / width, 0.0, 1.0)
    return value


def binomial_shares(seen: pd.Series, n: int, rng: np.random.Generator) -> Array:
    """Shares of n runs to come, p from a Beta(½, ½) prior and the runs seen (0 or 1)."""
    p = rng.beta(seen.sum() + 0.5, len(seen) - seen.sum() + 0.5, 4000)
    return rng.binomial(n, p) / n


def clustered(values: pd.Series, by: pd.Series) -> tuple[float, float, float]:
    """Mean with a 95 % interval that resamples whole AI models."""
    sums = values.groupby(by).agg(["sum", "size"]).to_numpy(float)
    picks = np.random.default_rng(0).integers(0, len(sums), (10_000, len(sums)))
    means = sums[picks, 0].sum(axis=1) / sums[picks, 1].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def rows_of(table: pd.DataFrame) -> list[list[str]]:
    """One row per method: coverage of 50 % and 90 %, interval score, errors."""
    rows = []
    for method, own in table.groupby("method", sort=False):
        cells = [str(method), str(len(own)), str(own["ai_model"].nunique())]
        for level in LEVELS:
            mean, low, high = clustered(own[f"covered{level}"], own["ai_model"])
            cells.append(f"{mean:.2f} [{low:.2f}, {high:.2f}]")
        cells += [f"{own['score0.9'].mean():.3f}", f"{own['error'].abs().mean():.3f}"]
        rows.append([*cells, f"{own['error'].mean():+.3f}"])
    return rows


def verdict(found: pd.DataFrame, ours: str, *, beside: tuple[str, ...] = ()) -> str:
    """Say whether the claim of CONTRIBUTING's *Statistical claims* holds, and of 50 % intervals.

    Methods `beside` are compared with ours as the baselines are, and decide nothing. Differences
    of the score are paired by AI model.
    """
    mine = found[found["method"] == ours]
    scores = found.pivot_table(index="ai_model", columns="method", values="score0.9")
    means = found.groupby("method")["score0.9"].mean()
    _, low, high = clustered(mine["covered0.9"], mine["ai_model"])
    holds = high >= 0.9 and (means[ours] < means.drop([ours, *beside])).all()
    wide = low > 0.9
    won = []
    for other in scores.drop(columns=ours):
        more = (scores[ours] - scores[other]).dropna()
        mean, *ends = clustered(more, pd.Series(more.index, more.index))
        told = f"{mean:+.3f} [{ends[0]:+.3f}, {ends[1]:+.3f}]"
        won.append(f"than {other} for {(more < 0).sum()} of {len(more)} AI models ({told})")
    half, low, high = clustered(mine["covered0.5"], mine["ai_model"])
    middle = "are too narrow" if high < 0.5 else "are too wide" if low > 0.5 else "hold too"
    return (
        "The claim (interval of the coverage holds 0.90, mean score better than every baseline) "
        f"{'holds' if holds else 'does NOT hold'}"
        f"{', though intervals of 90 % are too wide: their score decides' if wide else ''}; "
        f"the score is better {', '.join(won)}; in brackets its difference, by AI model. "
        f"Intervals of 50 % {middle}: they cover {half:.2f} [{low:.2f}, {high:.2f}]."
    )


def in_worlds(shares: Array, level: float) -> Array:
    """Coverage of all forecasts together, (n_worlds,), were the truth one of their own draws.

    Parameters
    ----------
    shares
        Draws of every forecast, (n_forecasts, n_worlds): column k of all of them is one world.
        In such worlds intervals are right by construction, and what they share moves them all.
    level
        Of the central interval.

    Examples
    --------
    Two forecasts that share everything are right or wrong together, ten that share nothing are not:

    >>> rng = np.random.default_rng(0)
    >>> one = rng.normal(size=(1, 2000))
    >>> found = in_worlds(np.repeat(one, 2, axis=0), 0.5)
    >>> round(float(found.mean()), 2), round(float(found.std()), 2)
    (0.5, 0.5)
    >>> found = in_worlds(rng.normal(size=(10, 2000)), 0.5)
    >>> round(float(found.mean()), 2), round(float(found.std()), 2)
    (0.5, 0.16)
    """
    every = np.empty(shares.shape)
    for share, cell in zip(shares, every, strict=True):
        order = np.sort(share)
        below, upto = (np.searchsorted(order, share, side) for side in ("left", "right"))
        cell[:] = covered(below / len(share), (upto - below) / len(share), level)
    coverage: Array = every.mean(axis=0)
    return coverage


def by_luck(ours: pd.DataFrame, draws: Array) -> str:
    """Say what coverage these forecasts would have in worlds that are draws of their own."""
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


HEAD = (
    "forecast by", "forecasts", "AI models", "50 % covered", "90 % covered",
    "interval score (90 %)", "absolute error", "bias",
)  # fmt: skip
