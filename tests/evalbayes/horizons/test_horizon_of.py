"""The horizon read off the whole model's posterior."""

import numpy as np
import pandas as pd
import pytest

from evalbayes.horizons import horizon_of
from evalbayes.posterior.diagnostics import Diagnostics
from evalbayes.posterior.posterior import DIMENSIONS, Posterior

LENGTHS = {"domain": 2, "knot": 2, "eval": 1, "ai_model": 2, "family": 0}


def test_the_level_is_shown_capability_and_what_elicitation_adds() -> None:
    rng = np.random.default_rng(0)
    draws = {
        key: rng.uniform(0.5, 2.0, (30, *(LENGTHS[dim] for dim in dims)))
        for key, dims in DIMENSIONS.items()
    }
    draws["spend_family"] = np.round(draws["spend_family"])
    posterior = Posterior(
        domains=("cyber", "autonomy"),
        evals=("a",),
        ai_models=("A", "B"),
        families=(),
        draws=draws,
        loadings=np.array([[1.0, 0.0]]),
        family_of=np.array([-1]),
        n_runs=np.array([[3, 0]]),
        elicited_history=True,
        diagnostics=Diagnostics(pd.DataFrame(), pd.DataFrame(), 0, 30, ()),
        provenance={},
    )
    shown, gap = draws["shown"][:, 1, 0], draws["gap"][:, 1, 0]
    plain = horizon_of(posterior, "autonomy", "A")
    deep = horizon_of(posterior, "autonomy", "A", effort=0.8)
    np.testing.assert_allclose(plain.minutes(), 2.0**shown)
    np.testing.assert_allclose(deep.minutes() / plain.minutes(), 2.0 ** (0.8 * gap))
    # An eval as hard as tasks of m minutes, with no validity error, is completed as often as they.
    a = draws["slope"][:, 1, 0]
    np.testing.assert_allclose(plain.completion(30.0), 1 / (1 + np.exp(-a * (shown - np.log2(30)))))
    assert deep.completion(30.0).mean() > plain.completion(30.0).mean()
    assert plain.doublings_to(480.0) == pytest.approx(np.log2(480.0) - shown)
