"""The convex relaxation in cvxpy: part of an option may be bought, and G is its concave envelope.

The objective enters as `ConcaveObjective` says. Budgets and losses are parameters: the problem is
compiled once and solved again for every budget and every set of losses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import cvxpy as cp
import numpy as np

from evalbayes.arrays import Array
from evalfolio.errors import InfeasibleError, InputError
from evalfolio.limits.budget import check_budget
from evalfolio.search.convex.expression import ConcaveObjective
from evalfolio.search.convex.solvers import solve_convex
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question
from evalfolio.value.knowledge import skewed


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Relaxed:
    """Solution of the relaxation."""

    bound: float  # no choice within the limits is worth more, in the unit of the losses
    x: Array  # share bought of every option, of shape (n_options,)
    shadow_prices: dict[str, float]  # value of one more unit of each budget


class Relaxation:
    """The compiled relaxation of a question; `solve` takes the budget.

    Parameters
    ----------
    question
        With the largest budget it will be solved at: it names the limited resources, and a
        decision's envelope reaches only as far as this budget can.
    n_lines
        Lines of each envelope; with the default the bound is loose by less than 1e-4 of G, by 2e-3
        where less than a thousandth is known of a decision at its threshold.
    """

    def __init__(self, question: Question, n_lines: int = 120) -> None:
        problem = Problem(question)
        self.question, self.menu = question, question.menu
        self.resources, costs = problem.resource_names, problem.use
        self.units = np.where(costs.max(axis=0, initial=0.0) > 0, costs.max(axis=0, initial=0.0), 1)
        self.scale = problem.scale
        self.x = cp.Variable(problem.n_options, nonneg=True)
        self.extra = cp.Variable(max(problem.n_extra, 1), nonneg=True)
        # The right-hand side of every budget row is a parameter, so a sweep compiles once.
        self.limit = cp.Parameter(len(self.resources), nonneg=True)
        rows: list[cp.Constraint] = []
        n, self.budget_row = problem.n_options, None
        if self.resources:
            use = (costs / self.units).T
            total = use[:, :n] @ self.x
            if problem.n_choice > n:
                total = total + use[:, n:] @ self.extra[: problem.n_choice - n]
            self.budget_row = total <= self.limit
            rows.append(self.budget_row)
        rows += self._limit_rows(problem)
        self.worth = ConcaveObjective(problem, self.x, n_lines)
        self._rows, self._n_lines = rows, n_lines
        self._losses = {d.name: (d.loss_missed, d.loss_false_alarm) for d in self.menu.decisions}
        self._compile()

    def _compile(self) -> None:
        self.programme = cp.Problem(
            cp.Maximize(self.worth.expression), [*self._rows, *self.worth.constraints]
        )

    def solve(
        self,
        budget: Mapping[str, float],
        solver: str | None = None,
        losses: Mapping[str, tuple[float, float]] | None = None,
    ) -> Relaxed:
        """Return the bound, the shares and the shadow prices at a budget.

        Parameters
        ----------
        budget
            Amount, as stated, of each resource the relaxation was compiled for.
        solver
            One of `evalfolio.search.convex.solvers.convex_solvers()`; by default each in turn until
            one answers.
        losses
            (loss_missed, loss_false_alarm) of decisions by name; the menu's where left out.

        Raises
        ------
        InputError
            If the budget names other resources than the relaxation was compiled for, losses are
            not of its decisions or not above 0, or the solver is not installed.
        InfeasibleError
            If no share of the options meets all limits.
        SolverError
            If no solver ends with an answer.
        """
        check_budget(budget, self.resources)
        amounts = self.question.within(**budget).spendable
        self.limit.value = np.array([amounts[name] for name in self.resources]) / self.units
        self._set_losses(losses or {})
        status = solve_convex(self.programme, solver)
        if status == "infeasible":
            raise InfeasibleError(
                "no choice meets all limits, even if options could be bought in part; "
                "loosen a limit or raise a budget"
            )
        duals = np.zeros(0)
        if self.budget_row is not None:
            duals = np.maximum(np.atleast_1d(self.budget_row.dual_value), 0.0)
        prices = duals * self.scale / self.units
        return Relaxed(
            bound=float(self.programme.value) * self.scale,
            x=np.clip(np.asarray(self.x.value), 0.0, 1.0),
            shadow_prices=dict(zip(self.resources, prices.tolist(), strict=True)),
        )

    def _set_losses(self, losses: Mapping[str, tuple[float, float]]) -> None:
        """Set the envelopes to other losses, where they differ from those last used."""
        known = [decision.name for decision in self.menu.decisions]
        for name, pair in losses.items():
            if name not in known:
                raise InputError(
                    f"losses must be of a decision of the menu ({', '.join(known)}), got {name!r}"
                )
            if not all(0 < loss < np.inf for loss in pair):
                raise InputError(f"losses of {name} must be above 0 and finite, got {pair!r}")
        own = {d.name: (d.loss_missed, d.loss_false_alarm) for d in self.menu.decisions}
        wanted = own | dict(losses)
        if wanted != self._losses:
            self._losses, decisions = wanted, []
            for decision in self.menu.decisions:
                missed, needless = map(float, wanted[decision.name])
                moved = replace(decision, loss_missed=missed, loss_false_alarm=needless)
                decisions.append(moved)
            menu = replace(self.menu, decisions=tuple(decisions))
            if skewed(menu):  # the index of what is known depends on the stakes
                problem = Problem(self.question.on(menu))
                self.worth = ConcaveObjective(problem, self.x, self._n_lines)
                self.scale = problem.scale
                self._compile()
            else:
                self.worth.set_values(self.question.objective.on(menu)[0])

    def _limit_rows(self, problem: Problem) -> list[cp.Constraint]:
        """Return "at most one option per eval" and the limits' rows."""
        n = problem.n_options
        first = len(self.resources)  # the budgets' rows come first, with a parameter of their own
        body = problem.matrix[first:, :n] @ self.x
        if problem.n_extra:
            body = body + problem.matrix[first:, n:] @ self.extra
        upper, lower = problem.upper[first:], problem.lower[first:]
        high, low = np.isfinite(upper), np.isfinite(lower)
        rows = [body[np.flatnonzero(high)] <= upper[high], self.x <= problem.allowed]
        if low.any():
            rows.append(body[np.flatnonzero(low)] >= lower[low])
        whole = np.flatnonzero(problem.extra_whole)
        if len(whole):
            rows.append(self.extra[whole] <= 1)
        return rows
