from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from tests.evalbayes.observations.as_cells import as_cells

from evalbayes.observations import Observations, Rows, observations_of

OUTCOMES = ["success", "gave_up", "stopped_by_cap", "stopped_otherwise", "spurious"]

run = st.tuples(
    st.sampled_from(OUTCOMES), st.floats(0.51, 1.09), st.sampled_from(["A", "B"]), st.booleans()
)


def observed(runs: list[tuple[str, float, str, bool]], cap: float = 1000.0) -> Observations:
    """Turn (outcome, share of the cap spent, AI model, elicited) into observations."""
    rows = [
        {
            "eval": "e",
            "task": str(i),
            "ai_model": model,
            "outcome": outcome,
            "spend": share * cap,
            "cap": cap,
            "effort": 0.8 if elicited else 0.0,
            "human_minutes": 10.0 + i,
        }
        for i, (outcome, share, model, elicited) in enumerate(runs)
    ]
    return observations_of([Rows(pd.DataFrame(rows, dtype=object), "rows")])


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as dictionaries."""
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def log_likelihood(found: Observations, centre: float, scale: float, plateau: float) -> float:
    """Lognormal competing risks, F = H, written out for runs and for cells on their own."""
    total = 0.0
    for row in records(found.runs):
        ln_spend = np.log(row["spend"])
        if row["outcome"] == "success":
            total += np.log(plateau) + norm.logpdf(ln_spend, centre, scale)
        elif row["outcome"] == "gave_up":
            total += np.log1p(-plateau) + norm.logpdf(ln_spend, centre, scale)
        else:
            end = np.log(row["cap"]) if row["outcome"] == "stopped_by_cap" else ln_spend
            total += norm.logsf(end, centre, scale)
    for row in records(found.cells):
        for n, mean, sd, share in (
            (row["n_success"], row["mean_ln_spend_success"], row["sd_ln_spend_success"], plateau),
            (
                row["n_gave_up"],
                row["mean_ln_spend_gave_up"],
                row["sd_ln_spend_gave_up"],
                1 - plateau,
            ),
        ):
            if n:
                squares = (n - 1) * np.nan_to_num(sd) ** 2 + n * (mean - centre) ** 2
                normal = n * np.log(scale * np.sqrt(2 * np.pi)) + squares / (2 * scale**2)
                total += n * np.log(share) - normal
        total += row["n_stopped"] * norm.logsf(np.log(row["cap"]), centre, scale)
    return float(total)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(run, min_size=1, max_size=25),
    st.floats(3, 9),
    st.floats(0.2, 3),
    st.floats(0.05, 0.95),
)
def test_cells_have_the_likelihood_of_the_runs_they_summarise(
    runs: list[tuple[str, float, str, bool]], centre: float, scale: float, plateau: float
) -> None:
    found = observed(runs)
    cells = as_cells(found)
    whole = log_likelihood(found, centre, scale, plateau)
    assert log_likelihood(cells, centre, scale, plateau) == pytest.approx(whole, rel=1e-9)
    assert cells.run_counts.sum(axis=1).tolist() == found.run_counts.sum(axis=1).tolist()


@settings(max_examples=10, deadline=None)
@given(st.lists(run, min_size=1, max_size=25))
def test_runs_stopped_by_something_else_stay_runs(runs: list[tuple[str, float, str, bool]]) -> None:
    cells = as_cells(observed(runs))
    assert set(cells.runs["outcome"]) <= {"stopped_otherwise", "spurious"}
    again = as_cells(cells)
    pd.testing.assert_frame_equal(again.cells, cells.cells)
    pd.testing.assert_frame_equal(again.runs, cells.runs)


def test_a_cell_has_its_figures() -> None:
    runs = [("success", 0.6, "A", False), ("success", 0.8, "A", False)]
    found = as_cells(observed([*runs, ("gave_up", 0.7, "A", False)]))
    (row,) = found.cells.to_dict("records")
    logs = np.log([600.0, 800.0])
    assert row["mean_ln_spend_success"] == pytest.approx(logs.mean())
    assert row["sd_ln_spend_success"] == pytest.approx(abs(logs[1] - logs[0]) / np.sqrt(2))
    assert row["mean_ln_spend_gave_up"] == pytest.approx(np.log(700))
    assert np.isnan(row["sd_ln_spend_gave_up"])
    assert (row["n_success"], row["n_gave_up"], row["n_stopped"]) == (2, 1, 0)
    assert row["human_minutes"] == 11
