"""Questions small enough to be listed, their certificates, and ways to make one false."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from tests.evalfolio.search.test_certified import awkward_menu

from evalbayes import SharedPurchase
from evalfolio.certificates.recording import certificate, down, hold
from evalfolio.certificates.verifier import Refused, digest, proof, verify
from evalfolio.limits import Excludes, MaxEvals
from evalfolio.search.answer import Answer
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question

Data = dict[str, Any]
Tamper = Callable[[Data, np.random.Generator], bool | None]


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


def made(question: Question, gap: float = 1e-3) -> tuple[Data, Answer]:
    """Return a certificate as a file has it, and what the search found."""
    found = Certified(gap).find(question)
    tree = found.tree if gap > 1e-5 else None  # with the search's own proof, and without
    data = certificate(found.problem if tree else question, found.x, found.bound, tree)
    return json.loads(json.dumps(data)), found


def proves(data: Data, question: Question) -> bool:
    """Whether a certificate is a proof, and of this question."""
    try:
        verify(data)
        hold(data, question, data["claim"]["choice"])
    except Refused:
        return False
    return True


def forged(data: Data) -> None:
    """Claim what a changed certificate proves, where it proves anything."""
    claim = data["claim"]
    del claim["value"], claim["bound"]
    value, most = proof(data)
    claim["value"], claim["bound"] = down(value), -down(-most)


def more_worth(data: Data, rng: np.random.Generator) -> None:
    data["claim"]["value"] += 1e-9 * data["claim"]["bound"]


def less_bound(data: Data, rng: np.random.Generator) -> None:
    forged(data)  # else it may yet be no less than what is proved
    data["claim"]["bound"] -= float(10 ** rng.uniform(-9, -2)) * data["claim"]["bound"]


def less_chosen(data: Data, rng: np.random.Generator) -> None:
    data["claim"]["choice"] = data["claim"]["choice"][1:]


def run_twice(data: Data, rng: np.random.Generator) -> None:
    names, evals = data["menu"]["options"], data["menu"]["evals"]
    own = evals[names.index(data["claim"]["choice"][0])]
    same = [n for n, e in zip(names, evals, strict=True) if e == own]
    data["claim"]["choice"] = [*same, "nothing"] if len(same) < 2 else same


def not_numbers(data: Data, rng: np.random.Generator) -> None:
    data["claim"]["bound"] = float("nan")


def hole(data: Data, rng: np.random.Generator) -> None:
    leaves = [k for k, node in enumerate(data["tree"]) if node[0] == "leaf"]
    del data["tree"][int(rng.choice(leaves))]


def cut_short(data: Data, rng: np.random.Generator) -> None:
    del data["tree"][int(rng.integers(len(data["tree"]))) :]


def gone_on(data: Data, rng: np.random.Generator) -> None:
    data["tree"].append(["leaf", 0])


def said_to_be_empty(data: Data, rng: np.random.Generator) -> None:
    for each in data["prices"]:
        each["rows"], each["tangents"], each["empty"] = [], [], True


def other_side(data: Data, rng: np.random.Generator) -> bool:
    """Pay a budget's price for a side that it does not have, in the first leaf that pays one."""
    for kind, *node in data["tree"]:
        for row in data["prices"][node[0]]["rows"] if kind == "leaf" else ():
            if row[0] < len(data["question"]["budgets"]):
                row[1] *= -1
                return True
    return False


def paid_back(data: Data, rng: np.random.Generator) -> bool:
    """Make a tangent's price negative, in the first leaf that pays one."""
    for kind, *node in data["tree"]:
        for tangent in data["prices"][node[0]]["tangents"] if kind == "leaf" else ():
            tangent[1] *= -1
            return True
    return False


def damaged(data: Data, rng: np.random.Generator) -> None:
    del data[str(rng.choice(["claim", "menu", "question", "tangents", "prices", "tree"]))]


def cheap(data: Data, rng: np.random.Generator) -> None:
    data["menu"]["use"][int(rng.integers(len(data["menu"]["use"])))][0] *= 0.5


def told_more(data: Data, rng: np.random.Generator) -> None:
    own = [f for each in data["menu"]["information"] for f in each]
    own[int(rng.integers(len(own)))][0][1] *= 1.5


def other_losses(data: Data, rng: np.random.Generator) -> None:
    decisions = data["menu"]["decisions"]
    decisions[int(rng.integers(len(decisions)))]["loss_missed"] *= 2.0


def other_threshold(data: Data, rng: np.random.Generator) -> None:
    decisions = data["menu"]["decisions"]
    decisions[int(rng.integers(len(decisions)))]["threshold"] += 0.1


def other_hash(data: Data, rng: np.random.Generator) -> None:
    data["menu_hash"] = data["menu_hash"][::-1]


def less_budget(data: Data, rng: np.random.Generator) -> None:
    budgets = data["question"]["budgets"]
    budgets[str(rng.choice(sorted(budgets)))] *= float(rng.choice([0.5, 1.5]))


def no_budget(data: Data, rng: np.random.Generator) -> None:
    del data["question"]["budgets"]["usd"]
    data["prices"] = [each | {"rows": []} for each in data["prices"]]


def no_limit(data: Data, rng: np.random.Generator) -> bool:
    limits = data["question"]["limits"]
    data["question"]["limits"] = limits[:-1]
    return bool(limits)


def other_limit(data: Data, rng: np.random.Generator) -> bool:
    limits = data["question"]["limits"]
    for row in limits:
        row["sides"] = [None if side is None else side + 1.0 for side in row["sides"]]
    return bool(limits)


def other_weights(data: Data, rng: np.random.Generator) -> None:
    for decision in data["question"]["decisions"]:
        decision["weight"] *= 2.0


def left_out(data: Data, rng: np.random.Generator) -> bool:
    """Do not count one of several decisions."""
    decisions = data["question"]["decisions"]
    last = len(decisions) - 1
    data["question"]["decisions"] = decisions[:last]
    data["tangents"] = [t if t[0] < last else [0, *t[1:]] for t in data["tangents"]]
    return last > 0


def counted_twice(data: Data, rng: np.random.Generator) -> bool:
    decisions = data["question"]["decisions"]
    decisions[-1] = decisions[0] | {"of": decisions[0]["of"] - len(data["menu"]["decisions"])}
    return len(decisions) > 1


KINDS: dict[str, tuple[Tamper, ...]] = {
    "its claim": (more_worth, less_bound, less_chosen, run_twice, not_numbers),
    "its cover": (hole, cut_short, gone_on, said_to_be_empty, other_side, paid_back, damaged),
    "its menu": (cheap, told_more, other_losses, other_threshold, other_hash),
    "its menu, hash and claim made to agree": (cheap, told_more, other_losses, other_threshold),
    "its question, claim made to agree": (
        *(less_budget, no_budget, no_limit, other_limit, other_weights, left_out, counted_twice),
    ),
}


def tampered(data: Data, rng: np.random.Generator) -> Iterator[tuple[str, str, Data]]:
    """Yield every kind of falsehood in every way that the certificate has a place for."""
    for kind, ways in KINDS.items():
        for tamper in ways if data["claim"]["choice"] else ():
            false = copy.deepcopy(data)
            if tamper(false, rng) is False:
                continue
            if "agree" in kind:
                false["menu_hash"] = digest(false["menu"])
                with suppress(Refused):  # where the proof does not serve what was changed
                    forged(false)
            yield kind, tamper.__name__, false
