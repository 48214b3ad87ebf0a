"""Every mistake a catalogue can hold is refused in one sentence: rule, what came, cure."""

# ruff: noqa: E501 -- one line per mistake, so that they read as the table they are

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalbayes.catalogue import parse_catalogue, read_catalogue, write_template
from evalbayes.errors import InputError
from evalbayes.inputs import check_covered

NAN = float("nan")
EVAL, DOMAIN = ("eval", 0), ("domain", 0)

MISTAKES: list[tuple[tuple[Any, ...], str]] = [
    # keys and tables
    ((*EVAL, "usd_per_runs", 3), "eval 'cybench': every key must be a known one, got 'usd_per_runs'; did you mean 'usd_per_run'?"),
    ((*DOMAIN, "treshold", 3), "domain 'cyber': every key must be a known one, got 'treshold'; did you mean 'threshold'?"),
    ((*DOMAIN, "colour", 3), "got 'colour'; use one of adversary_attempts, adversary_spend, adversary_spend_unit, adversary_verifier, baseline_tools, elicitation_gap, growth_per_year"),
    (("budget", "dollars", 3), "[budget]: every key must be a known one, got 'dollars'"),
    (("portfolio", "ai-model", "x"), "[portfolio]: every key must be a known one, got 'ai-model'; did you mean 'ai_model'?"),
    (("eval_defaults", "effort", 0.5), "[eval_defaults]: every key must be a known one, got 'effort'; did you mean 'effort_max'?"),
    (("domain_defaults", "wieght", 2), "[domain_defaults]: every key must be a known one, got 'wieght'; did you mean 'weight'?"),
    (("evals", [{}]), "catalogue: every table must be a known one, got 'evals'; did you mean 'eval'?"),
    (("domain", {"name": "x"}), "domain must be a list of tables, got a single one; write [[domain]], with two brackets"),
    (("budget", 5), "[budget] must be a table of keys, got 5; write [budget] on a line of its own"),
    (("eval", []), "there must be at least one eval, got none; add [[eval]]"),
    (("domain", []), "there must be at least one domain, got none; add [[domain]]"),
    # names
    ((*EVAL, "name", "cyb\x1bench"), "catalogue: text must hold no control characters, got '\\x1b' in 'cyb\\x1bench'; delete it"),
    ((*EVAL, "name", ...), "eval number 1: name must be given, got nothing; add name = ..."),
    ((*EVAL, "name", " "), "name must be a name in quotes, got ''; write some text"),
    ((*EVAL, "name", "dialogue"), "names of evals must be unique, got 'dialogue' 2 times; rename one"),
    (("domain", 0, "name", "cyber@-1.5"), "domain 'cyber@-1.5': name must not end in @ and a number, as places on a scale do, got 'cyber@-1.5'; rename it"),
    (("domain", 1, "name", "cyber"), "names of domains must be unique, got 'cyber' 2 times; rename one"),
    ((*EVAL, "domain", ...), "eval 'cybench': domain must be given, got nothing; add domain = ... or loadings"),
    ((*EVAL, "domain", "cyer"), "eval 'cybench': its domain must be one of the catalogue's, got 'cyer'; did you mean 'cyber'?"),
    ((*EVAL, "domain", "bio"), "got 'bio'; use one of cyber, persuasion"),
    # numbers
    ((*EVAL, "tasks", ...), "eval 'cybench': tasks must be given, got nothing; add tasks = ..."),
    ((*EVAL, "tasks", 0), "tasks must be a whole number, 1 or more, got 0; round it"),
    ((*EVAL, "tasks", 2.5), "tasks must be a whole number, 1 or more, got 2.5; round it"),
    ((*EVAL, "tasks", "38"), "tasks must be a number, got the text '38'; write it without quotes"),
    ((*EVAL, "max_cap", 0), "eval 'cybench': max_cap must be above 0, got 0; leave it out"),
    ((*EVAL, "max_cap", -5), "max_cap must be above 0, got -5"),
    ((*EVAL, "max_cap", NAN), "max_cap must be a finite number, got nan; write a number or leave it out"),
    ((*EVAL, "max_cap", True), "max_cap must be a number, got True; write one number"),
    ((*EVAL, "hours_per_run", 0), "hours_per_run must be above 0, got 0"),
    ((*EVAL, "human_minutes", -1), "human_minutes must be above 0, got -1"),
    ((*EVAL, "staff_hours", -1), "staff_hours must be 0 or more, got -1"),
    ((*EVAL, "effort_max", 0), "effort_max must be above 0, up to 1, got 0"),
    ((*EVAL, "effort_max", 1.2), "effort_max must be a share from 0 to 1, got 1.2; write 0.25 for 25 %"),
    ((*EVAL, "resettable", -0.1), "resettable must be a share from 0 to 1, got -0.1"),
    ((*EVAL, "verifier", "maybe"), "verifier must be true or false, got 'maybe'; write one of the two"),
    ((*EVAL, "guessing", 1), "guessing must be below 1, got 1; write 0.25 where one answer in four is right"),
    ((*EVAL, "guessing", 25), "guessing must be a share from 0 to 1, got 25; write 0.25 for 25 %"),
    ((*EVAL, "plateau", [0, 0.5]), "plateau must lie strictly between 0 and 1, got [0, 0.5]"),
    ((*EVAL, "plateau", [0.5, 1.5]), "plateau must lie strictly between 0 and 1, got [0.5, 1.5]"),
    ((*EVAL, "half_spend", [0, 5]), "half_spend must be above 0, got [0, 5]; give a small positive lower end"),
    ((*EVAL, "half_spend", [7, 5]), "half_spend must be an interval from low to high, got [7, 5]; swap"),
    ((*EVAL, "usd_per_run", -5), "usd_per_run must be above 0, got -5"),
    ((*DOMAIN, "elicitation_gap", [-1, 2]), "elicitation_gap must be 0 or more, got [-1, 2]; give 0"),
    ((*DOMAIN, "min_evals", -1), "min_evals must be a whole number, 0 or more, got -1"),
    (("portfolio", "horizon_months", 0), "[portfolio]: horizon_months must be above 0, got 0"),
    (("budget", "usd", -1), "[budget]: usd must be 0 or more, got -1"),
    (("budget", "usd", NAN), "[budget]: usd must be a finite number, got nan"),
    (("budget", "contingency", 1), "contingency must be below 1, got 1; all of the budget would be kept back"),
    (("budget", "contingency", {"usd": 1.5}), "contingency must be a share from 0 to 1, got 1.5"),
    (("budget", "contingency", {"staf_hours": 0.1}), "[budget]: contingency: every resource must be a known one, got 'staf_hours'; did you mean 'staff_hours'?"),
    (("budget", "contingency", {"calendar_days": 0.1}), "contingency: every resource must be a known one, got 'calendar_days'; use one of"),
    (("budget", "contingency", {"staff_hours": {"bio": 0.1}}), "every resource must be a known one, got 'staff_hours.bio'"),
    (("budget", "contingency", {}), "contingency must name at least one resource, got an empty table; give a share"),
    (("budget", "servers", 2), "[budget]: agents_per_server must be given with servers, got nothing; write how many agents a server"),
    (("budget", "tokens_per_second_per_server", 2e4), "agents_per_server must be given with tokens_per_second_per_server"),
    ((*EVAL, "usd_per_reset", -1), "usd_per_reset must be 0 or more, got -1"),
    ((*EVAL, "attempts_max", 0), "attempts_max must be a whole number, 1 or more, got 0"),
    ((*EVAL, "staff_hours_repair", -2), "staff_hours_repair must be 0 or more, got -2"),
    ((*DOMAIN, "post_training_overlap", 0.5), "post_training_overlap must be 1 or more, got 0.5; 1 lets gains simply add up"),
    (("budget", "staff_hours", {}), "staff_hours must name at least one skill, got an empty table"),
    # thresholds
    ((*DOMAIN, "threshold_human_time", ...), "domain 'cyber': threshold must be given, got nothing; add threshold = ... in the domain's unit, threshold_human_time = \"8 h\", or [[level]] tables"),
    ((*DOMAIN, "threshold", 9), "the threshold must be given once, got threshold and threshold_human_time; drop one"),
    ((*EVAL, "tasks", "0,1"), "tasks must be a number, got the text '0,1'; a comma may only part groups of three digits: write 0.1, without quotes, or, in a spreadsheet, as a number and not as text, with the decimal sign of its language"),
    ((*DOMAIN, "threshold_human_time", "1,5 h"), "threshold_human_time must be a time in words, got '1,5 h'; a comma may only part groups of three digits: write 1.5, and for example"),
    ((*DOMAIN, "threshold_human_time", "1.500 min"), "got '1.500 min'; it may mean 1.5 or 1500: write 1.5 or 1500, and for example"),
    ((*DOMAIN, "threshold_human_time", "8 parsecs"), "threshold_human_time must be a time in words, got '8 parsecs'; write for example"),
    ((*DOMAIN, "unit", "points"), "threshold_human_time must go with the unit 'doublings of human task time', got 'points'; give threshold in that unit"),
    # stakes
    ((*DOMAIN, "loss_missed", 4), "domain 'cyber': loss_false_alarm must be given, got nothing; stakes are in USD in this catalogue"),
    ((*DOMAIN, "mitigate_above", 0), "mitigate_above must lie strictly between 0 and 1, got 0; write 0.1 for 10 %"),
    ((*DOMAIN, "mitigate_above", 10), "mitigate_above must lie strictly between 0 and 1, got 10"),
    ((*DOMAIN, "weight", 0), "weight must be above 0, got 0"),
    # difficulty, loadings, prices, skills
    ((*EVAL, "loadings", {"cyber": 0.8, "persuasion": 0.2}), "loadings must be on domains of one unit, got doublings of human task time and sd of human persuaders; split the eval"),
    ((*EVAL, "loadings", {"cyber": 0.8}), "loadings must sum to 1, got 0.8; divide each weight by 0.8"),
    ((*EVAL, "loadings", {"cyber": -1}), "loadings of 'cyber' must be above 0, got -1"),
    ((*EVAL, "loadings", {"persuasion": 1}), "loadings must give weight to its domain 'cyber', got persuasion; add it or change"),
    ((*EVAL, "loadings", [1]), "loadings must be a table of weights by domain, got [1]"),
    ((*EVAL, "spend_unit", "steps"), "usd_per_unit must be given for spend in 'steps'; write the USD that one unit costs, or use one of the units with a usual price: hours, tokens, usd"),
    ((*EVAL, "task_names", ["a", "b"]), "task_names must name all 38 tasks, got 2; complete the list or leave it out"),
    ((*EVAL, "task_names", ["a", "a"]), "task_names must name each task once, got 'a' twice; drop one"),
    ((*EVAL, "task_names", "a"), "task_names must be a list of names, got 'a'; write"),
    ((*EVAL, "task_names", [1]), "task_names must be a list of names, got 1 in it; write it in quotes"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), MISTAKES)
def test_a_mistake_is_refused_in_one_sentence(
    change: tuple[Any, ...], message: str, with_entry: Callable[..., dict[str, Any]]
) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        parse_catalogue(with_entry(*change))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_two_ways_of_stakes_in_one_catalogue_are_refused(data: dict[str, Any]) -> None:
    data["domain"][0] |= {"loss_missed": 4, "loss_false_alarm": 1}
    data["domain"][1] |= {"mitigate_above": 0.1}
    with pytest.raises(InputError, match=r"must be given in one way .* while domain 'cyber' gives"):
        parse_catalogue(data)
    del data["domain"][1]["mitigate_above"]
    with pytest.raises(InputError, match="domain 'persuasion': loss_missed must be given"):
        parse_catalogue(data)
    data["domain"][0]["weight"] = 2
    with pytest.raises(InputError, match=r"domain 'cyber': stakes must .* got weight too"):
        parse_catalogue(data)


def test_human_minutes_do_not_tell_difficulty_in_another_unit(data: dict[str, Any]) -> None:
    del data["eval"][1]["difficulty"]
    data["eval"][1]["human_minutes"] = 30
    with pytest.raises(InputError, match="difficulty must be given in the unit of 'persuasion'"):
        parse_catalogue(data)


def test_an_unusual_unit_needs_a_largest_cap(data: dict[str, Any]) -> None:
    data["eval"][0] |= {"spend_unit": "steps", "usd_per_unit": 0.1}
    del data["eval"][0]["usd_per_run"]
    with pytest.raises(InputError, match="max_cap must be given for spend in 'steps'"):
        parse_catalogue(data)


def test_money_costs_itself(data: dict[str, Any]) -> None:
    data["eval"][0] |= {"spend_unit": "usd", "usd_per_unit": 2}
    with pytest.raises(InputError, match="usd_per_unit must be 1 where spend is in usd, got 2"):
        parse_catalogue(data)


def test_an_eval_is_not_mandatory_and_forbidden(data: dict[str, Any]) -> None:
    data["eval"][0] |= {"mandatory": True, "forbidden": True}
    with pytest.raises(InputError, match="must not be mandatory and forbidden, got both"):
        parse_catalogue(data)


def test_staff_hours_must_be_split_as_the_budget_is(data: dict[str, Any]) -> None:
    data["budget"]["staff_hours"] = {"bio": 10, "red team": 20}
    with pytest.raises(InputError, match=r"'cybench': staff_hours must be split by skill.*got 5;"):
        parse_catalogue(data)


def test_a_slip_in_a_skill_is_refused(data: dict[str, Any]) -> None:
    data["budget"]["staff_hours"] = {"cyber": 10, "persuasion": 20}
    data["eval"][0]["staff_hours"] = {"cybr": 3}
    with pytest.raises(
        InputError, match="must be spelt alike throughout, got 'cybr' beside 'cyber'"
    ):
        parse_catalogue(data)


def test_an_eval_that_nothing_is_known_of_is_refused(data: dict[str, Any]) -> None:
    del data["eval"][0]["usd_per_run"]
    with pytest.raises(InputError, match="got neither for cybench; add usd_per_run"):
        check_covered(parse_catalogue(data), None)


def test_a_name_that_is_not_there_is_refused(data: dict[str, Any]) -> None:
    catalogue = parse_catalogue(data)
    with pytest.raises(InputError, match="the eval must be one of its own, got 'cybnch'; did you"):
        catalogue.eval("cybnch")
    with pytest.raises(
        InputError, match=r"the domain must .* got 'x'; there are cyber, persuasion"
    ):
        catalogue.domain("x")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("c.toml", None, "must be a file that can be read, got No such file or directory"),
        ("c.toml", b"a = [", "must be TOML in UTF-8, got an error"),
        ("c.toml", b"a = '\xff'", "must be TOML in UTF-8, got an error"),
        ("c.xlsx", b"not a workbook", "must be a workbook that can be read, got an error"),
        ("c.xlsx", None, "must be a workbook that can be read, got an error"),
        ("c.yaml", b"", "a catalogue must be a file ending in .toml or .xlsx, got '.yaml'"),
        ("c", b"", "got 'no ending'"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=re.escape(message)):
        read_catalogue(tmp_path / name)


def test_a_template_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for ending in ("toml", "xlsx"):
        with pytest.raises(InputError, match="must be a file that can be written, got"):
            write_template(tmp_path / "file" / f"catalogue.{ending}")
    with pytest.raises(InputError, match=r"written to a file ending in .toml or .xlsx, got '.yml'"):
        write_template(tmp_path / "catalogue.yml")


def test_names_that_differ_by_what_cannot_be_seen_are_one(data: dict[str, Any]) -> None:
    data["eval"][0]["name"] = "cyb\u200bench\xa0"
    data["eval"][0]["domain"] = "\ufeffcyber "
    assert parse_catalogue(data).eval("cybench").name == "cybench"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = " + "[" * 10_000 + "]" * 10_000, "got an error (its brackets are nested too deep)"),
        ("a = 1 # " + "x" * 20_000_000, "got an error (it is larger than 20 MB)"),
    ],
    ids=["nested", "large"],
)
def test_a_file_that_nobody_wrote_by_hand_is_refused(
    text: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(InputError, match=re.escape(message)):
        read_catalogue(tmp_path / "c.toml")
