"""The law of spend of an eval: families of spend stacked, with one median and one width.

F(t) = Σ_k w_k F_k(t; location, width_k·scale[, tail]). The weights w are those of stacking, how
well each family foretells a left-out run; `location` is the ln of the median of every family, and
`scale` the sd of ln spend of the lognormal, Hill and Weibull members, so that weights move the
shape and not the place. Without weights the law is lognormal.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.integrate import simpson

from evalbayes.arrays import Array, Value
from evalbayes.curves.families import lognormal
from evalbayes.curves.families.family import FAMILIES
from evalbayes.curves.families.family_curve import bisected
from evalbayes.curves.families.special import logaddexp

STACKED = ["lognormal", "hill", "weibull", "burr"]  # and those of a user: see `add_family`
WIDTHS = {
    "lognormal": 1.0,
    "hill": float(np.sqrt(3.0) / np.pi),
    "weibull": float(np.sqrt(6.0) / np.pi),
    "burr": float(np.sqrt(3.0) / np.pi),  # Hill's, which it is at tail 1
}
LEAST = 1e-300  # keeps quotients of shares finite
NEVER = -1e10  # stands for the logarithm of a weight of 0
BISECTIONS = 50
LOWEST, HIGHEST = 14.0, 14.0  # scales about the median beyond which nothing is told of it
# Gauss–Legendre panels of y = ln c − ln t: e^(−36) of the integral lies beyond the last.
_EDGES = np.array([0.0, 0.5, 1.25, 2.5, 4.5, 7.5, 12.0, 20.0, 36.0])
_ORDER = 8


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Law:
    """Distribution of ln spend; parameters broadcast against each other and the values asked for.

    >>> law = Law(np.log(1e5), 1.2, 1.0, np.array([0.6, 0.4, 0.0, 0.0]))
    >>> round(float(law.cdf(np.log(1e5))), 12)
    0.5
    """

    # location, scale: ln of the median spend, and width: arrays, or PyTensor expressions in the
    # likelihood
    location: Any
    scale: Any
    tail: Any = 1.0  # of the Burr member; 1 where there is none
    # weights: of the families `STACKED`, along a last axis of their own; None: lognormal
    weights: Array | None = None

    def log_density(self, ln_spend: Any) -> Any:
        """Log density of ln T."""
        return self._mixed("log_density", ln_spend)

    def log_cdf(self, ln_spend: Any) -> Any:
        """Log of F(t)."""
        return self._mixed("log_cdf", ln_spend)

    def log_survival(self, ln_spend: Any) -> Any:
        """Log of 1 − F(t)."""
        return self._mixed("log_survival", ln_spend)

    def cdf(self, ln_spend: Value) -> Array:
        """F(t)."""
        if self.weights is None:
            return lognormal.cdf(ln_spend, self.location, self.scale)
        value: Array = np.exp(self.log_cdf(ln_spend))
        return value

    def quantile(self, share: Value) -> Array:
        """Log of the spend within which `share` of the runs end."""
        if self.weights is None:
            return lognormal.quantile(share, self.location, self.scale)
        members = [self._own(name, "quantile", share) for name, _ in self._members()]
        # The quantile of a mixture lies between those of its members.
        below: Array = np.minimum.reduce(np.broadcast_arrays(*members))
        above: Array = np.maximum.reduce(np.broadcast_arrays(*members))
        times = BISECTIONS if len(members) > 1 else 0
        return bisected(lambda x: share - self.cdf(x), below, above, times)

    def limited_mean(self, ln_cap: Value) -> Array:
        """E[min(T, c)] = c ∫ e^(−y) S(ln c − y) dy over y > 0, by panels; exact if lognormal."""
        if self.weights is None:
            return lognormal.limited_mean(ln_cap, self.location, self.scale)
        total: Array | float = 0.0
        for name, weight in self._members():
            if name in ("lognormal", "weibull"):
                own = self._own(name, "limited_mean", ln_cap)
            else:
                at = np.asarray(ln_cap)[..., None] - _NODES
                survival = np.exp(self._with_axis()._own(name, "log_survival", at))
                own = np.exp(ln_cap) * (survival @ _PANEL_WEIGHTS)
            total = total + weight * own
        return np.asarray(total)

    def squared(self) -> "Law":
        """Return the law of T²: ln T² = 2 ln T, so location and scale double in every family."""
        return Law(2.0 * self.location, 2.0 * self.scale, self.tail, self.weights)

    def sampled(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Draws of ln T, of the shape given, against which the parameters broadcast."""
        return self.sampled_below(np.inf, rng, shape)

    def sampled_below(
        self, ln_cap: float, rng: np.random.Generator, shape: tuple[int, ...]
    ) -> Array:
        """Draws of ln T given that it lies below ln_cap: of a member, then within it."""
        members = [("lognormal", np.ones(()))] if self.weights is None else self._members()
        reached = [np.exp(self._own(name, "log_cdf", ln_cap)) for name, _ in members]
        shares = [weight * own for (_, weight), own in zip(members, reached, strict=True)]
        total = np.maximum(sum(shares), LEAST)
        which, share = rng.random(shape) * total, rng.random(shape)
        value, before = np.zeros(shape), np.zeros(())
        for (name, _), own, cdf in zip(members, shares, reached, strict=True):
            chosen = (which >= before) & (which <= before + own)
            inner = np.clip(share * cdf, LEAST, 1.0 - 1e-16)
            value = np.where(chosen, self._own(name, "quantile", inner), value)
            before = before + own
        return value

    def location_information(self, ln_cap: Value) -> Array:
        """Fisher information about the location from a spend that is seen if below the cap.

        It is ∫ f′²/f over ln spends up to ln c, and nothing from what is not seen.
        """
        if self.weights is None:
            z = (ln_cap - self.location) / self.scale
            density = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
            value: Array = (lognormal.cdf(z, 0.0, 1.0) - z * density) / self.scale**2
            return value
        scale = np.asarray(self.scale)
        low = self.location - LOWEST * scale
        end = np.clip(ln_cap, low, self.location + HIGHEST * scale)
        at = np.asarray(low)[..., None] + np.asarray(end - low)[..., None] * _STEPS
        law = self._with_axis()
        log_f = law.log_density(at)
        step = 1e-4 * np.asarray(scale)[..., None]
        slope = (law.log_density(at + step) - law.log_density(at - step)) / (2.0 * step)
        return np.asarray(simpson(slope**2 * np.exp(log_f), x=at, axis=-1))

    def _with_axis(self) -> "Law":
        """Return the law with a new last axis of its parameters."""
        given = (self.location, self.scale, self.tail)
        location, scale, tail = (np.asarray(value)[..., None] for value in given)
        weights = None if self.weights is None else self.weights[..., None, :]
        return Law(location, scale, tail, weights)

    def _mixed(self, function: str, ln_spend: Any) -> Any:
        if self.weights is None:
            return self._own("lognormal", function, ln_spend)
        total: Any = None
        for name, weight in self._members():
            own = self._own(name, function, ln_spend)
            own = own + np.where(weight > 0, np.log(np.maximum(weight, LEAST)), NEVER)
            total = own if total is None else logaddexp(total, own)
        return total

    def _members(self) -> list[tuple[str, Array]]:
        """Families with weight anywhere, and the weight."""
        assert self.weights is not None  # asked for with weights only
        weights = np.asarray(self.weights)
        return [
            (name, weights[..., k]) for k, name in enumerate(STACKED) if (weights[..., k] > 0).any()
        ]

    def _own(self, name: str, function: str, at: Any) -> Any:
        """Return a function of one member, of ln spends or of shares."""
        scale = self.scale if name == "lognormal" else self.scale * WIDTHS[name]
        further = (self.tail,) if name == "burr" else ()
        return getattr(FAMILIES[name], function)(at, self.location, scale, *further)


def _panels() -> tuple[Array, Array]:
    """Nodes y and weights of ∫ e^(−y)·(...) dy."""
    nodes, weights = np.polynomial.legendre.leggauss(_ORDER)
    half = np.diff(_EDGES) / 2.0
    y = (_EDGES[:-1] + half)[:, None] + half[:, None] * nodes
    w = half[:, None] * weights * np.exp(-y)
    return y.reshape(-1), w.reshape(-1)


_NODES, _PANEL_WEIGHTS = _panels()
_STEPS = np.linspace(0.0, 1.0, 801)
