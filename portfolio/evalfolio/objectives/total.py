"""How the worths of an objective's quantities become one figure: sums, and means of worst draws."""

from dataclasses import dataclass

import numpy as np

from evalbayes.arrays import Array, Positions


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Tail:
    """The mean of the worst (least) share of draws of a sum of worths."""

    quantities: Positions  # of every draw, of shape (n_draws, n_decisions)
    share: float  # share of the draws that are the worst, above 0 and at most 1

    @property
    def most(self) -> float:
        """The most that one draw weighs: 1/(share · n_draws), and never more than 1."""
        return min(1.0, 1.0 / (self.share * len(self.quantities)))

    @property
    def count(self) -> int:
        """Number of draws among the worst, one that counts in part included."""
        return min(len(self.quantities), int(np.ceil(self.share * len(self.quantities) - 1e-9)))

    def of(self, gains: Array) -> Array:
        """Return the mean of the worst draws, gains of shape (n, n_quantities)."""
        totals = np.sort(gains[:, self.quantities].sum(axis=2), axis=1)
        weight = np.clip(1.0 - self.most * np.arange(totals.shape[1]), 0.0, self.most)
        return np.asarray(totals @ weight)


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Total:
    """The sum of some quantities' worths, plus every tail's mean.

    With ``share = 1`` a tail is the mean over the draws. Every weight is inside the worths.

    >>> worst_half = Tail(np.array([[0], [1], [2], [3]]), 0.5)
    >>> total = Total(np.array([], dtype=int), (worst_half,))
    >>> total.of(np.array([[4.0, 1.0, 3.0, 9.0]]))
    array([2.])
    """

    plain: Positions  # positions of the quantities that are summed
    tails: tuple[Tail, ...] = ()

    def of(self, gains: Array) -> Array:
        """Return the total, gains of shape (n, n_quantities)."""
        total = gains[:, self.plain].sum(axis=1)
        for tail in self.tails:
            total = total + tail.of(gains)
        return np.asarray(total)

    def weights(self, gains: Array) -> Array:
        """Return how much each quantity counts at these worths, both of shape (n_quantities,).

        They are a supergradient of the total: 1 for the plain ones, a tail's draws by their rank.
        """
        weight = np.zeros(len(gains))
        weight[self.plain] = 1.0
        for tail in self.tails:
            order = np.argsort(gains[tail.quantities].sum(axis=1), kind="stable")
            rank = np.empty(len(order))
            rank[order] = np.arange(len(order))
            counts = np.clip(1.0 - tail.most * rank, 0.0, tail.most)
            weight[tail.quantities] = counts[:, None]
        return weight

    def most_of(self, gains: Array) -> float:
        """Return a bound on the total of quantities that only some of are looked at.

        The worst draw weighs no more than all together, so per tail the largest draw's sum counts.
        """
        total = float(gains[self.plain].sum())
        return total + sum(float(gains[t.quantities].sum(axis=1).max()) for t in self.tails)
