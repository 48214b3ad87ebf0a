"""Figures of a catalogue set by a path: what follows follows, and what is wrong is said."""

from __future__ import annotations

import tomllib

import pytest
from tests.evalbayes.menus.synthetic import decided_catalogue, small_catalogue

from evalbayes.catalogue import Catalogue, catalogue_to_toml, parse_catalogue
from evalbayes.errors import InputError

SMALL = tomllib.loads(catalogue_to_toml(small_catalogue()))
LEVELS = tomllib.loads(catalogue_to_toml(decided_catalogue()))


def with_set(*settings: str) -> Catalogue:
    return parse_catalogue(SMALL, settings=settings)


def test_each_sign_changes_the_figure_in_use() -> None:
    assert with_set("budget.usd=45,000").budget.usd == 45_000
    assert with_set("budget.usd/2", "budget.usd+1").budget.usd == 15_001
    gap = with_set("cyber.elicitation_gap*2").domain("cyber").gap
    assert (gap.low, gap.high) == (0.4, 5.0)
    assert with_set("cyber.elicitation_gap=[1, 2]").domain("cyber").gap.high == 2.0
    assert with_set("autonomy.threshold+0.5").domain("autonomy").threshold.mid == 10.5  # type: ignore[union-attr]
    assert with_set("cybench.mandatory=true").eval("cybench").mandatory
    assert with_set("budget.contingency=10%").budget.contingency == 0.1
    assert with_set("nyuctf.tasks*2").eval("nyuctf").tasks == 94


def test_all_of_a_kind_and_a_default() -> None:
    before, after = small_catalogue(), with_set("evals.staff_hours*2")
    for was, now in zip(before.evals, after.evals, strict=True):
        assert now.staff_hours == 2 * was.staff_hours  # type: ignore[operator]
    told = [each for each in after.assumptions if each.reason == "set by evals.staff_hours*2"]
    assert len(told) == 1


def test_human_time_moves_the_threshold() -> None:
    data = tomllib.loads(catalogue_to_toml(small_catalogue()))
    del data["domain"][1]["threshold"]
    data["domain"][1]["threshold_human_time"] = "8 h"
    was = parse_catalogue(data).domain("autonomy").threshold
    now = parse_catalogue(data, settings=["autonomy.threshold_human_time*2"])
    other = parse_catalogue(data, settings=["autonomy.threshold=9"])
    assert now.domain("autonomy").threshold.mid == pytest.approx(was.mid + 1)  # type: ignore[union-attr]
    assert other.domain("autonomy").threshold.mid == 9  # type: ignore[union-attr]


def test_levels_and_joint_decisions_have_paths() -> None:
    found = parse_catalogue(LEVELS, settings=["cyber, High.threshold+1", "both.threshold=7"])
    by_name = {each.name: each.threshold.mid for each in found.decisions}
    assert (by_name["cyber, High"], by_name["both"]) == (10.0, 7.0)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("cybr.threshold+1", "got 'cybr'; did you mean 'cyber'?"),
        (
            "cyber.elicitaton_gap*2",
            "has no figure 'elicitaton_gap'; did you mean 'elicitation_gap'?",
        ),
        ("cyber.name=x", "has no figure 'name'"),
        ("budget.usd", "must be a path, one of = * / + and a value"),
        ("budget.usd^2", "must be a path, one of = * / + and a value"),
        ("usd=3", "must be a path, one of = * / + and a value"),
        ("budget.usd*x", "after * must be a number, got 'x'"),
        ("budget.usd/0", "must not divide by 0"),
        ("cybench.family*2", "must stand on a number that is in use, got 'ctf'"),
        ("cyber.adversary_spend*2", "must stand on a number that is in use, got nothing"),
        ("domains.adversary_spend*2", "on a number that is in use, got none of the domains"),
        ("budget.usd=-3", "with 'budget.usd=-3' set, catalogue: [budget]: usd must be 0 or more"),
        ("cybench.tasks=-4", "set, catalogue: eval 'cybench': tasks must be a whole number, 1"),
        ("budget.staff_hours.bio*2", "staff_hours has no skill 'bio'; it is not split by skill"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(setting: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        with_set(setting)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_hours_by_skill_are_set_one_by_one() -> None:
    data = tomllib.loads(catalogue_to_toml(small_catalogue()))
    data["budget"]["staff_hours"] = {"ml": 100, "cyber": 60}
    for row in data["eval"]:
        for key in [key for key in row if key.startswith("staff_hours")]:
            row[key] = {"ml": row[key]}
    found = parse_catalogue(data, settings=["budget.staff_hours.cyber*2", "budget.staff_hours*2"])
    assert found.budget.staff_hours == {"ml": 200, "cyber": 240}
    with pytest.raises(InputError, match=r"no skill 'ciber'; did you mean 'cyber'\?"):
        parse_catalogue(data, settings=["budget.staff_hours.ciber=3"])


def test_two_things_of_one_name_are_told_apart() -> None:
    data = tomllib.loads(catalogue_to_toml(small_catalogue()))
    data["eval"][0]["name"] = "cyber"
    with pytest.raises(InputError, match=r"write domain\.cyber or eval\.cyber"):
        parse_catalogue(data, settings=["cyber.notes=x"])
    assert parse_catalogue(data, settings=["eval.cyber.tasks=5"]).eval("cyber").tasks == 5
