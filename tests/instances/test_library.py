"""The library is what was frozen, and a tenth of it is certified and proved again here."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.evalfolio.search.test_certified import brute_force
from tests.instances.files import made, written
from tests.instances.library import BROKE, FROZEN, MADE, check, fingerprint, shape
from tests.instances.shrink import shrink

from evalfolio.limits import MaxEvals
from evalfolio.search.certified import Certified, certify
from evalfolio.search.enumeration import Enumeration
from evalfolio.search.greedy import Greedy
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question

KNOWN = json.loads(FROZEN.read_text(encoding="utf-8"))
SMALL = [name for name in MADE if not name.startswith("model")]
TENTH = SMALL[::10]


def test_every_instance_is_frozen_and_no_generator_has_drifted() -> None:
    assert set(KNOWN) == set(MADE)
    assert len(MADE) >= 60
    drifted = [name for name in SMALL if fingerprint(MADE[name]()) != KNOWN[name]["hash"]]
    assert not drifted
    one = MADE["losses 1"]()
    dearer = one.within(usd=one.budget["usd"] * (1 + 1e-6))
    assert fingerprint(dearer) != fingerprint(one)


@pytest.mark.parametrize("name", TENTH)
def test_a_tenth_is_certified_and_proved(name: str) -> None:
    check(name, KNOWN[name])


def test_a_search_ends_where_what_an_exchange_adds_is_rounding() -> None:
    name = "telling 1e+11"  # exchanges were made back and forth without end
    check(name, KNOWN[name])
    greedy = Greedy().find(MADE[name]())
    assert 0 < greedy.value <= KNOWN[name]["bound"] * (1 + 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MADE if name not in TENTH])
def test_the_rest_is_certified_and_proved(name: str) -> None:
    check(name, KNOWN[name])


def test_a_false_optimum_would_be_seen() -> None:
    name = "losses 1"
    for change in ({"value": KNOWN[name]["value"] * 1.01}, {"bound": KNOWN[name]["bound"] * 0.99}):
        with pytest.raises(AssertionError):
            check(name, KNOWN[name] | {"value": 0.0} | change)
    with pytest.raises(AssertionError, match="another menu"):
        check(name, KNOWN["losses 30"])


def test_files_say_what_they_broke_and_hold_the_whole_question() -> None:
    for file in BROKE.glob("*.json"):
        assert json.loads(file.read_text())["story"]
    for name in ("purchases 3", "must 3", "ranks 4", "skewed 1.2"):
        question = MADE[name]()
        again = made(json.loads(json.dumps(written(question))))
        assert fingerprint(again) == fingerprint(question)
        x = np.array(Certified().find(question).x)
        assert Problem(again).value(x) == pytest.approx(Problem(question).value(x), rel=1e-9)


def test_a_planted_fault_is_cut_down_to_what_makes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search is made to drop boxes unseen, which loses optima of some menus."""
    monkeypatch.setattr(Enumeration, "settled", lambda *parts: True)

    def loses(question: Question) -> bool:
        problem = Problem(question)
        found = certify(problem, Certified(1e-4, time_limit=5.0))
        return found.bound < brute_force(problem)[1] * (1 - 1e-6)

    whole = next(
        question
        for seed in range(40)
        for menu in [shape(seed, evals=4, depths=2)]
        for budget in [{name: 0.3 * menu.options[name].sum() for name in menu.resources}]
        for question in [Question(menu, budget, (MaxEvals("everything", 4),))]
        if loses(question)
    )
    small = shrink(whole, loses)
    assert loses(small)
    assert not small.limits
    assert len(small.menu) <= 3 < len(whole.menu)
    assert len(small.menu.states) <= 2 < len(whole.menu.states)
    assert len(small.menu.resources) == 1
    monkeypatch.undo()
    assert not loses(small)


def test_what_does_not_fail_is_not_cut() -> None:
    with pytest.raises(ValueError, match="must fail before it is cut"):
        shrink(MADE["losses 1"](), lambda question: False)
