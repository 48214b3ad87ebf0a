"""Certificates: true ones are proved, tampered ones refused, and what has none says so."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from benchmarks.menus import budget_share, random_menu
from tests.batches import some
from tests.evalfolio.certificates.tampering import Data, made, proves, question_of, tampered
from tests.evalfolio.search.test_certified import awkward_menu
from tests.instances.library import MADE

from evalbayes import Menu
from evalfolio.certificates import recording, verifier
from evalfolio.certificates.recording import certificate, content
from evalfolio.certificates.verifier import Refused, digest, proof, verify
from evalfolio.examples import small_menu
from evalfolio.limits import ChanceLimit, MinEvals
from evalfolio.objectives import evsi, variance
from evalfolio.search import branching, programme
from evalfolio.search.certified import Certified
from evalfolio.search.greedy import Greedy
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question


def check(question: Question, gap: float = 1e-3) -> Data:
    """Hold a certificate to what the search found; return it."""
    data, found = made(question, gap)
    assert "Proved" in verify(data)
    claim, evpi = data["claim"], found.problem.evpi
    assert claim["bound"] <= found.bound + 1e-9 * evpi
    assert claim["value"] == pytest.approx(found.value, rel=1e-11, abs=1e-13 * evpi)
    assert tuple(claim["choice"]) == found.chosen
    return data


@pytest.mark.parametrize("start", range(0, 24, 8))
def test_every_certificate_is_proved(start: int) -> None:
    for seed in range(start, start + 8):
        check(question_of(seed), (1e-3, 1e-6)[seed % 2])


def held(question: Question, gap: float, with_tree: bool) -> float:
    """Hold what is claimed without the verifier to what it proves; return the room of the bound."""
    found = Certified(gap).find(question)
    tree = found.tree if with_tree else None
    data = json.loads(json.dumps(certificate(found.problem, found.x, found.bound, tree)))
    claim, evpi = data["claim"], found.problem.evpi
    value, bound = claim.pop("value"), claim.pop("bound")
    least, most = proof(data)
    assert value <= least
    assert value == pytest.approx(found.value, rel=1e-11, abs=1e-13 * evpi)
    assert most <= bound <= found.bound + 1e-9 * evpi
    return float((bound - float(most)) / evpi)


@pytest.mark.parametrize("start", range(0, 24, 8))
def test_what_is_claimed_without_the_verifier_it_proves(
    monkeypatch: pytest.MonkeyPatch, start: int
) -> None:
    monkeypatch.setattr(recording, "EXACT", -1)
    rooms = [
        held(question_of(seed), gap, with_tree)
        for seed in range(start, start + 8)
        for gap, with_tree in ((1e-3, True), (1e-6, False), (1e-6, True))
    ]
    assert max(rooms) > 1e-10  # floats were asked: what the verifier claims has none


@pytest.mark.parametrize(("size", "share"), [((120, 3, 6), 0.02), ((300, 10, 6), 0.1)])
def test_so_it_does_of_menus_of_some_size(size: tuple[int, int, int], share: float) -> None:
    menu = random_menu(*size)
    for with_tree in (True, False):
        assert held(Question(menu, budget_share(menu, share)), 1e-3, with_tree) > 1e-10


@pytest.mark.parametrize("name", ["away 8", "telling 1e+06", "telling 1e+11", "singular 1e-06"])
def test_where_floats_might_not_settle_it_the_verifier_says_what_is_proved(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(recording, "EXACT", -1)
    assert held(MADE[name](), 1e-3, True) < 1e-15


def test_tangents_that_came_after_the_last_prices_have_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(branching, "ROOT_ROUNDS", 1)
    monkeypatch.setattr(branching, "BOX_ROUNDS", 1)
    proved = 0
    for seed in range(8):
        data, _ = made(question_of(seed), 1e-6)
        proved += "tree" in data and "Proved" in verify(data)
        assert "tree" in data or "above the bound" in data["not_verifiable"]
    assert proved >= 5  # with a single round to tighten a box some are left too wide


def test_an_only_programme_is_one_tangent_for_each_decision() -> None:
    menu = random_menu(300, 10, 6)
    found = Certified().find(Question(menu, budget_share(menu, 0.1)))
    assert found.tree is not None
    assert found.tree.trail is not None
    data = certificate(found.problem, found.x, found.bound, found.tree)
    assert [kind for kind, _ in data["tree"]] == ["cap"] * 6 + ["leaf"]
    assert sorted(data["tangents"][k][0] for k, _ in data["prices"][1]["tangents"]) == [*range(6)]
    assert len(found.tree.trail.tangents) > 6


def test_what_a_search_proved_is_not_worked_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    menu = random_menu(120, 3, 6)
    stopped = Certified(boxes=9).find(Question(menu, budget_share(menu, 0.02)))
    assert stopped.rounds == 9
    monkeypatch.setattr(programme.Programme, "solve", lambda *_: pytest.fail("a programme"))
    data = certificate(stopped.problem, stopped.x, stopped.bound, stopped.tree)
    # The boxes that are open, too, are under what was proved of them.
    assert proof(json.loads(json.dumps(data)))[1] <= data["claim"]["bound"]
    assert [kind for kind, *_ in data["tree"]].count("leaf") > 9


def refused(seed: int) -> int:
    """Hold that no falsehood of a certificate is proved; return how many were tried."""
    question = question_of(seed)
    data, _ = made(question, 1e-6)
    assert proves(data, question)
    false = list(tampered(data, np.random.default_rng(seed)))
    accepted = [(seed, kind, way) for kind, way, each in false if proves(each, question)]
    assert not accepted
    return len(false)


@pytest.mark.parametrize("start", range(0, 6, 2))
def test_none_that_was_tampered_with_is(start: int) -> None:
    assert sum(refused(seed) for seed in range(start, start + 2)) > 0


@pytest.mark.slow
@pytest.mark.parametrize("start", some(range(1000, 1100, 10)))
def test_a_hundred_certificates_are_proved_and_two_thousand_false_ones_refused(start: int) -> None:
    for seed in range(start, start + 10):  # benchmarks/verified.py does so for a thousand
        check(question_of(seed), (1e-3, 1e-6)[seed % 2])
    assert sum(refused(seed) for seed in range(start, start + 10)) >= 150


@pytest.mark.parametrize(
    "file", sorted((Path(__file__).parent / "written_before").glob("*.json")), ids=lambda f: f.stem
)
def test_a_certificate_of_before_is_proved_to_its_last_digit_still(file: Path) -> None:
    assert "Proved" in verify(json.loads(file.read_text()))


def test_a_question_cannot_change_what_the_menu_says_of_a_decision() -> None:
    data, _ = made(question_of(2), 1e-3)
    proved = proof(data)
    for decision in data["question"]["decisions"]:
        decision |= {"loss_missed": 1e-9, "threshold": 99.0, "mean": [0.0], "covariance": [[1.0]]}
    assert proof(data) == proved


@pytest.mark.parametrize(
    ("place", "put"),
    [
        (("claim", "value"), None),
        (("claim", "bound"), 10**400),
        (("claim", "variables"), [[]]),
        (("question", "limits", 0, "name"), ["a list"]),
        (("question", "limits", 0, "terms", 0, 0), -1),
        (("question", "variables"), 10**12),
        (("question", "variables"), -1),
        (("prices",), 7),
        (("tree", 0), ["leaf"]),
    ],
)
def test_what_is_damaged_anywhere_is_refused_in_a_sentence(
    place: tuple[Any, ...], put: Any
) -> None:
    data, _ = made(question_of(2))
    assert data["question"]["limits"]
    *way, last = place
    inner: Any = data
    for key in way:
        inner = inner[key]
    inner[last] = put
    if put is None:
        del inner[last]
    with pytest.raises(Refused):
        verify(data)


def test_other_vectors_are_another_proof() -> None:
    data, found = made(question_of(4), 1e-3)
    rng = np.random.default_rng(0)
    for tangent in data["tangents"]:
        tangent[1:] = [[x * (1 + 1e-7 * rng.normal()) for x in w] for w in tangent[1:]]
    claimed = data["claim"].pop("bound")
    _, bound = proof(data)
    assert float(bound) == pytest.approx(claimed, rel=1e-4)
    assert float(bound) >= found.value


def test_the_verifier_alone_proves_it_with_nothing_but_the_standard_library(tmp_path: Path) -> None:
    (tmp_path / "certificate.json").write_text(json.dumps(check(question_of(1))))
    alone = tmp_path / "verifier.py"
    alone.write_text(Path(verifier.__file__).read_text())
    command = [sys.executable, "-I", "-S", str(alone), str(tmp_path / "certificate.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Proved")
    (tmp_path / "certificate.json").write_text("{}")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "Not proved: it is damaged (KeyError: 'format').\n"


def test_a_bound_of_no_search_is_proved_too() -> None:
    question = question_of(5)
    found = Greedy().find(question)
    data = certificate(question, found.x, found.bound)
    assert data["claim"]["bound"] <= found.bound * (1 + 1e-9)
    verify(data)


def test_weights_of_decisions_count_and_a_decision_of_weight_0_does_not() -> None:
    menu, budget = awkward_menu(9)
    names = [decision.name for decision in menu.decisions]
    assert len(names) > 1
    weights = dict(zip(names, (2.5, 0.0, 1.0), strict=False))
    asked = replace(2 * evsi(), weights=weights)
    data = check(Question(menu, budget, (), asked))
    assert data["question"]["decisions"][0]["weight"] == 5.0
    assert len(data["question"]["decisions"]) == len(names) - 1


def test_a_menu_that_tells_nothing_is_proved_to() -> None:
    menu, budget = awkward_menu(3)
    silent = replace(menu, information=np.zeros_like(menu.information))
    data = check(Question(silent, budget))
    assert 0.0 <= data["claim"]["bound"] < 1e-50


@pytest.mark.parametrize(
    ("objective", "limit", "said"),
    [
        (variance(), None, "the objective is variance, and only evsi is verifiable"),
        (evsi() + variance(), None, "the objective is evsi + variance"),
        (evsi(), cp.norm(cp.Variable(3, name="x")) <= 1.2, "only linear limits are verifiable"),
    ],
)
def test_what_is_not_verifiable_says_so(objective: Any, limit: Any, said: str) -> None:
    menu = small_menu()
    limits = () if limit is None else (cp.norm(cp.Variable(len(menu), name="x")) <= 1.2,)
    question = Question(menu, {"usd": 2_000.0}, limits, objective)
    found = Certified().find(question)
    data = certificate(question, found.x, found.bound)
    assert set(data) == {"format", "not_verifiable"}
    assert said in data["not_verifiable"]
    with pytest.raises(Refused, match=said.partition(" +")[0]):
        verify(data)


def test_an_option_that_takes_all_of_a_budget_but_for_rounding_is_in_it() -> None:
    menu = small_menu()
    menu.options.loc["b max", "staff_hours"] = 0.1 + 0.2  # 0.30000000000000004
    menu.options.loc["a max", "staff_hours"] = 0.3 * (1 + 1e-8)
    data = check(Question(menu, {"staff_hours": 0.3}))
    assert data["claim"]["choice"] == ["b max"]


def test_limits_with_variables_of_their_own_are_proved() -> None:
    menu = small_menu()
    rng = np.random.default_rng(0)
    menu = replace(menu, resource_draws=menu.costs * rng.lognormal(-0.08, 0.4, (20, len(menu), 1)))
    limits = (MinEvals("everything", 1), ChanceLimit(at_most=3_000.0, probability=0.2))
    question = Question(menu, {"usd": 4_000.0}, limits)
    data = check(question)
    assert data["question"]["variables"] == Problem(question).n_own > 0


def test_the_hash_is_of_what_the_menu_says_and_outlives_its_folder(tmp_path: Path) -> None:
    menu, _ = awkward_menu(2)
    again = Menu.load(menu.save(tmp_path / "menu"))
    assert digest(content(again)) == digest(content(menu))
    dearer = replace(menu, options=menu.options.assign(usd=menu.options["usd"] * 1.001))
    assert digest(content(dearer)) != digest(content(menu))


@pytest.mark.parametrize("seed", [8, 10, 19, 20, 23, 27])
def test_an_eval_that_must_run_its_only_way_is_split_to_the_end(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    from evalfolio.search.branching import Search

    def split(search: Search, box: Any, relaxed: Any) -> Any:
        """Make evals run one option each first, then split at whatever is free."""
        problem = search.problem
        for code in np.flatnonzero(~box.run):
            own = np.flatnonzero((problem.eval_codes == code) & (box.x_high[: len(x)] > 0.5))
            if len(own) > 1:
                return box.parted(int(code), own[1:], own[:1])
        return search._split_blindly(box)

    question = question_of(seed)
    found = Certified().find(question)
    x = found.x
    monkeypatch.setattr(Search, "_split", split)
    data = json.loads(json.dumps(certificate(question, x, found.bound)))
    # Boxes that nobody would make may leave a bound that is too wide, which is said.
    assert "above the bound" in data.get("not_verifiable", "") or "Proved" in verify(data)
