"""Decisions about a lognormal elicitation gap: their exact value, and a stand-in to choose by."""

from evalfolio.value.skew.calls import Calls, OneGap, SeveralGaps, calls_of
from evalfolio.value.skew.gap import SkewedGap
from evalfolio.value.skew.index import Index
from evalfolio.value.skew.outcome import Outcome, outcome_of
from evalfolio.value.skew.sloped import Sloped
from evalfolio.value.skew.stand_in import StandIn, fitted, stand_in_of

__all__ = [
    "Calls",
    "Index",
    "OneGap",
    "Outcome",
    "SeveralGaps",
    "SkewedGap",
    "Sloped",
    "StandIn",
    "calls_of",
    "fitted",
    "outcome_of",
    "stand_in_of",
]
