"""The certificate of a plan: its menu and question as data, and a tree of boxes with prices.

The search hands over the tree of its boxes with the prices that prove each. What it settled by
listing very many choices, or all where there is no tree, is split by its own rules until prices
prove every part to be under the bound that is claimed.
"""

import json
import math
import time
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.certificates.verifier import FORMAT, MISSED, Refused, digest, proof, reading, require
from evalfolio.objectives.terms import Evsi
from evalfolio.search import Problem, Question
from evalfolio.search.box import Branch, Step, Trail
from evalfolio.search.branching import Search
from evalfolio.search.odds import MARGIN, Scales
from evalfolio.value.explained import factors
from evalfolio.value.sample_information import NEAR, DecisionValue
from evalfolio.value.worth import Proportional

WITHIN = 5e-10  # of perfect information, by which the bound proved may be above the search's
ROUNDING = 1e-50  # of the losses, which the verifier's own rounding is far below
LONGEST = 20_000  # nodes, which take the verifier about a minute
SECONDS = 120.0  # of wall clock, which other work on a machine stretches
EXACT = 4_000  # options times tangents: with no more the verifier says what is proved
LARGE = 1e4  # times: figures are not so far apart where floats settle what is proved
EXTRAS = ("threshold", "loss_missed", "loss_false_alarm", "later_gain_mean", "later_gain_sd")


def certificate(
    asked_for: Question | Problem, x: Array, bound: float, tree: Branch | None = None
) -> dict[str, Any]:
    """Return a certificate that no choice is worth more than a bound, and this one what it is.

    What it claims is what the verifier proves, or for large menus what floats do, widened by far
    more than their rounding: the bound is at most 1e-9 of perfect information above the one given.
    Where there is no certificate all that comes back is ``not_verifiable``, with the reason. A
    search's problem and tree save doing its work again.
    """
    try:
        _verifiable(asked_for.question if isinstance(asked_for, Problem) else asked_for)
        problem = asked_for if isinstance(asked_for, Problem) else Problem(asked_for)
        return _certificate(problem, x, bound, tree)
    except Refused as error:
        return {"format": FORMAT, "not_verifiable": str(error)}


def _certificate(problem: Problem, x: Array, bound: float, tree: Branch | None) -> dict[str, Any]:
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
    reason = "its proof is too long to be written down"
    for start in [tree, None] if tree else [None]:  # the search's, or else the whole menu
        if not (written := _written(problem, x, bound, start)):
            continue
        data |= {"tangents": written.tangents, "prices": written.prices, "tree": written.tree}
        if plain and written.plain and len(problem.menu) * len(written.tangents) > EXACT:
            value = problem.value(x) * (1 - 4e-12) - 5e-14 * evpi
            return data | {"claim": claim | {"value": value, "bound": bound + 1.5 * WITHIN * evpi}}
        least, most = proof(data)
        claims = {"value": down(least), "bound": -down(-most)}
        if claims["bound"] <= bound + 2 * WITHIN * evpi + ROUNDING * losses:
            return data | {"claim": claim | claims}
        reason = "what its proof comes to when it is checked is above the bound found"
    raise Refused(reason)


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


def _verifiable(question: Question) -> None:
    asked, stack = question.objective, question.stack
    ours = [type(part) for part in asked.parts] == [Evsi]
    require(ours, f"the objective is {asked!r}, and only evsi is verifiable")
    curved = "; ".join(str(each) for each in stack.curved if getattr(each, "by", "") != "draws")
    require(not curved, f"only linear limits are verifiable, and this is not: {curved}")
    require(stack.n_variables == stack.n_binaries, "limits of draws' tails are not verifiable")
    require(not question.menu.tariffs, "prices that go by steps are not verifiable")


@reading()
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
        "options": list(map(str, menu.options.index.tolist())),
        "evals": list(map(str, menu.options["eval"].tolist())),
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

    def __init__(self, problem: Problem, alone: bool) -> None:
        self.problem, self.places, self.alone = problem, _places(problem), alone
        self.scales = problem.once((Scales, True), lambda: Scales(problem))
        self._labels: dict[tuple[int, ...], int] = {}  # of the points of programmes
        self._noted: dict[int, int] = {}  # prices of trails
        self._solved: dict[int, tuple[Array, Array, Array]] = {}  # at choices
        self.tree: list[list[Any]] = []
        self.plain = True  # no part is left for the verifier to see whether it is under the bound
        self.prices: list[dict[str, Any]] = [{"rows": [], "tangents": []}]
        self.tangents: list[list[Any]] = []  # a decision, and a vector for every contrast
        self._root = np.linalg.cholesky(problem.menu.prior_covariance)
        k, n = len(problem.resource_names), len(problem.evals)
        self._rows = np.r_[0:k, k + n : problem.matrix.shape[0]]  # one option each needs no price
        self._units = np.concatenate([problem.price_units, np.ones(len(self._rows) - k)])
        self._cap(self.places, problem.allowed)

    def step(self, step: Step) -> None:
        """Write down a step; what it cuts off is a leaf."""
        active = self.problem.active.tolist()
        if step.kind in ("cap", "choice"):
            self._cap([active[step.at]] if step.kind == "cap" else self.places, step.held)
            return
        at, held = step.at, step.held
        if step.kind == "half":
            at = self.places.index(active[step.at])
            held = float(self.scales.worths[step.at].measure.back(step.held))
        self.tree.append([step.kind, at, held])
        if step.trail is not None:
            self.leaf(step.trail)

    def leaf(self, trail: Trail | None) -> None:
        """Write down that a trail proves what is left of a box; None: that its caps do."""
        if trail is not None and id(trail) not in self._noted:
            self._noted[id(trail)] = self._note(trail)
        self.tree.append(["leaf", 0 if trail is None else self._noted[id(trail)]])

    def _cap(self, quantities: list[int], x: Array) -> None:
        """Cap quantities at what a choice explains."""
        self.tree += [["cap", self._label(q, (1.0, x))] for q in quantities]

    def _label(self, quantity: int, *points: tuple[float, Array]) -> int:
        """Return the label of the tangent of a quantity at a choice, written down at first.

        Where one programme stands alone it is one for all of its choices: what lies over 1/(δ + N)
        is convex in the vector, so that the mean of vectors does what the tangents' mean does.
        """
        key = (quantity, *(id(x) for _, x in points))
        if key not in self._labels:
            w = np.sum([share * self._vector(quantity, x) for share, x in points], axis=0)
            self._labels[key] = len(self.tangents)
            self.tangents.append([self.places.index(quantity), *w.tolist()])
        return self._labels[key]

    def _note(self, trail: Trail) -> int:
        """Write down a programme's prices, in the units of the objective and of the limits."""
        problem = self.problem
        paid = trail.prices[self._rows] * problem.scale / self._units
        low, high = problem.lower[self._rows], problem.upper[self._rows]
        paid[~np.isfinite(np.where(paid > 0, high, low))] = 0.0  # a solver's rounding
        tangents = []
        for d, q in enumerate(problem.active.tolist()):
            odds = problem.ceilings[q] * (1 + MARGIN) / problem.v_max[q] - 1.0
            used = [(price * problem.scale, x) for of, price, x in trail.tangents if of == d]
            for same in [used] if self.alone and used else [[each] for each in used]:
                total = sum(price for price, _ in same)
                label = self._label(q, *((cut / total, x) for cut, x in same))
                tangents.append([label, float(total * odds)])
        rows = [[r, float(paid[r])] for r in np.flatnonzero(paid).tolist()]
        self.prices.append({"rows": rows, "tangents": tangents, "empty": trail.empty})
        return len(self.prices) - 1

    def _vector(self, q: int, x: Array) -> Array:
        """Return the best vectors at a choice, of shape (n_contrasts, n_states)."""
        known = self.problem.explained
        if id(x) not in self._solved:
            precision = known.precision(x[: self.problem.n_options])
            towards = np.linalg.solve(precision, known.contrasts.T)  # whitened
            self._solved[id(x)] = x, towards, np.linalg.solve(self._root.T, towards).T
        _, towards, vectors = self._solved[id(x)]
        stand_in, span = known.indices.stand_ins[q], known.indices.places[q] or slice(q, q + 1)
        rest = left = np.einsum("ki,ik->k", known.contrasts[span], towards[:, span])
        if stand_in is not None:
            r, shares = np.array(stand_in.index.bends), np.array(stand_in.index.shares)
            rest = shares * r / ((1.0 + r) * known.prior[span] / left - 1.0)
        margin = MARGIN * float(self.problem.ceilings[q])
        return np.asarray(vectors[span] * (rest / (margin + rest.sum()) / left)[:, None])


class _Prover(Search):
    """A search that knows the bound to prove."""

    proving = True

    def __init__(self, problem: Problem, x: Array, known: float) -> None:
        bound = max(known * problem.scale, 1e-300)
        gap = float(np.clip(1.0 - problem.value(x) / bound, 1e-6, 1e-3))
        super().__init__(problem, gap=gap, deadline=time.monotonic() + SECONDS, seed=0)
        self.incumbent.learn(x)
        self.known = known
        self.programme.add_tangents(self.centre)

    @property
    def _target(self) -> float:
        return self.known

    def near_enough(self, bound: float) -> bool:
        """Whether a bound is under the one that is to be proved."""
        return bound <= self.known


def _written(problem: Problem, x: Array, bound: float, tree: Branch | None) -> _Written | None:
    """Return the proof of a tree, what is left of it split until all is proved; None: too long."""
    known, prover = (bound + WITHIN * problem.evpi) / problem.scale, None
    if tree is None:
        prover = _Prover(problem, x, known)
        whole = prover.relaxation.whole_menu()
        tree, whole.told.left = whole.told, whole
    found, todo = _Written(problem, alone=not (tree.steps or tree.left)), [tree]
    while todo:
        branch = todo.pop()
        if branch.left is not None:
            prover = prover or _Prover(problem, x, known)
            for part in prover.process(branch.left):
                part.told.left = part if part.bound > known else None
            branch.left = None
        if len(found.tree) > LONGEST or (prover and prover.relaxation.out_of_time()):
            return None
        for step in branch.steps:
            found.step(step)
            if step.kind == "choice":
                found.plain &= problem.value(step.held) <= known * problem.scale
        if not branch.parts:
            found.leaf(branch.trail)
        todo += branch.parts[::-1]
    return found


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
