"""A family of spends as a value: its functions, its parameters and their default priors."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from scipy.special import gammainc, gammaln

from evalbayes.arrays import Array, Value
from evalbayes.curves.families import burr, lognormal
from evalbayes.curves.families.special import (
    exp,
    limited_mean_of,
    log,
    log1mexp,
    log_expit,
    log_softplus,
    softplus,
)
from evalbayes.errors import InputError

LN_LN2 = float(np.log(np.log(2.0)))
ROUNDING = 0.05
_LN_MISSED = float(np.log1p(-np.exp(-1.0 / ROUNDING)))
FUNCTIONS = ("log_density", "log_cdf", "log_survival", "quantile", "limited_mean")


@dataclass(frozen=True, eq=False)
class Family:
    """A distribution of spend, given by functions of ln spend (or a share) and the parameters.

    >>> FAMILIES["burr"].shapes
    ('scale', 'tail')
    """

    name: str  # as shown in tables
    # log_density, log_cdf, log_survival: of ln T, at (ln_spend, location, *shapes); numpy arrays
    # and PyTensor expressions alike
    log_density: Callable[..., Any]
    log_cdf: Callable[..., Any]
    log_survival: Callable[..., Any]
    # ln of the spend within which a share of the runs end, at (share, location, *shapes)
    quantile: Callable[..., Any]
    limited_mean: Callable[..., Any]  # E[min(T, c)], at (ln_cap, location, *shapes)
    # for every shape, a lognormal prior {"mean_ln": ..., "sd_ln": ...}. The location, ln of the
    # median spend, has none: it depends on the unit
    priors: Mapping[str, Mapping[str, float]]
    # whether it goes with a plateau A < 1; False for a baseline on which every run would succeed
    # with enough spend
    plateau: bool = True

    def __post_init__(self) -> None:
        for function in FUNCTIONS:
            names = tuple(inspect.signature(getattr(self, function)).parameters)[1:]
            if names != ("location", *self.priors):
                raise InputError(
                    f"{function} of the family {self.name!r} must take a value, then location and "
                    f"the shapes that have priors, {', '.join(self.priors)}; it takes "
                    f"{', '.join(names) or 'nothing more'}: rename its arguments or the priors"
                )

    @property
    def shapes(self) -> tuple[str, ...]:
        """Names of the parameters after the location."""
        return tuple(self.priors)

    @classmethod
    def of(cls, module: ModuleType) -> "Family":
        """Return the family that a module of curves describes."""
        functions = {name: getattr(module, name) for name in FUNCTIONS}
        name = module.__name__.rpartition(".")[2]
        return cls(name=name, **functions, priors=module.DEFAULT_PRIORS)


def located(
    name: str,
    log_density: Callable[[Any], Any],
    log_cdf: Callable[[Any], Any],
    log_survival: Callable[[Any], Any],
    quantile: Callable[[Array], Array],
    mean_scale: float,
    limited_mean: Callable[..., Array] | None = None,
    *,
    plateau: bool = True,
) -> Family:
    """Return a family with a place and a width alone, ln T = location + scale · Z, by the law of Z.

    Functions are of z = (ln t − location)/scale, or a share. With `mean_scale` the spread of ln T
    is that of the lognormal's default. E[min(T, c)] is by quadrature where it is not given.

    >>> round(float(FAMILIES["hill"].limited_mean(np.log(9.0), 0.0, 1.0) / np.log(10.0)), 8)
    1.0
    """

    def density(ln_spend: Any, location: Any, scale: Any) -> Any:
        return log_density((ln_spend - location) / scale) - log(scale)

    def cdf(ln_spend: Any, location: Any, scale: Any) -> Any:
        return log_cdf((ln_spend - location) / scale)

    def survival(ln_spend: Any, location: Any, scale: Any) -> Any:
        return log_survival((ln_spend - location) / scale)

    def inverse(share: Value, location: Value, scale: Value) -> Array:
        return np.asarray(location + scale * quantile(np.asarray(share, dtype=float)))

    def mean(ln_cap: Value, location: Value, scale: Value) -> Array:
        return limited_mean_of(survival, inverse, ln_cap, location, scale)

    priors = {"scale": {"mean_ln": float(np.log(mean_scale)), "sd_ln": 0.4}}
    return Family(name, density, cdf, survival, inverse, limited_mean or mean, priors, plateau)


def _weibull_mean(ln_cap: Value, location: Value, scale: Value) -> Array:
    """E[min(T, c)] = m (ln 2)^(−scale) Γ(1 + scale) P(scale, y(c)), P the regularised gamma.

    A constant hazard λ = ln 2/m (scale 1) gives (1 − e^(−λc))/λ:

    >>> rate, mean = np.log(2.0), _weibull_mean(np.log(3.0), 0.0, 1.0)
    >>> round(float(mean * rate / -np.expm1(-3.0 * rate)), 10)
    1.0
    """
    ln_y = (np.asarray(ln_cap, dtype=float) - location) / scale + LN_LN2
    # Below, P(s, y) underflows for large s: there S is 1 and the mean is the cap itself.
    ln_whole = location - scale * LN_LN2 + gammaln(1.0 + np.asarray(scale))
    share = gammainc(np.broadcast_to(scale, ln_y.shape), exp(ln_y))
    with np.errstate(divide="ignore"):
        value: Array = np.exp(np.minimum(ln_whole + np.log(share), ln_cap))
    return np.where(ln_y < -20.0, np.exp(ln_cap), value)


def _line(z: Any) -> Any:
    # expit(a) − expit(b) = expit(a) expit(−b) (1 − e^(b − a))
    return log_expit((z + 0.5) / ROUNDING) + log_expit((0.5 - z) / ROUNDING) + _LN_MISSED


def _line_cdf(z: Any) -> Any:
    # softplus(a) − softplus(b) = softplus(a + ln(1 − e^(b − a)) − softplus(b))
    inner = (z + 0.5) / ROUNDING + _LN_MISSED - softplus((z - 0.5) / ROUNDING)
    return log_softplus(inner) + float(np.log(ROUNDING))


def _line_quantile(share: Array) -> Array:
    # From e^(F/ROUNDING) = (1 + w)/(1 + w e^(−1/ROUNDING)), w = e^a
    upper = np.log(np.expm1(share / ROUNDING)) - np.log(-np.expm1((share - 1.0) / ROUNDING))
    return np.asarray(ROUNDING * upper - 0.5)


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family.of(lognormal),
        # Log-logistic: F(t) = 1/(1 + (m/t)^(1/scale)), m = e^location the median. Its upper tail
        # is a power law, S(t) ~ (m/t)^(1/scale): heavier than the lognormal's. The sd of Z: π/√3.
        located(
            "hill",
            lambda z: log_expit(z) + log_expit(-z),
            log_expit,
            lambda z: log_expit(-z),
            lambda share: np.log(share) - np.log1p(-share),
            1.3 * np.sqrt(3.0) / np.pi,
        ),
        # F(t) = 1 − 2^(−(t/m)^(1/scale)), of the usual shape κ = 1/scale. The hazard falls with
        # spend where scale > 1 (seen in most AI models), is constant at 1 and rises below. Its
        # upper tail is the lightest of the families. The sd of Z: π/√6.
        located(
            "weibull",
            lambda z: (z + LN_LN2) - exp(z + LN_LN2),
            lambda z: log1mexp(z + LN_LN2),
            lambda z: -exp(z + LN_LN2),
            lambda share: np.log(-np.log1p(-share)) - LN_LN2,
            1.3 * np.sqrt(6.0) / np.pi,
            _weibull_mean,
        ),
        Family.of(burr),
        # The baseline: success grows along a straight line in ln spend, with no plateau. ln T is
        # uniform over `scale` e-folds around location, its two corners rounded by logistic noise
        # of `ROUNDING` of that width, so that a run just outside is unlikely rather than
        # impossible: every e-fold buys the same further share of the runs, 1/scale, until all have
        # ended. The sd of a uniform is 1/√12 of its width.
        located(
            "loglinear",
            _line,
            _line_cdf,
            lambda z: _line_cdf(-z),  # the line is symmetric about its middle
            _line_quantile,
            1.3 * np.sqrt(12.0),
            plateau=False,
        ),
    )
}
