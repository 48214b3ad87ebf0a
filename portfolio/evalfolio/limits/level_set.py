r"""How much knowledge of a skewed decision is enough: where its probability of a wrong call holds.

Where a gap is skewed that probability is no function of one index, but of all that results explain
of (w, δ): the matrix E(x) = P − left(x), which is concave in the choice, and so is tr(A·E(x)) for
every A ≥ 0. Every choice within the target has tr(A·E(x)) ≥ b(A), the least over the set of E where
the target holds. The set is sampled where it begins, along rays from nothing known to all that the
menu tells. It is all but convex, so few choices are left that no A tells from it though they miss.
"""

from functools import lru_cache
from itertools import product

import numpy as np
from scipy import optimize

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.value.explained import ExplainedVariance
from evalfolio.value.skew.calls import Calls
from evalfolio.value.skew.stand_in import mixes

MIXES, SIDES = 144, 24  # in whose directions it is sampled; contrasts whose squares make up A
PROBES = np.linspace(0.0, 1.0, 9)[1:]  # of a ray that begins where the target holds
NEAR = 1e-3  # of a ray: to which the place is found where the set begins
MARGIN = 1e-3  # of the trace: by how much the set may reach beyond its samples
LITTLE = 1e-6  # of all that the menu tells
STEP = 5e-4  # of the trace: what is asked for beyond a choice that misses, at least


class LevelSet:
    """The explained covariances at which the chance of one kind of wrong call is small enough.

    Kinds are which chances count, danger missed (0) and needless mitigation (1).
    """

    def __init__(self, menu: Menu, calls: Calls, kinds: tuple[int, ...], at_most: float) -> None:
        lines, self._prior = calls.contrasts, menu.prior_covariance
        own = lines @ self._prior @ lines.T
        root = np.linalg.cholesky(own)
        self._back = self._prior @ lines.T @ np.linalg.inv(root.T)  # of whitened (w, δ) on states
        self._calls, self._kinds, self._at_most = calls, kinds, at_most
        whitened = np.linalg.inv(root) @ lines
        self._sides = _sides(len(own))
        self._explained = ExplainedVariance(menu, contrasts=self._sides @ whitened)
        self._whole = ExplainedVariance(menu, contrasts=whitened)
        self._root = np.linalg.cholesky(self._of(np.ones(len(menu))) + 1e-9 * np.eye(len(own)))
        tried = np.vstack([mixes(menu, MIXES), np.eye(len(menu))])  # also what tells of one thing
        rays = {ray.round(3).tobytes(): ray for x in tried if (ray := self._ray(x)) is not None}
        begun = [self._begins(ray) for ray in rays.values()]
        kept = [each for each in begun if each is not None]
        self._begun = np.array([self._squares(each) for each in kept]).reshape(-1, len(self._sides))

    @property
    def empty(self) -> bool:
        """Whether the target holds nowhere beyond what is known by nothing run."""
        return not len(self._begun)

    def row(self, x: Array, *, firm: bool) -> tuple[float, Array]:
        r"""Return by how much a choice falls short, and the gradient g of a concave tr(A·E).

        Every x′ within the target has g·(x′ − x) ≥ the shortfall, which is at or below 0 where x
        may be within it. Where `firm`, x is known to miss it, and what it lacks along its own ray
        is asked of all: a choice within the set's last hair's breadth may be lost by that.
        """
        explained, gradient = self._explained.tangent(x)
        n = len(self._sides)
        # the A of trace 1 by which the choice lies farthest before all samples of the set
        rows = np.column_stack([self._begun - explained, -np.ones(len(self._begun))])
        found = optimize.milp(
            np.append(np.zeros(n), -1.0),
            constraints=[
                optimize.LinearConstraint(rows, 0.0, np.inf),
                optimize.LinearConstraint(np.append(np.ones(n), 0.0)[None], 1.0, 1.0),
            ],
            bounds=optimize.Bounds(np.append(np.zeros(n), -np.inf), np.inf),
        )
        best = np.asarray(found.x, dtype=np.float64)
        weights, short = best[:n], float(best[n]) - MARGIN
        if firm:
            ray = self._ray(x)
            begun = None if ray is None else self._begins(ray)
            lacks = 0.0 if begun is None else float(weights @ (self._squares(begun) - explained))
            short = max(short, lacks, STEP)
        return short, weights @ gradient

    def _squares(self, explained: Array) -> Array:
        return np.asarray(np.einsum("ka,ab,kb->k", self._sides, explained, self._sides))

    def _over(self, explained: Array) -> float:
        """Return by how much the chance is above the target where so much is explained."""
        left = self._prior - self._back @ explained @ self._back.T
        found = self._calls.after(left)
        return sum((found.p_missed, found.p_needless)[kind] for kind in self._kinds) - self._at_most

    def _of(self, x: Array) -> Array:
        """Return what a choice explains of whitened (w, δ)."""
        lines = self._whole.contrasts
        left = lines @ np.linalg.solve(self._whole.precision(x), lines.T)
        return np.asarray(lines @ lines.T - left)

    def _ray(self, x: Array) -> Array | None:
        """Return what could be explained in a choice's direction, None where it tells nothing."""
        root, inside = self._root, np.linalg.inv(self._root)
        share = inside @ self._of(x) @ inside.T
        most = float(np.linalg.eigvalsh(share)[-1])
        return None if most < LITTLE else np.asarray(root @ share @ root.T / most)

    def _begins(self, ray: Array) -> Array | None:
        """Return where on a ray from nothing known the target holds for good; None for nowhere.

        Where it holds with nothing known: where it holds again, after it was missed.
        """
        if self._over(ray) > 0:
            return None
        missed = 0.0
        if self._over(np.zeros_like(ray)) <= 0:
            over = [s for s in PROBES if self._over(s * ray) > 0]
            if not over:
                return None
            missed = max(over)
        s = optimize.brentq(lambda s: self._over(s * ray), missed, 1.0, xtol=NEAR, rtol=NEAR)
        return np.asarray(s * ray)


def _sides(dimension: int) -> Array:
    """Return contrasts of length 1, of shape (n, dimension), no two of them parallel."""
    if dimension == 2:
        angle = np.linspace(0.0, np.pi, SIDES, endpoint=False)
        return np.column_stack([np.cos(angle), np.sin(angle)])
    every = np.array(list(product((-1.0, 0.0, 1.0), repeat=dimension)))
    half = every[len(every) // 2 + 1 :]  # the first half are the others' opposites, then 0
    return np.asarray(half / np.linalg.norm(half, axis=1, keepdims=True))


level_set = lru_cache(maxsize=64)(LevelSet)
"""Where a target holds, sampled once."""
