"""Families of spend weighed, and carried into every draw of a posterior."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from tests.evalbayes.curves.families.test_compare import simulated
from tests.evalbayes.model.simulated import catalogue, observed
from tests.evalbayes.observations.as_cells import as_cells

from evalbayes.curves.families import Selection, selection_of
from evalbayes.curves.law import STACKED, WIDTHS
from evalbayes.errors import InputError
from evalbayes.menus import build_menu
from evalbayes.model.carrying import STEEPEST_TAIL, carried
from evalbayes.model.evidence import evidence_of
from evalbayes.model.fit import fit
from evalbayes.observations import Observations
from evalbayes.posterior.posterior import Posterior
from evalbayes.summaries.curves import curve_table

EVALS = ({"name": "e", "human_minutes": 30}, {"name": "new", "human_minutes": 60})
CAP = float(np.exp(15.0))


def weighed(observations: Observations, *families: Any) -> Selection:
    evidence = evidence_of(observations)
    return selection_of(evidence.plain, evidence.summed, *families)


def runs(family: str, shapes: tuple[float, ...], n: int, seed: int = 3) -> pd.DataFrame:
    frame = simulated(family, shapes, n, seed)
    return frame.assign(task=[f"t{k}" for k in range(n)], cap=CAP, ai_model="A")


def heavy() -> Observations:
    return observed(runs("burr", (0.2, 4.0), 150))


def test_weights_find_the_family_and_say_why() -> None:
    found = weighed(heavy())
    weights = dict(zip(STACKED, found.weights["e"], strict=True))
    assert weights["burr"] > 0.8
    assert sum(weights.values()) == pytest.approx(1.0)
    table: Any = found.table.set_index("family")
    assert table.loc["loglinear", "weight"] == 0.0  # a baseline, never carried
    assert table.loc["lognormal", "behind"] > 0.0
    assert table["reason"].str.len().min() > 10


def test_cells_counts_and_few_successes_stay_lognormal_and_say_so() -> None:
    counts = pd.DataFrame(
        [{"eval": "new", "ai_model": "A", "cap": 1e6, "n_runs": 20, "n_success": 9}]
    )
    few = runs("lognormal", (1.0,), 3).assign(ai_model="B")
    found = weighed(observed(few, counts))
    assert not found.weights
    assert list(found.table["family"]) == ["lognormal", "lognormal"]
    reasons = dict(zip(found.table["eval"], found.table["reason"], strict=True))
    assert "no AI model has 5 successes" in reasons["e"]
    assert "no single spends" in reasons["new"]
    assert found.weights_of(("e", "unseen")).tolist() == [[1, 0, 0, 0], [1, 0, 0, 0]]
    cells: Any = weighed(as_cells(heavy())).table
    assert "cells hold the mean and sd" in cells.loc[0, "reason"]


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(InputError, match="families of spend must be of lognormal, hill"):
        weighed(heavy(), ("gamma",))
    with pytest.raises(InputError, match="got none"):
        weighed(heavy(), ())


@pytest.fixture(scope="module")
def beliefs() -> tuple[Posterior, Posterior, Selection]:
    """Prior draws, lognormal and with the families of heavy-tailed runs of the AI model's."""
    plain = fit(catalogue(*EVALS), Observations(), draws=1000)
    found = weighed(observed(runs("burr", (0.2, 4.0), 150).assign(ai_model="C")))
    draws = carried(plain, found, 0)
    weights = found.weights_of(plain.evals)
    return plain, replace(plain, draws=draws, spend_weights=weights), found


def test_draws_have_each_family_as_often_as_its_weight(
    beliefs: tuple[Posterior, Posterior, Selection],
) -> None:
    plain, carrying, found = beliefs
    assert (plain.draws["spend_family"] == 0).all()
    for k, weight in enumerate(found.weights["e"]):
        # An eval of which nothing was seen has the mean of the weights, and other cells' shapes.
        share = (carrying.draws["spend_family"][:, :, 0] == k).mean(axis=0)
        assert share == pytest.approx([weight, weight], abs=1.5e-3)
    # Capability is learned once; what a family changes is the eval's own.
    for key in ("shown", "gap", "difficulty", "validity_sd", "gave_up_location"):
        assert carrying.draws[key] is plain.draws[key]


def test_a_draw_moves_by_the_difference_of_the_cells_posteriors_at_its_plateaus_quantile(
    beliefs: tuple[Posterior, Posterior, Selection],
) -> None:
    plain, carrying, found = beliefs
    burr = STACKED.index("burr")
    rows = carrying.draws["spend_family"][:, 0, 0] == burr
    cell = found.cells["e", "C"]
    quantile = (plain.plateau("C")[:, 0].argsort().argsort() + 0.5) / plain.n_draws
    at = (quantile[rows] * len(cell["burr"])).astype(int)
    moved = logit(carrying.plateau("C")[rows, 0]) - logit(plain.plateau("C")[rows, 0])
    assert moved == pytest.approx(cell["burr"][at, 0] - cell["lognormal"][at, 0], abs=1e-6)
    later = carrying.draws["success_location"] - plain.draws["success_location"]
    assert later[rows, 0, 0] == pytest.approx(cell["burr"][at, 1] - cell["lognormal"][at, 1])
    width, tail = (carrying.draws[key][rows, 0, 0] for key in ("spend_width", "spend_tail"))
    index = WIDTHS["burr"] * width * tail  # of the power law far out, whatever tail was cut
    assert index == pytest.approx(np.exp(cell["burr"][at, 2] + cell["burr"][at, 3]))
    assert tail.max() <= STEEPEST_TAIL
    others = ~rows & (carrying.draws["spend_family"][:, 0, 0] == 0)
    assert (later[others] == 0).all()


def test_every_later_number_uses_the_families(
    beliefs: tuple[Posterior, Posterior, Selection],
) -> None:
    specs = catalogue(*EVALS)
    plain, carrying, _ = beliefs
    tables: Any = [curve_table(belief, specs).set_index("eval") for belief in (plain, carrying)]
    assert "burr" in tables[1].loc["e", "spend_families"]
    assert tables[0].loc["e", "spend_families"] == "lognormal 1.00"
    # Nothing was seen of the lognormal: its saturation is the prior's, a family's that of the runs.
    moved = np.log(tables[1]["saturation_95"] / tables[0]["saturation_95"])
    assert (abs(moved) > 0.25).all()
    menus = [build_menu(belief, specs)[0] for belief in (plain, carrying)]
    rows = [menu.options[menu.options["tier"] == "plateau"] for menu in menus]
    assert rows[1]["cap"].median() != rows[0]["cap"].median()
    assert np.isfinite(menus[1].information).all()
    assert (menus[1].options["usd"] <= menus[1].options["usd_ceiling"]).all()


def test_a_posterior_with_families_reads_back_as_written(
    beliefs: tuple[Posterior, Posterior, Selection], tmp_path: Path
) -> None:
    posterior = replace(beliefs[1], spend_families=beliefs[2].table)
    stored = Posterior.load(posterior.save(tmp_path / "p.nc"))
    for key in ("spend_family", "spend_width", "spend_tail"):
        assert stored.draws[key] == pytest.approx(posterior.draws[key])
    assert stored.spend_weights == pytest.approx(posterior.spend_weights)
    pd.testing.assert_frame_equal(
        stored.spend_families, posterior.spend_families, check_dtype=False, atol=1e-9
    )
