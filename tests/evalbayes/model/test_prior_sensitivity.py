"""Power scaling of priors, against a normal mean and its posterior worked out."""

from __future__ import annotations

import numpy as np
import pytest

from evalbayes.model.convergence import POWERS, log_prior_of, prior_shift
from evalbayes.model.layout import Layout


@pytest.mark.parametrize("prior_sd", [0.5, 1.0, 5.0])
def test_the_shift_is_that_of_the_posterior_with_the_prior_raised_to_a_power(
    prior_sd: float,
) -> None:
    data, noise = 1.5, 0.7

    def posterior(power: float) -> tuple[float, float]:
        precision = power / prior_sd**2 + 1.0 / noise**2
        return data / noise**2 / precision, precision**-0.5

    mean, sd = posterior(1.0)
    x = np.random.default_rng(1).normal(mean, sd, (300_000, 1))
    low, high = (posterior(power)[0] for power in POWERS)
    expected = abs(high - low) / sd / np.log2(POWERS[1] / POWERS[0])
    assert prior_shift(x, -0.5 * x[:, 0] ** 2 / prior_sd**2)[0] == pytest.approx(expected, abs=0.01)


def test_what_does_not_vary_does_not_shift() -> None:
    x = np.ones((50, 1))
    assert prior_shift(x, np.zeros(50)).tolist() == [0.0]


def test_the_log_prior_is_of_what_has_a_constant_prior() -> None:
    base = Layout({"eval": ["a", "b", "c"]})
    base.add("centre", 2.0, 0.5)
    base.add("spread", np.log(0.3), 0.4)
    base.logarithms.add("spread")
    base.add("offset", dim="eval", sd_entry=base.at("spread"))
    rng = np.random.default_rng(2)
    named = {
        "centre": rng.normal(2.0, 0.5, 40),
        "spread": np.exp(rng.normal(np.log(0.3), 0.4, 40)),
        "offset": rng.normal(size=(40, 3)),
    }
    wanted = -0.5 * ((named["centre"] - 2.0) / 0.5) ** 2
    wanted -= 0.5 * ((np.log(named["spread"]) - np.log(0.3)) / 0.4) ** 2
    assert log_prior_of(base, named) == pytest.approx(wanted)
