"""A plan held to a standard: every clause's answer is what the mix does, and costs are least."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.evalbayes.menus.synthetic import prior_posterior
from tests.evalbayes.menus.test_studies import bio

from evalbayes import Menu
from evalbayes.catalogue import parse_catalogue
from evalbayes.menus import build_menu
from evalfolio.errors import InputError
from evalfolio.examples import small_menu
from evalfolio.search.question import Question
from evalfolio.targets.clauses import CANNOT, MEETS, MISSES, TOLD, UNANSWERED, held_to
from evalfolio.targets.requirement import require
from evalfolio.targets.standard import PRESETS, read_standard, read_standards
from evalfolio.targets.stated import KINDS, gap_correlations


def with_columns(**columns: list[Any]) -> Menu:
    """The small menu with further columns."""
    menu = small_menu()
    return replace(menu, options=menu.options.assign(**columns))


def clause(**demand: Any) -> dict[str, Any]:
    return {"clause": [{"clause": "1.1", "asks": "as the law has it", **demand}]}


def answers(menu: Menu, table: dict[str, Any], mix: list[str], **rest: Any) -> pd.DataFrame:
    x = menu.options.index.isin(mix).astype(np.float64)
    return held_to(Question(menu), read_standard(table), mix=x, **rest).clauses


def test_the_cost_of_a_clause_alone_is_what_require_needs_and_its_programme_meets_it() -> None:
    menu = small_menu()
    found = held_to(Question(menu), read_standard(clause(posterior_sd={"cyber": 1.1})))
    need = require(menu, posterior_sd={"cyber": 1.1})
    assert found.clauses["usd"].tolist() == [pytest.approx(need.need)]
    assert found.clauses["answer"].tolist() == [MEETS]
    level = found.levels.iloc[0]
    assert (level["feasible"], level["usd"]) == ("yes", pytest.approx(need.need))
    assert level["chosen"] == ", ".join(need.chosen)
    assert level["evals"] == len(need.chosen)


@pytest.mark.parametrize("kind", KINDS)
def test_a_target_is_met_where_the_mix_leaves_no_more(kind: str) -> None:
    menu = small_menu()
    x = menu.options.index.isin(["a plateau"]).astype(np.float64)
    name = menu.decisions[0].name
    left = KINDS[kind](name, 0.5).left(menu, x)
    for ask, answer in ((left * 1.001, MEETS), (left * 0.999, MISSES)):
        row = answers(menu, clause(**{kind: {name: ask}}), ["a plateau"]).iloc[0]
        assert row["answer"] in (answer, CANNOT if answer == MISSES else answer)
        assert name in row["found"]


def test_counts_tasks_days_and_who_runs_evals() -> None:
    n = len(small_menu())
    menu = with_columns(
        tasks=[10 + k for k in range(n)],
        days=[7.0] * n,
        run_by=["own staff" if k % 2 else "an assessor" for k in range(n)],
    )
    names = list(menu.options.index)
    evals = menu.options["eval"]
    deep = [name for name in names if menu.options.loc[name, "tier"] == "max-elicitation"]
    domain = str(menu.options.loc[deep[0], "domain"])
    one = answers(menu, clause(deep_evals={domain: 1}), deep[:1]).iloc[0]
    assert (one["answer"], one["rows"]) == (MEETS, deep[0])
    assert answers(menu, clause(deep_evals=1, domain=domain), []).iloc[0]["answer"] == MISSES
    first = str(evals.iloc[0])
    most = menu.options[evals == first]["tasks"].astype(int).idxmax()
    fewer = next(name for name in evals.index[evals == first] if name != most)
    assert answers(menu, clause(all_tasks=first), [str(most)]).iloc[0]["answer"] == MEETS
    assert answers(menu, clause(all_tasks=[first]), [fewer]).iloc[0]["answer"] == MISSES
    for days, answer in ((28.0, MEETS), (27.0, MISSES), (None, MISSES)):
        row = answers(menu, clause(working_days=20), [], calendar_days=days).iloc[0]
        assert row["answer"] == answer
    own = clause(run_by="own staff")
    assert answers(menu, own, names[1:2]).iloc[0]["answer"] == MEETS
    assert answers(menu, own, names[:1]).iloc[0]["answer"] == MISSES
    nobody = answers(menu, clause(evals=1, run_by="a friend"), []).iloc[0]
    assert nobody["answer"] == CANNOT
    assert "run_by 'a friend' is not on the menu" in nobody["found"]
    silent = answers(small_menu(), own, []).iloc[0]
    assert silent["answer"] == UNANSWERED
    assert "give run_by of [[eval]]" in silent["found"]


def test_levels_stand_side_by_side_and_say_why_one_is_not_feasible() -> None:
    levels = {"basic": {"posterior_sd": 1.4}, "high": {"posterior_sd": 1.0}}
    question = Question(small_menu(), {"usd": 2_000.0})
    found = held_to(question, read_standard({"level": levels})).levels.set_index("level")
    assert found["feasible"].tolist() == ["yes", "no"]
    assert found["usd"]["high"] > 2_000 > found["usd"]["basic"]
    assert "budget of 2,000 usd" in found["why"]["high"]
    common = read_standard({"evals": 1, "level": levels})
    assert [len(each) for each in common.levels.values()] == [2, 2]


def test_the_preset_says_what_a_plan_does_not_answer() -> None:
    for preset in PRESETS:
        rows = held_to(Question(small_menu()), read_standard(preset), calendar_days=35).clauses
        by = rows.set_index("clause")["answer"]
        assert by["App. 3.2, 3.4: days"] == MEETS
        assert by["M7.6"] == UNANSWERED
        assert by["M3.4"] == by["M8.2"] == by["App. 3.5"] == TOLD
        assert by["M3.2, human uplift studies"] == TOLD
        assert rows.loc[rows["answer"] == UNANSWERED, "usd"].isna().all()


def test_studies_count_where_the_words_of_a_standard_allow_it() -> None:
    catalogue = parse_catalogue(bio())
    menu = build_menu(prior_posterior(catalogue), catalogue, with_draws=False)[0]
    deep = {"clause": "1", "deep_evals": 1, "gap_correlation": 0.9}
    outside = {"clause": "2", "evals": 1, "run_by": "an external firm"}
    studied = {"clause": "3", "studies": 1, "domain": "bio"}
    asked = {"clause": [deep, outside, studied, {"clause": "4", "evals": 1}]}
    for mix, said in (
        ("red team / study", [MEETS] * 4),
        ("trial / study / 40 + 40", [MISSES, MISSES, MEETS, MEETS]),
    ):
        assert answers(menu, asked, [mix])["answer"].tolist() == said
    assert gap_correlations(menu, "bio")["red team"] == pytest.approx(1.0)
    assert "trial" not in gap_correlations(menu, "bio")  # it reads what is shown
    table = held_to(Question(menu), read_standard({"clause": [deep]})).clauses
    cheapest = menu.options.loc[table["rows"].iloc[0]]
    assert cheapest["tier"] in ("study", "max-elicitation")
    bare = menu.subset(~menu.options["eval"].isin(["red team", "trial"]).to_numpy())
    none = held_to(Question(bare), read_standard({"clause": [studied]})).clauses.iloc[0]
    assert (none["answer"], "'study' is not on the menu" in none["found"]) == (CANNOT, True)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"levels": {}}, "standard: every key must be a known one, got 'levels'; did you mean"),
        ({"level": [1]}, r"write \[level.basic\]"),
        ({"clause": 3}, r"write \[\[clause\]\]"),
        ({}, "must have clauses, got none"),
        (clause(danger_mised=0.1), "clause 1.1: every key must be a known one"),
        ({"clause": [{"asks": "x"}]}, "clause number 1: it must have its number"),
        (clause(evals=1, needless=0.1), "must say one demand, got needless and evals"),
        (clause(danger_missed=5), "danger_missed must lie between 0 and 1, got 5"),
        (clause(danger_missed="low"), "danger_missed must be a number, got 'low'"),
        (clause(posterior_sd=float("nan")), "posterior_sd must be a finite number above 0"),
        (clause(evals=1.5), "evals must be a whole number from 1, got 1.5"),
        (clause(evals=float("inf")), "evals must be a whole number from 1, got inf"),
        (clause(evals=True), "evals must be a number, got True"),
        (clause(evals={"cyber": 1}, domain="cyber"), "must name domains in one place"),
        (clause(all_tasks=[]), "must be a name or a list of names"),
        (clause(all_tasks="a", domain="cyber"), "must stand without domain"),
        (clause(working_days=20, domain="cyber"), "must stand without domain"),
        (clause(run_by="us", needless=0.1), "run_by must stand alone or beside evals"),
        (clause(evals=1, gap_correlation=0.4), "gap_correlation must stand beside deep_evals"),
        (clause(deep_evals=1, gap_correlation=2), "gap_correlation must be a number from 0 to 1"),
    ],
)
def test_wrong_standards_are_told_with_place_and_clause(table: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_standard(table)


def test_names_that_the_menu_has_not_are_refused() -> None:
    for demand in (clause(evals={"cybr": 1}), clause(all_tasks="ab"), clause(needless={"x": 0.1})):
        with pytest.raises(InputError, match=r"^standard: clause 1.1: \w+ must name what is on"):
            held_to(Question(small_menu()), read_standard(demand))
    with pytest.raises(InputError, match="a name of its own beside others"):
        read_standards(["eu-cop", "eu-cop"])
    with pytest.raises(InputError, match="resource must be one of the menu's, got 'eur'"):
        held_to(Question(small_menu()), read_standard("eu-cop"), resource="eur")


def test_the_standard_of_the_page_reads() -> None:
    text = (Path(__file__).parents[3] / "docs" / "how-to" / "policy.md").read_text("utf-8")
    (block,) = re.findall(r"```toml\n(name = \"House.*?)```", text, flags=re.S)
    found = read_standard(tomllib.loads(block))
    assert {name: len(each) for name, each in found.levels.items()} == {"basic": 2, "high": 3}


def fading_menu(correlation: float) -> Menu:
    """The small menu, where eval a of cyber reads a gap that goes with the threshold's so much."""
    menu = small_menu()
    at, states = menu.states.index("cyber.gap"), (*menu.states, "cyber@2.gap")
    covariance = np.pad(menu.prior_covariance, ((0, 1), (0, 1)))
    covariance[-1, -1] = covariance[at, at]
    covariance[-1, at] = covariance[at, -1] = correlation * covariance[at, at]
    information = np.pad(menu.information, ((0, 0), (0, 1), (0, 1)))
    far = (menu.options["eval"] == "a").to_numpy()
    order = [*range(len(menu.states)), len(menu.states)]
    order[at], order[-1] = order[-1], order[at]
    information[far] = information[far][:, order][:, :, order]
    decisions = tuple(replace(d, contrast=np.append(d.contrast, 0.0)) for d in menu.decisions)
    return replace(
        menu,
        states=states,
        prior_mean=np.append(menu.prior_mean, menu.prior_mean[at]),
        prior_covariance=covariance,
        information=information,
        decisions=decisions,
    )


def test_depth_far_from_the_threshold_does_not_count() -> None:
    menu = fading_menu(0.3)
    assert gap_correlations(menu, "cyber") == pytest.approx({"a": 0.3, "b": 1.0})
    for least, answer in ((0.0, MEETS), (0.25, MEETS), (0.4, MISSES)):
        asked = clause(deep_evals={"cyber": 1}, gap_correlation=least)
        assert answers(menu, asked, ["a max"])["answer"].tolist() == [answer], least
        assert answers(menu, asked, ["b max"])["answer"].tolist() == [MEETS]
    no_b = menu.options["eval"].to_numpy() != "b"
    only = replace(menu, options=menu.options[no_b], information=menu.information[no_b])
    rows = answers(only, clause(deep_evals=1, domain="cyber", gap_correlation=0.4), ["a max"])
    assert rows["answer"].tolist() == [CANNOT]
    assert rows["found"][0].endswith("the most is 0.3, of a; longer tasks would")
