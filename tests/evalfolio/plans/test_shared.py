"""What a plan says of shared purchases, wherever it says something of money and hours."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import evalfolio as ef
from evalbayes import Menu
from evalfolio.examples import sharing_menu, small_menu
from evalfolio.export.mix import mix_table
from evalfolio.limits.amount import tier_share
from evalfolio.narrative import mix_in_words
from evalfolio.plans.judge import explain_eval
from evalfolio.plans.mix_file import read_mix
from evalfolio.plans.plan import Plan
from evalfolio.plans.risk import money_spends, spend_risk
from evalfolio.plans.rivals import even_split, rival_plans
from evalfolio.sensitivities.robust import Scenarios
from evalfolio.sensitivities.sweep import menu_hash

BUDGET = {"usd": 18_000.0, "staff_hours": 98.0}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return ef.optimise(sharing_menu(), budget=BUDGET, gap=1e-4)


def drawn(menu: Menu, seed: int = 0) -> Menu:
    rng = np.random.default_rng(seed)
    own = np.array([[menu.shared[0].use.get(name, 0.0) for name in menu.resources]])
    (scaffold,) = menu.shared
    return replace(
        menu,
        resource_draws=menu.costs * rng.lognormal(0, 0.3, (50, len(menu), 1)),
        shared=(replace(scaffold, draws=own * rng.lognormal(0, 0.5, (50, 1))),),
    )


def test_rows_say_what_is_shared_and_what_its_last_user_loses(plan: Plan) -> None:
    (row,) = plan.record.shared
    assert (row.name, row.evals, row.domains) == ("scaffold", ("a", "b"), ("cyber",))
    assert dict(row)["staff_hours"] == 50.0
    without = ef.evaluate(plan.menu, ["c plateau"]).value
    assert row.value_if_dropped == pytest.approx(plan.value - without)
    shares = [each.share_of_usd for each in plan.record.choices]
    assert sum(shares) + row.share_of_usd == pytest.approx(1.0)
    assert "bought once: scaffold" in str(plan)
    assert mix_in_words(plan.choices, "X", plan.shared) == (
        "Run 3 evals on X for an expected $18,000: a and b with maximum elicitation (95 % of the "
        "money); c near its plateau (5 % of the money). Bought once: scaffold for a and b "
        "($1,000, 50 staff hours)."
    )
    many = pd.concat([plan.shared.rename({"scaffold": name}) for name in "pqrs"])
    assert mix_in_words(plan.choices, "X", many).endswith(
        "Bought once for 2 of them: p, q, r and s ($4,000, 200 staff hours)."
    )
    assert plan.domains["evsi"]["cyber"] > 0
    assert plan.record.domains[0].reason.endswith("for $17,000")
    money = plan.record.usd_of(("cyber",)), plan.record.usd_of(("cyber",), "plateau")
    assert money == (17_000.0, 0.0)


def test_the_mix_adds_up_and_is_read_back(plan: Plan, tmp_path: Path) -> None:
    table = mix_table(plan.record)
    for name, used in plan.spend.items():
        assert table[name].sum() == pytest.approx(used)
    last = table.iloc[-1]
    assert (last["option"], last["tier"]) == ("scaffold", "shared elicitation")
    path = tmp_path / "mix.csv"
    table.to_csv(path, index=False)
    assert list(read_mix(path)["option"]) == list(plan.chosen)  # what is run
    assert plan.score(path).regret == 0.0
    plan.record.write(tmp_path / "plan.json")
    plan.menu.save(tmp_path / "menu")
    loaded = Plan.load(tmp_path)
    assert loaded.to_json() == plan.to_json()
    pd.testing.assert_frame_equal(loaded.shared, plan.shared)


def test_a_score_adds_what_the_options_need_and_says_so(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("option\na max\n")
    alone = plan.score(path)
    assert alone.evaluation.spend == {"usd": 10_000.0, "staff_hours": 80.0}
    said = "Counted with it, once each: scaffold ($1,000, 50 staff hours), which its options need."
    assert said in str(alone)
    assert '"shared": "scaffold' in alone.to_json()
    path.write_text("option\na plateau\nscaffold\n")
    idle = plan.score(path)
    assert idle.evaluation.spend == {"usd": 500.0, "staff_hours": 4.0}
    assert "Not counted, as no option of it needs them: scaffold." in str(idle)
    path.write_text("option\na max\nb max\nc plateau\n")
    assert plan.score(path).over == {}
    path.write_text("option\nscaffolt\n")
    with pytest.raises(ef.InputError, match="did you mean 'scaffold'"):
        plan.score(path)


def test_reasons_and_next_steps_count_the_first_user_of_a_purchase(plan: Plan) -> None:
    text = explain_eval("a", plan.record)["text"]
    assert "it needs scaffold, bought once for a and b ($1,000, 50 staff hours)" in text
    said = explain_eval("scaffold", plan.record)["text"]
    assert said.startswith("scaffold is bought once for a and b ($1,000, 50 staff hours): without")
    shallow = ef.optimise(sharing_menu(), budget={"usd": 5_000.0, "staff_hours": 98.0})
    steps = shallow.next_steps
    assert steps.loc["b max", "short_usd"] == pytest.approx(2_000 - 600 + 8_000 - 5_000)
    one = ef.optimise(sharing_menu(), budget={"usd": 10_700.0, "staff_hours": 98.0})
    assert one.chosen == ("a max", "b plateau")  # for 10,600 with the scaffold
    assert one.next_steps.loc["b max", "short_usd"] == 7_000 - 600 - 100  # it is there already
    menu = sharing_menu()
    only_deep = menu.subset(menu.options["tier"].isin(["max-elicitation"]).to_numpy())
    tight = ef.optimise(only_deep, budget={"usd": 5_000.0})
    told = tight.not_chosen["reason"]["b"]
    assert told == "its best option alone exceeds the budget of USD"
    assert "8,000" in tight.note  # 7,000 and the scaffold
    roomy = ef.optimise(only_deep, budget={"usd": 8_500.0, "staff_hours": 1_000.0})
    assert set(roomy.chosen) == {"b max"}
    idle = ef.optimise(
        sharing_menu(), budget=BUDGET, constraints=[ef.Forbidden("a"), ef.Forbidden("b max")]
    )
    assert "with scaffold, which nothing in the mix needs" in idle.not_chosen["reason"]["a"]


def test_uncertain_costs_hold_the_purchase_once() -> None:
    menu = drawn(sharing_menu())
    names = ["a max", "b max"]
    assert menu.resource_draws is not None
    assert menu.shared[0].draws is not None
    total = menu.resource_draws[:, [1, 3], 0].sum(axis=1) + menu.shared[0].draws[:, 0]
    expected, spends = money_spends(menu, names)
    assert expected == 17_000.0
    assert spends == pytest.approx(total)
    risk = spend_risk(menu, names, 17_500.0)
    assert risk.expected == pytest.approx(total.mean())
    assert risk.probability_above == np.mean(total > 17_500.0)
    (row,) = ef.optimise(menu, budget=BUDGET).record.shared
    assert row.usd_ceiling == menu.shared[0].draws[:, 0].max()


def test_requirements_are_least_with_sharing() -> None:
    menu = sharing_menu()
    names = list(menu.options.index)
    found = ef.require(menu, posterior_sd={"cyber": 0.95})
    best = np.inf
    for chosen in chain.from_iterable(combinations(names, k) for k in range(4)):
        if len(set(menu.options.loc[list(chosen), "eval"])) < len(chosen):
            continue
        result = ef.evaluate(menu, chosen)
        if menu.prior_covariance[:2, :2].sum() - result.explained["cyber"] <= 0.95**2:
            best = min(best, result.spend["usd"])
    assert best < np.inf
    assert found.need == pytest.approx(best)
    assert found.spend == ef.evaluate(menu, found.chosen).spend
    worth = ef.optimise(menu, budget=BUDGET).value * 0.95
    valued = ef.require(menu, value=worth)
    assert valued.need == valued.spend["usd"]
    assert ef.evaluate(menu, valued.chosen).value >= worth
    given_up = ef.waive(menu, budget={"usd": 9_500.0}, posterior_sd={"cyber": 0.95})
    assert given_up.spend["usd"] <= 9_500.0


def test_rivals_scenarios_and_hashes_know_of_it(plan: Plan) -> None:
    question = plan.question
    for name, chosen in rival_plans(question).items():
        used = ef.evaluate(plan.menu, chosen).spend
        assert all(used[k] <= BUDGET[k] * (1 + 1e-9) for k in BUDGET), name
    # An equal share pays for b alone with what both share; once that is there, the rest pays for a.
    assert set(even_split(plan.menu, {"usd": 27_000.0})) == {"a max", "b max", "c plateau"}
    assert menu_hash(plan.menu) != menu_hash(replace(plan.menu, shared=()))
    with pytest.raises(ef.InputError, match="same options at the same prices"):
        Scenarios({"with": plan.menu, "without": replace(plan.menu, shared=())})
    mixed = Scenarios({"one": plan.menu, "two": plan.menu}).weighted([0.5, 0.5])
    assert mixed.shared == plan.menu.shared
    assert tier_share(plan.menu, plan.chosen, "max-elicitation") == pytest.approx(17_000 / 17_900)
    assert tier_share(plan.menu, plan.chosen, "max-elicitation", "staff_hours") == 90 / 98
    assert tier_share(small_menu(), (), "plateau") == 0.0


def test_the_report_has_a_row_for_it(plan: Plan, tmp_path: Path) -> None:
    page = plan.to_html(tmp_path / "report.html").read_text()
    assert "bought once for a, b" in page
    assert "A shared purchase is paid once" in page
