"""The problem all methods solve: the rows of a question, and its values in scaled units."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from evalbayes.arrays import Array, Flags, Positions
from evalfolio.limits.infeasible import check_feasible
from evalfolio.limits.stack import TOLERANCE
from evalfolio.search.question import Question

NEGLIGIBLE = 1e-8  # of the largest total value: decisions below it move into the bound as constants
Made = TypeVar("Made")
SOFT = 1e-6  # what rows with extra variables, which a solver found, may be missed by


class Problem:
    """maximise Σ_d G_d(v_d(x)) over whole choices x within budgets and limits.

    Attributes
    ----------
    matrix, lower, upper, soft
        The rows of the question's `Stack`, those of the budgets without the options that no
        budget allows.
    n_own
        Number of variables of the limits' own: neither options nor what follows from them.
    use
        Expected use of the limited resources by every option and then by all that follows from
        them, of shape (n_choice, n_budgets), in the order of `resource_names`.
    needs
        1 where an option needs a shared purchase, of shape (n_options, n_shared). Purchases follow
        from the choice; they are variables, the first of the extra ones, so that shares of options
        pay their part of them.
    counted
        What purchases and steps of prices go by: needs, then volumes, (n_options, n_counted).
    spendable
        What may be spent of each limited resource.
    price_units
        Units of the budgets' rows.
    allowed
        1 for options that no budget rules out by themselves, 0 for the others.
    active
        Positions of the decisions whose value can matter.
    alike
        Positions of the quantities of every function; draws share their decision's.
    scale
        Largest total value the menu can reach, the unit of scaled values.
    constant
        Value of the decisions that cannot matter, as if explained whole, in scaled units.
    """

    def __init__(self, question: Question) -> None:
        self.question, self.menu = question, question.menu
        stack = self.stack = question.stack
        self.n_options, self.n_extra = stack.n_options, stack.n_extra
        self.n_choice, self.needs = stack.n_choice, self.menu.needs
        self.counted = np.hstack([self.needs, self.menu.volumes])
        self.n_own = stack.n_variables - stack.n_choice
        self.evals, self.eval_codes = stack.evals, stack.eval_codes
        self.spendable = question.spendable
        self.resource_names = tuple(self.spendable)
        self.costs = self.menu.costs_with_shared
        self.use = self.costs[:, [self.menu.resources.index(name) for name in self.spendable]]
        n, k = self.n_options, stack.n_budgets
        self.price_units = stack.units
        money = stack.matrix[:k].toarray()
        alone = money[:, :n] + money[:, n : n + self.needs.shape[1]] @ self.needs.T
        fits = (alone <= stack.upper[:k, None] * (1 + TOLERANCE)).all(axis=0)
        fits |= self.menu.volumes.any(axis=1)  # beside others they may cost less
        self.allowed = np.where(fits, 1.0, 0.0)
        money[:, :n] *= self.allowed
        self.matrix = sparse.vstack([sparse.csr_matrix(money), stack.matrix[k:]], format="csr")
        self.lower, self.upper, self.soft = stack.lower, stack.upper, stack.soft
        self.extra_whole = stack.whole[n:]
        self.extra_upper = np.where(np.arange(n, stack.n_variables) < stack.n_binaries, 1.0, np.inf)
        self.curved = stack.curved
        self.values: list[Any] = []
        self.explained: Any
        self.values, self.explained, self.total = question.objective.on(self.menu)
        self.ceilings: Array = self.explained.ceilings
        alike: dict[int, list[int]] = {}
        for position, value in enumerate(self.values):
            alike.setdefault(id(value), []).append(position)
        self.alike = [np.array(group, dtype=np.intp) for group in alike.values()]
        self._made: dict[Any, Any] = {}
        self._scale()

    def once(self, key: Any, make: Callable[[], Made]) -> Made:
        """Return what one search made of it for the next."""
        if key not in self._made:
            self._made[key] = make()
        return cast(Made, self._made[key])

    @cached_property
    def start(self) -> Array:
        """A choice that meets all limits: nothing, where that does.

        InfeasibleError if there is none: it names a smallest clash and the least change that mends
        it.
        """
        nothing = np.zeros(self.n_options)
        return nothing if self.met(nothing) else check_feasible(self.stack)

    def in_units(self, prices: Array) -> dict[str, float]:
        """Return scaled prices of the budgets' rows per unit of each resource."""
        each = prices * self.scale / self.price_units
        return dict(zip(self.resource_names, each.tolist(), strict=True))

    def _scale(self) -> None:
        reach = np.asarray(self.explained.at(self.allowed))
        # Quantities of one function share their unit, so that its tables are made once.
        self.v_max = np.array(reach)
        for same in self.alike:
            self.v_max[same] = reach[same].max()
        self.reach = np.divide(reach, self.v_max, out=np.ones_like(reach), where=self.v_max > 0)
        most = float(self.values_of(reach[None])[0])
        self.scale = most if most > 1e-300 else 1.0  # slopes in units of less are beyond floats
        share = self.gains_of(self.v_max[None])[0] / self.scale
        matters = (share > NEGLIGIBLE) & (self.v_max > 0)
        self.active = np.flatnonzero(matters)
        self.constant = self.total.most_of(np.where(matters, 0.0, share))

    def value(self, x: Array) -> float:
        """Return the objective of a choice, for EVSI Σ_d G_d(v_d(x)) in the unit of the losses."""
        return float(self.values_of(self.explained.at(x)[None])[0])

    def gains_of(self, v: Array) -> Array:
        """Return G of every quantity, of the shape of v: (n, n_quantities)."""
        gains = np.empty(v.shape)
        for same in self.alike:
            gains[:, same] = self.values[same[0]].gain(v[:, same])
        return gains

    def values_of(self, v: Array) -> Array:
        """Return the objective for rows of quantities, of shape (n, n_quantities)."""
        return self.total.of(self.gains_of(v))

    def present(self, x: Array) -> Positions:
        """Return the option of every eval in a whole choice, or -1, of shape (n_evals,)."""
        found = np.full(len(self.evals), -1)
        inside = np.flatnonzero(x > 0.5)
        found[self.eval_codes[inside]] = inside
        return found

    @property
    def evpi(self) -> float:
        """What knowing every quantity to the end would be worth."""
        each = np.array([[value.evpi for value in self.values]])
        return float(self.total.of(each)[0])

    def evenly(self) -> Array:
        """Return the same share of every option that fits by itself, as far as the budgets go."""
        each = np.bincount(self.eval_codes, weights=self.allowed, minlength=len(self.evals))
        x = self.allowed / np.maximum(each, 1.0)[self.eval_codes]
        used = self.matrix[: len(self.resource_names), : self.n_choice] @ self.menu.with_shared(x)
        return np.asarray(x / max(1.0, float(used.max(initial=0.0))))

    def following(self, held: Array) -> Array:
        """Return what follows from sums of `counted`, of shape (..., n_following)."""
        if self.n_choice == self.n_options:
            return held
        n_shared = self.needs.shape[1]
        bought = (held[..., :n_shared] > 0.5).astype(float)
        return np.concatenate([bought, self.menu.steps_at(held[..., n_shared:])], axis=-1)

    def more(self, x: Array, new: NDArray[Any], old: NDArray[Any], use: Array) -> Array:
        """Return how much more exchanges use, `use` as `use` or `costs`; of shape (n, ...).

        Purchases are made and returned with them, parts of price steps filled; -1 is nothing.
        """
        own = use[new] * (new >= 0)[:, None] - use[old] * (old >= 0)[:, None]
        if self.n_choice == self.n_options:
            return np.asarray(own)
        now, each = x @ self.counted, np.vstack([self.counted, 0.0 * self.counted[:1]])
        made = self.following(now + each[new] - each[old]) - self.following(now)
        return np.asarray(own + made @ use[self.n_options :])

    def met(self, x: Array, extra: Array | None = None) -> bool:
        """Whether a whole choice, with its extra variables, meets all limits.

        Of the extra variables, purchases count as the choice has them.
        """
        tail = np.zeros(self.n_extra) if extra is None else extra
        own = tail[self.n_choice - self.n_options :]
        activity = self.matrix @ np.concatenate([self.menu.with_shared(x), own])
        return self._within(x, activity, np.ones_like(self.soft)) and self.cuts(x) is None

    def _within(self, x: Array, activity: Array, rows: Flags) -> bool:
        """Whether a whole choice with this activity keeps some of the rows."""
        # Rows with extra variables carry a solver's tolerance; budgets and the like do not.
        loose = np.where(self.soft, SOFT, TOLERANCE)
        kept = (activity >= self.lower - loose) & (activity <= self.upper + loose)
        return bool(kept[rows].all() and (x <= self.allowed + TOLERANCE).all())

    def completed(self, x: Array) -> Array | None:
        """Return extra variables with which a whole choice meets all limits, or None."""
        bought, n, n_own = self.menu.with_shared(x)[len(x) :], self.n_choice, self.n_own
        if self.met(x):
            return np.pad(bought, (0, n_own))
        if not n_own:
            return None
        used: Array = np.asarray(self.matrix[:, :n] @ np.concatenate([x, bought]))
        if not self._within(x, used, ~self.soft):
            return None
        rows = np.flatnonzero(self.soft)
        found = milp(
            np.zeros(n_own),
            constraints=LinearConstraint(
                self.matrix[rows][:, n:], (self.lower - used)[rows], (self.upper - used)[rows]
            ),
            integrality=self.extra_whole[-n_own:].astype(int),
            bounds=Bounds(0.0, self.extra_upper[-n_own:]),
        )
        if found.x is None:
            return None
        own = np.where(self.extra_whole[-n_own:], np.round(found.x), found.x)
        extra = np.concatenate([bought, own])
        return extra if self.met(x, extra) else None

    def cuts(self, x: Array) -> tuple[Array, Array] | None:
        """Return rows · x <= limits that hold for every choice but not for x, or None.

        Rows are over the options and the shared purchases. Limits that are curved (a second-order
        cone) are met through such rows.
        """
        rows: list[Array] = []
        limits: list[float] = []
        for constraint in self.curved:
            found = constraint.cuts(self.menu, x)
            if found is None:
                continue
            weights = found.matrix.toarray()[:, : self.n_choice]
            size = np.maximum(np.abs(weights).max(axis=1, initial=0.0), 1e-300)
            for sign, side in ((1.0, found.upper), (-1.0, found.lower)):
                for row in np.flatnonzero(np.isfinite(side)):
                    rows.append(sign * weights[row] / size[row])
                    limits.append(float(sign * side[row] / size[row]))
        return (np.array(rows), np.array(limits)) if rows else None
