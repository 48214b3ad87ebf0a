"""The table of capability, against its draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.evalbayes.menus.synthetic import (
    UNDER_TEST,
    decided_catalogue,
    prior_posterior,
    small_catalogue,
)

from evalbayes.elicitation.post_training import buffer
from evalbayes.summaries.capability import capability_table

CATALOGUE = small_catalogue()
POSTERIOR = prior_posterior(CATALOGUE, n_draws=4000)


def test_figures_are_those_of_the_draws() -> None:
    table: Any = capability_table(POSTERIOR, CATALOGUE).set_index(["domain", "figure"])
    d, m = POSTERIOR.index_of("domain", "cyber"), POSTERIOR.index_of("ai_model", UNDER_TEST)
    shown, gap = POSTERIOR.draws["shown"][:, d, m], POSTERIOR.draws["gap"][:, d, m]
    cyber = table.loc["cyber"]
    assert cyber.loc["full", "median"] == pytest.approx(np.median(shown + gap))
    assert cyber.loc["elicitation gap", "high"] == pytest.approx(np.quantile(gap, 0.95))
    assert cyber.loc["50% horizon, shown", "median"] == pytest.approx(
        np.median(2.0**shown), rel=1e-3
    )
    assert cyber.loc["50% horizon, full", "median"] == pytest.approx(
        np.median(2.0 ** (shown + gap)), rel=1e-3
    )
    assert (
        cyber.loc["80% horizon, shown", "median"] < cyber.loc["50% horizon, shown", "median"] / 3
    )  # the slope of 0.6 logits is flatter than a constant hazard
    for figure, key in (
        ("validity error of", "validity_sd"),
        ("spread of the", "gap_departure_sd"),
    ):
        (row,) = [name for name in table.loc["all"].index if name.startswith(figure)]
        expected = np.quantile(POSTERIOR.draws[key], (0.5, 0.05, 0.95))
        assert table.loc[("all", row), ["median", "low", "high"]].tolist() == pytest.approx(
            expected
        )
    shares = cyber.loc[
        [f"completion of {x} tasks, shown" for x in ("10 min", "30 min", "2 h", "8 h")]
    ]
    assert (np.diff(shares["median"]) < 0).all()
    threshold = np.random.default_rng(9).normal(*CATALOGUE.decisions[0].threshold.normal(), 4000)
    assert cyber.loc["chance to exceed now", "median"] == pytest.approx(
        (shown + gap > threshold).mean(), abs=0.02
    )
    assert (
        cyber.loc["chance to exceed in 6 months", "median"]
        > cyber.loc["chance to exceed now", "median"]
    )


def test_every_level_has_rows_of_its_own_by_its_name() -> None:
    table: Any = capability_table(POSTERIOR, decided_catalogue()).set_index(["domain", "figure"])
    cyber = table.loc["cyber", "median"]
    assert cyber["full to Critical"] - cyber["full to High"] == pytest.approx(2.0)
    assert cyber["chance to exceed Critical now"] < cyber["chance to exceed High now"]
    assert "80% horizon to Critical, full" in cyber.index
    assert "full to threshold" in table.loc["autonomy"].index
    assert set(table.index.get_level_values("domain")) == {"cyber", "autonomy", "all"}


def test_buffers_rise_with_the_level_and_fall_with_elicitation() -> None:
    table = capability_table(POSTERIOR, CATALOGUE).set_index(["domain", "figure"])["median"]
    for domain in ("cyber", "autonomy"):
        shown = [
            table[domain][f"buffer after shown, {x}"] for x in ("50%", "80%", "90%", "95%", "99%")
        ]
        assert (np.diff(shown) > 0).all()
        deep = table[domain]["buffer after maximum elicitation, 95%"]
        assert deep < shown[3]
    # Without gain to come, the buffer is a quantile of the gap itself.
    still = CATALOGUE.model_copy(
        update={
            "portfolio": CATALOGUE.portfolio.model_copy(update={"horizon_months": 1e-15}),
        }
    )
    gap = POSTERIOR.draws["gap"][:, 0, POSTERIOR.index_of("ai_model", UNDER_TEST)]
    again = capability_table(POSTERIOR, still).set_index(["domain", "figure"])["median"]
    assert again["cyber"]["buffer after shown, 95%"] == pytest.approx(buffer(gap, 0.95), rel=1e-6)


def test_a_unit_without_minutes_has_no_horizons() -> None:
    plain = CATALOGUE.domains[0].model_copy(update={"unit": "points"})
    catalogue = CATALOGUE.model_copy(update={"domains": (plain, *CATALOGUE.domains[1:])})
    table = capability_table(POSTERIOR, catalogue)
    own = table[table["domain"] == "cyber"]
    assert set(own["unit"]) == {"points", "share"}
    assert not own["figure"].str.contains("horizon,").any()
