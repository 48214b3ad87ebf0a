"""Boxes settled by listing their choices: nothing better is left out, and too many are refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from evalbayes import Decision, Menu, SharedPurchase
from evalfolio.certificates.recording import certificate
from evalfolio.certificates.verifier import Refused, proof
from evalfolio.limits import Limit, MaxEvals, MinEvals
from evalfolio.search import Certified, enumeration
from evalfolio.search.box import Branch
from evalfolio.search.branching import Search
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question

GAP = 1e-3


def choices(problem: Problem) -> Iterator[NDArray[np.float64]]:
    codes = range(len(problem.evals))
    own = [np.append(-1, np.flatnonzero(problem.eval_codes == code)) for code in codes]
    for picked in product(*own):
        x = np.zeros(problem.n_options)
        x[[option for option in picked if option >= 0]] = 1.0
        yield x


def looked_through(
    menu: Menu, share: float | None, constraints: Sequence[Limit] = ()
) -> tuple[Search, Branch, bool]:
    most = menu.options.groupby("eval")[list(menu.resources)].max().sum()
    budget = {} if share is None else {n: share * float(most[n]) for n in menu.resources}
    search = Search(Problem(Question(menu, budget, constraints)), gap=GAP, deadline=None, seed=0)
    box = search.relaxation.whole_menu()
    search.programme.add_tangents(search.problem.evenly())
    search.programme.enter(box)
    relaxed = search.programme.solve()
    settled = search.enumeration.settled(
        box, relaxed, search.programme, lambda: search._target, lambda: search._trail(relaxed)
    )
    return search, box.told, settled


LIMITS: list[tuple[Limit, ...]] = [
    (),
    (MinEvals("everything", at_least=2),),
    (MaxEvals("everything", at_most=2),),
]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("constraints", LIMITS)
@pytest.mark.parametrize("shared", [False, True])
def test_the_best_of_a_settled_box_is_that_of_all_its_choices_and_is_proved(
    make_menu: Callable[..., Menu],
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    constraints: Sequence[Limit],
    shared: bool,
) -> None:
    monkeypatch.setattr(enumeration, "LOOKS", 1000)
    monkeypatch.setattr(enumeration, "FEW", (10_000, 16.0))
    monkeypatch.setattr(enumeration.Enumeration, "most", (10_000, 16.0))
    menu = make_menu(seed, 4, 3, 2)
    if shared:
        needing = [str(name) for name in menu.options.index[1::2]]
        menu = replace(menu, shared=(SharedPurchase("key", {"usd": 20.0}, tuple(needing)),))
    search, told, settled = looked_through(menu, 0.4, constraints)
    assert settled
    problem = search.problem
    best = max(problem.value(x) for x in choices(problem) if problem.met(x)) / problem.scale
    assert search.incumbent.value >= best * (1 - GAP)
    assert search.incumbent.value <= best * (1 + 1e-12)
    bound = search._target * problem.scale
    data = certificate(problem, search.incumbent.x, bound, told)
    assert data["claim"]["bound"] <= bound + 1e-9 * problem.evpi
    proof(json.loads(json.dumps(data)))
    if best > 0:  # the listing says why each choice is left: one leaf fewer does not cover all
        kept = [node for k, node in enumerate(data["tree"]) if k != len(data["tree"]) - 1]
        with pytest.raises(Refused, match="cover"):
            proof(data | {"tree": kept})


def test_without_any_limit_everything_is_looked_at(make_menu: Callable[..., Menu]) -> None:
    search, told, settled = looked_through(make_menu(2, 3, 2, 2), None)
    assert settled
    problem = search.problem
    best = max(problem.value(x) for x in choices(problem))
    assert search.incumbent.value * problem.scale >= best * (1 - GAP)
    bound = search._target * problem.scale
    proof(certificate(problem, search.incumbent.x, bound, told))


def test_too_many_choices_are_left_to_be_split(
    make_menu: Callable[..., Menu], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enumeration.Enumeration, "most", (3, 16.0))
    search, told, settled = looked_through(make_menu(1, 5, 3, 2), 0.4)
    assert not settled
    assert search.incumbent.value == 0.0  # nothing was looked at
    assert not told.steps
    assert not told.parts


def test_a_belief_far_beyond_a_skewed_threshold_needs_no_tangent() -> None:
    information = np.array([np.diag(each) for each in ([1.0, 0.0], [2.0, 0.0], [2.0, 1.0])])
    menu = Menu(
        options=pd.DataFrame(
            {"eval": "ctf", "domain": "cyber", "tier": "plateau", "usd": [1.0, 2.0, 5.0]},
            index=pd.Index(["few", "many", "deep"], name="option"),
        ),
        resources=("usd",),
        information=information,
        states=("cyber.shown", "cyber.gap"),
        prior_mean=np.array([20.0, 1.0]),
        prior_covariance=np.diag([0.4, 0.5]),
        decisions=(Decision("cyber", np.ones(2), 8.9, 28.0, 1.0),),
        skewed=("cyber.gap",),
    )
    question = Question(menu, {"usd": 9.0})
    found = Certified(gap=GAP).find(question)
    data = certificate(question, found.x, found.bound)
    assert "not_verifiable" in data or proof(data)
