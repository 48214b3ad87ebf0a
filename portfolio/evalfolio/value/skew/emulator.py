r"""What calls on a skewed belief come to, in a form that a spreadsheet can compute.

The exact figures are integrals over what a mix leaves unknown of (w, δ), one by one. An emulator
(Sacks et al. 1989) runs through the exact ones of some hundred mixes and between them: with

z_k = h_k·(2/π)·arccos √(d_kᵀCd_k / d_kᵀΣd_k),  C what a mix leaves of Σ,  d_k over w, every gap, w
with each of several gaps by its weight, and y,

√f(z) = b₀ + b·z + Σ_i a_i·‖z − z_i‖³ for each of value, P(danger missed) and P(needless
mitigation), the smoothest such function (a polyharmonic spline; Duchon 1977). With one gap z is all
that is left unknown, h is 1 and only the spline's own error remains, some tenths of a per cent; of
several the h are those by which each point is told best by the others (cross-validation).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from evalbayes.arrays import Array
from evalfolio.value.skew.calls import Calls

POINTS = 800  # exact figures: a millisecond each, of several gaps 10 to 40
TRIED = 250  # of them, by which h is found
POOL = 2000  # sums of two mixes, among which points are spread
LEAST, MOST = 1e-2, 3.0  # how much of the information of each, from and to
NUGGET, APART, PULL = 1e-9, 1e-3, 2e-2  # the last of h towards 1


@dataclass(frozen=True)
class Emulator:
    """Value and both chances of a wrong call after a mix, by what it leaves of the states."""

    lines: Array  # d, of shape (k, n_states)
    whole: Array  # their prior variances, of shape (k,)
    sizes: Array  # h, of shape (k,)
    centres: Array  # z_i, of shape (n, k)
    weights: Array  # a, of shape (n, 3)
    plane: Array  # b₀ and b, of shape (1 + k, 3)

    def places(self, left: Array) -> Array:
        """Return z, of shape (..., k), for covariances of the states, (..., n_states, n_states)."""
        variance = np.einsum("ki,...ij,kj->...k", self.lines, left, self.lines)
        share = np.clip(variance / self.whole, 0.0, 1.0)
        return np.asarray(self.sizes * np.arccos(np.sqrt(share)) / (np.pi / 2))

    def at(self, z: Array) -> Array:
        """Return value, P(danger missed) and P(needless mitigation) at one z, of shape (3,)."""
        far = np.linalg.norm(z - self.centres, axis=1) ** 3
        root = self.plane[0] + z @ self.plane[1:] + far @ self.weights
        return np.asarray(np.maximum(root, 0.0) ** 2)


def emulator(calls: Calls, left: Array, first: int) -> Emulator:
    """Return the emulator of a decision's calls by what mixes leave, (n, n_states, n_states).

    The points are the first of them and of the others, and of sums of two, some as far from all
    before them as can be in √z: what a decision gains bends most near nothing known.
    """
    draw, inverse, q = np.random.default_rng(0), np.linalg.inv(calls.prior), calls.weights
    y = np.vstack([np.diag(q)] * (len(q) > 1) + [q])
    towards = np.vstack([np.eye(1 + len(q)), np.insert(y, 0, 1.0, axis=1)])
    whole = np.einsum("ki,ij,kj->k", towards, calls.prior, towards)
    kept = calls.contrasts @ left @ calls.contrasts.T
    told = np.linalg.inv(kept) - inverse
    times = LEAST * (MOST / LEAST) ** draw.random((2, POOL, 1, 1))
    one, other = draw.integers(0, first, POOL), draw.integers(0, len(told), POOL)
    summed = np.linalg.inv(inverse + times[0] * told[one] + times[1] * told[other])
    kept = np.concatenate([kept, summed])
    z = Emulator(towards, whole, np.ones(len(whole)), *(np.zeros((0, 0)),) * 3).places(kept)
    at = _spread(np.sqrt(z), first)
    lift = np.linalg.pinv(calls.contrasts)  # any covariance of the states with these in it
    exact = [calls.after(lift @ kept[i] @ lift.T) for i in at]
    wanted = np.sqrt([(each.value, each.p_missed, each.p_needless) for each in exact])
    sizes = _sizes(z[at], wanted) if len(q) > 1 else np.ones(len(whole))
    centres, n = sizes * z[at], len(at)
    found = np.linalg.solve(_system(centres), np.pad(wanted, ((0, 1 + len(whole)), (0, 0))))
    return Emulator(towards @ calls.contrasts, whole, sizes, centres, found[:n], found[n:])


def _system(centres: Array) -> Array:
    """Return the matrix that a, b₀ and b of the spline through values at the centres solve."""
    n, k = centres.shape
    system = np.zeros((n + 1 + k, n + 1 + k))
    system[:n, :n] = np.linalg.norm(centres[:, None] - centres, axis=2) ** 3
    system[:n, n], system[:n, n + 1 :] = 1.0, centres
    system[n:, :n] = system[:n, n:].T
    # where nothing tells directions apart
    return np.asarray(system + NUGGET * np.diag([1.0] * n + [-1.0] * (1 + k)))


def _sizes(z: Array, wanted: Array) -> Array:
    """Return h by which splines without one of the points miss it by least."""
    some = np.linspace(0, len(z) - 1, min(TRIED, len(z))).astype(int)
    z, wanted = z[some], wanted[some] / wanted.std(axis=0).clip(min=1e-12)

    def off(logs: Array) -> float:
        inverse = np.linalg.inv(_system(np.exp(logs) * z))[: len(z), : len(z)]
        missed = inverse @ wanted / np.diag(inverse)[:, None]
        return float(np.log(np.square(missed).mean()) + PULL * logs @ logs)

    start, ends = np.zeros(z.shape[1]), [(-4.0, 3.0)] * z.shape[1]
    found = minimize(off, start, bounds=ends, options={"maxiter": 15})
    return np.exp(np.asarray(found.x))


def _spread(z: Array, first: int) -> list[int]:
    """Return the positions of the first points, then of some each far from those before it."""
    at, near = [0], np.linalg.norm(z - z[0], axis=1)
    while len(at) < POINTS and near.max() > APART:
        apart = np.flatnonzero(near[:first] > APART)
        at.append(int(apart[0] if len(apart) else near.argmax()))
        near = np.minimum(near, np.linalg.norm(z - z[at[-1]], axis=1))
    return at
