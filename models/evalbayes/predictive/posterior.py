"""Posterior predictive of an eval: success against spend as fitted, beside the results it is of."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue
from evalbayes.curves import Curve
from evalbayes.errors import InputError
from evalbayes.model.predictive import tail_probability
from evalbayes.observations import Observations
from evalbayes.posterior.posterior import Posterior
from evalbayes.predictive.predictive import BAND, DOT, HIGH, LOW, MIDDLE, OUTSIDE, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DRAWS = 400
POINTS = 60
DECADES = 2.5  # of spend shown below the largest cap, unless successes came earlier
UNLIKELY = 0.005  # the gate's bound
PAIR = ["ai_model", "effort"]


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class EvalPredictive:
    """What the posterior would have the results of one eval look like, and what they were."""

    eval_name: str  # eval_name, spend_unit: the eval, and what its spend is counted in
    spend_unit: str
    # one row per AI model and cap: ai_model, effort, cap, low, median, high (of the share of
    # successes among as many runs as were made), mean (of A·F)
    band: pd.DataFrame
    # one row per point seen: ai_model, effort, cap, share, low, high (NaN where the point is a step
    # of single runs), kind ("runs", "cells", "counts" or "scores")
    seen: pd.DataFrame
    # one row per AI model and effort: runs, largest_cap, successes, and probability, P(replicate <
    # successes) + ½ P(replicate = successes), within it; NaN for scores alone
    numbers: pd.DataFrame

    def plot(self, columns: int = 3) -> "Figure":
        """Draw a panel per AI model: 90 % of replicates as a band, results as a line or dots.

        A heading is red where the successes within the largest cap are as unlikely as the gate's
        bound, P < 0.005 or P > 0.995.
        """
        from matplotlib.figure import Figure

        keys = list(self.numbers.index)
        columns = min(columns, max(len(keys), 1))
        rows = -(-len(keys) // columns)
        figure = Figure(figsize=(3.1 * columns + 0.4, 2.3 * rows + 0.5), layout="constrained")
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for ax, key in zip(panels, keys, strict=False):
            self._panel(ax, key)
        for ax in panels[len(keys) :]:
            ax.set_visible(False)
        for place, ax in enumerate(panels[: len(keys)]):
            if place + columns >= len(keys):
                ax.xaxis.set_tick_params(labelbottom=True)
        figure.supxlabel(f"spend, {plain(self.spend_unit)}", fontsize="medium")
        figure.supylabel("success within the spend", fontsize="medium")
        figure.suptitle(plain(self.eval_name), x=0.02, ha="left", weight="bold")
        return figure

    def _panel(self, ax: "Axes", key: tuple[str, float]) -> None:
        ai_model, effort = key
        band = self.band[(self.band["ai_model"] == ai_model) & (self.band["effort"] == effort)]
        ax.fill_between(band["cap"], band["low"], band["high"], color=BAND, alpha=0.7, lw=0)
        ax.plot(band["cap"], band["mean"], color="#3f8fbf", lw=1)
        seen = self.seen[(self.seen["ai_model"] == ai_model) & (self.seen["effort"] == effort)]
        steps, points = seen[seen["kind"] == "runs"], seen[seen["kind"] != "runs"]
        row = dict(self.numbers.loc[[key]].iloc[0])
        if len(steps):
            x = [band["cap"].min(), *steps["cap"], max(row["largest_cap"], steps["cap"].max())]
            y = [0.0, *steps["share"], steps["share"].iloc[-1]]
            ax.step(x, y, where="post", color=DOT, lw=1.3)
        if len(points):
            ax.errorbar(
                points["cap"],
                points["share"],
                yerr=np.stack([points["share"] - points["low"], points["high"] - points["share"]]),
                fmt="o",
                color=DOT,
                ms=4,
                lw=1,
            )
        p = row["probability"]
        red = p == p and not UNLIKELY <= p <= 1.0 - UNLIKELY
        words = f"{ai_model}" + (f", effort {effort:g}" if effort else "")
        ax.set_title(plain(words), fontsize="small", loc="left", color=OUTSIDE if red else "black")
        runs = f"{row['runs']:.0f} runs" if row["runs"] else "scores"
        note = runs if p != p else f"{runs}, P = {p:.2g}"
        ax.annotate(note, (0.04, 0.9), xycoords="axes fraction", fontsize="x-small")
        ax.set_xscale("log")
        ax.set_ylim(0.0, 1.03)
        ax.spines[["top", "right"]].set_visible(False)


def posterior_predictive(
    posterior: Posterior,
    catalogue: Catalogue,
    observations: Observations,
    eval_name: str,
    ai_models: Sequence[str] | None = None,
    *,
    n_draws: int = DRAWS,
    seed: int = 0,
) -> EvalPredictive:
    """Draw the results of an eval again from the posterior, for every AI model that ran it.

    Each replicate takes one draw of the curve, its family of spend included, and as many runs as
    were made. What was seen is the Aalen–Johansen estimate where single runs are known, and the
    share within the cap where cells, counts or scores are.

    InputError if the eval is not the posterior's, or none of the AI models has results of it.

    Parameters
    ----------
    posterior, catalogue, observations
        The fit and what it was fitted to.
    eval_name
        The eval.
    ai_models
        By default all that have results of the eval.
    n_draws, seed
        Of replicates.
    """
    from evalbayes.model.eval_curve import eval_curve
    from evalbayes.observations.score_scale import on_scale

    spec = catalogue.eval(eval_name)
    i = posterior.index_of("eval", eval_name)
    seen, numbers = _seen(on_scale(observations, catalogue), eval_name)
    if ai_models is not None:
        keep = numbers.index.get_level_values("ai_model").isin(ai_models)
        numbers = numbers[keep]
    if not len(numbers):
        raise InputError(
            f"{eval_name}: there must be results of an AI model to draw again, got none"
            f"{'' if ai_models is None else ' of ' + ', '.join(ai_models)}; give its observations"
        )
    seen = seen[seen["ai_model"].isin(numbers.index.get_level_values("ai_model"))]
    rng = np.random.default_rng(seed)
    thin = posterior.thinned(n_draws)
    high = np.log(numbers["largest_cap"].max())
    low = min(high - DECADES * np.log(10.0), np.log(seen["cap"].min()) - 0.5)
    grid = np.linspace(low, high, POINTS)
    bands, probabilities = [], []
    for (ai_model, effort), row in zip(numbers.index, numbers.to_dict("records"), strict=True):
        curve = eval_curve(thin, i, posterior.index_of("ai_model", ai_model), effort)
        expected = np.stack([curve.success_within(x) for x in grid], axis=1)
        n = int(row["runs"])
        again = rng.binomial(n, np.clip(expected, 0.0, 1.0)) / n if n else expected
        quantiles = np.quantile(again, (LOW, MIDDLE, HIGH), axis=0)
        bands.append(
            pd.DataFrame(
                {
                    "ai_model": ai_model,
                    "effort": effort,
                    "cap": np.exp(grid),
                    **dict(zip(("low", "median", "high"), quantiles, strict=True)),
                    "mean": expected.mean(axis=0),
                }
            )
        )
        probabilities.append(_probability(curve, row, rng))
    return EvalPredictive(
        eval_name,
        spec.spend_unit,
        pd.concat(bands, ignore_index=True),
        seen.reset_index(drop=True),
        numbers.assign(probability=probabilities),
    )


def _probability(curve: Curve, row: Mapping[Hashable, Any], rng: np.random.Generator) -> float:
    """Tail probability of the successes of all runs within the largest cap; NaN where unknown."""
    n = int(row["runs"])
    if not n or row["successes"] != row["successes"]:
        return float("nan")
    share = np.clip(curve.success_within(np.log(row["largest_cap"])), 0.0, 1.0)
    again = rng.binomial(n, share).astype(float)
    return float(tail_probability(again[:, None], np.array([row["successes"]]))[0])


def _seen(observations: Observations, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Points seen of an eval, and numbers by AI model and effort."""

    def own(frame: pd.DataFrame) -> pd.DataFrame:
        some = frame[frame["eval"] == name].astype({"ai_model": str, "cap": float})
        return some.assign(effort=some["effort"].astype(float).fillna(0.0))

    cells, counts, scores = map(own, (observations.cells, observations.counts, observations.scores))
    ended = cells[["n_success", "n_gave_up", "n_stopped"]].astype(float)
    cells = cells.assign(kind="cells", runs=ended.sum(axis=1), successes=ended["n_success"])
    counts = counts.assign(kind="counts", runs=counts["n_runs"], successes=counts["n_success"])
    counted = pd.concat([cells[cells["runs"] > 0], counts])
    n, k = counted["runs"].astype(float), counted["successes"].astype(float)
    error = 1.645 * np.sqrt((k + 0.5) * (n - k + 0.5)) / (n + 1.0) ** 1.5  # 90 % interval
    counted = counted.assign(share=k / n, error=error)
    steps, totals = [], []
    for (ai_model, effort), runs in own(observations.runs).groupby(PAIR, sort=True):
        spends, shares = incidence(runs)
        step = {"ai_model": ai_model, "effort": effort, "cap": spends, "share": shares}
        steps.append(pd.DataFrame({**step, "error": np.nan, "kind": "runs"}))
        one_cap = runs["outcome"].isin(["success", "gave_up", "stopped_by_cap"]).all()
        won = float((runs["outcome"] == "success").sum()) if one_cap else np.nan
        totals.append((ai_model, effort, float(len(runs)), runs["cap"].max(), won))
    scores = scores.assign(kind="scores", runs=0.0, successes=0.0, share=scores["score"])
    scores["error"] = 1.645 * scores["standard_error"]
    points = pd.concat([counted, *steps, scores])
    points = points.assign(
        low=points["share"] - points["error"], high=points["share"] + points["error"]
    )
    told = [*PAIR, "runs", "cap", "successes"]
    every = pd.concat([counted[told], pd.DataFrame(totals, columns=told), scores[told]])
    of_pair = every.astype({"runs": float, "cap": float, "successes": float}).groupby(PAIR)
    numbers = of_pair[["runs"]].sum().assign(largest_cap=of_pair["cap"].max())
    # Successes count where all runs had one largest cap.
    alike = of_pair["cap"].min() == of_pair["cap"].max()
    numbers["successes"] = np.where(alike, of_pair["successes"].sum(skipna=False), np.nan)
    return points[[*PAIR, "cap", "share", "low", "high", "kind"]], numbers


def incidence(runs: pd.DataFrame) -> tuple[Array, Array]:
    """Estimate the share of runs that succeed within a spend, by Aalen and Johansen.

    Σ over successes at t_j ≤ t of S(t_j−)/n_j, S the Kaplan–Meier share of runs that have neither
    succeeded nor given up and n_j the runs still going: the plain share of runs where nothing but
    one cap stopped any, and right too where runs were stopped at spends of their own. Of columns
    outcome, spend and cap, where a run stopped by its cap is censored, it returns the spends,
    rising, at which the estimate steps up, and its value from there on.
    """
    at = runs["spend"].to_numpy(dtype=float)
    outcome = runs["outcome"].to_numpy(dtype=str)
    at = np.where(outcome == "stopped_by_cap", np.maximum(at, runs["cap"].to_numpy(float)), at)
    success, ended = outcome == "success", np.isin(outcome, ["success", "gave_up"])
    times, place = np.unique(at, return_inverse=True)
    n = len(at) - np.searchsorted(np.sort(at), times, side="left")  # still going just before
    left = np.cumprod(1.0 - np.bincount(place, ended, len(times)) / n)
    before = np.concatenate([[1.0], left[:-1]])
    total: Array = np.cumsum(before * np.bincount(place, success, len(times)) / n)
    steps = np.bincount(place, success, len(times)) > 0
    return times[steps], total[steps]
