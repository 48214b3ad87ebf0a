"""Decisions about a lognormal elicitation gap: their exact value, and a stand-in to choose by."""

from evalfolio.value.skew.calls import OneGap as OneGap
from evalfolio.value.skew.calls import calls_of as calls_of
from evalfolio.value.skew.gap import SkewedGap as SkewedGap
from evalfolio.value.skew.index import Index as Index
from evalfolio.value.skew.outcome import outcome_of as outcome_of
from evalfolio.value.skew.sloped import Sloped as Sloped
from evalfolio.value.skew.stand_in import fitted as fitted
from evalfolio.value.skew.stand_in import stand_in_of as stand_in_of
