"""All limits on one choice as rows, and the least choice within them.

A shared purchase is a variable of its own, tied to the options that need it from both sides; so is
every step of a price that goes with the volume of a choice.

The certified search, greedy, the relaxation in cvxpy, the least programme for a target and the
explanation of a clash all read these rows. A limit that is curved has rows that hold for every
choice within it; more are added where a choice breaks it, so whatever is solved is a relaxation of
what was asked, its bound holds, and the choice that comes back meets every limit.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from evalbayes import Menu
from evalbayes.arrays import Array, Flags, Positions
from evalbayes.menu.tariff import ties
from evalfolio.errors import SolverError
from evalfolio.limits.budget import Budget
from evalfolio.limits.limit import CurvedLimit, Limit
from evalfolio.limits.rows import Rows, other_than
from evalfolio.limits.target import CLOSER, nearly

TOLERANCE = 1e-9  # relative; a whole choice that breaks a row by more does not meet it
SOFT = 1e-6  # the same where variables that are not whole are part of the row
MAX_ROUNDS = 500
MAX_SECONDS = 60.0  # of a check whether limits can be met
SETTLED = 1e-4  # relative growth of a fractional optimum below which its cuts stop


class Unfinished(SolverError):
    """A search within limits that ended early: `bound` is below every cost within them."""

    def __init__(self, text: str, bound: float) -> None:
        super().__init__(text)
        self.bound = bound


@dataclass(frozen=True, eq=False)  # eq=False: a term is itself, also beside one of the same words
class Term:
    """One thing a planner could change: a budget, or one named part of a limit."""

    name: str  # the limit in words
    rows: tuple[int, ...]  # its rows in the stack; the first carries the amount
    unit: str | None  # of the amount; None where the limit holds or not, with nothing between
    amount: float  # the amount, in the unit
    share: bool = False  # whether the amount is a share of all that is used of the unit
    limit: Limit | None = None  # the limit it is of; None for a budget

    @property
    def loosened(self) -> tuple[int, ...]:
        """The rows that give way where the limit does."""
        return self.rows[:1] if self.unit else self.rows


class Stack:
    """Budgets, "at most one option per eval" and limits as rows over [x; y; w; u].

    These are the options, what follows from them (shared purchases, and parts of the steps of a
    `Tariff`), and the limits' own binaries and continuous variables. A purchase is made where an
    eval runs one of the options that need it, and only then:
    ``sum of the eval's x <= y <= sum of all x`` over the options that need it.

    Attributes
    ----------
    matrix, lower, upper
        First a row per budget, in units of what may be spent; then one per eval; then those that
        tie shared purchases; then those of the limits, each to size 1, so that one tolerance
        serves dollars and counts alike.
    size
        Unit of every row; of a budget as stated.
    units
        Units of the budgets' rows, as spent.
    terms
        What a planner could change, in the order of the rows.
    soft
        Whether a row has variables besides the choice and its shared purchases.
    n_choice, n_ties
        Number of options and of what follows from them; of the rows that tie these.
    whole
        Which variables are 0 or 1.
    eval_codes, evals
        Eval of every option, and their names.
    curved
        The limits that give more rows where a choice breaks them.
    """

    def __init__(
        self, menu: Menu, budgets: Mapping[str, Budget], limits: Sequence[Limit] = ()
    ) -> None:
        self.menu, n = menu, len(menu)
        self.budgets, self.limits = dict(budgets), tuple(limits)
        codes, self.evals = menu.options["eval"].factorize()
        self.eval_codes = np.asarray(codes)
        blocks = [limit.rows(menu) for limit in limits]
        self.n_options, self.n_choice = n, len(menu.whole)
        ties = _ties(menu, self.eval_codes)
        self.n_ties = len(ties)
        self.n_binaries = self.n_choice + sum(block.n_extra for block in blocks)
        self.n_variables = self.n_binaries + sum(block.n_continuous for block in blocks)
        self.whole = np.arange(self.n_variables) < self.n_binaries
        self.whole[: self.n_choice] = menu.whole
        self.n_budgets = len(budgets)
        amounts = np.array([budget.spendable for budget in budgets.values()])
        limited = (amounts > 0) & np.isfinite(amounts)
        use = menu.costs_with_shared[:, [menu.resources.index(name) for name in budgets]].T
        largest = use.max(axis=1, initial=0.0)
        self.units = np.where(limited, amounts, np.where(largest > 0, largest, 1.0))
        self.terms = [
            Term(budget.in_words(name), (k,), name, budget.stated)
            for k, (name, budget) in enumerate(budgets.items())
        ]
        self.curved = [limit for limit in limits if isinstance(limit, CurvedLimit)]
        self._columns: dict[int, NDArray[np.int_]] = {}  # by limit: columns of its own rows
        self._cuts: list[tuple[Term, sparse.csr_matrix, Array, Array]] = []
        money = np.zeros((len(budgets), self.n_variables))
        money[:, : self.n_choice] = use / self.units[:, None]
        one_each = sparse.csr_matrix(
            (np.ones(n), (codes, np.arange(n))), (len(self.evals), self.n_variables)
        )
        tied = np.pad(ties, ((0, 0), (0, self.n_variables - self.n_choice)))
        matrices = [sparse.csr_matrix(money), one_each, sparse.csr_matrix(tied)]
        first = len(budgets) + len(self.evals) + self.n_ties
        lower = [np.full(first, -np.inf)]
        upper = [np.where(limited, 1.0, amounts), np.ones(len(self.evals)), np.zeros(self.n_ties)]
        kept = np.array([1.0 - budget.kept_back for budget in budgets.values()])
        size = [self.units / kept, np.ones(len(self.evals) + self.n_ties)]
        stacked: tuple[list[Any], ...] = (matrices, lower, upper, size)
        extra, continuous = self.n_choice, self.n_binaries
        for limit, block in zip(limits, blocks, strict=True):
            last, end = extra + block.n_extra, continuous + block.n_continuous
            self._columns[id(limit)] = np.r_[: block.n_choice, extra:last, continuous:end]
            for whole, part in zip(stacked, self._scaled(limit, block), strict=True):
                whole.append(part)
            share = getattr(limit, "share", False) is True  # of all use, not of the draws
            for name in dict.fromkeys(block.names):
                at = [k for k, other in enumerate(block.names) if other == name]
                amount = _amount(limit, block.lower[at[0]], block.upper[at[0]])
                rows, unit = tuple(first + k for k in at), getattr(limit, "unit", None)
                self.terms.append(Term(name, rows, unit, amount, share, limit))
            first, extra, continuous = first + len(block), last, end
        self.matrix = sparse.csr_matrix(sparse.vstack(matrices))
        self.lower, self.upper = np.concatenate(lower), np.concatenate(upper)
        self.size = np.concatenate(size)
        self.soft = np.diff(self.matrix[:, self.n_choice :].tocsr().indptr) > 0

    @property
    def n_extra(self) -> int:
        """Number of variables besides the options."""
        return self.n_variables - self.n_options

    def met(self, term: Term, point: Array, tolerance: float = TOLERANCE) -> bool:
        """Whether a point [x; binaries; continuous] meets a term."""
        rows = list(term.rows)
        activity = np.asarray(self.matrix[rows] @ point)
        low, high = self.lower[rows] - tolerance, self.upper[rows] + tolerance
        if not ((activity >= low) & (activity <= high)).all():
            return False
        limit, x = term.limit, point[: self.n_options]
        return not isinstance(limit, CurvedLimit) or limit.cuts(self.menu, x) is None

    def point(
        self,
        held: Iterable[Term] | None = None,
        *,
        cost: Array | None = None,
        loose: Mapping[Term, float] | None = None,
        gap: float = 0.0,
    ) -> Array | None:
        """Return a point that meets the held terms, as `least` finds it, or None.

        What targets on skewed beliefs lose by a hair's breadth is looked through before None.
        """
        held, loose = self.terms if held is None else list(held), loose or {}
        found = self.least(cost, held, loose=loose, gap=gap, seconds=MAX_SECONDS)
        limits = nearly(self.menu, self.limits) if found is None else self.limits
        if limits != self.limits:
            near = Stack(self.menu, self.budgets, limits)
            same = dict(zip(self.terms, near.terms, strict=True))
            free = {same[term]: price for term, price in loose.items()}
            kept, end = [same[term] for term in held], MAX_SECONDS
            with suppress(Unfinished):
                found = near.least(cost, kept, loose=free, gap=gap, seconds=end, tries=CLOSER)
        return None if found is None else found[0]

    def least(
        self,
        cost: Array | None = None,
        held: Iterable[Term] | None = None,
        *,
        loose: Mapping[Term, float] | None = None,
        gap: float = 0.0,
        seconds: float | None = None,
        tries: int = MAX_ROUNDS,
        until: float = np.inf,
    ) -> tuple[Array, float] | None:
        """Return a point [x; binaries; continuous] of least cost and a bound below every cost.

        Rows are added where a choice breaks a curved limit: first at fractional optima, which are
        quick, then at whole ones. None where no choice meets the held terms.

        The cost is of every variable, (n_variables,), nothing by default; all terms are held by
        default; `loose` are terms that may be broken, and what a unit of a scaled row costs; `gap`
        is relative, and `seconds` a limit of all programmes together. The search ends early where
        `tries` whole choices missed a limit or the bound is at `until`. SolverError if the solver
        neither finds a point nor shows that there is none; `Unfinished` where it ends early.
        """
        master = _Master(self, cost, self.terms if held is None else held, loose or {})
        ends = np.inf if seconds is None else time.monotonic() + seconds
        options, before = {"mip_rel_gap": gap}, -1.0
        for _ in range(MAX_ROUNDS if master.curved else 0):
            answer = master.solve(options, ends, whole=False)
            if answer is None or not master.cut(answer[0]):
                break
            if answer[1] - before <= SETTLED * abs(answer[1]):
                break
            before = answer[1]
        seen: list[Array] = []
        for _ in range(tries):
            answer = master.solve(options, ends, whole=True)
            if answer is None:
                return None
            point, bound = answer
            broken = master.broken(point)
            fresh = master.cut(point)
            if not len(broken) and not fresh:
                return point[: self.n_variables], bound * master.unit
            if master.bound * master.unit >= until:
                break
            if len(broken) or any((point == other).all() for other in seen):
                # the solver's tolerance let a choice through that a row excludes: name it
                master.exclude(point, alone=bool(master.alone[broken].any()) or len(broken) == 0)
            seen.append(point)
        raise Unfinished(
            f"{len(seen)} rounds within the limits met only choices that a limit misses by a "
            "hair's breadth; ask for less, or move the limits away from exact sums of costs",
            master.bound * master.unit,
        )

    def learned(self, terms: Iterable[Term]) -> list[tuple[sparse.csr_matrix, Array, Array]]:
        """Return the rows learned of curved limits: they hold for every choice within them."""
        wanted = set(terms)
        return [(row, low, high) for term, row, low, high in self._cuts if term in wanted]

    def cuts_of(self, term: Term, point: Array) -> tuple[sparse.csr_matrix, Array, Array] | None:
        """Return the rows that a point breaks of a curved limit, and keep them; None for none."""
        limit = term.limit
        assert isinstance(limit, CurvedLimit)  # only these have cuts
        found = limit.cuts(self.menu, point[: self.n_options])
        if found is None:
            return None
        matrix, low, high, _ = self._scaled(limit, found)
        activity = np.asarray(matrix @ point[: self.n_variables])
        if (
            matrix[:, self.n_choice :].nnz
            and (activity >= low - TOLERANCE).all()
            and (activity <= high + TOLERANCE).all()
        ):
            return None  # its own variables make up for what the choice misses
        self._cuts.append((term, matrix, low, high))
        return matrix, low, high

    def _scaled(self, limit: Limit, block: Rows) -> tuple[sparse.csr_matrix, Array, Array, Array]:
        """Return a limit's rows over all variables, each scaled to size 1."""
        part = block.matrix.tocoo()
        bounds = [np.where(np.isfinite(b), np.abs(b), 0.0) for b in (block.lower, block.upper)]
        largest = abs(block.matrix).max(axis=1).toarray().ravel()
        size = np.maximum.reduce([largest, *bounds])
        size[size == 0] = 1.0
        column = self._columns[id(limit)][part.col]
        matrix = sparse.csr_matrix(
            (part.data / size[part.row], (part.row, column)), (len(block), self.n_variables)
        )
        return matrix, block.lower / size, block.upper / size, size


class _Master:
    """The programme within some terms of a stack, with the rows added along the way."""

    def __init__(
        self, stack: Stack, cost: Array | None, held: Iterable[Term], loose: Mapping[Term, float]
    ) -> None:
        self.stack, held = stack, list(held)
        self.curved = [term for term in held if isinstance(term.limit, CurvedLimit)]
        first = stack.n_budgets
        rows = [*range(first, first + len(stack.evals) + stack.n_ties)]
        rows += sorted({row for term in (*held, *loose) for row in term.rows})
        place = {row: k for k, row in enumerate(rows)}
        slacks = [
            (place[row], sign, price)
            for term, price in loose.items()
            for row in term.loosened
            for sign, bound in ((1.0, stack.lower), (-1.0, stack.upper))
            if np.isfinite(bound[row])
        ]
        n, self._n_slacks = stack.n_variables, len(slacks)
        at, signs, prices = np.array(slacks).reshape(-1, 3).T
        loosen = sparse.csr_matrix(
            (signs, (at.astype(int), np.arange(len(slacks)))), (len(rows), len(slacks))
        )
        self._matrices = [sparse.hstack([stack.matrix[rows], loosen], format="csr")]
        self._lower, self._upper = [stack.lower[rows]], [stack.upper[rows]]
        for each in stack.learned(held):
            self._add(*each)
        spent = np.zeros(n) if cost is None else cost
        self.unit = float(np.abs(spent).max(initial=0.0)) or 1.0
        self._objective = np.concatenate([spent / self.unit, prices])
        self.bound = -np.inf  # below every cost of a whole choice
        self._most = np.full(n + len(slacks), np.inf)
        self._most[: stack.n_binaries] = 1.0

    def solve(
        self, options: dict[str, Any], ends: float, *, whole: bool
    ) -> tuple[Array, float] | None:
        """Return the best point by some time and a bound, None where there is no point."""
        stack, left = self.stack, ends - time.monotonic()
        whole_ones = np.append(stack.whole, np.zeros(self._n_slacks, dtype=bool))
        if left <= 0:
            raise self._late()
        limits = optimize.LinearConstraint(
            sparse.vstack(self._matrices, format="csr"),
            np.concatenate(self._lower),
            np.concatenate(self._upper),
        )
        for presolve in (True, False):  # a presolve may err: that nothing fits is said twice
            result = optimize.milp(
                self._objective,
                constraints=limits,
                integrality=whole_ones.astype(int) if whole else None,
                bounds=optimize.Bounds(0.0, self._most),
                options=options | {"time_limit": left, "presolve": presolve},  # type: ignore[arg-type]
            )
            if result.status != 2:
                break
        else:
            return None
        if result.status == 1 and result.x is None:
            raise self._late()
        if result.x is None or result.status > 1:
            raise SolverError(
                f"the search within the limits ended with {result.message!r}; try fewer limits or "
                "a wider gap"
            )
        point, bound = np.asarray(result.x, dtype=np.float64), float(result.fun)
        if whole:
            point[whole_ones] = np.round(point[whole_ones])
            if stack.menu.tariffs:  # what is filled of a step is the choice's, not the solver's
                point[: stack.n_choice] = stack.menu.with_shared(point[: stack.n_options])
            bound = min(bound, float(result.mip_dual_bound))
            self.bound = max(self.bound, bound)
        return point, bound

    def _late(self) -> Unfinished:
        text = "the time was up before the search within the limits met them all; allow it more"
        return Unfinished(text, self.bound * self.unit)

    @property
    def alone(self) -> Flags:
        """Whether each row speaks of the choice and what it shares alone."""
        return ~self._has(self.stack.n_choice)

    def broken(self, point: Array) -> Positions:
        """Return the rows that a point breaks once its binaries are whole."""
        activity = np.concatenate([matrix @ point for matrix in self._matrices])
        slack = np.where(self._has(self.stack.n_binaries), SOFT, TOLERANCE)
        below = activity < np.concatenate(self._lower) - slack
        return np.flatnonzero(below | (activity > np.concatenate(self._upper) + slack))

    def cut(self, point: Array) -> int:
        """Add the rows that a point breaks of curved limits; return how many limits it breaks."""
        found = [self.stack.cuts_of(term, point) for term in self.curved]
        fresh = [each for each in found if each is not None]
        for each in fresh:
            self._add(*each)
        return len(fresh)

    def exclude(self, point: Array, *, alone: bool) -> None:
        """Forbid a choice, by itself or together with the other binaries."""
        of = np.flatnonzero(self.stack.whole)
        of = of[of < self.stack.n_options] if alone else of
        wide = np.zeros((1, self.stack.n_variables))
        wide[0, of], least = other_than(point[of])
        self._add(sparse.csr_matrix(wide), np.array([least]), np.array([np.inf]))

    def _add(self, matrix: sparse.csr_matrix, lower: Array, upper: Array) -> None:
        wide = sparse.csr_matrix((matrix.shape[0], self._n_slacks))
        self._matrices.append(sparse.hstack([matrix, wide], format="csr"))
        self._lower.append(lower)
        self._upper.append(upper)

    def _has(self, first: int) -> Flags:
        """Say which rows speak of a variable from a column on."""
        return np.concatenate([np.diff(m[:, first:].tocsr().indptr) > 0 for m in self._matrices])


def _ties(menu: Menu, codes: Positions) -> Array:
    """Return the rows <= 0 by which what follows from a choice follows from it."""
    n, blocks = len(menu), []
    for needs in menu.needs.T > 0:
        own = np.unique(codes[needs])
        tied = np.vstack([needs & (codes == own[:, None]), -1.0 * needs])
        blocks.append(np.column_stack([tied, np.append(-np.ones(len(own)), 1.0)]))
    blocks += [ties(volume, pieces) for _, volume, pieces in menu.steps]
    at, rows = n, [np.zeros((0, len(menu.whole)))]
    for block in blocks:
        rows.append(np.zeros((len(block), len(menu.whole))))
        rows[-1][:, np.append(np.arange(n), at + np.arange(block.shape[1] - n))] = block
        at += block.shape[1] - n
    return np.concatenate(rows)


def _amount(limit: Limit, lower: float, upper: float) -> float:
    """Return the amount of a limit: its first row's bound, or the limit's own where 0."""
    bound = float(lower if np.isfinite(lower) else upper)
    if bound:
        return bound
    stated = (getattr(limit, key, None) for key in ("at_least", "at_most"))
    return next((float(value) for value in stated if value is not None), bound)
