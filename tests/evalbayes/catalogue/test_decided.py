"""Levels of a domain and decisions over several: read, written, defaulted and refused."""

# ruff: noqa: E501 -- one line per mistake, so that they read as the table they are

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalbayes.catalogue import (
    Catalogue,
    catalogue_to_toml,
    catalogue_to_workbook,
    parse_catalogue,
    read_catalogue,
)
from evalbayes.catalogue.decided import crossings
from evalbayes.errors import InputError
from evalbayes.inputs import check_inputs

Data = dict[str, Any]


@pytest.fixture
def decided(data: Data) -> Data:
    """A catalogue with two levels in cyber, one threshold in autonomy, and both decided at once."""
    data["domain"][0] = {"name": "cyber"}
    data["domain"][1] = {"name": "autonomy", "threshold_human_time": "16 h"}
    data["eval"][1] |= {"domain": "autonomy", "human_minutes": 60}
    del data["eval"][1]["difficulty"]
    data["level"] = [
        {"domain": "cyber", "name": "High", "threshold_human_time": "8 h", "weight": 2},
        {"domain": "cyber", "name": "Critical", "threshold": 12, "mitigate_above": 0.2},
    ]
    data["decision"] = [
        {
            "name": "secure weights",
            "weights": {"cyber": 0.5, "autonomy": 0.5},
            "threshold_human_time": "16 h",
        }
    ]
    return data


def changed(data: Data, path: tuple[Any, ...], value: Any) -> Data:
    *steps, key = path
    table: Any = data
    for step in steps:
        table = table[step]
    if value is ...:
        del table[key]
    else:
        table[key] = value
    return data


def test_levels_come_before_joint_decisions_each_with_its_name_threshold_and_stakes(
    decided: Data,
) -> None:
    catalogue = parse_catalogue(decided)
    told = [
        (each.name, each.level, round(each.threshold.mid, 3), each.mitigate_above, each.weight)
        for each in catalogue.decisions
    ]
    assert told == [
        ("cyber, High", "High", 8.907, 0.1, 2.0),
        ("cyber, Critical", "Critical", 12.0, 0.2, 1.0),
        ("autonomy", "", 9.907, 0.1, 1.0),
        ("secure weights", "", 9.907, 0.1, 1.0),
    ]
    assert [each.name for each in catalogue.decided("cyber")] == ["cyber, High", "cyber, Critical"]
    assert catalogue.domain("cyber").threshold is None
    assert catalogue.assumed("level 'cyber, Critical'", "weight")
    assert not catalogue.assumed("level 'cyber, High'", "weight")
    assert not catalogue.assumed("domain 'cyber'", "mitigate_above")


@pytest.mark.parametrize("ending", ["toml", "xlsx"])
def test_levels_and_decisions_round_trip(ending: str, decided: Data, tmp_path: Path) -> None:
    decided["level"][1]["threshold"] = [11, 14]
    catalogue, path = parse_catalogue(decided), tmp_path / f"c.{ending}"
    if ending == "toml":
        path.write_text(catalogue_to_toml(catalogue), encoding="utf-8")
    else:
        path.write_bytes(catalogue_to_workbook(catalogue))
    again = read_catalogue(path)
    assert [each.name for each in again.decisions] == [each.name for each in catalogue.decisions]
    for ours, theirs in zip(catalogue.decisions, again.decisions, strict=True):
        # a workbook keeps 16 digits, one fewer than a logarithm may need
        assert theirs.threshold.low == pytest.approx(ours.threshold.low, rel=1e-14)
        assert theirs.model_copy(update={"threshold": ours.threshold}) == ours


def test_a_joint_threshold_left_out_is_that_of_its_domains_weighed(decided: Data) -> None:
    decided["domain"][0] = {"name": "cyber", "threshold": [9, 11]}
    decided["domain"][1] = {"name": "autonomy", "threshold": [10, 14]}
    del decided["level"], decided["decision"][0]["threshold_human_time"]
    decided["decision"][0]["weights"] = {"cyber": 2, "autonomy": 1, "bio": 0}
    joint = parse_catalogue(decided).decisions[-1]
    half = ((2 * 1) ** 2 + 2**2) ** 0.5  # independent: the halves add as variances do
    assert (joint.threshold.low, joint.threshold.high) == pytest.approx((32 - half, 32 + half))
    assert joint.weights == {"cyber": 2.0, "autonomy": 1.0}


def test_own_defaults_go_to_what_is_decided(decided: Data) -> None:
    decided["domain_defaults"] = {"mitigate_above": 0.3, "weight": 5, "min_evals": 2}
    catalogue = parse_catalogue(decided)
    rules = {each.name: (each.mitigate_above, each.weight) for each in catalogue.decisions}
    assert rules == {
        "cyber, High": (0.3, 2.0),
        "cyber, Critical": (0.2, 5.0),
        "autonomy": (0.3, 5.0),
        "secure weights": (0.3, 5.0),
    }
    assert [each.min_evals for each in catalogue.domains] == [2, 2]
    # a domain that is decided with others only has no stakes to take a default
    decided["domain"][1] = {"name": "autonomy"}
    assert [each.name for each in parse_catalogue(decided).decisions] == [
        "cyber, High",
        "cyber, Critical",
        "secure weights",
    ]


def test_levels_and_decisions_in_usd(decided: Data) -> None:
    losses = {"loss_missed": 4e6, "loss_false_alarm": 1e6}
    decided["domain"][1] |= losses
    for row in (*decided["level"], *decided["decision"]):
        row.pop("weight", None)
        row.pop("mitigate_above", None)
        row |= losses
    assert {each.loss_missed for each in parse_catalogue(decided).decisions} == {4e6}
    del decided["level"][1]["loss_missed"]
    with pytest.raises(InputError, match="level 'cyber, Critical': loss_missed must be given"):
        parse_catalogue(decided)
    decided["level"][1] = {"domain": "cyber", "name": "Critical", "threshold": 12, "weight": 2}
    with pytest.raises(InputError, match="'cyber, Critical': stakes must be given in one way"):
        parse_catalogue(decided)


LEVEL, CRITICAL, JOINT = ("level", 0), ("level", 1), ("decision", 0)

MISTAKES: list[tuple[tuple[Any, ...], Any, str]] = [
    # levels
    ((*LEVEL, "domain"), "cyer", "level 'cyer, High': domain must be one of the catalogue's, got 'cyer'; did you mean 'cyber'?"),
    ((*LEVEL, "domain"), ..., "level number 1: domain must be given, got nothing; add domain = ..."),
    ((*LEVEL, "domain"), ["cyber"], "level number 1: domain must be one of the catalogue's, got ['cyber']"),
    ((*LEVEL, "name"), ..., "level number 1: name must be given, got nothing; add name = ..."),
    ((*LEVEL, "name"), 3, "level number 1: name must be a name in quotes, got 3"),
    ((*LEVEL, "name"), "Critical", "level 'cyber, Critical': names of decisions must be unique, got 'cyber, Critical' 2 times; rename one"),
    ((*LEVEL, "levl"), 3, "level 'cyber, High': every key must be a known one, got 'levl'"),
    ((*LEVEL, "unit"), "sd", "level 'cyber, High': every key must be a known one, got 'unit'"),
    ((*LEVEL, "threshold_human_time"), ..., "level 'cyber, High': threshold must be given, got nothing; add threshold = ... in the domain's unit"),
    ((*LEVEL, "threshold"), 9, "level 'cyber, High': the threshold must be given once, got threshold and threshold_human_time"),
    ((*LEVEL, "threshold_human_time"), "80 h", "level 'cyber, Critical': thresholds must rise from level to level of 'cyber', got 12 after 12.2 of 'High'; give levels from the least severe up"),
    ((*CRITICAL, "threshold"), 8.906890595608518, "thresholds must rise from level to level of 'cyber', got 8.91 after 8.91 of 'High'"),
    ((*CRITICAL, "threshold"), float("nan"), "level 'cyber, Critical': threshold must be a finite number, got nan"),
    ((*CRITICAL, "mitigate_above"), 20, "level 'cyber, Critical': mitigate_above must lie strictly between 0 and 1, got 20"),
    ((*CRITICAL, "weight"), 0, "level 'cyber, Critical': weight must be above 0, got 0"),
    ((*CRITICAL, "loss_missed"), 4, "domain 'autonomy': loss_missed must be given, got nothing; stakes are in USD in this catalogue, so give every decision"),
    (("domain", 0, "threshold"), 9, "domain 'cyber': threshold must be given in its levels, as it has [[level]] tables; move it there, or drop them"),
    (("domain", 0, "weight"), 2, "domain 'cyber': weight must be given in its levels"),
    (("level",), {"name": "High"}, "level must be a list of tables, got a single one; write [[level]], with two brackets"),
    # decisions over several domains
    ((*JOINT, "weights"), ..., "decision 'secure weights': weights must be given, got nothing; write weights = {cyber = 0.5, autonomy = 0.5}"),
    ((*JOINT, "weights"), {}, "decision 'secure weights': weights must give two domains or more a weight above 0, got 0; write weights ="),
    ((*JOINT, "weights"), {"cyber": 0, "autonomy": 0}, "weights must give two domains or more a weight above 0, got 0;"),
    ((*JOINT, "weights"), {"cyber": 1}, "weights must give two domains or more a weight above 0, got 1; write weights = {cyber = 0.5, autonomy = 0.5}, or decide a domain by its own threshold or [[level]] tables"),
    ((*JOINT, "weights"), {"cyber": 0.5, "autonomy": -0.5}, "weights of 'autonomy' must be 0 or more, got -0.5"),
    ((*JOINT, "weights"), {"cyber": 0.5, "autonomy": float("inf")}, "weights of 'autonomy' must be a finite number, got inf"),
    ((*JOINT, "weights"), {"cyber": 0.5, "autonomy": "0.5"}, "weights of 'autonomy' must be a number, got the text '0.5'"),
    ((*JOINT, "weights"), {"cyber": 0.5, "autonomyy": 0.5}, "decision 'secure weights': weights must be on domains of the catalogue, got 'autonomyy'; did you mean 'autonomy'?"),
    ((*JOINT, "weights"), ["cyber", "autonomy"], "weights must be a weight for each domain, got ['cyber', 'autonomy']; write weights ="),
    ((*JOINT, "weights"), {"cyber": 2, "autonomy": 1}, "threshold_human_time must go with weights that sum to 1, got 3; divide them by that, or give threshold in the unit"),
    ((*JOINT, "name"), ..., "decision number 1: name must be given, got nothing"),
    ((*JOINT, "name"), "cyber", "decision 'cyber': names of decisions must be unique, got 'cyber' 2 times; rename one"),
    ((*JOINT, "name"), "cyber, High", "names of decisions must be unique, got 'cyber, High' 2 times; rename one"),
    (("domain", 1, "name"), "cyber, High", "weights must be on domains of the catalogue, got 'autonomy'"),
    ((*JOINT, "threshold_human_time"), ..., "decision 'secure weights': threshold must be given, got nothing, and 'cyber' has no single threshold of its own; add threshold = ... of the weighted capability"),
    ((*JOINT, "domains"), ["cyber"], "decision 'secure weights': every key must be a known one, got 'domains'"),
    ((*JOINT, "mitigate_above"), 0, "decision 'secure weights': mitigate_above must lie strictly between 0 and 1, got 0"),
    (("domain", 1, "unit"), "points", "domain 'autonomy': threshold_human_time must go with the unit 'doublings of human task time', got 'points'"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "message"), MISTAKES)
def test_a_mistake_is_refused_in_one_sentence(
    path: tuple[Any, ...], value: Any, message: str, decided: Data
) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        parse_catalogue(changed(decided, path, value))
    assert "\n" not in str(caught.value)


def test_domains_of_two_units_need_a_unit_for_their_sum(decided: Data) -> None:
    decided["domain"][1] = {"name": "autonomy", "unit": "sd of experts", "threshold": 2}
    decided["eval"][1] = decided["eval"][1] | {"difficulty": 1}
    del decided["eval"][1]["human_minutes"]
    joint = decided["decision"][0]
    with pytest.raises(InputError, match="weights must be on domains of one unit, got doublings"):
        parse_catalogue(decided)
    del joint["threshold_human_time"]
    joint |= {"unit": "points of concern", "threshold": 6}
    assert parse_catalogue(decided).decisions[-1].unit == "points of concern"


def test_a_domain_is_decided_by_something(decided: Data) -> None:
    del decided["level"]
    assert [each.name for each in parse_catalogue(decided).decisions] == [
        "autonomy",
        "secure weights",
    ]
    del decided["decision"]
    with pytest.raises(
        InputError, match=r"domain 'cyber': threshold must .*, or \[\[level\]\] tables"
    ):
        parse_catalogue(decided)


def test_a_mistake_in_a_workbook_names_sheet_and_row(decided: Data, tmp_path: Path) -> None:
    import openpyxl

    path = tmp_path / "c.xlsx"
    path.write_bytes(catalogue_to_workbook(parse_catalogue(decided)))
    book = openpyxl.load_workbook(path)
    heads = [cell.value for cell in book["level"][1]]
    book["level"].cell(3, heads.index("domain") + 1).value = "cyer"
    book.save(path)
    with pytest.raises(InputError, match=r"sheet 'level' row 3 \(level 'cyer, Critical'\): domain"):
        read_catalogue(path)


def _with_rules(decided: Data, *rules: float) -> Catalogue:
    for row, rule in zip(decided["level"], rules, strict=True):
        row["mitigate_above"] = rule
    return parse_catalogue(decided)


def test_levels_read_back_by_name_and_what_lets_the_higher_alone_be_mitigated_is_told(
    decided: Data,
) -> None:
    report = check_inputs(_with_rules(decided, 0.2, 0.05))
    text = str(report)
    assert "cyber: High: danger above 8.91 (8 h), in doublings of human task time; mitigate" in text
    assert "; Critical: danger above 12 (68 h); mitigate" in text
    assert "secure weights: one mitigation for 0.5 × cyber + 0.5 × autonomy; danger above" in text
    (warning,) = [each for each in report.warnings if "Critical" in each]
    assert warning.startswith(
        "cyber, Critical may be called to be mitigated and cyber, High not, as the stakes say: it "
        "is mitigated above 0.05 and cyber, High above 0.2."
    )
    assert list(report.domains.index) == [
        "cyber, High",
        "cyber, Critical",
        "autonomy",
        "secure weights",
    ]
    assert not crossings(_with_rules(decided, 0.1, 0.1).decisions)
    assert not crossings(_with_rules(decided, 0.1, 0.3).decisions)


def test_thresholds_of_unequal_width_may_cross_too(decided: Data) -> None:
    decided["level"][1]["threshold"] = [9, 15]
    (warning,) = [e for e in check_inputs(_with_rules(decided, 0.1, 0.1)).warnings if "level" in e]
    assert "their thresholds are not equally sure" in warning


def test_a_catalogue_keeps_its_place_where_levels_are_of_another_domain(
    with_entry: Callable[..., Data],
) -> None:
    level = {"domain": "persuasion", "name": "High", "threshold": 2.0}
    data = with_entry("level", [level])
    with pytest.raises(InputError, match="domain 'persuasion': threshold must be given in its lev"):
        parse_catalogue(data)
    del data["domain"][1]["threshold"]
    assert [each.name for each in parse_catalogue(data).decisions] == ["cyber", "persuasion, High"]
