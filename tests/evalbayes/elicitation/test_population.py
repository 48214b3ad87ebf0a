"""The random-effects model of measurements: it learns what made them, and foretells a study."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalbayes.elicitation.population import EVERYWHERE, Population, population_of, program_of
from evalbayes.model.sampling import sample

HALF, WHOLE, SPREAD = 50.0, 2.0, 0.3
LEVERS = {"mending": 16.0, "scaffold": 100.0, "several": 400.0}


def simulated(studies: int = 12, se: float = 0.3) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows: list[dict[str, Any]] = []
    for number in range(studies):
        effect = rng.normal(0.0, SPREAD)
        for lever, hours in LEVERS.items():
            gain = WHOLE * hours / (hours + HALF) * np.exp(effect)
            rows.append(
                {
                    "study": f"study {number:02d}",
                    "domain": ("cyber", "bio")[number % 2],
                    "lever": lever,
                    "doublings": gain + se * rng.standard_normal(),
                    "se": se,
                    "verifier": False,
                    "tools": True,
                    "record": False,
                    "ai_models": 1.0,
                    "staff_hours": hours,
                    "multiplier": np.nan,
                    "released": np.nan,
                }
            )
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def program() -> Any:
    return program_of(simulated())


@pytest.fixture(scope="module")
def found(program: Any) -> Population:
    drawn = sample(program, seed=1, draws=500, tune=600, chains=2)
    return population_of(drawn.draws, simulated(), seed=1)


def test_dose_whole_and_spread_are_learned_from_what_they_made(found: Population) -> None:
    for name, truth in (("whole", np.log(WHOLE)), ("half", np.log(HALF))):
        low, high = np.quantile(found.draws[name], [0.01, 0.99])
        assert low < truth < high
        assert high - low < 2.5  # learned: the prior's 98 % is 3.3 wide
    spread = np.hypot(found.draws["study_sd"], found.draws["row_sd"])
    assert np.quantile(spread, 0.01) < SPREAD < np.quantile(spread, 0.99)


def test_priors_have_every_domain_and_more_where_more_can_be_added(found: Population) -> None:
    table = found.priors()
    assert set(table["domain"]) == {"bio", "cyber", EVERYWHERE}
    assert (table["low"] < table["median"]).all()
    assert (table["median"] < table["high"]).all()
    for _, own in table.groupby("domain"):
        usual = own[~own["verifier"] & own["tools"]].iloc[0]
        more = own[own["verifier"] | ~own["tools"]]
        assert (more["median"] > usual["median"]).all()
        assert usual["high"] / usual["low"] > 1.2  # a new study and AI model is never sure
    assert set(table.loc[table["domain"] == "bio", "studies"]) == {6}


def test_a_study_left_out_is_foretold_from_the_others(program: Any) -> None:
    data = simulated()
    own = (data["study"] == "study 03").to_numpy()
    left = program.with_data(se=np.where(own, 1e3, data["se"]))
    drawn = sample(left, seed=1, draws=300, tune=400, chains=2)
    gain = drawn.draws["gain"][..., own].reshape(-1, len(LEVERS))
    hours = np.array(list(LEVERS.values()))
    truth = WHOLE * hours / (hours + HALF)
    assert np.median(gain, axis=0) == pytest.approx(truth, rel=0.35)
    low, high = np.quantile(gain, [0.05, 0.95], axis=0)
    assert (high / low > np.exp(2 * 1.6 * SPREAD) / 1.5).all()  # a new study may differ
