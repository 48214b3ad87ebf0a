r"""What calls on a skewed belief come to, in a form that a spreadsheet can compute.

The exact figures are integrals over what a mix leaves unknown of (w, δ), one by one. An emulator
(Sacks et al. 1989) runs through the exact ones of some hundred mixes and between them: with

z_k = (2/π)·arccos √(d_kᵀCd_k / d_kᵀΣd_k),  d_k over w, every gap and y,  C what a mix leaves of Σ,

√f(z) = b₀ + b·z + Σ_i a_i·‖z − z_i‖³ for each of value, P(danger missed) and P(needless
mitigation), the smoothest such function (a polyharmonic spline; Duchon 1977). With one gap z is all
that is left unknown, so only the spline's own error remains, some tenths of a per cent.
"""

from dataclasses import dataclass

import numpy as np

from evalbayes.arrays import Array
from evalfolio.value.skew.calls import Calls, OneGap

POINTS, POINTS_OF_SEVERAL = 500, 64  # exact figures: a millisecond each, a tenth of a second
POOL = 2000  # sums of two mixes, among which the points are spread
LEAST, MOST = 1e-2, 3.0  # how much of the information of each, from and to
NUGGET = 1e-9


@dataclass(frozen=True)
class Emulator:
    """Value and both chances of a wrong call after a mix, by what it leaves of the states."""

    lines: Array  # d, of shape (k, n_states)
    whole: Array  # their prior variances, of shape (k,)
    centres: Array  # z_i, of shape (n, k)
    weights: Array  # a, of shape (n, 3)
    plane: Array  # b₀ and b, of shape (1 + k, 3)

    def places(self, left: Array) -> Array:
        """Return z, of shape (..., k), for covariances of the states, (..., n_states, n_states)."""
        variance = np.einsum("ki,...ij,kj->...k", self.lines, left, self.lines)
        share = np.clip(variance / self.whole, 0.0, 1.0)
        return np.asarray(np.arccos(np.sqrt(share)) / (np.pi / 2))

    def at(self, z: Array) -> Array:
        """Return value, P(danger missed) and P(needless mitigation) at one z, of shape (3,)."""
        far = np.linalg.norm(z - self.centres, axis=1) ** 3
        root = self.plane[0] + z @ self.plane[1:] + far @ self.weights
        return np.asarray(np.maximum(root, 0.0) ** 2)


def emulator(calls: Calls, mixes: Array, alone: Array) -> Emulator:
    """Return the emulator of a decision's calls, exact for the first of the mixes.

    The points are what is left by mixes, by options alone, (n, n_states, n_states) each, and by
    sums of one of either, each as far from the others as can be in √z: what a decision gains bends
    most near nothing known.
    """
    draw, inverse = np.random.default_rng(0), np.linalg.inv(calls.prior)
    towards = np.vstack([np.eye(len(calls.prior)), np.append(1.0, calls.weights)])
    whole = np.einsum("ki,ij,kj->k", towards, calls.prior, towards)
    kept = calls.contrasts @ np.concatenate([mixes, alone]) @ calls.contrasts.T
    told = np.linalg.inv(kept) - inverse
    times = LEAST * (MOST / LEAST) ** draw.random((2, POOL, 1, 1))
    one, other = draw.integers(0, len(mixes), POOL), draw.integers(0, len(told), POOL)
    summed = np.linalg.inv(inverse + times[0] * told[one] + times[1] * told[other])
    kept = np.concatenate([kept, summed])
    inner = Emulator(towards, whole, *(np.zeros((0, 0)),) * 3)
    z = inner.places(kept)
    at = _spread(np.sqrt(z), POINTS if isinstance(calls, OneGap) else POINTS_OF_SEVERAL)
    lift = np.linalg.pinv(calls.contrasts)  # any covariance of the states with these in it
    exact = [calls.after(lift @ kept[i] @ lift.T) for i in at]
    wanted = np.sqrt([(each.value, each.p_missed, each.p_needless) for each in exact])
    n, k = len(at), len(whole)
    centres = z[at]
    system = np.zeros((n + 1 + k, n + 1 + k))
    system[:n, :n] = np.linalg.norm(centres[:, None] - centres, axis=2) ** 3
    system[:n, n], system[:n, n + 1 :] = 1.0, centres
    system[n:, :n] = system[:n, n:].T
    system += NUGGET * np.diag([1.0] * n + [-1.0] * (1 + k))  # where nothing tells directions apart
    found = np.linalg.solve(system, np.vstack([wanted, np.zeros((1 + k, 3))]))
    return Emulator(towards @ calls.contrasts, whole, centres, found[:n], found[n:])


def _spread(z: Array, n: int) -> list[int]:
    """Return the positions of n points, the first among them, each far from those before it."""
    at, near = [0], np.linalg.norm(z - z[0], axis=1)
    while len(at) < n and near.max() > 1e-6:
        at.append(int(near.argmax()))
        near = np.minimum(near, np.linalg.norm(z - z[at[-1]], axis=1))
    return at
