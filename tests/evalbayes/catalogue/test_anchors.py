"""Which domains are tied to their threshold, and what is said of those that are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalbayes.catalogue import parse_catalogue
from evalbayes.catalogue.anchors import anchors, check_anchored, without_anchor
from evalbayes.errors import InputError
from evalbayes.inputs import check_inputs, draft
from evalbayes.model.design import design_of
from evalbayes.model.evidence import evidence_of
from evalbayes.observations import Observations, Rows, observations_of

BARE = [{"name": name, "domain": "cyber", "tasks": 9, "usd_per_run": [1, 2]} for name in "abc"]
UNIT = {"threshold": 2.0, "unit": "sd of experts"}


def of(evals: list[dict[str, Any]], **domain: Any) -> Any:
    domain = {
        "name": "cyber",
        **({} if "unit" in domain else {"threshold_human_time": "8 h"}),
    } | domain
    return parse_catalogue({"domain": [domain], "eval": evals})


def seen(evals: str, minutes: list[float | None]) -> Observations:
    """Observe a success of every task, whose human minutes are these."""
    rows = [
        {"eval": name, "task": f"t{k}", "ai_model": "M", "outcome": "success", "spend": 5 + k}
        | {"cap": 99, "human_minutes": told}
        for name in evals
        for k, told in enumerate(minutes)
    ]
    return observations_of([Rows(pd.DataFrame(rows, dtype=object), "rows")])


def test_an_eval_of_known_difficulty_anchors_its_domains() -> None:
    assert anchors(of(BARE), {}) == {"cyber": ()}
    assert anchors(of(BARE), {"b": 30.0}) == {"cyber": ("b",)}
    assert anchors(of([BARE[0], {**BARE[1], "human_minutes": 5}]), {}) == {"cyber": ("b",)}
    assert anchors(of([{**BARE[0], "difficulty": [3, 5]}]), {}) == {"cyber": ("a",)}
    # Minutes say nothing of another unit; a difficulty in it does.
    assert anchors(of(BARE, **UNIT), {"b": 30.0}) == {"cyber": ()}
    assert anchors(of([{**BARE[2], "difficulty": 0.4}], **UNIT), {}) == {"cyber": ("c",)}


def test_an_eval_anchors_every_domain_it_has_loadings_on() -> None:
    domains = [{"name": name, "threshold": 9.0} for name in ("cyber", "autonomy")]
    both = {"loadings": {"cyber": 0.8, "autonomy": 0.2}, "human_minutes": 60}
    shared = {**BARE[0], **both}
    catalogue = parse_catalogue({"domain": domains, "eval": [shared]})
    assert anchors(catalogue, {}) == {"cyber": ("a",), "autonomy": ("a",)}
    # An eval of its own without a difficulty is then taken to be like the shared one.
    own = {**BARE[1], "domain": "autonomy"}
    catalogue = parse_catalogue({"domain": domains, "eval": [shared, own]})
    design = design_of(catalogue, evidence_of(Observations()))
    assert design.difficulty == pytest.approx(np.log2([60, 60]))


@pytest.mark.parametrize(
    ("evals", "domain", "said"),
    [
        (BARE, {}, "none of its 3 evals has human minutes or a difficulty; give human_minutes"),
        (BARE[:1], {}, "its only eval 'a' is without human minutes or a difficulty; give human_"),
        (BARE, UNIT, "has a difficulty in its unit, 'sd of experts'; give difficulty of its evals"),
    ],
)
def test_a_domain_without_one_says_what_is_missing_and_how_to_mend_it(
    evals: list[dict[str, Any]], domain: dict[str, Any], said: str
) -> None:
    catalogue = of(evals, **domain)
    sentence = without_anchor(catalogue, {})["cyber"]
    assert sentence.startswith("no anchor: nothing ties the scale of 'cyber' to a threshold")
    assert said in sentence
    assert sentence.endswith("or state shown_capability")
    with pytest.raises(InputError, match=r"^no anchor: "):
        check_anchored(catalogue, {})
    stated = of(evals, **domain, shown_capability=[3, 9])
    assert without_anchor(stated, {}) == check_anchored(stated, {}) == {}


def test_a_decision_over_several_domains_needs_an_anchor_of_each() -> None:
    domains: list[dict[str, Any]] = [{"name": "cyber", "threshold": 9.0}, {"name": "autonomy"}]
    joint = {"name": "release", "weights": {"cyber": 0.5, "autonomy": 0.5}, "threshold": 9.0}
    evals = [{**BARE[0], "human_minutes": 9}, {**BARE[1], "domain": "autonomy"}]
    tables = {"domain": domains, "decision": [joint], "eval": evals}
    (told,) = check_anchored(parse_catalogue(tables), {}).values()
    assert told.startswith(
        "no anchor: nothing ties the scale of 'autonomy' to a threshold, so no probability of "
        "exceeding one is told, nor any for 'release': its only eval 'b' is without"
    )
    del domains[0]["threshold"]  # now the call over both is the only one
    with pytest.raises(InputError, match=r"^no anchor: .* nor any for 'release'"):
        check_anchored(parse_catalogue(tables), {})


def test_a_domain_without_any_eval_has_none() -> None:
    domains = [{"name": name, "threshold": 9.0} for name in ("cyber", "bio")]
    catalogue = parse_catalogue({"domain": domains, "eval": [{**BARE[0], "human_minutes": 9}]})
    assert "'bio'" in check_anchored(catalogue, {})["bio"]
    assert "it has no eval with human minutes" in check_anchored(catalogue, {})["bio"]


@pytest.mark.parametrize(
    ("minutes", "first", "line"),
    [
        ([None] * 6, "no anchor: ", "none of its 3 evals has"),
        ([30.0] * 6, "AI model", "human_minutes are 30 for all 18 tasks or evals that have any"),
        ([30.0, *[None] * 5], "AI model", "a: 1 of 6 observed tasks have human minutes"),
        ([float(k + 1) for k in range(6)], "AI model", "observations: 18 runs"),
    ],
)
def test_check_begins_with_it_and_tells_how_many_tasks_anchor(
    minutes: list[float | None], first: str, line: str
) -> None:
    report = check_inputs(of(BARE), seen("abc", minutes))
    assert report.lines[0].startswith(first)
    assert any(line in each for each in report.lines), report.lines
    assert bool(report.no_anchor) == first.startswith("no anchor")


def test_check_tells_which_evals_anchor_and_what_a_stated_capability_does() -> None:
    lines = check_inputs(of(BARE), seen("b", [5.0, 9.0])).lines
    assert (
        "cyber: what ties its scale to its threshold is the difficulty of 1 of its 3 evals (b)"
    ) in lines
    lines = check_inputs(of(BARE, shown_capability=[3, 9])).lines
    assert lines[0].startswith("AI model")
    assert any("is the shown_capability that is stated; none of its evals" in x for x in lines)
    assert any("; shown capability not stated; " in x for x in check_inputs(of(BARE)).lines)


def test_a_draft_asks_for_what_is_missing() -> None:
    asked = draft(seen("ab", [None, None]))
    assert "# no anchor: no result has human minutes" in asked
    assert "# shown_capability = [3.0, 9.0]  # FILL IN" in asked
    assert "no anchor" not in draft(seen("ab", [None, 5.0]))


def test_a_stated_capability_alone_lets_difficulties_move() -> None:
    """Else what the AI model shows would be read off a difficulty that nobody gave."""
    results = evidence_of(seen("abc", [None] * 3))
    assert design_of(of(BARE), results).anchor.sum() == pytest.approx(0.0)
    adrift = design_of(of(BARE, shown_capability=[3, 9]), results)
    assert np.array_equal(adrift.anchor, np.eye(3))
    timed = [{**BARE[0], "human_minutes": 9}, *BARE[1:]]
    held = design_of(of(timed, shown_capability=[3, 9]), results)
    assert held.anchor.sum(axis=1) == pytest.approx(np.zeros(3))
