"""The certificate of a plan: its menu and question as data, and a tree of boxes with prices.

Where the prices of one programme prove the whole menu the search hands them over. It is not
recorded otherwise, which would slow it: what it found is proved again, boxes split by its own
rules until prices prove each to be under the bound that is claimed.
"""

import json
import math
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.certificates.verifier import FORMAT, MISSED, Refused, digest, proof, require
from evalfolio.objectives.terms import Evsi
from evalfolio.search import Problem, Question
from evalfolio.search.answer import Trail
from evalfolio.search.box import Box
from evalfolio.search.branching import BOX_ROUNDS, ROOT_ROUNDS, Search
from evalfolio.search.odds import MARGIN
from evalfolio.value.explained import factors
from evalfolio.value.sample_information import NEAR, DecisionValue
from evalfolio.value.worth import Proportional

WITHIN = 5e-10  # of perfect information, by which the bound proved may be above the search's
ROUNDING = 1e-50  # of the losses, which the verifier's own rounding is far below
CAPPED = 0.1  # of an interval: a cap that takes off less is not worth a tangent
LONGEST = 20_000  # nodes, which take the verifier about a minute
SECONDS = 120.0  # of wall clock, which other work on a machine stretches
EXACT = 4_000  # options times tangents: with no more the verifier says what is proved
LARGE = 1e4  # times: figures are not so far apart where floats settle what is proved
EXTRAS = ("threshold", "loss_missed", "loss_false_alarm", "later_gain_mean", "later_gain_sd")


def certificate(
    asked_for: Question | Problem, x: Array, bound: float, trail: Trail | None = None
) -> dict[str, Any]:
    """Return a certificate that no choice is worth more than a bound, and this one what it is.

    What it claims is what the verifier proves, or for large menus what floats do, widened by far
    more than their rounding: the bound is at most 1e-9 of perfect information above the one given.
    Where there is no certificate all that comes back is ``not_verifiable``, with the reason. A
    search's problem and trail save doing its work again.
    """
    try:
        _verifiable(asked_for.question if isinstance(asked_for, Problem) else asked_for)
        problem = asked_for if isinstance(asked_for, Problem) else Problem(asked_for)
        return _certificate(problem, x, bound, trail)
    except Refused as error:
        return {"format": FORMAT, "not_verifiable": str(error)}


def _certificate(problem: Problem, x: Array, bound: float, trail: Trail | None) -> dict[str, Any]:
    extra = problem.completed(x)
    if extra is None:
        raise Refused("the choice does not meet the limits")
    menu, own = content(problem.menu), problem.n_options + np.flatnonzero(extra > 0.5)
    claim: dict[str, Any] = {
        "choice": [menu["options"][o] for o in np.flatnonzero(x > 0.5)],
        "variables": own[own >= problem.n_choice].tolist(),
    }
    data: dict[str, Any] = {"format": FORMAT, "claim": claim}
    data |= {"menu_hash": digest(menu), "menu": menu, "question": asked(problem)}
    losses = sum(d.loss_missed + d.loss_false_alarm for d in problem.menu.decisions)
    evpi, plain = problem.evpi, _plain(problem, x, extra)
    for written in _written(problem, x, bound, trail):
        data |= {"tangents": written.tangents, "prices": written.prices, "tree": written.tree}
        if plain and written.plain and len(problem.menu) * len(written.tangents) > EXACT:
            value = problem.value(x) * (1 - 4e-12) - 5e-14 * evpi
            return data | {"claim": claim | {"value": value, "bound": bound + 1.5 * WITHIN * evpi}}
        least, most = proof(data)
        claims = {"value": down(least), "bound": -down(-most)}
        if claims["bound"] <= bound + 2 * WITHIN * evpi + ROUNDING * losses:
            return data | {"claim": claim | claims}
    raise Refused("what its proof comes to when it is checked is above the bound found")


def _plain(problem: Problem, x: Array, extra: Array) -> bool:
    """Say whether floats settle what is proved, but for 1e-11 of perfect information.

    They do with no threshold far off, no prior nearly singular, no option that tells nearly all or
    a menu that tells next to nothing, and a choice that clearly meets its limits.
    """
    normal = [each for each in problem.values if isinstance(each, DecisionValue)]
    prior, matrix = problem.menu.prior_covariance, problem.matrix
    sds, sides = np.sqrt(np.diag(prior)), np.array([problem.lower, problem.upper])
    size = np.where(np.isfinite(sides), np.abs(sides), 0.0).max(axis=0)
    size = np.maximum(size, abs(matrix).max(axis=1).toarray().ravel())
    used = matrix @ np.append(x, extra)
    return bool(
        all(abs(each.distance) < NEAR * each.sd and abs(each.k) < NEAR for each in normal)
        and np.linalg.cond(prior / np.outer(sds, sds)) < LARGE
        and np.square(problem.explained.factors).sum(axis=1).max() < LARGE
        and (problem.v_max * 1e2 > problem.ceilings)[problem.active].all()
        and np.abs(problem.menu.prior_mean).max() < LARGE * sds.min()
        and (np.abs(used - np.clip(used, *sides)) <= float(MISSED) / 2 * size).all()
    )


def _written(problem: Problem, x: Array, bound: float, trail: Trail | None) -> Iterator["_Written"]:
    """Yield proofs to write down, those that take less to make and to check first."""
    if trail is not None:
        written = _Written(problem, alone=True)
        written.tree = [["cap", written.label(q, (1.0, problem.allowed))] for q in written.places]
        written.tree.append(["leaf", written.note(*trail)])
        yield written
    prover = _Prover(problem, x, bound)
    prover.prove()
    yield prover.written


def _verifiable(question: Question) -> None:
    asked, stack = question.objective, question.stack
    ours = [type(part) for part in asked.parts] == [Evsi]
    require(ours, f"the objective is {asked!r}, and only evsi is verifiable")
    curved = "; ".join(str(each) for each in stack.curved if getattr(each, "by", "") != "draws")
    require(not curved, f"only linear limits are verifiable, and this is not: {curved}")
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
    use, found = menu.costs_with_shared.tolist(), factors(menu.information)
    option, column, place = np.nonzero(found.swapaxes(1, 2))
    pairs = list(zip(place.tolist(), found[option, place, column].tolist(), strict=True))
    first = np.flatnonzero(np.diff(option * found.shape[2] + column, prepend=-1))
    parts = [pairs[a:b] for a, b in pairwise([*first.tolist(), len(pairs)])]
    ends = np.searchsorted(option[first], np.arange(len(menu) + 1)).tolist()
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
        "information": [parts[a:b] for a, b in pairwise(ends)],
        "decisions": [
            {"name": d.name, "contrast": d.contrast.tolist()}
            | {key: float(getattr(d, key)) for key in EXTRAS}
            for d in menu.decisions
        ],
    }


class _Written:
    """Tangents, prices and tree of a certificate, as far as they are written down."""

    def __init__(self, problem: Problem, alone: bool = False) -> None:
        self.problem, self.places, self.alone = problem, _places(problem), alone
        self._labels: dict[tuple[int, ...], int] = {}  # of the points of programmes
        self.tree: list[list[Any]] = []
        self.plain = True  # no part is left for the verifier to see whether it is under the bound
        self.prices: list[dict[str, Any]] = [{"rows": [], "tangents": []}]
        self.tangents: list[list[Any]] = []  # a decision, and a vector for every contrast
        self._root = np.linalg.cholesky(problem.menu.prior_covariance)
        k, n = len(problem.resource_names), len(problem.evals)
        self._rows = np.r_[0:k, k + n : problem.matrix.shape[0]]  # one option each needs no price
        self._units = np.concatenate([problem.price_units, np.ones(len(self._rows) - k)])

    def label(self, quantity: int, *points: tuple[float, Array]) -> int:
        """Write down the tangent of a quantity at a choice and return its label.

        Where one programme stands alone it is one for all of its choices: what lies over 1/(δ + N)
        is convex in the vector, so that the mean of vectors does what the tangents' mean does.
        """
        whitened = sum(share * self._vector(quantity, x) for share, x in points)
        w = np.linalg.solve(self._root.T, whitened).T
        self.tangents.append([self.places.index(quantity), *w.tolist()])
        return len(self.tangents) - 1

    def note(self, prices: Array, points: list[tuple[int, Array]], empty: bool = False) -> int:
        """Write down a programme's prices, in the units of the objective and of the limits."""
        problem = self.problem
        paid = prices[self._rows] * problem.scale / self._units
        low, high = problem.lower[self._rows], problem.upper[self._rows]
        paid[~np.isfinite(np.where(paid > 0, high, low))] = 0.0  # a solver's rounding
        cut = prices[problem.matrix.shape[0] + len(problem.active) :] * problem.scale
        of, tangents = np.array([d for d, _ in points[: len(cut)]]), []  # the rest came later
        for d, q in enumerate(problem.active.tolist()):
            odds = problem.ceilings[q] * (1 + MARGIN) / problem.v_max[q] - 1.0
            used = np.flatnonzero((cut > 0) & (of == d))
            for same in [used] if self.alone and len(used) else used[:, None]:
                total, key = cut[same].sum(), (q, *(id(points[t][1]) for t in same))
                if key not in self._labels:
                    shares = ((float(cut[t] / total), points[t][1]) for t in same)
                    self._labels[key] = self.label(q, *shares)
                tangents.append([self._labels[key], float(total * odds)])
        rows = [[r, float(paid[r])] for r in np.flatnonzero(paid).tolist()]
        self.prices.append({"rows": rows, "tangents": tangents, "empty": empty})
        return len(self.prices) - 1

    def _vector(self, q: int, x: Array) -> Array:
        """Return the best vectors at a choice, whitened, of shape (n_states, n_contrasts)."""
        known = self.problem.explained
        stand_in, span = known.indices.stand_ins[q], known.indices.places[q] or slice(q, q + 1)
        towards = np.linalg.solve(known.precision(x), known.contrasts[span].T)
        left = np.einsum("ki,ik->k", known.contrasts[span], towards)
        rest = left
        if stand_in is not None:
            r, shares = np.array(stand_in.index.bends), np.array(stand_in.index.shares)
            rest = shares * r / ((1.0 + r) * known.prior[span] / left - 1.0)
        margin = MARGIN * float(self.problem.ceilings[q])
        return np.asarray(towards * (rest / (margin + rest.sum()) / left))


class _Prover(Search):
    """A search that knows the bound to prove, and writes down how every box is under it."""

    def __init__(self, problem: Problem, x: Array, bound: float) -> None:
        gap = float(np.clip(1.0 - problem.value(x) / max(bound, 1e-300), 1e-6, 1e-3))
        super().__init__(problem, gap=gap, deadline=time.monotonic() + SECONDS, seed=0)
        self.incumbent.learn(x)
        self.known = (bound + WITHIN * problem.evpi) / problem.scale
        self.written = _Written(problem)

    @property
    def _target(self) -> float:
        return self.known

    def near_enough(self, bound: float) -> bool:
        """Whether a bound is under the one that is to be proved."""
        return bound <= self.known

    def prove(self) -> None:
        """Split the whole menu until all of it is proved."""
        todo = [self.relaxation.whole_menu()]
        self._cap(todo[0], self.written.places)
        self.programme.add_tangents(self.problem.evenly())
        while todo:
            self.n_boxes += 1
            late = len(self.written.tree) > LONGEST or self.relaxation.out_of_time()
            require(not late, "its proof is too long to be written down")
            todo += self._children(todo.pop())

    def _children(self, box: Box) -> list[Box]:
        """Write down what is proved of a box; return what is left of it, the first part last."""
        is_root, n, tree = self.n_boxes == 1, self.problem.n_options, self.written.tree
        shut = self.scales.at(box.x_high[:n]) < box.high - CAPPED * (box.high - box.low)
        self._cap(box, self.problem.active[shut].tolist())
        if (box.low > box.high + 1e-9).any():
            return self._leaf(0)
        box.high = np.maximum(box.low, box.high)
        relaxed = self._relax(box, ROOT_ROUNDS if is_root else BOX_ROUNDS, is_root)
        if relaxed is not None and relaxed.x is not None:
            before, noted = self._ways(box), len(self.written.prices)
            self._fix(box, relaxed)
            for e, (old, new) in enumerate(zip(before, self._ways(box), strict=True)):
                if old != new:
                    if noted == len(self.written.prices):
                        self.written.note(*self.trail(relaxed))
                    tree.append(["part", e, sorted(set(old) - set(new))])
                    self._leaf(noted)
        if relaxed is None:
            empty = bool(self.last.bound == -np.inf)
            return self._leaf(self.written.note(*self.trail(self.last), empty))
        children = self._split_blindly(box) if relaxed.x is None else self._split(box, relaxed)
        if not children:
            most = self.problem.value(np.maximum(box.x_low, box.x_high)[:n])
            self.written.plain &= most <= self.known * self.problem.scale
            self._cap(box, self.written.places)
            return self._leaf(0)
        first, other = children
        if (lower := first.high < box.high).any():
            d = int(np.flatnonzero(lower)[0])
            at, q = self.scales.worths[d].measure.back(first.high[d]), self.problem.active[d]
            tree.append(["half", self.written.places.index(int(q)), float(at)])
        elif len(own := np.flatnonzero(first.x_low[n:] > box.x_low[n:])):
            other.x_high[:n] = box.x_high[:n]  # what a purchase rules out its prices do
            tree.append(["part", len(self.problem.evals) + int(own[0]), [n + int(own[0])]])
        else:
            both = zip(self._ways(box), self._ways(first), strict=True)
            parts = [["part", e, b] for e, (a, b) in enumerate(both) if a != b]
            if not parts:  # an eval that must run has one way left: without it nothing is
                return [first]
            tree.append(parts[0])
        return [other, first]

    def _leaf(self, prices: int) -> list[Box]:
        self.written.tree.append(["leaf", prices])
        return []

    def _cap(self, box: Box, quantities: list[int]) -> None:
        """Cap quantities at what all free options together explain."""
        x, capped = box.x_high[: self.problem.n_options], np.isin(self.problem.active, quantities)
        most = self.scales.at(x) * (1 + 1e-12) + 1e-12
        box.high = np.minimum(box.high, np.where(capped, most, np.inf))
        for q in quantities:
            self.written.tree.append(["cap", self.written.label(q, (1.0, x))])

    def _ways(self, box: Box) -> list[list[int]]:
        """Return what every eval may run in a box, -1 for nothing."""
        n, codes = self.problem.n_options, self.problem.eval_codes
        ways: list[list[int]] = [[] if run else [-1] for run in box.run]
        for o in np.flatnonzero(box.x_high[:n] > 0.5).tolist():
            ways[codes[o]].append(o)
        for o in np.flatnonzero(box.x_low[:n] > 0.5).tolist():
            ways[codes[o]] = [o]
        return ways


def asked(problem: Problem) -> dict[str, Any]:
    """Return budgets, limits and decisions of a question as data."""
    known, question, stack = problem.explained.indices, problem.question, problem.stack
    names = {r: term.name for term in stack.terms for r in term.rows}
    rows = sorted(names)[stack.n_budgets :]
    matrix = problem.matrix[rows].tolil()
    sides = np.array([problem.lower, problem.upper]).T.tolist()
    limits = [
        {
            "name": names[r],
            "sides": [side if math.isfinite(side) else None for side in sides[r]],
            "terms": [list(each) for each in zip(columns, data, strict=True)],
        }
        for r, columns, data in zip(rows, matrix.rows, matrix.data, strict=True)
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
    told = {"budgets": question.spendable, "variables": problem.n_own, "limits": limits}
    return told | {"decisions": decisions}


def _places(problem: Problem) -> list[int]:
    """Return the decisions that count."""
    return [d for d, worth in enumerate(problem.values) if not isinstance(worth, Proportional)]
