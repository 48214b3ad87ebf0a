"""Certificates: true ones are proved, tampered ones refused, and what has none says so."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from tests.evalfolio.search.test_certified import awkward_menu

from evalbayes import Menu, SharedPurchase
from evalfolio.certificates import verifier
from evalfolio.certificates.recording import certificate, content
from evalfolio.certificates.verifier import Refused, digest, proof, verify
from evalfolio.examples import small_menu
from evalfolio.limits import ChanceLimit, Excludes, MaxEvals, MinEvals
from evalfolio.objectives import evsi, variance
from evalfolio.search.certified import Certified
from evalfolio.search.greedy import Greedy
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question

Data = dict[str, Any]
Tamper = Callable[[Data, np.random.Generator], None]


def made(question: Question, gap: float = 1e-3) -> tuple[Data, Any]:
    """Return a certificate as a file has it, and what the search found."""
    found = Certified(gap).find(question)
    return json.loads(json.dumps(certificate(question, found.x, found.bound))), found


def check(question: Question, gap: float = 1e-3) -> Data:
    """Hold a certificate to what the search found; return it."""
    data, found = made(question, gap)
    assert "Proved" in verify(data)
    claim, evpi = data["claim"], found.problem.evpi
    assert claim["bound"] <= found.bound + 1e-9 * evpi
    assert claim["value"] == pytest.approx(found.value, rel=1e-11, abs=1e-13 * evpi)
    assert tuple(claim["choice"]) == found.chosen
    return data


def question_of(seed: int) -> Question:
    """Return an awkward menu's question, some with shared purchases, some under limits."""
    menu, budget = awkward_menu(seed)
    rng = np.random.default_rng([seed, 3])
    names = list(dict.fromkeys(menu.options["eval"]))
    if seed % 3 == 1:
        needed = tuple(rng.permutation(menu.options.index)[:3])
        menu = replace(menu, shared=(SharedPurchase("tool", {"usd": 0.1 * budget["usd"]}, needed),))
    limits: tuple[Any, ...] = ()
    if seed % 4 == 2:
        limits = (MaxEvals("everything", len(names) - 1), Excludes(names[0], names[1]))
    return Question(menu, budget, limits)


@pytest.mark.parametrize("start", range(0, 24, 8))
def test_every_certificate_is_proved(start: int) -> None:
    for seed in range(start, start + 8):
        check(question_of(seed), (1e-3, 1e-6)[seed % 2])


def tampers() -> Iterator[Tamper]:
    """Yield ways to make a certificate false: in its claim, its cover, its proofs, its menu."""

    def more_worth(data: Data, rng: np.random.Generator) -> None:
        data["claim"]["value"] += 1e-9 * data["claim"]["bound"]

    def less_bound(data: Data, rng: np.random.Generator) -> None:
        data["claim"]["bound"] -= float(10 ** rng.uniform(-9, -2)) * data["claim"]["bound"]

    def other_choice(data: Data, rng: np.random.Generator) -> None:
        data["claim"]["choice"] = data["claim"]["choice"][1:]

    def twice(data: Data, rng: np.random.Generator) -> None:
        names, evals = data["menu"]["options"], data["menu"]["evals"]
        chosen = evals[names.index(data["claim"]["choice"][0])]
        same = [n for n, e in zip(names, evals, strict=True) if e == chosen]
        data["claim"]["choice"] = [*same, "nothing"] if len(same) < 2 else same

    def hole(data: Data, rng: np.random.Generator) -> None:
        leaves = [k for k, node in enumerate(data["tree"]) if node[0] == "leaf"]
        del data["tree"][int(rng.choice(leaves))]

    def cut_short(data: Data, rng: np.random.Generator) -> None:
        del data["tree"][int(rng.integers(len(data["tree"]))) :]

    def gone_on(data: Data, rng: np.random.Generator) -> None:
        data["tree"].append(["leaf", 0])

    def no_prices(data: Data, rng: np.random.Generator) -> None:
        for each in data["prices"]:
            each["rows"], each["tangents"], each["empty"] = [], [], True

    def cheap(data: Data, rng: np.random.Generator) -> None:
        data["menu"]["use"][int(rng.integers(len(data["menu"]["use"])))][0] *= 0.5

    def told_more(data: Data, rng: np.random.Generator) -> None:
        own = [f for each in data["menu"]["information"] for f in each]
        own[int(rng.integers(len(own)))][0][1] *= 1.5

    def other_hash(data: Data, rng: np.random.Generator) -> None:
        data["menu_hash"] = data["menu_hash"][::-1]

    def damaged(data: Data, rng: np.random.Generator) -> None:
        del data[str(rng.choice(["claim", "menu", "question", "tangents", "prices", "tree"]))]

    def not_numbers(data: Data, rng: np.random.Generator) -> None:
        data["claim"]["bound"] = float("nan")

    yield from (more_worth, less_bound, other_choice, twice, hole, cut_short, gone_on)
    yield from (no_prices, cheap, told_more, other_hash, damaged, not_numbers)


def refused(seed: int) -> int:
    """Tamper with a certificate in every way; return how many ways there were."""
    data, _ = made(question_of(seed), 1e-6)
    rng, ways = np.random.default_rng(seed), list(tampers())
    if not data["claim"]["choice"]:
        return 0
    for tamper in ways:
        false = copy.deepcopy(data)
        tamper(false, rng)
        with pytest.raises(Refused):
            verify(false)
    return len(ways)


@pytest.mark.parametrize("start", range(0, 6, 2))
def test_none_that_was_tampered_with_is(start: int) -> None:
    assert sum(refused(seed) for seed in range(start, start + 2)) > 0


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1000, 2000, 50))
def test_a_thousand_certificates_are_proved_and_a_thousand_false_ones_refused(start: int) -> None:
    for seed in range(start, start + 50):
        check(question_of(seed), (1e-3, 1e-6)[seed % 2])
    assert sum(refused(seed) for seed in range(start, start + 10)) >= 50


def test_a_question_cannot_change_what_the_menu_says_of_a_decision() -> None:
    data, _ = made(question_of(2), 1e-3)
    proved = proof(data)
    for decision in data["question"]["decisions"]:
        decision |= {"loss_missed": 1e-9, "threshold": 99.0, "mean": [0.0], "covariance": [[1.0]]}
    assert proof(data) == proved


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
