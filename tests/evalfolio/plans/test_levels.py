"""Levels of a domain and joint decisions, wherever a plan speaks of its decisions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

import evalfolio as ef
from evalbayes import Menu
from evalfolio.cli.recommend import show
from evalfolio.examples import small_menu
from evalfolio.limits.table import constraints_from_table
from evalfolio.plans.cautions import crossed
from evalfolio.plans.judge import explain_eval
from evalfolio.plans.outlook import CALLS, decision_outlook
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question
from evalfolio.targets.requirement import require

HIGH, CRITICAL = "cyber, High", "cyber, Critical"


def with_levels(*rules: float, thresholds: tuple[float, float] = (9.0, 10.5)) -> Menu:
    menu = small_menu()
    cyber, autonomy = menu.decisions
    levels = [
        replace(cyber, name=name, threshold=threshold, mitigate_above=rule)
        for name, threshold, rule in zip((HIGH, CRITICAL), thresholds, rules, strict=True)
    ]
    levels[1] = replace(levels[1], held_against="4 attempts at up to $50 each")
    both = replace(cyber, name="both", contrast=0.5 * (cyber.contrast + autonomy.contrast))
    return replace(menu, decisions=(*levels, autonomy, both))


@pytest.fixture(scope="module")
def menu() -> Menu:
    return with_levels(0.3, 0.1)


@pytest.fixture(scope="module")
def plan(menu: Menu) -> ef.Plan:
    return ef.optimise(menu, budget={"usd": 10_000.0})


def test_names_stand_in_record_page_workbook_terminal_score_and_explain(
    plan: ef.Plan,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = [HIGH, CRITICAL, "autonomy", "both"]
    record = plan.record
    assert [row.name for row in record.domains] == names
    assert [row.about for row in record.domains] == [
        ("cyber",),
        ("cyber",),
        ("autonomy",),
        ("cyber", "autonomy"),
    ]
    page = plan.to_html(tmp_path / "p.html").read_text("utf-8")
    assert "over 30 % for cyber, High; 10 % for cyber, Critical." in page
    assert "The uncertainty left is that of cyber, High: both are about the same" in page
    assert "; held against 4 attempts at up to $50 each." in page
    assert [row.held_against != "" for row in record.domains] == [False, True, False, False]
    assert ef.Menu.load(plan.menu.save(tmp_path / "menu")).decisions[1].held_against
    assert page.count("<caption>Uncertainty left") == len(names) - 1
    sheet = openpyxl.load_workbook(plan.to_excel(tmp_path / "p.xlsx"), data_only=True)["Domains"]
    assert [sheet.cell(row, 1).value for row in range(4, 9)] == ["Decision", *names]
    monkeypatch.setenv("COLUMNS", "160")  # narrower terminals break names
    show(record)
    out, held = (
        capsys.readouterr().out,
        f"The threshold of {CRITICAL} is held against 4 attempts at",
    )
    assert CRITICAL in out
    assert held in out
    assert "Thresholds are held against an adversary’s budget." in page
    mix = tmp_path / "mix.csv"
    pd.DataFrame({"option": ["a plateau"]}).to_csv(mix, index=False)
    assert set(json.loads(plan.score(mix).to_json())["decisions"]) == set(names)
    told = explain_eval(str(plan.choices["eval"].iloc[0]), record)["text"]
    assert "for cyber, Critical (held against 4 attempts at up to $50 each) danger missed" in told
    assert "is the same money" not in ef.optimise(small_menu(), budget={"usd": 1e4}).to_html(
        tmp_path / "q.html"
    ).read_text("utf-8")


def test_a_target_may_be_on_a_level(menu: Menu) -> None:
    sheet = {"type": ["wrong call"], "of": [CRITICAL], "amount": [0.05]}
    (limit,) = constraints_from_table(pd.DataFrame(sheet))
    assert str(limit) == f"probability of a wrong call on {CRITICAL} is at most 5 %"
    found = require(menu, danger_missed={CRITICAL: 0.03})
    assert found.domains["p_missed_expected"][CRITICAL] <= 0.03 + 1e-9
    assert f"for {CRITICAL} (held against 4 attempts at up to $50 each) danger" in str(found)
    with pytest.raises(ef.InputError, match=r"decision of the menu, got 'cyber'"):
        require(menu, wrong_call={"cyber": 0.05})


def test_the_sum_over_levels_is_what_one_capability_settles() -> None:
    # Levels of a domain are tied: their calls are made on the same reading of the same capability.
    menu = with_levels(0.3, 0.3, thresholds=(8.0, 9.5))
    menu = replace(menu, decisions=menu.decisions[:2])
    chosen = ["a max", "b plateau"]
    told = ef.evaluate(menu, chosen)
    rng, n = np.random.default_rng(4), 400_000
    c, prior = menu.decisions[0].contrast, menu.prior_covariance
    v, whole = told.explained[HIGH], float(c @ prior @ c)
    mean = float(c @ menu.prior_mean) + np.sqrt(v) * rng.standard_normal(n)
    y = mean + np.sqrt(whole - v) * rng.standard_normal(n)
    gain = np.zeros(n)
    for decision in menu.decisions:
        lost = np.stack(
            [
                decision.loss_missed * np.maximum(y - decision.threshold, 0.0),
                decision.loss_false_alarm * np.maximum(decision.threshold - y, 0.0),
            ]
        )
        order = np.argsort(mean)  # losses expected after a reading: over readings near it
        after = lost[:, order].reshape(2, -1, 500).mean(axis=2)
        now = int(np.argmin(lost.mean(axis=1)))
        gain[:800] += after[now] - after.min(axis=0)
    error = gain[:800].std() / np.sqrt(800)
    assert told.value == pytest.approx(gain[:800].mean(), abs=4 * error + 0.01 * told.value)


@pytest.mark.parametrize("seed", range(20))
def test_the_higher_level_is_never_mitigated_alone_unless_its_rule_is_lower(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low, rule = rng.uniform(6.0, 10.0), rng.uniform(0.02, 0.5)
    menu = with_levels(rule, rule, thresholds=(low, low + rng.uniform(0.01, 2.0)))
    scale = np.exp(rng.uniform(-1.5, 1.5))
    skewed = ("cyber.gap",) if seed % 2 else ()
    covariance = scale * menu.prior_covariance
    menu = replace(menu, prior_covariance=covariance, skewed=skewed)
    x = np.zeros(len(menu))
    x[[1, 2]] = 1.0
    rows = decision_outlook(Problem(Question(menu)), x)
    high, critical = rows.loc[HIGH], rows.loc[CRITICAL]
    assert high["p_exceeds"] > critical["p_exceeds"]
    assert high["call_now"] == CALLS[1] or critical["call_now"] == CALLS[0]
    # after the results: P(mitigate) of the higher is no more than of the lower
    turned = rows["p_call_changes"].where(
        rows["call_now"] == CALLS[0], 1.0 - rows["p_call_changes"]
    )
    mitigated = turned[[HIGH, CRITICAL]].tolist()
    assert mitigated[0] >= mitigated[1] - 1e-9


def test_where_the_stakes_let_the_higher_alone_be_mitigated_the_plan_says_so() -> None:
    budget = {"usd": 10_000.0}
    menu = with_levels(0.4, 0.02)
    assert crossed(ef.optimise(menu, budget=budget)) == [(HIGH, CRITICAL)]
    assert crossed(ef.optimise(with_levels(0.1, 0.1), budget=budget)) == []
