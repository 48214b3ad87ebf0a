"""Exchanges: putting one option in the place of its eval's present one, and what that is worth."""

import numpy as np

from evalbayes.arrays import Array, Flags, Positions
from evalfolio.limits.stack import TOLERANCE
from evalfolio.search.problem import Problem

MOST = 1_000_000  # exchanges in turn: as many as gain
N_GRID = 400  # points of the table that values are read from while searching


class Exchanges:
    """Values and limits of exchanges, for local search; values come from a table of every G."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        n_budgets = len(problem.resource_names)
        # An exchange keeps one option per eval and buys what it needs.
        first = n_budgets + len(problem.evals) + problem.question.stack.n_ties
        rows = np.concatenate([np.arange(n_budgets), np.arange(first, problem.matrix.shape[0])])
        self.rows = rows
        both = problem.matrix[rows][:, : problem.n_choice].toarray()
        self.use, self.shared = np.split(both, [problem.n_options], axis=1)
        self._each = both.T
        self.lower, self.upper = problem.lower[rows], problem.upper[rows]
        self.frozen = problem.soft[rows]  # rows with variables besides the choice
        grid = [np.zeros(1), np.geomspace(1e-8, 0.1, 100), np.linspace(0.1, 1, N_GRID)[1:]]
        points = [problem.v_max[same[0]] * np.concatenate(grid) for same in problem.alike]
        gains = [problem.values[q[0]].gain(v) for q, v in zip(problem.alike, points, strict=True)]
        self.tables: list[tuple[Array, Array]] = list(zip(points, gains, strict=True))

    def gains(self, v: Array) -> Array:
        """Return G of every quantity from the tables, v of shape (n, n_quantities)."""
        found = np.zeros(v.shape)
        for same, (grid, gain) in zip(self.problem.alike, self.tables, strict=True):
            if grid[-1] > 0:
                found[:, same] = np.interp(v[:, same], grid, gain)
        return found

    def fits(self, x: Array, options: Positions, without: Positions) -> Flags:
        """Say which exchanges keep all limits, other variables left as they are."""
        change = self.more(x, options, without)
        after = self.used(x)[:, None] + change
        up = (after <= self.upper[:, None] + TOLERANCE) | (change <= 0)
        down = (after >= self.lower[:, None] - TOLERANCE) | (change >= 0)
        ok = np.where(self.frozen[:, None], change == 0, up & down)
        allowed = np.where(options >= 0, self.problem.allowed[options] > 0, True)
        return np.asarray(ok.all(axis=0) & allowed)

    def used(self, x: Array) -> Array:
        """Return what a whole choice uses by every row, with its shared purchases."""
        return np.asarray(self.use @ x + self.shared @ self.problem.menu.with_shared(x)[len(x) :])

    def more(self, x: Array, options: Positions, without: Positions) -> Array:
        """Return what exchanges use more of by every row, of shape (n_rows, n)."""
        return self.problem.more(x, options, without, self._each).T

    def climb(
        self, x: Array, candidates: Positions, steps: int = MOST, least: float = -np.inf
    ) -> tuple[Array, float]:
        """Return a choice after the best single exchanges in turn, until none gains; its value.

        The value is that of the tables, as of the last look. One worth less than `least` is left.
        """
        problem, before, kept = self.problem, -np.inf, x
        for _ in range(steps):
            now = float(problem.total.of(self.gains(problem.explained.at(x)[None]))[0])
            if now <= max(before, least):  # or the gain was the rounding of what tells very much
                return kept.copy(), before
            least = -np.inf
            before, kept = now, x
            options = candidates[x[candidates] < 0.5]
            without = problem.present(x)[problem.eval_codes[options]]
            ok = self.fits(x, options, without)
            options, without = options[ok], without[ok]
            if not len(options):
                break
            v = problem.explained.exchanged(x, without, options)
            after = problem.total.of(self.gains(v))
            best = int(np.argmax(after - now))
            if (after - now)[best] <= 1e-9 * problem.scale:
                break
            x = moved(x, int(options[best]), int(without[best]))
        return x.copy(), before


def moved(x: Array, option: int, without: int) -> Array:
    """Return the choice after one exchange; -1 stands for nothing."""
    y = x.copy()
    if without >= 0:
        y[without] = 0.0
    if option >= 0:
        y[option] = 1.0
    return y
