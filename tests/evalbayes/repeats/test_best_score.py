"""The best of k scores against simulation, a bound, and o1's runs of 30 minutes and 2 hours."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import integrate
from scipy.special import betainc

DATA = Path(os.environ.get("EVALFOLIO_DATA", Path(__file__).parents[4] / "shared" / "data"))


def best_score(mean: float, sd: float, k: int) -> float:
    """E[max of k independent scores], each beta with this mean and sd: ∫ 1 − I_x(a, b)^k dx.

    An overestimate where attempts at one environment share their luck.
    """
    if sd**2 < 1e-12:
        return mean
    total = mean * (1.0 - mean) / sd**2 - 1.0
    if total < 1e-9:  # only zeros and ones
        return float(1.0 - (1.0 - mean) ** k)
    # Nodes dense at both ends, where the density of a U-shaped beta is.
    angle = np.linspace(0.0, np.pi, 2001)
    x = (1.0 - np.cos(angle)) / 2.0
    above = 1.0 - betainc(mean * total, (1.0 - mean) * total, x) ** k
    return float(integrate.trapezoid(above, x))


@pytest.mark.parametrize(("a", "b", "k"), [(0.2, 0.6, 4), (3.0, 2.0, 16), (0.05, 3.0, 8)])
def test_it_is_the_simulated_maximum_and_within_hartley_and_david(
    a: float, b: float, k: int
) -> None:
    scores = np.random.default_rng(0).beta(a, b, (100_000, k))
    mean = a / (a + b)
    sd = float(np.sqrt(mean * (1 - mean) / (a + b + 1)))
    got = best_score(mean, sd, k)
    assert got == pytest.approx(scores.max(axis=1).mean(), abs=0.004)
    assert mean <= got <= mean + sd * (k - 1) / np.sqrt(2 * k - 1)  # for any distribution


def test_edges() -> None:
    assert best_score(0.3, 0.0, 9) == 0.3
    assert best_score(0.3, float(np.sqrt(0.21)), 2) == pytest.approx(1 - 0.49)


def test_o1_needs_two_hours_at_a_stretch_where_the_first_result_takes_long() -> None:
    path = DATA / "rebench_by_time_limit.csv"
    if not path.exists():
        pytest.skip(f"the public data is not in {DATA}; set EVALFOLIO_DATA to its folder")
    cells = pd.read_csv(path).query("ai_model == 'o1'")
    cells = cells.set_index(["environment", "time_limit_seconds"])
    single, split = {}, {}
    for name in cells.index.unique("environment"):
        short = cells.loc[(name, 1800)]
        single[name] = cells.loc[(name, 7200), "mean_score"]
        spread = short["sd_score"] * np.sqrt((short["n_runs"] - 1) / short["n_runs"])
        split[name] = best_score(short["mean_score"], spread, 4)
    # Where a first result takes more than half an hour, no number of short runs helps ...
    assert single["ai_rd_fix_embedding"] > 4 * split["ai_rd_fix_embedding"]
    # ... and where runs differ by luck, four short ones beat one long one.
    assert split["ai_rd_optimize_llm_foundry"] > single["ai_rd_optimize_llm_foundry"]
    assert split["ai_rd_rust_codecontests_inference"] > single["ai_rd_rust_codecontests_inference"]
