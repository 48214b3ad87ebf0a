"""How far evidence reaches is learned, from a history without fading and from one with it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from evalbayes.catalogue import Catalogue, parse_catalogue
from evalbayes.model.fit import fit
from evalbayes.observations import Observations, Rows, observations_of
from evalbayes.posterior.posterior import Posterior

MINUTES = (2.0, 16.0, 128.0, 1024.0, 8192.0)  # on both sides of 8 h, 3 doublings apart
N_MODELS, RUNS, SLOPE = 60, 60, 0.6


def catalogue() -> Catalogue:
    evals = [
        {
            "name": f"e{k}",
            "domain": "cyber",
            "tasks": RUNS,
            "human_minutes": minutes,
            "difficulty": float(np.log2(minutes)),
            "spend_unit": "tokens",
            "usd_per_unit": 1e-6,
        }
        for k, minutes in enumerate(MINUTES)
    ]
    return parse_catalogue(
        {
            "portfolio": {"ai_model": "under test"},
            "domain": [{"name": "cyber", "threshold_human_time": "8 h"}],
            "eval": evals,
        }
    )


def history(walk_sd: float, range_: float, seed: int = 0) -> Observations:
    """Pairs of plain and elicited runs of 60 AI models at all lengths, with the processes given."""
    rng = np.random.default_rng(seed)
    place = np.log2(MINUTES)
    step = np.diff(place)
    rows = []
    for m in range(N_MODELS):
        shown = rng.normal(7.0, 2.5) + np.concatenate(
            [[0.0], np.cumsum(walk_sd * np.sqrt(step) * rng.standard_normal(len(step)))]
        )
        z = [rng.standard_normal()]
        for distance in step:
            r = np.exp(-distance / range_)
            z.append(r * z[-1] + np.sqrt(1 - r**2) * rng.standard_normal())
        gap = 1.2 * np.exp(0.7 * np.array(z))
        own = 0.3 * rng.standard_normal(len(place))
        for k, h in enumerate(place):
            for effort in (0.0, 0.8):
                p = expit(SLOPE * (shown[k] + own[k] + effort * gap[k] - h))
                won = rng.binomial(RUNS, p)
                rows.append((f"e{k}", f"M{m}", effort, 1e6, RUNS, won, MINUTES[k]))
    columns = ["eval", "ai_model", "effort", "cap", "n_runs", "n_success", "human_minutes"]
    return observations_of([Rows(pd.DataFrame(rows, columns=columns), "history.csv")])


def reach(posterior: Posterior) -> tuple[float, float]:
    """Walk over 9 doublings, sd, and correlation of gaps at this distance, in the mean."""
    walk, range_ = (posterior.draws[key][:, 0] for key in ("walk_sd", "gap_range"))
    return float(np.median(walk) * 3.0), float(np.exp(-9.0 / range_).mean())


@pytest.mark.slow
@pytest.mark.timeout(3600)  # five minutes of processor time and more
def test_a_history_without_fading_gives_back_most_of_the_old_reach() -> None:
    """The walk goes; of the gap's tie, 1, sixty AI models tell half of what the prior lacks."""
    prior = reach(fit(catalogue(), Observations(), draws=4000))
    walk, tie = reach(fit(catalogue(), history(0.0, 1e6), draws=400, tune=500, chains=2))
    assert prior[0] > 0.9
    assert prior[1] < 0.45
    assert walk < 0.35
    assert tie > prior[1] + 0.15


@pytest.mark.slow
@pytest.mark.timeout(3600)  # five minutes of processor time and more
def test_a_history_with_fading_teaches_it() -> None:
    walk, tie = reach(fit(catalogue(), history(0.6, 4.0, 1), draws=400, tune=500, chains=2))
    assert walk == pytest.approx(1.8, abs=0.4)
    assert tie < 0.3
