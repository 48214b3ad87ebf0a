"""The portfolio: which AI model is under test, and how long the decisions stand."""

from __future__ import annotations

from evalbayes.catalogue.quantities import Positive, PositiveShare, Text
from evalbayes.catalogue.spec import Spec


class PortfolioSpec(Spec):
    """Table [portfolio].

    Parameters
    ----------
    ai_model
        The AI model under test; it may or may not occur in the observations.
    horizon_months
        Months the decisions stand, over which elicitation goes on improving.
    best_of_k_effort
        Elicitation effort that best-of-k stands for: then repeats of runs as they come are read as
        pairs, single and best-of-k, which teach the elicitation gap. None: each is a run by itself.
    """

    ai_model: Text
    horizon_months: Positive
    best_of_k_effort: PositiveShare | None = None
