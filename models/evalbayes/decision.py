"""A decision: mitigate or not, by which rule, and what either mistake would lose."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.special import ndtr

from evalbayes.arrays import Array, Flags
from evalbayes.errors import InputError

MOST = 1e12  # beyond it squares and inverses lose all their digits
PLACE = re.compile(r"(.*?)(?:@-?[0-9.e+-]+)?")


class State(NamedTuple):
    """Name of a state of a menu, built and read here alone.

    >>> str(State(knot("cyber", 5.4), "gap")), State.read("cyber@5.4.gap").domain
    ('cyber@5.4.gap', 'cyber')
    >>> State.read("ctf.family"), State.read("slope").domain
    (State(of='ctf', part='family'), '')
    """

    of: str  # the knot of a domain, see `knot`; a family or an eval
    part: str  # "shown" or "gap"; "family", "error"

    def __str__(self) -> str:
        return f"{self.of}.{self.part}"

    @classmethod
    def read(cls, name: str) -> Self:
        """Return what a name says; blank of states of another kind, such as slopes."""
        of, _, part = name.rpartition(".")
        return cls(of, part)

    @property
    def domain(self) -> str:
        """Domain whose capability it is a part of; blank of other states."""
        found = PLACE.fullmatch(self.of)
        return found[1] if found and self.part in ("shown", "gap") else ""


def knot(domain: str, place: float | None = None) -> str:
    """Return the name of a place on a domain's scale: its own at the (first) threshold."""
    return domain if place is None else f"{domain}@{place:.4g}"


def parts_of(states: Iterable[str], part: str, domain: str = "") -> Flags:
    """Say which states are shown capabilities, or gaps, of any domain or of one.

    >>> parts_of(("cyber.shown", "cyber.gap", "bio@2.gap", "slope"), "gap").tolist()
    [False, True, True, False]
    """
    read = map(State.read, states)
    found = [s.part == part and bool(s.domain) and s.domain == (domain or s.domain) for s in read]
    return np.array(found, dtype=bool)


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Decision:
    """One call, mitigate or not, about y = contrast · z + later gain.

    A domain has one decision, or one per level; a decision may also weigh several domains.

    InputError if a loss is not positive, the sd is negative, a number is not finite, or the rule's
    probability is not between 0 and 1.

    Parameters
    ----------
    name
        Name of the decision; by default its domain's.
    contrast
        Weights on the states, of shape (n_states,).
    threshold
        Danger threshold of y, in the domain's unit.
    loss_missed
        Loss per unit of y above the threshold when not mitigated; above 0.
    loss_false_alarm
        Loss per unit of y below the threshold when mitigated; above 0.
    later_gain_mean, later_gain_sd
        Mean and sd of the gain still to come before the horizon, which no option can resolve.
    mitigate_above
        The rule, where one is stated: mitigate when P(y above the threshold) is above this. The
        calls follow it under the belief as it is. Without it they are those that lose least.
    held_against
        In words, the budget of the adversary that y is the capability at; "": without limit.

    Examples
    --------
    >>> decision = Decision("cyber", np.array([1.0, 1.0]), 8.9, loss_missed=9, loss_false_alarm=1)
    >>> decision.threshold
    8.9
    """

    name: str
    contrast: Array
    threshold: float
    loss_missed: float
    loss_false_alarm: float
    later_gain_mean: float = 0.0
    later_gain_sd: float = 0.0
    mitigate_above: float | None = None
    held_against: str = ""

    def domains(self, states: Sequence[str]) -> tuple[str, ...]:
        """Return the domains whose capability it weighs, of states named "cyber.shown" and so on.

        Capability at another difficulty than the domain's (first) threshold is "cyber@5.4.shown".
        Its own name where no state is a domain's.

        Examples
        --------
        >>> both = Decision("any", np.array([0.5, 0.5, 0.5]), 8.9, 9.0, 1.0)
        >>> both.domains(["cyber.shown", "cyber.gap", "bio.shown"])
        ('cyber', 'bio')
        """
        parts = [
            State.read(name).domain
            for name, weight in zip(states, self.contrast, strict=True)
            if weight and State.read(name).domain
        ]
        return tuple(dict.fromkeys(parts)) or (self.name,)

    def __post_init__(self) -> None:
        contrast = np.asarray(self.contrast, dtype=np.float64)
        if contrast.ndim != 1:
            raise InputError(
                f"decision {self.name!r}: contrast must have one weight per state, "
                f"got an array of shape {contrast.shape}; give a one-dimensional array"
            )
        object.__setattr__(self, "contrast", contrast)
        numbers = {
            "threshold": self.threshold,
            "loss_missed": self.loss_missed,
            "loss_false_alarm": self.loss_false_alarm,
            "later_gain_mean": self.later_gain_mean,
            "later_gain_sd": self.later_gain_sd,
        }
        for key, value in numbers.items():
            if not _is_number(value):
                raise InputError(
                    f"decision {self.name!r}: {key} must be finite, within ±{MOST:g}, got "
                    f"{str(value)[:40]}"
                )
        if not (np.abs(contrast) <= MOST).all():
            raise InputError(
                f"decision {self.name!r}: contrast must be finite, within ±{MOST:g}, got {contrast}"
            )
        for key in ("loss_missed", "loss_false_alarm"):
            if numbers[key] <= 0:
                raise InputError(
                    f"decision {self.name!r}: {key} must be above 0, got {numbers[key]:g}; "
                    "a decision in which one mistake costs nothing needs no evals"
                )
        if self.later_gain_sd < 0:
            raise InputError(
                f"decision {self.name!r}: later_gain_sd must be 0 or more, "
                f"got {self.later_gain_sd:g}"
            )
        rule = self.mitigate_above
        if rule is not None and not (_is_number(rule) and 0 < rule < 1):
            raise InputError(
                f"decision {self.name!r}: mitigate_above must be a probability above 0 and below "
                f"1, got {str(rule)[:40]}; 0.1 means: mitigate when the probability of "
                "exceeding the threshold is above 10 %"
            )

    def expected_losses(self, y: Array) -> Array:
        """Loss of not mitigating and of mitigating at every y, later gain averaged, (2, n)."""
        sd = max(self.later_gain_sd, 1e-9)
        z = (y + self.later_gain_mean - self.threshold) / sd
        density = np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
        above = sd * (density + z * ndtr(z))
        below = sd * (density - z * ndtr(-z))
        return np.stack([self.loss_missed * above, self.loss_false_alarm * below])


def _is_number(value: object) -> bool:
    number: Any = value.item() if isinstance(value, np.generic) else value
    return type(number) in (int, float) and bool(abs(number) <= MOST)
