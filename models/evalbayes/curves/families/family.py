"""A family of spends as a value: its functions, its parameters and their default priors."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from evalbayes.curves.families import burr, hill, loglinear, lognormal, weibull
from evalbayes.errors import InputError

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
    def of(cls, module: ModuleType, *, plateau: bool = True) -> "Family":
        """Return the family that a module of curves describes."""
        functions = {name: getattr(module, name) for name in FUNCTIONS}
        name = module.__name__.rpartition(".")[2]
        return cls(name=name, **functions, priors=module.DEFAULT_PRIORS, plateau=plateau)


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family.of(lognormal),
        Family.of(hill),
        Family.of(weibull),
        Family.of(burr),
        Family.of(loglinear, plateau=False),
    )
}
