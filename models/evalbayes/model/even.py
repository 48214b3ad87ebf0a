"""Even draws: normals whose every batch spreads evenly over the quantiles."""

import numpy as np
from scipy.special import ndtri

from evalbayes.arrays import Array, Value
from evalbayes.halves import BATCHES

FEWEST = 20  # draws of a batch; fewer are one batch
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
        even = per >= FEWEST and n_draws % BATCHES == 0
        shape = (BATCHES, per, *rest) if even else (1, n_draws, *rest)
        strata = np.arange(shape[1]).reshape(1, -1, *[1] * len(rest))
        place = self.rng.permuted(np.broadcast_to(strata, shape), axis=1)
        levels = (place + self.rng.random(shape)) / shape[1]
        drawn: Array = ndtri(np.clip(levels, SMALLEST, 1.0 - SMALLEST)).reshape(n_draws, *rest)
        return mean + sd * drawn
