"""The class of a curve, case by case, and the table and grid it stands in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.evalbayes.model.simulated import catalogue

from evalbayes.catalogue import Catalogue
from evalbayes.curves import verdict
from evalbayes.curves.verdict import Seen
from evalbayes.model.fit import fit
from evalbayes.observations import Observations
from evalbayes.posterior.posterior import Posterior
from evalbayes.summaries.curves import curve_grid, curve_table


@pytest.mark.parametrize(
    ("seen", "p_levelled", "p_saturated", "kind", "words"),
    [
        (Seen(0, 0, 0, 0, False), 1.0, 1.0, "unknown", "no runs of this eval"),
        (Seen(0, 20, 0, 20, True), 1.0, 1.0, "floor", "flat at zero says nothing"),
        (Seen(0, 0, 20, 20, True), 0.1, 0.0, "floor", "no success in 20 runs (its own runs)"),
        (Seen(9, 5, 6, 20, True), 0.79, 0.1, "not yet levelling", "probability of 0.79"),
        (Seen(9, 0, 11, 20, True), 0.95, 0.9, "unknown", "look alike"),
        (Seen(9, 5, 6, 20, True), 0.95, 0.9, "plateau", "5 runs gave up"),
        (Seen(9, 5, 6, 20, True), 0.95, 0.7, "saturating", "not surely reached"),
        (Seen(20, 0, 0, 20, True), 1.0, 1.0, "plateau", "flat at its end"),
        (Seen(9, 5, 6, 20, False), 0.95, 0.9, "plateau", "runs of other AI models"),
    ],
)
def test_rules(seen: Seen, p_levelled: float, p_saturated: float, kind: str, words: str) -> None:
    judged = verdict(seen, p_levelled, p_saturated)
    assert judged.kind == kind
    assert words in judged.reason


@pytest.mark.parametrize(
    ("seen", "levelled"),
    [
        (Seen(9, 5, 6, 20, True), {"plateau": 0.24, "saturating": 0.08}),
        (Seen(9, 0, 11, 20, True), {"unknown": 0.32}),  # a slow curve or a low plateau
        (Seen(0, 5, 15, 20, True), {"unknown": 0.32}),
    ],
)
def test_probabilities_of_every_kind(seen: Seen, levelled: dict[str, float]) -> None:
    # half is an artefact, a fifth of the rest a floor, of what is left four fifths have levelled
    told = verdict(seen, 0.8, 0.6, p_floor=0.2, p_artefact=0.5).probabilities
    expected = {"artefact": 0.5, "floor": 0.1, "not yet levelling": 0.08} | levelled
    assert {kind: p for kind, p in told.items() if p} == pytest.approx(expected)
    assert sum(told.values()) == pytest.approx(1.0)


@pytest.fixture(scope="module")
def believed() -> tuple[Catalogue, Posterior]:
    specs = catalogue(
        {"name": "wide", "plateau": [0.1, 0.8], "half_spend": [1e4, 1e5]},
        {"name": "tight", "plateau": [0.1, 0.8], "half_spend": [1e4, 1e5], "max_cap": 3e3},
        shown_capability=[4.0, 8.0],
    )
    return specs, fit(specs, Observations(), draws=800)


def test_figures_are_ordered_and_in_their_bounds(believed: tuple[Catalogue, Posterior]) -> None:
    specs, posterior = believed
    table: Any = curve_table(posterior, specs).set_index("eval")
    for key in ("plateau", "success_at_max_cap", "expected_spend", "saturation_95"):
        assert (table[f"{key}_low"] <= table[key]).all()
        assert (table[key] <= table[f"{key}_high"]).all()
    assert (table["success_at_max_cap"] <= table["plateau"]).all()
    assert (table["expected_spend"] <= table["max_cap"]).all()
    assert table.loc["wide", "sweet_spot"] < table.loc["wide", "saturation_95"]


def test_a_sweet_spot_beyond_the_largest_cap_is_left_out_with_its_reason(
    believed: tuple[Catalogue, Posterior],
) -> None:
    specs, posterior = believed
    table: Any = curve_table(posterior, specs).set_index("eval")
    assert np.isnan(table.loc["tight", "sweet_spot"])
    assert "no sweet spot below the largest cap worth considering" in table.loc["tight", "reason"]
    assert "no sweet spot" not in table.loc["wide", "reason"]


def test_a_cost_of_setting_up_moves_the_sweet_spot_up(
    believed: tuple[Catalogue, Posterior],
) -> None:
    specs, posterior = believed
    plain: Any = curve_table(posterior, specs).set_index("eval")
    with_setup: Any = curve_table(posterior, specs, setup=0.05).set_index("eval")
    assert with_setup.loc["wide", "sweet_spot"] > plain.loc["wide", "sweet_spot"]


def test_the_grid_ends_at_the_largest_cap_with_the_tables_figures(
    believed: tuple[Catalogue, Posterior],
) -> None:
    specs, posterior = believed
    table: Any = curve_table(posterior, specs).set_index("eval")
    last: Any = curve_grid(posterior, specs, points=12).groupby("eval").last()
    np.testing.assert_allclose(last["cap"], table["max_cap"].loc[last.index])
    for key, column in (("success", "success_at_max_cap"), ("spend", "expected_spend")):
        np.testing.assert_allclose(last[key], table[column].loc[last.index], rtol=1e-9)
