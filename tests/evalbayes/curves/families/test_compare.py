"""Choosing a family: against refits, against known truth, and on the real cyber runs."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from evalbayes.curves.families import FAMILIES, compare, fit_family
from evalbayes.curves.families.compare import (
    _left_out,
    cell_posterior,
    cells_of,
    log_likelihood,
)
from evalbayes.curves.leave_one_out import stacking_weights
from evalbayes.curves.small_posterior import small_posterior
from evalbayes.errors import FitError, InputError

Array = NDArray[np.float64]
DATA = Path(os.environ.get("EVALFOLIO_DATA", Path(__file__).parents[5] / "shared" / "data"))


def simulated(family: str, shapes: tuple[float, ...], n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    cap = 15.0
    solves = rng.random(n) < 0.7
    ln_success = FAMILIES[family].quantile(rng.random(n), 11.0, *shapes)
    ln_other = rng.normal(13.0, 1.0, n)
    ln_spend = np.where(solves, ln_success, ln_other)
    outcome = np.where(solves, "success", "gave_up").astype(object)
    outcome[ln_spend > cap] = "stopped_by_cap"
    return pd.DataFrame(
        {
            "eval": "e",
            "ai_model": "m",
            "outcome": outcome,
            "spend": np.exp(np.minimum(ln_spend, cap)),
        }
    )


@pytest.mark.parametrize(("family", "shapes"), [("weibull", (1.0,)), ("burr", (0.2, 4.0))])
def test_the_family_the_runs_come_from_is_found(family: str, shapes: tuple[float, ...]) -> None:
    table = compare(simulated(family, shapes, 300, 3), n_draws=1000).set_index("family")
    # Weibull is the limit of Burr: the two may share.
    near = {"weibull", "burr"} if family == "weibull" else {"burr"}
    assert table.loc[list(near), "weight"].sum() > 0.8
    assert table.loc[list(near), "behind"].min() == 0.0
    assert table["weight"].sum() == pytest.approx(1.0)


@pytest.mark.parametrize("name", FAMILIES)
def test_leaving_out_by_importance_is_leaving_out(name: str) -> None:
    family = FAMILIES[name]
    cell = cells_of(simulated("lognormal", (1.2,), 25, 5))["e", "m"]
    scores, _ = _left_out(cell, family, 0, 4000)
    for j in (0, 9, 22):
        without = cell_posterior(cell.without(j), family, 1, 4000)
        alone = log_likelihood(cell, family, without.draws)[:, j]
        exact = np.logaddexp.reduce(without.log_weights + alone)
        assert scores[j] == pytest.approx(exact, abs=0.06)


def test_the_small_posterior_is_the_quadrature() -> None:
    # Poisson counts with a normal prior on the log rate and a skewed second parameter
    def log_joint(x: Array) -> Array:
        return 7.0 * x[:, 0] - np.exp(x[:, 0]) - x[:, 1] ** 2 / 8.0 - np.exp(-x[:, 1])

    found = small_posterior(log_joint, np.zeros(2), n_draws=20_000)
    grid = np.linspace(-8.0, 14.0, 1201)
    both = np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1).reshape(-1, 2)
    p = np.exp(log_joint(both) - log_joint(both).max())
    p /= p.sum()
    weights = np.exp(found.log_weights)
    sd = np.sqrt(p @ both**2 - (p @ both) ** 2)
    error = np.abs(weights @ found.draws - p @ both) / sd
    assert (error < 5.0 / np.sqrt(found.effective)).all()
    drawn = found.resampled(5000, np.random.default_rng(0))
    assert np.abs(drawn.mean(axis=0) - p @ both).max() < 0.1 * sd.max()


def test_a_hopeless_posterior_says_so() -> None:
    def funnel(x: Array) -> Array:
        width = np.exp(x[:, [0]])
        parts: Array = -((x[:, 1:] / width) ** 2 / 2.0 + np.log(width)).sum(axis=1)
        return parts - x[:, 0] ** 2 / 18.0

    with pytest.raises(FitError, match=r"the funnel must be reached .* are effective"):
        small_posterior(funnel, np.zeros(30), n_draws=400, what="the funnel")


def test_stacking_beats_every_other_mixture() -> None:
    rng = np.random.default_rng(2)
    scores = rng.normal(-1.0, 1.0, (60, 3))
    best = np.log(np.exp(scores) @ stacking_weights(scores)).sum()
    for weights in rng.dirichlet(np.ones(3), 500):
        assert np.log(np.exp(scores) @ weights).sum() <= best + 1e-6


def test_fitted_curves_hold_the_one_the_runs_come_from() -> None:
    runs = simulated("hill", (0.7,), 500, 8)
    curves = fit_family(runs, FAMILIES["hill"], n=200)
    for cap in (10.0, 11.0, 13.0):
        draws = np.array([float(curve.success_within(cap)) for curve in curves])
        truth = 0.7 * np.exp(FAMILIES["hill"].log_cdf(cap, 11.0, 0.7))
        assert abs(draws.mean() - truth) < 3.5 * draws.std()
        assert draws.std() < 0.04
    with pytest.raises(InputError, match="one eval and one AI model; got 2: e by m, e by other"):
        fit_family(pd.concat([runs, runs.assign(ai_model="other")]), FAMILIES["hill"])


def test_wrong_runs_are_told() -> None:
    runs = simulated("hill", (0.7,), 20, 1)
    with pytest.raises(InputError, match=r"must have the columns .* spend missing"):
        compare(runs.drop(columns="spend"))
    with pytest.raises(InputError, match="spend must be above 0 in every run; row 3 has 0"):
        compare(runs.assign(spend=[1.0, 1.0, 1.0, 0.0] * 5))
    with pytest.raises(InputError, match="some eval must have 5 runs"):
        compare(runs.head(4))


@pytest.mark.slow
def test_on_the_cyber_runs_the_lognormal_leads_where_the_cap_binds() -> None:
    path = DATA / "cyber_runs.csv.gz"
    if not path.exists():
        pytest.skip(f"the public data is not in {DATA}; set EVALFOLIO_DATA to its folder")
    runs = pd.read_csv(path).rename(columns={"spend_tokens": "spend"})
    stopped = np.where(runs["stopped_by_cap"], "stopped_by_cap", "gave_up")
    runs["outcome"] = np.where(runs["success"] == 1, "success", stopped)
    table = compare(runs)
    assert (table.groupby("eval")["weight"].sum().round(6) == 1.0).all()
    weight = table.pivot_table(index="eval", columns="family", values="weight")
    assert (weight.loc[["cvebench", "cybench", "cybergym"], "lognormal"] > 0.5).all()
    # one-answer evals have a sharp body and a long tail: the fourth parameter earns its place
    assert (weight.loc[["cybashbench", "intercode_ctf", "nl2bash"], "burr"] > 0.7).all()
