from typing import Any

import pytest

from evalbayes.catalogue import Catalogue, Interval, parse_catalogue
from evalbayes.catalogue.domain import DomainSpec
from evalbayes.catalogue.eval import EvalSpec

LEAST: dict[str, Any] = {
    "domain": [{"name": "cyber", "threshold": 9}],
    "eval": [{"name": "cybench", "domain": "cyber", "tasks": 38}],
}
GIVEN_OR_MEANT = {  # keys whose default says what anyone would expect of leaving them out
    "name", "domain", "loadings", "family", "tasks", "task_names", "threshold", "human_minutes",
    "usd_per_run", "plateau", "half_spend", "mandatory", "forbidden", "run_by", "notes",
    "score_low", "score_high", "score_noise", "guessing",
    "loss_missed", "loss_false_alarm", "elicitation_gap", "growth_per_year",
    "adversary_spend", "adversary_spend_unit", "adversary_attempts",
}  # fmt: skip


def used(catalogue: Catalogue, where: str, key: str) -> Any:
    """Return the value of one assumption."""
    (found,) = (a.value for a in catalogue.assumptions if (a.where, a.key) == (where, key))
    return found


def test_name_threshold_domain_and_tasks_are_enough() -> None:
    catalogue = parse_catalogue(LEAST)
    assert catalogue.portfolio.ai_model == "AI model under test"
    assert catalogue.budget.usd is None
    assert catalogue.points


def test_every_default_used_is_an_assumption_with_its_value_and_a_reason() -> None:
    catalogue = parse_catalogue(LEAST)
    for where, spec in (
        ("domain 'cyber'", catalogue.domains[0]),
        ("eval 'cybench'", catalogue.evals[0]),
    ):
        assert isinstance(spec, DomainSpec | EvalSpec)
        for key in set(type(spec).model_fields) - GIVEN_OR_MEANT:
            assert used(catalogue, where, key) == getattr(spec, key), key
    for where, key in (
        ("[portfolio]", "ai_model"),
        ("[portfolio]", "horizon_months"),
        ("[budget]", "contingency"),
    ):
        assert catalogue.assumed(where, key)
    assert all(len(a.reason) > 10 for a in catalogue.assumptions)


def test_the_gap_of_the_population_is_an_assumption() -> None:
    catalogue = parse_catalogue(LEAST)
    assert catalogue.domains[0].elicitation_gap is None
    assert used(catalogue, "domain 'cyber'", "elicitation_gap") == catalogue.domains[0].gap
    other = parse_catalogue({**LEAST, "domain": [{**LEAST["domain"][0], "unit": "points"}]})
    (note,) = (a for a in other.assumptions if a.key == "elicitation_gap")
    assert note.reason.endswith("taken as if one unit were one doubling")


def test_what_is_given_is_no_assumption() -> None:
    full = parse_catalogue(LEAST)
    for assumption in full.assumptions:
        if not assumption.where.startswith("eval") or assumption.value is None:
            continue
        value = assumption.value
        given = [value.low, value.high] if isinstance(value, Interval) else value
        row = {**LEAST["eval"][0], assumption.key: given}
        again = parse_catalogue({**LEAST, "eval": [row]})
        assert not again.assumed(assumption.where, assumption.key)
        assert getattr(again.evals[0], assumption.key) == value


def test_a_lab_s_own_defaults_come_before_ours_and_after_the_row() -> None:
    data = {
        **LEAST,
        "eval": [LEAST["eval"][0], {**LEAST["eval"][0], "name": "other", "staff_hours": 1}],
        "eval_defaults": {"staff_hours": 7},
        "domain_defaults": {"weight": 3},
    }
    catalogue = parse_catalogue(data)
    assert catalogue.eval("cybench").staff_hours == 7
    assert catalogue.eval("other").staff_hours == 1
    assert catalogue.domain("cyber").weight == 3
    (note,) = (a for a in catalogue.assumptions if a.key == "staff_hours")
    assert (note.where, note.value) == ("eval 'cybench'", 7)
    assert note.reason == "the catalogue's [eval_defaults]"


def test_a_row_s_own_difficulty_sets_a_default_of_human_minutes_aside() -> None:
    data = {
        **LEAST,
        "eval": [{**LEAST["eval"][0], "difficulty": [4, 7]}],
        "eval_defaults": {"human_minutes": 30},
    }
    spec = parse_catalogue(data).evals[0]
    assert (spec.difficulty, spec.human_minutes) == (Interval(4, 7), None)


@pytest.mark.parametrize(
    ("given", "unit", "price", "cap"),
    [
        ({}, "tokens", Interval(1e-6, 1e-5), 1e7),
        ({"usd_per_run": [5, 40]}, "usd", Interval(1, 1), 400),
        ({"usd_per_run": 5, "usd_per_unit": 1e-6}, "tokens", Interval(1e-6, 1e-6), 5e7),
        ({"spend_unit": "hours"}, "hours", Interval(5, 30), 32),
        ({"half_spend": [1, 3], "spend_unit": "hours"}, "hours", Interval(5, 30), 60),
        ({"spend_unit": "steps", "usd_per_unit": 2, "max_cap": 9}, "steps", Interval(2, 2), 9),
    ],
)
def test_unit_price_and_largest_cap_follow_from_what_is_given(
    given: dict[str, Any], unit: str, price: Interval, cap: float
) -> None:
    spec = parse_catalogue({**LEAST, "eval": [{**LEAST["eval"][0], **given}]}).evals[0]
    assert (spec.spend_unit, spec.usd_per_unit) == (unit, price)
    assert spec.max_cap == pytest.approx(cap)


def test_a_mistake_that_a_default_rests_on_is_named_itself() -> None:
    row = {**LEAST["eval"][0], "half_spend": [-1, 3]}
    with pytest.raises(ValueError, match="half_spend must be above 0"):
        parse_catalogue({**LEAST, "eval": [row]})


def test_days_of_elicitation_follow_from_its_hours() -> None:
    row = {**LEAST["eval"][0], "staff_hours_elicitation": 40}
    assert parse_catalogue({**LEAST, "eval": [row]}).evals[0].days_elicitation == 5


def test_loadings_name_the_main_domain_and_sum_to_1() -> None:
    domains = [{"name": "cyber", "threshold": 9}, {"name": "autonomy", "threshold": 10}]
    row = {"name": "e", "loadings": {"autonomy": 0.2, "cyber": 0.805}, "tasks": 3}
    spec = parse_catalogue({"domain": domains, "eval": [row]}).evals[0]
    assert spec.domain == "cyber"
    assert sum(spec.loadings.values()) == pytest.approx(1)
    assert spec.loadings["autonomy"] == pytest.approx(0.2 / 1.005)


def test_staff_hours_take_the_form_of_the_budget() -> None:
    domains = [{"name": "bio", "threshold": 9}, {"name": "cyber", "threshold": 9}]
    evals = [
        {"name": "a", "domain": "bio", "tasks": 1, "staff_hours": 3},
        {"name": "b", "domain": "cyber", "tasks": 1, "staff_hours": {"bio": 1, "cyber": 2}},
    ]
    data: dict[str, Any] = {"domain": domains, "eval": evals}
    split = parse_catalogue({**data, "budget": {"staff_hours": {"bio": 9, "cyber": 9}}})
    assert split.skills == ("bio", "cyber")
    assert [spec.staff_hours for spec in split.evals] == [{"bio": 3}, {"bio": 1, "cyber": 2}]
    plain = parse_catalogue({**data, "budget": {"staff_hours": 9}})
    assert plain.skills == ()
    assert [spec.staff_hours for spec in plain.evals] == [3, 3]
    free = parse_catalogue(data)
    assert free.skills == ("bio", "cyber")
    assert free.evals[0].staff_hours == {"bio": 3}


def test_names_of_tasks_tell_how_many_there_are() -> None:
    row = {"name": "e", "domain": "cyber", "task_names": ["x", "y"]}
    spec = parse_catalogue({**LEAST, "eval": [row]}).evals[0]
    assert (spec.tasks, spec.task_names) == (2, ("x", "y"))


def test_days_of_human_work_are_an_assumption() -> None:
    domain = {"name": "cyber", "threshold_human_time": "2 days"}
    catalogue = parse_catalogue({**LEAST, "domain": [domain]})
    assert used(catalogue, "domain 'cyber'", "hours per working day") == 8
    hours = {"name": "cyber", "threshold_human_time": "16 h"}
    other = parse_catalogue({**LEAST, "domain": [hours]})
    assert catalogue.domains[0].threshold == other.domains[0].threshold
    assert not other.assumed("domain 'cyber'", "hours per working day")


def test_an_assumption_reads_like_a_sentence_and_goes_into_a_record() -> None:
    catalogue = parse_catalogue(LEAST)
    (price,) = (a for a in catalogue.assumptions if a.key == "usd_per_unit")
    assert str(price).startswith("eval 'cybench': usd_per_unit = [1e-06, 1e-05] (assumption: $1")
    assert price.to_dict()["value"] == [1e-6, 1e-5]
    texts = {a.key: a.text for a in catalogue.assumptions}
    assert texts["verifier"] == "true"
    assert texts["max_cap"] == "10,000,000"
    assert texts["shown_capability"] == "none"


def test_the_hash_is_that_of_what_is_said() -> None:
    again = parse_catalogue(LEAST, "another file")
    assert parse_catalogue(LEAST).hash == again.hash
    changed = {**LEAST, "domain": [{"name": "cyber", "threshold": 9.5}]}
    assert parse_catalogue(changed).hash != again.hash


def test_a_catalogue_cannot_be_changed() -> None:
    catalogue = parse_catalogue(LEAST)
    with pytest.raises(ValueError, match="frozen"):
        catalogue.evals[0].tasks = 3


@pytest.mark.parametrize("number", [None, 12])
def test_hours_nobody_split_follow_the_evals_own_split(
    number: float | None, data: dict[str, Any]
) -> None:
    data["budget"]["staff_hours"] = {"engineering": 400, "bio": 100}
    data["eval"] = data["eval"][:1]
    del data["domain"][1:]
    cybench = data["eval"][0]
    cybench["staff_hours_elicitation"] = {"engineering": 60, "bio": 20}
    if number is not None:
        data["eval_defaults"] = {"staff_hours_repair": number}
    spec = parse_catalogue(data).evals[0]
    whole = 16.0 if number is None else float(number)
    assert spec.staff_hours_repair == pytest.approx({"engineering": 0.75 * whole, "bio": whole / 4})
    assert spec.staff_hours == pytest.approx({"engineering": 3.75, "bio": 1.25})
    # without hours of elicitation the split of what is given counts; an empty one says nothing
    cybench["staff_hours_elicitation"] = {"engineering": 0}
    cybench["staff_hours"] = {"bio": 2}
    assert parse_catalogue(data).evals[0].staff_hours_repair == {"bio": whole}
    # a skill of the domain's name takes what is given as a number, not what nobody gave
    data["budget"]["staff_hours"]["cyber"] = 10
    got = parse_catalogue(data).evals[0].staff_hours_repair
    assert got == ({"bio": 16.0} if number is None else {"cyber": 12.0})
