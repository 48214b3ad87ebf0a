r"""Balanced half samples: how much of a figure is the luck of the draws it was worked out from.

Draws are cut into 32 batches of consecutive draws, long against their autocorrelation. Each of 31
replicates holds half of the batches, by the rows of a Hadamard matrix, so that no two batches go
together. A figure f of all draws is worked out again from every half; then

    noise² = mean over replicates of (f_r − f)²

is the Monte Carlo variance of f: exact for sums, right to first order for what is smooth, and no
difference is blown up, as leaving out one batch at a time would (McCarthy 1969; Wolter,
*Introduction to Variance Estimation*, chapter 3). The difference of two figures has the noise of
the difference: common draws, so what they share drops out.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from scipy.linalg import hadamard
from scipy.special import ndtri

from evalbayes.arrays import Array, Flags, Index, Value

BATCHES = 32
REPLICATES = BATCHES - 1
FEWEST = 4  # draws of a batch
PREFIX = "replicate_"  # of the names that arrays are stored under
T_95 = 2.04  # Student's t of 31 replicates, two-sided 95 %


def batches(n_draws: int) -> Index:
    """Return the batch of every draw, chain after chain, of shape (n_draws,)."""
    return np.arange(n_draws, dtype=np.int64) * BATCHES // max(n_draws, 1)


def halves(n_draws: int) -> Flags | None:
    """Return which draws each replicate holds, (31, n_draws); None where draws are too few.

    >>> held = halves(8000)
    >>> held.shape, set(held.sum(axis=1).tolist()), halves(20) is None
    ((31, 8000), {4000}, True)
    """
    if n_draws < FEWEST * BATCHES:
        return None
    inside = hadamard(BATCHES)[1:] > 0  # the first row has no half
    return inside[:, batches(n_draws)]


def noise(replicates: Array, figure: Array | float) -> Array:
    """Return the Monte Carlo standard error of a figure from its replicates along the first axis.

    >>> draws = np.random.default_rng(0).standard_normal(8000)
    >>> means = np.array([draws[held].mean() for held in halves(8000)])
    >>> round(float(noise(means, draws.mean()) * np.sqrt(8000)), 1)
    1.0
    """
    spread: Array = np.sqrt(np.mean(np.square(replicates - figure), axis=0))
    return spread


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Replicates:
    """A menu worked out again from each balanced half of its draws.

    How a figure differs over these is its Monte Carlo noise, see `noise`.
    """

    information: Array  # of every option, of shape (n_replicates, n_options, n_states, n_states)
    # prior_mean, prior_covariance: of shapes (n_replicates, n_states) and (n_replicates, n_states,
    # n_states)
    prior_mean: Array
    prior_covariance: Array
    costs: Array  # expected use, of shape (n_replicates, n_options, n_resources)

    def __len__(self) -> int:
        return len(self.prior_mean)

    def subset(self, keep: Flags) -> "Replicates":
        """Return the replicates of the kept options only."""
        return replace(self, information=self.information[:, keep], costs=self.costs[:, keep])

    def arrays(self) -> dict[str, Array]:
        """Return the arrays by the names they are stored under."""
        return {PREFIX + field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def taken(cls, arrays: dict[str, Array]) -> "Replicates | None":
        """Take the replicates out of stored arrays, None where there are none."""
        if PREFIX + "costs" not in arrays:
            return None
        return cls(*(arrays.pop(PREFIX + field.name) for field in fields(cls)))


FEWEST_EVEN = 20  # draws of a batch; fewer are one batch
SMALLEST = 1e-12  # chance of a tail: a uniform draw may be 0, a normal one is finite


class EvenNormals:
    """Draws like those of a generator's `normal`, along the first axis even within batches.

    What nothing was seen of is drawn from its prior. Drawn freely, 8,000 draws of a gap have a
    variance that is off by some per cent, otherwise for every seed, and a plan hangs on it. Here
    every column of every batch of `evalbayes.halves` holds one draw of each of as many equally
    likely strata, in random order: a Latin hypercube (McKay et al. 1979). Every draw is still
    normal, tails and all, and means of sums of functions of single columns have next to no Monte
    Carlo error.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def normal(self, mean: Value = 0.0, sd: Value = 1.0, *, size: int | tuple[int, ...]) -> Array:
        """Return draws of shape `size`, the first axis that of the draws."""
        n_draws, *rest = (size,) if isinstance(size, int) else size
        per = n_draws // BATCHES
        even = per >= FEWEST_EVEN and n_draws % BATCHES == 0
        shape = (BATCHES, per, *rest) if even else (1, n_draws, *rest)
        strata = np.arange(shape[1]).reshape(1, -1, *[1] * len(rest))
        place = self.rng.permuted(np.broadcast_to(strata, shape), axis=1)
        levels = (place + self.rng.random(shape)) / shape[1]
        drawn: Array = ndtri(np.clip(levels, SMALLEST, 1.0 - SMALLEST)).reshape(n_draws, *rest)
        return mean + sd * drawn
