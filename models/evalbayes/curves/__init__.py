"""Spend-to-outcome curves: what a cap buys and what it costs."""

from evalbayes.curves.curve import Curve as Curve
from evalbayes.curves.verdict import Verdict as Verdict
from evalbayes.curves.verdict import verdict as verdict
