"""Plots return axes, plans show themselves in a notebook, and names stay text in both."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import evalfolio as ef
from evalfolio.errors import InputError
from evalfolio.examples import small_menu
from evalfolio.export.plots import plot_curve
from evalfolio.narrative import what_it_hangs_on
from evalfolio.plans.plan import Plan
from evalfolio.search.question import Question

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib comes with ArviZ or by itself")
matplotlib.use("agg")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return ef.optimise(small_menu(), budget={"usd": 10_000, "staff_hours": 90})


def test_a_plan_plots_its_money_by_eval_and_tier(plan: Plan) -> None:
    ax: Any = plan.plot()
    lengths = sorted(bar.get_width() for bar in ax.patches)
    assert lengths == sorted(plan.choices["usd"])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["b", "a"]
    assert "with maximum elicitation" in [t.get_text() for t in ax.get_legend().get_texts()]
    assert plan.plot(ax) is ax
    matplotlib.pyplot.close("all")


def test_a_plan_of_nothing_plots_too() -> None:
    nothing = ef.optimise(small_menu(), budget={"usd": 0})
    assert nothing.plot().get_title() == "nothing is run"
    assert "Run nothing" in nothing._repr_html_()
    matplotlib.pyplot.close("all")


def test_a_frontier_plots_value_and_budget() -> None:
    line = ef.frontier(Question(small_menu(), {"usd": 8_000, "staff_hours": 90}), points=4)
    ax: Any = line.plot()
    drawn = ax.lines[0].get_ydata()
    assert drawn == pytest.approx((line.points["value"] / line.evpi).to_numpy())
    assert ax.get_xlabel() == "budget, USD"
    ax.figure.canvas.draw()  # formatters run
    matplotlib.pyplot.close("all")


def test_a_curve_marks_its_sweet_spot() -> None:
    caps = [1.0, 10.0, 100.0]
    grid = pd.DataFrame(
        {"eval": "a$b$", "cap": caps, "success": [0.1, 0.4, 0.6]}
        | {"success_low": [0.0, 0.2, 0.5], "success_high": [0.2, 0.6, 0.8]}
    )
    table = pd.DataFrame(
        {"eval": ["a$b$"], "sweet_spot": [10.0], "saturation_95": [float("nan")]}
        | {"plateau": [0.65], "spend_unit": ["tokens"]}
    )
    ax: Any = plot_curve(grid, "a$b$", table)
    (mark,) = [line for line in ax.lines if line.get_label() == "sweet spot"]
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (10.0, pytest.approx(0.4))
    ax.figure.canvas.draw()
    matplotlib.pyplot.close("all")
    with pytest.raises(InputError, match=r"c: must be an eval of the grid; use one of a\$b\$"):
        plot_curve(grid, "c")


def test_a_notebook_shows_rich_tables_with_names_as_text(plan: Plan) -> None:
    html = plan._repr_html_()
    assert html.count("<table") == 2
    assert "<caption>Mix</caption>" in html
    assert "staff hours" in html
    nasty = plan.choices.assign(eval="<script>x</script>")
    html = replace(plan, choices=nasty)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_importing_evalfolio_and_planning_loads_no_matplotlib() -> None:
    code = (
        "import sys, evalfolio as ef; from evalfolio.examples import small_menu; "
        "print(ef.optimise(small_menu(), budget={'usd': 9000})); "
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_money_is_written_as_money() -> None:
    text = what_it_hangs_on(
        pd.DataFrame(), binding=["usd", "staff_hours"], domain=None, gap_is_prior=False,
        share_of_evpi=0.5,
    )  # fmt: skip
    assert "the limits on USD and staff hours" in text
