"""An interval: where a figure lies with a probability of 90 %."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from evalbayes.catalogue.quantities import number

Z95 = 1.6448536269514722  # standard normal quantile at 0.95: a 90 % interval is mean ± Z95 · sd


@dataclass(frozen=True)
class Interval:
    """A 90 % interval, or an exact number where both ends agree.

    ValueError if an end is no finite number, or low is above high.

    >>> Interval(0.2, 2.5).mid
    1.35
    >>> mean, sd = Interval(0.0, 3.289707).normal()
    >>> round(mean, 3), round(sd, 3)
    (1.645, 1.0)
    """

    low: float  # low, high: the 5 % and 95 % quantiles; low must not be above high
    high: float

    def __post_init__(self) -> None:
        for key in ("low", "high"):
            object.__setattr__(self, key, number(getattr(self, key)))
        if self.low > self.high:
            raise ValueError(
                f"must be an interval from low to high, got [{self.low:g}, {self.high:g}]; "
                "swap the two ends"
            )

    @classmethod
    def of(cls, value: Any) -> "Interval":
        """Read `[low, high]`, `{low, high}`, one exact number, or an interval.

        >>> Interval.of([3, 9])
        Interval(low=3.0, high=9.0)
        >>> Interval.of(8.9).exact
        True
        """
        if isinstance(value, Interval):
            return value
        if isinstance(value, Mapping) and set(value) == {"low", "high"}:
            return cls(value["low"], value["high"])
        if isinstance(value, Sequence) and not isinstance(value, str):
            if len(value) != 2:
                raise ValueError(
                    f"must be a number or an interval [low, high], got {list(value)}; "
                    "give the two ends of a 90 % interval"
                )
            return cls(value[0], value[1])
        exact = number(value)
        return cls(exact, exact)

    @property
    def exact(self) -> bool:
        """Whether this is one number."""
        return self.low == self.high

    @property
    def mid(self) -> float:
        """Midpoint: the mean and median where the figure is normal."""
        return (self.low + self.high) / 2

    @property
    def lognormal_mean(self) -> float:
        """Mean exp(m + s²/2) where the figure is lognormal; ends must be positive or alike."""
        if self.exact:
            return self.low
        mean, sd = self.lognormal()
        return math.exp(mean + sd**2 / 2)

    def normal(self) -> tuple[float, float]:
        """Return mean and sd of the normal with this 90 % interval."""
        return self.mid, (self.high - self.low) / (2 * Z95)

    def lognormal(self) -> tuple[float, float]:
        """Return mean and sd of ln x of the lognormal with this 90 % interval."""
        if self.low <= 0:
            raise ValueError(f"a lognormal interval must be above 0, got [{self.low:g}, ...]")
        low, high = math.log(self.low), math.log(self.high)
        return (low + high) / 2, (high - low) / (2 * Z95)

    def __str__(self) -> str:
        return f"{self.low:g}" if self.exact else f"[{self.low:g}, {self.high:g}]"


AnyInterval = Annotated[Interval, BeforeValidator(Interval.of)]


def _ends(holds: Callable[[Interval], bool], rule: str, cure: str) -> AfterValidator:
    """Return a check of the intervals for which a rule holds."""

    def ruled(interval: Interval) -> Interval:
        if not holds(interval):
            raise ValueError(f"must {rule}, got {interval}; {cure}")
        return interval

    return AfterValidator(ruled)


_ABOVE = _ends(lambda x: x.low > 0, "be above 0", "give a small positive lower end")
_FROM_0 = _ends(lambda x: x.low >= 0, "be 0 or more", "give 0 as the lower end")
_INSIDE = _ends(
    lambda x: 0 < x.low <= x.high < 1,
    "lie strictly between 0 and 1",
    "write [0.01, 0.99] for anything",
)
_A_PRICE = _ends(
    lambda x: x.low > 0 or x.exact,
    "be one number or a range above 0",
    "give a small positive lower end",
)
PositiveInterval = Annotated[AnyInterval, _ABOVE]
NotNegativeInterval = Annotated[AnyInterval, _FROM_0]
Price = Annotated[NotNegativeInterval, _A_PRICE]
InnerShareInterval = Annotated[AnyInterval, _INSIDE]
