"""Assumed figures: what a plan rests on, and the range each is tried over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalfolio.errors import InputError

# Kinds that only enter the menu's decisions, prior, prices and hours.
ON_MENU = (
    "threshold",
    "loss_missed",
    "loss_false_alarm",
    "later_gain",
    "gap",
    "gap_sd",
    "shown_sd",
    "price",
    "staff_hours",
    "elicitation_hours",
    "review",
)
# Kinds that change what the options tell: the menu is built again from the posterior's draws.
ON_INPUTS = ("gap_spread", "validity_sd", "effort", "curve_family")
KINDS = (*ON_MENU, *ON_INPUTS)

HOURS = ("staff_hours", "elicitation_hours", "review")
# Kinds that change what options cost or which there are: a mix cannot be held against them.
ON_COSTS = ("price", *HOURS, "curve_family")
FAMILIES = {-1.0: "weibull", 0.0: "lognormal", 1.0: "hill"}

WORDS = {
    "threshold": "danger threshold",
    "loss_missed": "loss of a missed danger (factor)",
    "loss_false_alarm": "loss of a false alarm (factor)",
    "later_gain": "post-training gain per year",
    "gap_sd": "uncertainty of the elicitation gap (factor)",
    "shown_sd": "uncertainty of the shown capability (factor)",
    "price": "price of spend (factor)",
    "staff_hours": "staff hours of running (factor)",
    "elicitation_hours": "staff hours of elicitation (factor)",
    "review": "review minutes per run (factor)",
    "gap": "size of the elicitation gap (factor)",
    "gap_spread": "spread of the gap between evals (factor)",
    "validity_sd": "validity error (factor)",
    "effort": "effort of max elicitation (factor)",
    "curve_family": "curve family (-1 Weibull, 0 lognormal, 1 Hill)",
}


@dataclass(frozen=True)
class Assumed:
    """One assumed figure and the range it is tried over.

    Parameters
    ----------
    kind
        What it is, one of `KINDS`. `threshold` and `later_gain` (gain still to come, per year) are
        in the domain's unit; `curve_family` is -1, 0 or 1 for spends whose upper tail is lighter
        than, equal to or heavier than the lognormal's, as `FAMILIES` names them; the others are
        factors on the figure of the catalogue or on the belief of the posterior: `loss_missed`,
        `loss_false_alarm`, `gap_sd` and `shown_sd` (how uncertain gap and shown capability are),
        `price` (of all spend), `staff_hours` (to run an eval), `elicitation_hours`, `review`
        (minutes per run), `gap` (its size), `gap_spread` (κ), `validity_sd` (ω) and `effort` (of
        max elicitation).
    domain
        The domain it belongs to, for thresholds and losses the decision; empty for figures of all
        evals.
    low, mid, high
        Ends of the range and the value in use.
    given
        Whether the range is the catalogue's or the posterior's own, not a default one.
    """

    kind: str
    domain: str
    low: float
    mid: float
    high: float
    given: bool

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(
                f"kind of an assumption must be one of {', '.join(KINDS)}, got {self.kind!r}"
            )
        if not self.low <= self.mid <= self.high:
            raise InputError(
                f"{self.name}: low, mid and high must rise, got {self.low:g}, {self.mid:g}, "
                f"{self.high:g}; swap them"
            )
        if self.kind == "curve_family" and not {self.low, self.mid, self.high} <= set(FAMILIES):
            raise InputError(
                f"{self.name}: low, mid and high must be -1, 0 or 1, got {self.low:g}, "
                f"{self.mid:g}, {self.high:g}"
            )

    @property
    def name(self) -> str:
        """The figure in words."""
        return f"{self.domain or 'all evals'}: {WORDS[self.kind]}"


def levels_of(assumed: Sequence[Assumed], values: Sequence[float]) -> dict[Assumed, float]:
    """Return the levels of several figures at once."""
    return dict(zip(assumed, values, strict=True))
