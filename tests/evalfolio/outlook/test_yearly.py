"""The question of a later year: what has grown, and by how much each threshold is nearer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.evalfolio.value.skew.menus import skewed_menu

from evalbayes import Decision, Menu, SharedPurchase
from evalbayes.catalogue import Catalogue, parse_catalogue
from evalfolio.outlook.forecast import STUDIES, Forecast
from evalfolio.outlook.presets import read_presets
from evalfolio.outlook.yearly import in_year, mixes
from evalfolio.search import Question

STOCK = {"usd": 100.0}


def catalogue() -> Catalogue:
    domains = [
        {"name": "cyber", "threshold": 8.0, "growth_per_year": 3.0},
        {"name": "bio", "threshold": 8.0, "growth_per_year": 0.5},
    ]
    evals = [
        {"name": f"{each['name']} eval", "domain": each["name"], "tasks": 10, "human_minutes": 60}
        | {"usd_per_run": 2.0}
        for each in domains
    ]
    both = {"name": "both", "weights": {"cyber": 0.5, "bio": 1.5}, "threshold": 16.0}
    return parse_catalogue({"domain": domains, "eval": evals, "decision": [both]})


def menu() -> Menu:
    made = skewed_menu(0, 3)
    row = np.array([0.5, 0.5, 1.5, 1.5, 0.0])
    scaffold = SharedPurchase("scaffold", {"usd": 10.0}, tuple(made.options.index[:2]))
    return replace(
        made,
        decisions=(*made.decisions, Decision("both", row, 16.0, 9.0, 1.0)),
        shared=(scaffold,),
    )


def forecast() -> Forecast:
    columns = ["eval", "resource", "cost", "amount"]
    return Forecast(read_presets(), pd.DataFrame(columns=columns), STOCK, {}, years=2)


def test_thresholds_are_nearer_by_what_each_decision_weighs() -> None:
    asked, found, year = Question(menu(), STOCK), forecast(), 2
    then = in_year(asked, found, catalogue(), year)
    nearer = [
        now.threshold - later.threshold
        for now, later in zip(asked.menu.decisions, then.menu.decisions, strict=True)
    ]
    assert nearer == pytest.approx([2 * 3.0, 2 * 0.5, 2 * (0.5 * 3.0 + 1.5 * 0.5)])
    # what several evals share gets dearer as what people do
    shared = found.factor(STUDIES) / np.exp(found.logs["ai_models"] + found.logs["domains"])
    (bought,) = then.menu.shared
    assert bought.use["usd"] == pytest.approx(10.0 * np.median(shared[:, year]))


def test_thresholds_out_of_reach_are_worth_no_evals_in_any_year() -> None:
    far = menu()
    far = replace(far, decisions=tuple(replace(d, threshold=500.0) for d in far.decisions))
    table = mixes(Question(far, STOCK), forecast(), catalogue())
    assert table["year"].tolist() == [0, 1, 2]
    assert table["of_perfect"].tolist() == [0.0, 0.0, 0.0]
