"""Does a drifting rate foretell horizons and costs? Rolling origins over published figures.

python -m benchmarks.growth ../shared/data

At every release of an AI model that beat all before it, the next such ones within two years are
foretold from what had been published by then: natural logarithms of METR's horizons (suites 1.0 and
1.1 apart), of what a suite cost to run once, and of what a run of WeirdML cost. Three ways, with
what is published up to the origin alone: a rate that drifts and AI models that scatter about its
path, in the shares that `presets.toml` has (Kalman filter); a constant rate (least squares with its
interval); and a rate that is a random walk, its step sd by maximum likelihood. Scores are of 90 %
intervals; errors of one trend are serially dependent, so coverage is told and not claimed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.tables import circumstances, table, write_section
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import norm, t

from evalfolio.outlook.presets import read_presets

Array = NDArray[np.float64]
LEAST, MOST_LEAD, TAIL = 5, 2.0, 0.05  # points at an origin, years ahead, of each side
START_RATE, START_SD = 1.0, 1.5  # e-folds a year, before any figure: from falling to ×30 a year
STEPS = (0.01, 5.0)  # of a random walk's rate, sd in a year
Interval = tuple[float, float]
IMPLAUSIBLE = ("o3", "o4-mini", "gpt_5", "deepseek_v3_0324")  # partial logging, says the source


def filtered(
    years: Array, logs: Array, noise: Array, drift: float, scatter: float
) -> tuple[Array, Array, float]:
    """Mean and covariance of level and rate after the last figure, and the log likelihood."""
    mean, cov = np.array([logs[0], START_RATE]), np.diag([noise[0] ** 2 + 1e-6, START_SD**2])
    fit = 0.0
    for k in range(1, len(years)):
        mean, cov = ahead(mean, cov, years[k] - years[k - 1], drift, scatter)
        spread = cov[0, 0] + noise[k] ** 2
        fit += float(norm.logpdf(logs[k], mean[0], spread**0.5))
        gain = cov[:, 0] / spread
        mean = mean + gain * (logs[k] - mean[0])
        cov = cov - np.outer(gain, cov[0])
    return mean, cov, fit


def ahead(mean: Array, cov: Array, dt: float, drift: float, scatter: float) -> tuple[Array, Array]:
    """Level and rate dt years on, see `evalfolio.outlook.presets.Rate`."""
    move = np.array([[1.0, dt], [0.0, 1.0]])
    own = drift**2 * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
    own[0, 0] += scatter**2 * dt
    return move @ mean, move @ cov @ move.T + own


def within(mean: Array, cov: Array, noise: float) -> Interval:
    half = float(norm.ppf(1 - TAIL) * (cov[0, 0] + noise**2) ** 0.5)
    return float(mean[0]) - half, float(mean[0]) + half


def drifting(years: Array, logs: Array, noise: Array, at: float) -> Interval:
    shares = read_presets().tables["capability"]
    rate = START_RATE
    for _ in range(3):  # shares of the rate, which the figures tell
        sds = shares["drift"] * abs(rate), shares["scatter"] * abs(rate)
        mean, cov, _ = filtered(years, logs, noise, *sds)
        rate = float(mean[1])
    return within(*ahead(mean, cov, at - years[-1], *sds), float(np.median(noise)))


def constant(years: Array, logs: Array, noise: Array, at: float) -> Interval:
    design = np.stack([np.ones_like(years), years], axis=1)
    line, *_ = np.linalg.lstsq(design, logs, rcond=None)
    left = len(years) - 2
    spread = ((logs - design @ line) ** 2).sum() / left
    point = np.array([1.0, at])
    sd = (spread * (1 + point @ np.linalg.inv(design.T @ design) @ point)) ** 0.5
    half = float(t.ppf(1 - TAIL, left) * sd)
    return float(point @ line) - half, float(point @ line) + half


def walking(years: Array, logs: Array, noise: Array, at: float) -> Interval:
    def surprise(ln_step: float) -> float:
        return -filtered(years, logs, noise, float(np.exp(ln_step)), 0.0)[2]

    found = minimize_scalar(surprise, bounds=np.log(STEPS), method="bounded")
    step = float(np.exp(found.x))
    mean, cov, _ = filtered(years, logs, noise, step, 0.0)
    return within(*ahead(mean, cov, at - years[-1], step, 0.0), float(np.median(noise)))


WAYS: dict[str, Callable[[Array, Array, Array, float], Interval]] = {
    "a rate that drifts (presets)": drifting,
    "a constant rate": constant,
    "a rate that is a random walk": walking,
}


def best_so_far(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """AI models that beat all released before them, the best of a day."""
    rows = rows.dropna(subset=[by]).sort_values(["release_date", by])
    rows = rows.groupby("release_date").tail(1)
    return rows[rows[by] > rows[by].cummax().shift(fill_value=-np.inf)]


def series(folder: Path) -> dict[str, pd.DataFrame]:
    """Year, logarithm and its sd of every published trend."""
    horizons = pd.read_csv(folder / "published_horizons.csv", parse_dates=["release_date"])
    found = {}
    for version, rows in horizons.groupby("version"):
        best = best_so_far(rows, "p50_minutes")
        width = np.log(best["p50_ci_high"] / best["p50_ci_low"]) / (2 * norm.ppf(0.975))
        found[f"METR {version}, 50 % horizon"] = best.assign(
            y=np.log(best["p50_minutes"]), sd=width
        )
        best = best_so_far(rows, "p80_minutes")
        width = np.log(best["p80_ci_high"] / best["p80_ci_low"]) / (2 * norm.ppf(0.975))
        found[f"METR {version}, 80 % horizon"] = best.assign(
            y=np.log(best["p80_minutes"]), sd=width
        )
    first = horizons[(horizons["version"] == 1.0) & ~horizons["ai_model"].isin(IMPLAUSIBLE)]
    paid = best_so_far(first, "p50_minutes").dropna(subset=["suite_usd"])
    found["METR 1.0, USD of a suite"] = paid.assign(y=np.log(paid["suite_usd"]), sd=0.5)
    models = pd.read_csv(folder / "weirdml_models.csv", parse_dates=["release_date"])
    best = best_so_far(models[models["cost_per_run_usd"] > 0], "avg_acc")
    found["WeirdML, USD of a run"] = best.assign(y=np.log(best["cost_per_run_usd"]), sd=0.3)
    return found


def replayed(rows: pd.DataFrame) -> pd.DataFrame:
    """Every origin and target of one trend, by every way: covered, width and interval score."""
    days = (rows["release_date"] - rows["release_date"].min()).dt.days
    years, y, sd = days.to_numpy() / 365.25, rows["y"].to_numpy(), rows["sd"].to_numpy()
    found = []
    for origin in range(LEAST, len(rows)):
        for target in range(origin, len(rows)):
            lead = years[target] - years[origin - 1]
            if lead > MOST_LEAD:
                continue
            for name, way in WAYS.items():
                low, high = way(years[:origin], y[:origin], sd[:origin], years[target])
                miss = max(low - y[target], 0.0) + max(y[target] - high, 0.0)
                score = high - low + 2 / (2 * TAIL) * miss
                row = {"way": name, "origin": origin, "lead": lead, "covered": float(miss == 0)}
                found.append(row | {"width": high - low, "score": score})
    return pd.DataFrame(found)


def main() -> None:
    folder = Path(sys.argv[1])
    lines, gathered = [], []
    for name, rows in series(folder).items():
        if len(rows) <= LEAST:
            continue
        found = replayed(rows)
        gathered.append(found.assign(trend=name))
        for way, own in found.groupby("way", sort=False):
            by_origin = own.groupby("origin")["score"].mean()
            lines.append(
                (
                    name,
                    str(way),
                    f"{len(rows)}",
                    f"{len(by_origin)}, {len(own)}",
                    f"{by_origin.mean():.2f}",
                    f"{own['width'].mean():.2f}",
                    f"{own['covered'].mean():.0%}",
                )
            )
    heads = (
        "trend", "way", "AI models", "origins, forecasts", "interval score", "width", "covered",
    )  # fmt: skip
    every = pd.concat(gathered)
    whole = every.pivot_table("score", "trend", "way")
    best = whole.idxmin(axis=1).value_counts()
    said = "; ".join(f"{way} on {n}" for way, n in best.items())
    body = [
        circumstances(0, ["numpy", "scipy", "pandas"]),
        (__doc__ or "").split("\n\n", 2)[2].strip().replace("\n", " "),
        "Interval scores (less is better) and widths are in natural logarithms, scores means over "
        f"origins. Least mean score of {len(whole)} trends: {said}.",
        table(heads, lines),
    ]
    write_section("growth", "Growth foretold: horizons and costs", "\n\n".join(body))
    print(body[-1])


if __name__ == "__main__":
    main()
