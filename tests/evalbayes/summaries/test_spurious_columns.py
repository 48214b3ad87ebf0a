"""The table of curves with reviewed failures: what mending them would make of the plateau."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.evalbayes.menus.synthetic import UNDER_TEST, prior_posterior, small_catalogue
from tests.evalbayes.model.simulated import observed
from tests.evalbayes.observations.test_spurious import runs

from evalbayes.summaries.curves import curve_table


def test_reviewed_failures_add_their_rate_and_the_plateau_without_them() -> None:
    catalogue = small_catalogue()
    posterior = prior_posterior(catalogue, n_draws=500)
    assert "spurious_rate" not in curve_table(posterior, catalogue)
    seen = observed(
        runs({("cybench", UNDER_TEST): (30, 30, 40), ("nyuctf", UNDER_TEST): (20, 2, 0)})
    )
    table: Any = curve_table(posterior, catalogue, observations=seen).set_index("eval")
    assert table.loc["cybench", "spurious_rate"] > 2 * table.loc["nyuctf", "spurious_rate"]
    assert (table["plateau_repaired"] >= table["plateau"] - 1e-12).all()
    assert (table["plateau_as_it_comes"] < table["plateau"] + 1e-12).all()
    # All of nyuctf's failures were read, so its fit has left the spurious ones out already.
    same = np.isclose(table["plateau_repaired"], table["plateau"])
    assert same.tolist() == [name == "nyuctf" for name in table.index]
    # Of an eval nobody reviewed, little is known.
    width = table["spurious_rate_high"] - table["spurious_rate_low"]
    assert width["range"] > width[["cybench", "nyuctf"]].max()
