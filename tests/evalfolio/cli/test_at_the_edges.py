"""Plans at the edges of what may be believed, and what `forecast` and `schedule` make of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Run

CATALOGUE = """
[portfolio]
ai_model = "Next"
{budget}
[[domain]]
name = "cyber"
{threshold}
shown_capability = {shown}
elicitation_gap = {gap}
mitigate_above = 0.1
[[eval]]
name = "ctf"
domain = "cyber"
tasks = 30
human_minutes = 60
usd_per_run = [2, 15]
staff_hours = 6
staff_hours_elicitation = 60
plateau = [0.3, 0.8]
"""
LIMITS = "[budget]\nusd = 5_000\nstaff_hours = 200"
USUAL = {"budget": LIMITS, "threshold": "threshold_human_time = '8 h'"}
USUAL |= {"shown": "[3.0, 9.0]", "gap": "[0.2, 2.5]"}


@pytest.mark.parametrize(
    "edge",
    [
        {"gap": "0"},
        {"gap": "1.0"},
        {"shown": "[14.0, 16.0]"},
        {"threshold": "threshold = 200.0"},
        {"budget": ""},
    ],
    ids=["no gap", "exact gap", "far over the threshold", "far below it", "without budgets"],
)
def test_a_plan_is_made_and_its_years_are_told(
    edge: dict[str, str], run: Run, tmp_path: Path
) -> None:
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(CATALOGUE.format(**USUAL | edge))
    made = run("recommend", catalogue, "--out", tmp_path / "plan", "--allow-failed-fit")
    assert made.code == 0, made.err
    for command in ("forecast", "schedule"):
        told = run(command, tmp_path / "plan")
        assert told.code == 0, told.err
        assert "nan" not in told.out.split()
