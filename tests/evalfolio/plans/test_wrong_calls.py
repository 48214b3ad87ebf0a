"""Danger missed and needless mitigation are told apart wherever a plan speaks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import evalfolio as ef
from evalbayes import Menu
from evalfolio.examples import small_menu
from evalfolio.plans.judge import explain_eval
from evalfolio.record.record import Record
from evalfolio.targets.requirement import require

KINDS = ("missed", "needless")


@pytest.fixture(scope="module")
def menu() -> Menu:
    """Cyber has a stated rule; one mitigation is for both domains."""
    menu = small_menu()
    cyber, autonomy = menu.decisions
    both = replace(cyber, name="both", contrast=0.5 * (cyber.contrast + autonomy.contrast))
    return replace(menu, decisions=(replace(cyber, mitigate_above=0.3), autonomy, both))


@pytest.fixture(scope="module")
def plan(menu: Menu) -> ef.Plan:
    return ef.optimise(menu, budget={"usd": 10_000.0})


def test_the_record_has_both_and_their_sums(plan: ef.Plan) -> None:
    rows = json.loads(plan.record.to_json())["domains"]
    assert [row["name"] for row in rows] == ["cyber", "autonomy", "both"]
    assert [row["domains"] for row in rows] == [["cyber"], ["autonomy"], ["cyber", "autonomy"]]
    assert [row["mitigate_above"] for row in rows] == [0.3, None, None]
    for row in rows:
        for when in ("now", "expected"):
            kinds = [row[f"p_{kind}_{when}"] for kind in KINDS]
            assert row[f"p_wrong_call_{when}"] == pytest.approx(sum(kinds))
        mitigate = row["call_now"] == "mitigate"
        assert row["p_missed_now" if mitigate else "p_needless_now"] == 0.0
        if row["mitigate_above"] is not None:
            assert mitigate == (row["p_exceeds"] > row["mitigate_above"])


def test_page_and_workbook_have_a_column_of_each(plan: ef.Plan, tmp_path: Path) -> None:
    page = plan.to_html(tmp_path / "p.html").read_text("utf-8")
    assert "Danger missed today" in page
    assert "Needless mitigation today" in page
    assert "over 30 % for cyber" in page
    book = openpyxl.load_workbook(plan.to_excel(tmp_path / "p.xlsx"), data_only=True)
    sheet = book["Domains"]
    heads = [cell.value for cell in sheet[4]]
    outlook = plan.domains.loc["both"]
    for head, key in (
        ("Danger missed after the plan's results", "p_missed_expected"),
        ("Needless mitigation after the plan's results", "p_needless_expected"),
        ("Danger missed after it", "p_missed_expected"),
        ("Needless mitigation after it", "p_needless_expected"),
    ):
        assert sheet.cell(7, heads.index(head) + 1).value == pytest.approx(outlook[key], abs=2e-3)
    spent = sheet.cell(7, heads.index("USD in the mix shown") + 1).value
    assert spent == pytest.approx(plan.spend["usd"])  # of both domains


def test_score_require_and_explain_say_both(plan: ef.Plan, menu: Menu, tmp_path: Path) -> None:
    mix = tmp_path / "mix.csv"
    pd.DataFrame({"option": ["a plateau"]}).to_csv(mix, index=False)
    score = plan.score(mix)
    words = "danger missed goes from"
    assert words in str(score)
    told = json.loads(score.to_json())["decisions"]["both"]
    assert {"p_missed_expected", "p_needless_expected", "p_wrong_call_expected"} <= set(told)
    assert words in str(require(menu, posterior_sd={"cyber": 1.1}))
    answer = explain_eval(plan.choices["eval"].iloc[0], Record.of(json.loads(plan.to_json())))
    assert words in answer["text"]
    assert "for both danger missed" in answer["text"]
