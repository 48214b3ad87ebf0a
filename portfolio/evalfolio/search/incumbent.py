"""The best choice found so far, and how fractional answers are rounded to better ones."""

import numpy as np

from evalbayes.arrays import Array
from evalfolio.search.exchange import Exchanges
from evalfolio.search.problem import Problem
from evalfolio.search.programme import Relaxed

WHOLE = 1e-7
FAR = 0.015  # relative; what is further off rarely ends above the best
ROUGH = 1e-3  # relative; by which values from tables may be off


class Incumbent:
    """The best whole choice that meets all limits, and its value in scaled units."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.exchanges = problem.once(Exchanges, lambda: Exchanges(problem))
        self.x, self.value = problem.start, -np.inf
        self._seen: set[bytes] = set()
        if self.met(problem.start):
            self.learn(problem.start)

    def learn(self, x: Array) -> bool:
        """Value a whole choice that meets all limits; say whether it is the best so far."""
        key = np.packbits(x > 0.5).tobytes()
        if key in self._seen:
            return False
        self._seen.add(key)
        value = self.problem.value(x) / self.problem.scale
        if value <= self.value:
            return False
        self.x, self.value = x, value
        return True

    def round(self, relaxed: Relaxed, *, thorough: bool) -> None:
        """Round the shares to whole choices that meet all limits, and improve the best."""
        problem = self.problem
        assert relaxed.x is not None  # boxes without a point are split before
        share, extra = relaxed.x[: problem.n_options], relaxed.x[problem.n_options :]
        whole = np.round(share)
        if (
            np.abs(share - whole).max(initial=0.0) <= WHOLE
            and np.abs(extra - np.round(extra))[problem.extra_whole].max(initial=0.0) < WHOLE
            and problem.met(whole, extra)
        ):
            self.learn(whole)
        pool = np.argsort(-(relaxed.reduced[: len(share)] + (share > WHOLE)), kind="stable")
        candidates = pool[: max(150, 2 * int((share > WHOLE).sum()))]
        candidates = candidates[problem.allowed[candidates] > 0]
        starts = [self._filled(share, least) for least in ((0.5, 0.02) if thorough else (0.5,))]
        if thorough and all(x is None for x in starts) and self.value > -np.inf:
            starts.append(self.x)  # limits from below leave none of these: what there is, improved
        for x in starts:
            if x is None or (key := np.packbits(x > 0.5).tobytes() + b"+") in self._seen:
                continue
            self._seen.add(key)
            best = self.value * problem.scale
            least = -np.inf if thorough else (1 - FAR) * best
            better, worth = self.exchanges.climb(x, candidates, least=least)
            if worth > (1 - ROUGH) * best:
                self.learn(better if self.met(better) else x)

    def met(self, x: Array) -> bool:
        """Whether a whole choice meets all limits."""
        return self.problem.completed(x) is not None

    def _filled(self, share: Array, least: float) -> Array | None:
        """Take options from the largest share down while limits from above allow."""
        exchanges, problem = self.exchanges, self.problem
        x = np.zeros(problem.n_options)
        each = problem.counted
        used, held = np.zeros(len(exchanges.upper)), np.zeros(each.shape[1])
        taken = np.zeros(len(problem.evals), dtype=bool)
        from_above = exchanges.upper + 1e-9
        from_above = np.where(exchanges.frozen, np.inf, from_above)
        order = np.argsort(-share, kind="stable")[: np.count_nonzero(share >= least)]
        for option, code in zip(order.tolist(), problem.eval_codes[order].tolist(), strict=True):
            if taken[code]:
                continue
            after = used + exchanges.use[:, option]
            if each.size:
                more = problem.following(held + each[option]) - problem.following(held)
                after = after + exchanges.shared @ more
            if (after <= from_above).all():
                x[option], used, taken[code], held = 1.0, after, True, held + each[option]
        return x if self.met(x) else None
