"""The phase diagram: where the optimiser turns to depth, and where the law says so."""

from __future__ import annotations

import numpy as np
import pytest

from evalfolio.search.certified import Certified
from evalfolio.search.question import Question
from evalfolio.sensitivities.phases import OneDomain, phase_diagram
from evalfolio.sensitivities.sweep import solve


def first_depth(cost_ratio: float, validity_sd: float, budget: float) -> tuple[float, float]:
    """Bisect the optimiser's boundary in the sd of the gap; return it and the closed form's."""
    figures = {"cost_ratio": cost_ratio, "validity_sd": validity_sd, "gap_spread": 0.5}
    predicted = float(
        phase_diagram(
            gap_sd=[1.0],
            cost_ratio=[cost_ratio],
            validity_sd=[validity_sd],
            evals=[24],
            budget=budget,
        )["boundary"].iloc[0]
    )
    low, high = predicted / 2, predicted * 2
    for _ in range(7):
        middle = np.sqrt(low * high)
        case = OneDomain((1.0,) * 24, gap_sd=middle, shown_sd=2.0, **figures)
        deep = any(
            n.endswith("deep")
            for n in solve(Question(case.menu(), {"usd": budget}), Certified(gap=1e-4)).options
        )
        low, high = (low, middle) if deep else (middle, high)
    return float(np.sqrt(low * high)), predicted


@pytest.mark.parametrize(
    ("cost_ratio", "validity_sd", "budget"), [(5.0, 1.0, 18.0), (9.0, 0.7, 16.0), (3.0, 1.6, 20.0)]
)
def test_the_boundary_is_within_a_twentieth_of_the_closed_form(
    cost_ratio: float, validity_sd: float, budget: float
) -> None:
    found, predicted = first_depth(cost_ratio, validity_sd, budget)
    assert found == pytest.approx(predicted, rel=0.05)


def test_the_law_counts_the_deep_runs_of_the_certified_mix() -> None:
    table = phase_diagram(
        gap_sd=[0.15, 0.6, 1.5],
        cost_ratio=[4.0, 8.0],
        evals=[14],
        budget=14.0,
        method=Certified(gap=1e-4),
    )
    certified = table[table["status"] == "certified"]
    assert len(certified) == len(table)
    assert (certified["deep_evals"] - certified["rule_evals"]).abs().max() <= 1
    assert (certified["deep_evals"] == certified["rule_evals"]).mean() >= 0.8
    by_gap = table[table["cost_ratio"] == 4.0]["deep_evals"]
    assert by_gap.is_monotonic_increasing
