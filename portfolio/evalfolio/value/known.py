r"""How much a choice lets one know of one decision, and what calls after it come to.

What is known is t(x) in [0, 1], concave and nondecreasing in the choice: the share v/S of the
variance of y that results explain or, where a gap is skewed, the index u of the stand-in. Calls are
those of the belief as it is, skew included, by the rule that is stated.
"""

from functools import lru_cache

import numpy as np
from scipy.special import ndtr

from evalbayes import Decision, Menu
from evalbayes.arrays import Array
from evalfolio.value.explained import ExplainedVariance
from evalfolio.value.knowledge import Knowledge
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew.calls import calls_of
from evalfolio.value.skew.outcome import Outcome


class Known:
    """What choices of a menu let one know of a decision; `known` makes one.

    `calls` are those on a skewed belief, None where the normal model serves or, without `skew`, is
    asked for; `value` is the decision by the normal model.
    """

    def __init__(self, menu: Menu, decision: Decision, skew: bool = True) -> None:
        self.value = DecisionValue.of(menu, decision)
        self.calls = calls_of(menu, decision) if skew else None
        self._root = np.linalg.cholesky(menu.prior_covariance)
        self._known = ExplainedVariance(menu, contrasts=decision.contrast[None])
        if skew:
            self._known = Knowledge(menu, decisions=(decision,))
        # the index of a skewed gap is a share already
        self._whole = max(self.value.variance, 1e-300) if self.calls is None else 1.0
        self._outcomes: dict[bytes, Outcome] = {}

    def at(self, x: Array) -> float:
        """Return t(x)."""
        return float(self._known.at(x)[0]) / self._whole

    def tangent(self, x: Array) -> tuple[float, Array]:
        """Return t(x) and its gradient ≥ 0, of shape (n_options,)."""
        u, gradient = self._known.tangent(x)
        return float(u[0]) / self._whole, gradient[0] / self._whole

    def outcome(self, x: Array) -> Outcome:
        """Return what calls after the results of a choice, whole or in part, come to."""
        key = np.asarray(x, dtype=np.float64).tobytes()
        if key not in self._outcomes:
            self._outcomes[key] = self._outcome(x)
        return self._outcomes[key]

    def _outcome(self, x: Array) -> Outcome:
        if self.calls is not None:
            left = self._root @ np.linalg.solve(self._known.precision(x), self._root.T)
            return self.calls.after(np.asarray(left, dtype=np.float64))
        v = float(self._known.at(x)[0])
        missed, needless = self.value.wrong_calls(v).tolist()
        return Outcome(float(self.value.gain(v)), call_change(self.value, v), missed, needless)


def call_change(value: DecisionValue, v: float) -> float:
    """Return the probability that results explaining the variance v turn the call."""
    if v <= 0:
        return 0.0
    limit = value.limit * np.sqrt(max(value.variance - v, 0.0))
    mitigate_after = float(ndtr((value.distance - limit) / np.sqrt(v)))
    return 1 - mitigate_after if value.mitigates else mitigate_after


known = lru_cache(maxsize=128)(Known)
"""What choices let one know of a decision, made once."""
