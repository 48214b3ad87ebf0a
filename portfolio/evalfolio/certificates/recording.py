"""The certificate of a plan: its menu and question as data, and a tree of boxes with prices.

The search is not recorded while it runs, which would slow it. What it found is proved again: boxes
are split by the search's own rules until prices prove each to be under the bound that it claims.
"""

import json
import math
import time
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Array, Flags
from evalfolio.certificates.verifier import FORMAT, Refused, digest, proof, require
from evalfolio.objectives.terms import Evsi
from evalfolio.search import Problem, Question
from evalfolio.search.box import Box
from evalfolio.search.branching import BOX_ROUNDS, ROOT_ROUNDS, Search
from evalfolio.search.odds import MARGIN
from evalfolio.search.programme import Programme, Relaxed
from evalfolio.value.explained import factors
from evalfolio.value.worth import Proportional

NEAR = 5e-10  # of perfect information, by which the bound proved may be above the search's
ROUNDING = 1e-50  # of the losses, which the verifier's own rounding is far below
CAPPED = 0.1  # of an interval: a cap that takes off less is not worth a tangent
LONGEST = 20_000  # nodes, which take the verifier about a minute
SECONDS = 120.0  # of wall clock, which other work on a machine stretches
EXTRAS = ("threshold", "loss_missed", "loss_false_alarm", "later_gain_mean", "later_gain_sd")


def certificate(question: Question, x: Array, bound: float) -> dict[str, Any]:
    """Return a certificate that no choice is worth more than a bound, and this one what it is.

    What it claims is what the verifier proves, so the bound is its own, rounded outwards: at most
    1e-9 of perfect information above the one given. Where there is no certificate all that comes
    back is ``not_verifiable``, with the reason.

    >>> from evalfolio.examples import small_menu
    >>> from evalfolio.search.certified import Certified
    >>> question = Question(small_menu(), {"usd": 1_200.0})
    >>> found = Certified().find(question)
    >>> claim = certificate(question, found.x, found.bound)["claim"]
    >>> bool(claim["value"] <= found.value * (1 + 1e-12)), len(claim["choice"])
    (True, 2)
    """
    try:
        return _certificate(question, x, bound)
    except Refused as error:
        return {"format": FORMAT, "not_verifiable": str(error)}


def _certificate(question: Question, x: Array, bound: float) -> dict[str, Any]:
    _verifiable(question)
    stack, problem, menu = question.stack, Problem(question), content(question.menu)
    prover, extra = _Prover(problem, x, bound), problem.completed(x)
    if extra is None:
        raise Refused("the choice does not meet the limits")
    prover.prove()
    own = stack.n_options + np.flatnonzero(extra > 0.5)
    claim: dict[str, Any] = {
        "choice": [menu["options"][o] for o in np.flatnonzero(x > 0.5)],
        "variables": own[own >= stack.n_choice].tolist(),
    }
    data = {
        "format": FORMAT,
        "claim": claim,
        "menu_hash": digest(menu),
        "menu": menu,
        "question": asked(problem),
        "tangents": prover.vectors(),
        "prices": prover.prices,
        "tree": prover.tree,
    }
    value, most = proof(data)
    claim["value"], claim["bound"] = down(value), -down(-most)
    rounding = ROUNDING * sum(d.loss_missed + d.loss_false_alarm for d in question.menu.decisions)
    near = claim["bound"] <= bound + 2 * NEAR * problem.evpi + rounding
    require(near, "what its proof comes to when it is checked is above the bound found")
    return data


def _verifiable(question: Question) -> None:
    asked, stack = question.objective, question.stack
    ours = [type(part) for part in asked.parts] == [Evsi]
    require(ours, f"the objective is {asked!r}, and only evsi is verifiable")
    curved = [str(each) for each in stack.curved if getattr(each, "by", "") != "draws"]
    require(
        not curved, f"only linear limits are verifiable, and this is not: {(curved or [''])[0]}"
    )
    require(stack.n_variables == stack.n_binaries, "limits of draws' tails are not verifiable")
    require(not question.menu.tariffs, "prices that go by steps are not verifiable")


def hold(data: dict[str, Any], question: Question, chosen: Sequence[str]) -> None:
    """Refuse a certificate of another menu, question or choice, whatever it proves of its own."""
    _verifiable(question)
    require(digest(content(question.menu)) == data["menu_hash"], "it is of another menu")
    for part, ours in asked(Problem(question)).items():
        same = _rough(data["question"][part]) == _rough(ours)
        require(same, f"its {part} are not those asked for")
    require(data["claim"]["choice"] == list(chosen), "it is of another choice")


def _rough(data: Any) -> Any:
    """Return data with figures to 9 digits: an index may be off by the last on another machine."""
    return json.loads(json.dumps(data), parse_float=lambda text: f"{float(text):.9g}")


def down(value: Decimal) -> float:
    """Return a float at or below a number, the nearest or the one before."""
    near = float(value)
    return near if near <= value else math.nextafter(near, -math.inf)


def content(menu: Menu) -> dict[str, Any]:
    """Return what a certificate holds of a menu; its information as columns F of K = FFᵀ."""
    use = menu.costs_with_shared.tolist()
    columns = [
        [[[p, float(f[p])] for p in np.flatnonzero(f).tolist()] for f in own.T if f.any()]
        for own in factors(menu.information)
    ]
    return {
        "options": list(map(str, menu.options.index)),
        "evals": list(map(str, menu.options["eval"])),
        "resources": list(menu.resources),
        "use": use[: len(menu)],
        "shared": [
            {"name": each.name, "use": own, "needed_by": np.flatnonzero(needs).tolist()}
            for each, own, needs in zip(menu.shared, use[len(menu) :], menu.needs.T, strict=True)
        ],
        "states": list(menu.states),
        "mean": menu.prior_mean.tolist(),
        "covariance": menu.prior_covariance.tolist(),
        "information": columns,
        "decisions": [
            {"name": d.name, "contrast": d.contrast.tolist()}
            | {key: float(getattr(d, key)) for key in EXTRAS}
            for d in menu.decisions
        ],
    }


class _Noted(Programme):
    """A programme that remembers where its tangents touch and what it found last."""

    def __init__(self, *parts: Any) -> None:
        self.points: list[Array] = []
        super().__init__(*parts)

    def add_tangents(self, x: Array, wanted: Flags | None = None) -> None:
        super().add_tangents(x, wanted)
        self.points += [x] * (len(self.tangents) - len(self.points))

    def solve(self, time_limit: float | None = None) -> Relaxed:
        self.last = super().solve(time_limit)
        return self.last


class _Prover(Search):
    """A search that knows the bound to prove, and writes down how every box is under it.

    What nodes of the tree mean is told in `verifier`.
    """

    def __init__(self, problem: Problem, x: Array, bound: float) -> None:
        gap = float(np.clip(1.0 - problem.value(x) / max(bound, 1e-300), 1e-6, 1e-3))
        super().__init__(problem, gap=gap, deadline=time.monotonic() + SECONDS, seed=0)
        self.noted = _Noted(problem, self.scales, self.relaxation.above)
        self.programme = self.relaxation.programme = self.noted
        self.incumbent.learn(x)
        self.known = (bound + NEAR * problem.evpi) / problem.scale
        self.tree: list[list[Any]] = []
        self.prices: list[dict[str, Any]] = [{"rows": [], "tangents": []}]
        self.points: list[tuple[int, Array]] = []  # of tangents: a decision and a choice
        self._labels: dict[int, int] = {}  # of the programme's tangents among these
        k, n = len(problem.resource_names), len(problem.evals)
        self._rows = np.r_[0:k, k + n : problem.matrix.shape[0]]  # one option each needs no price
        self._units = np.concatenate([problem.price_units, np.ones(len(self._rows) - k)])
        self._places = _places(problem)

    @property
    def _target(self) -> float:
        return self.known

    def near_enough(self, bound: float) -> bool:
        """Whether a bound is under the one that is to be proved."""
        return bound <= self.known

    def prove(self) -> None:
        """Split the whole menu until all of it is proved."""
        todo = [self.relaxation.whole_menu()]
        self._cap(todo[0], self._places)
        self.programme.add_tangents(self.problem.evenly())
        while todo:
            self.n_boxes += 1
            late = len(self.tree) > LONGEST or self.relaxation.out_of_time()
            require(not late, "its proof is too long to be written down")
            todo += self._children(todo.pop())

    def _children(self, box: Box) -> list[Box]:
        """Write down what is proved of a box; return what is left of it, the first part last."""
        is_root, n = self.n_boxes == 1, self.problem.n_options
        shut = self.scales.at(box.x_high[:n]) < box.high - CAPPED * (box.high - box.low)
        self._cap(box, self.problem.active[shut].tolist())
        if (box.low > box.high).any():
            return self._leaf(0)
        self._box = box
        relaxed = self._relax(box, ROOT_ROUNDS if is_root else BOX_ROUNDS, is_root)
        if relaxed is not None and relaxed.x is not None:
            before, noted = self._ways(box), len(self.prices)
            self._fix(box, relaxed)
            for e, (old, new) in enumerate(zip(before, self._ways(box), strict=True)):
                if old != new:
                    noted = self._note(relaxed) if noted == len(self.prices) else noted
                    self.tree.append(["part", e, sorted(set(old) - set(new))])
                    self._leaf(noted)
            relaxed = self._shave(box, relaxed) if is_root else relaxed
        if relaxed is None:
            return self._leaf(self._note(self.noted.last))
        children = self._split_blindly(box) if relaxed.x is None else self._split(box, relaxed)
        if not children:
            self._cap(box, self._places)
            return self._leaf(0)
        first, other = children
        own = first.x_low[n:] > box.x_low[n:]
        if (first.high < box.high).any():
            self._half(first, box)
        elif own.any():
            column = int(np.flatnonzero(own)[0])
            other.x_high[:n] = box.x_high[:n]  # what a purchase rules out its prices do
            self.tree.append(["part", len(self.problem.evals) + column, [n + column]])
        else:
            both = zip(self._ways(box), self._ways(first), strict=True)
            parts = [["part", e, b] for e, (a, b) in enumerate(both) if a != b]
            if not parts:  # an eval that must run has one way left: without it nothing is
                return [first]
            self.tree.append(parts[0])
        return [other, first]

    def _bound_of(self, box: Box) -> float:
        """Return what is proved of a box with a cap, and write it down where that is enough."""
        bound = super()._bound_of(box)
        if bound <= self.known:
            self._half(box, self._box)
            self._leaf(self._note(self.noted.last))
        return bound

    def _half(self, first: Box, box: Box) -> None:
        d = int(np.flatnonzero(first.high < box.high)[0])
        known = float(self.scales.worths[d].measure.back(first.high[d]))
        self.tree.append(["half", self._places.index(int(self.problem.active[d])), known])

    def _leaf(self, prices: int) -> list[Box]:
        self.tree.append(["leaf", prices])
        return []

    def _cap(self, box: Box, quantities: Iterable[int]) -> None:
        """Cap quantities at what all free options together explain."""
        x, places = box.x_high[: self.problem.n_options], self.problem.active.tolist()
        most = self.scales.at(x) * (1 + 1e-12) + 1e-12
        box.high = box.high.copy()  # the other half of a split has it too
        for q in quantities:
            self.tree.append(["cap", self._label(q, x)])
            if q in places:
                d = places.index(q)
                box.high[d] = min(box.high[d], most[d])

    def _ways(self, box: Box) -> list[list[int]]:
        """Return what every eval may run in a box, -1 for nothing."""
        n, codes = self.problem.n_options, self.problem.eval_codes
        ways: list[list[int]] = [[] if run else [-1] for run in box.run]
        for o in np.flatnonzero(box.x_high[:n] > 0.5).tolist():
            ways[codes[o]].append(o)
        for o in np.flatnonzero(box.x_low[:n] > 0.5).tolist():
            ways[codes[o]] = [o]
        return ways

    def _label(self, quantity: int, x: Array) -> int:
        self.points.append((self._places.index(quantity), x.copy()))
        return len(self.points) - 1

    def _note(self, relaxed: Relaxed) -> int:
        """Write down a programme's prices, in the units of the objective and of the limits."""
        problem, first = self.problem, self.programme.matrix.shape[0]
        paid = relaxed.prices[self._rows] * problem.scale / self._units
        low, high = problem.lower[self._rows], problem.upper[self._rows]
        paid[~np.isfinite(np.where(paid > 0, high, low))] = 0.0  # a solver's rounding
        cut, tangents = relaxed.prices[first:] * problem.scale, []
        for t in np.flatnonzero(cut > 0).tolist():
            d = int(self.programme.tangents.of[t])
            if t not in self._labels:
                self._labels[t] = self._label(int(problem.active[d]), self.noted.points[t])
            measure = self.scales.worths[d].measure
            ratio = measure.top / (measure.ceiling - measure.top)
            tangents.append([self._labels[t], float(cut[t] / ratio)])
        rows = [[r, float(paid[r])] for r in np.flatnonzero(paid).tolist()]
        empty = {"empty": True} if relaxed.bound == -np.inf else {}
        self.prices.append({"rows": rows, "tangents": tangents, **empty})
        return len(self.prices) - 1

    def vectors(self) -> list[list[Any]]:
        """Return the tangents of the certificate: a decision, and a vector for every contrast."""
        known, found = self.problem.explained, []
        root = np.linalg.cholesky(self.problem.menu.prior_covariance)
        for place, x in self.points:
            q = self._places[place]
            stand_in, span = known.indices.stand_ins[q], known.indices.places[q] or slice(q, q + 1)
            towards = np.linalg.solve(known.precision(x), known.contrasts[span].T)
            left = np.einsum("ki,ik->k", known.contrasts[span], towards)
            rest = left
            if stand_in is not None:
                r, shares = np.array(stand_in.index.bends), np.array(stand_in.index.shares)
                rest = shares * r / ((1.0 + r) * known.prior[span] / left - 1.0)
            share = rest / (MARGIN * float(self.problem.ceilings[q]) + rest.sum()) / left
            found.append([place, *np.linalg.solve(root.T, towards * share).T.tolist()])
        return found


def asked(problem: Problem) -> dict[str, Any]:
    """Return budgets, limits and decisions of a question as data."""
    known, question, stack = problem.explained.indices, problem.question, problem.stack
    matrix = problem.matrix.tolil()
    names = {r: term.name for term in stack.terms for r in term.rows}
    sides = np.array([problem.lower, problem.upper]).T.tolist()
    limits = [
        {
            "name": names[r],
            "sides": [side if math.isfinite(side) else None for side in sides[r]],
            "terms": [list(each) for each in zip(matrix.rows[r], matrix.data[r], strict=True)],
        }
        for r in sorted(names)[stack.n_budgets :]
    ]
    decisions = []
    for d in _places(problem):
        worth, stand_in = problem.values[d], known.stand_ins[d]
        weight = question.objective.weights.get(problem.menu.decisions[d].name, 1.0)
        weight *= question.objective.parts[0].weight
        own = {"of": d, "weight": weight, "margin": MARGIN * float(problem.ceilings[d])}
        if stand_in is not None:
            own |= {"contrasts": known.contrasts[known.places[d]].tolist()}
            own |= {"shares": stand_in.index.shares, "bends": stand_in.index.bends}
            own |= {"knots": worth.knots, "slopes": worth.slopes}
        decisions.append(own)
    told = {"budgets": question.spendable, "variables": problem.n_own}
    return {**told, "limits": limits, "decisions": decisions}


def _places(problem: Problem) -> list[int]:
    """Return the decisions that count."""
    return [d for d, worth in enumerate(problem.values) if not isinstance(worth, Proportional)]
