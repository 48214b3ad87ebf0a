"""The AI model under test, how long decisions about it stand, and its relatives."""

from __future__ import annotations

from collections.abc import Mapping

from evalbayes.catalogue.quantities import Day, Positive, PositiveShare, Text
from evalbayes.catalogue.tables import Spec


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


class AiModelSpec(Spec):
    """One [[ai_model]]: what is known of an AI model beside its runs.

    Parameters
    ----------
    name
        As in the observations; it need not occur there.
    released
        Day of its release. Dates count once every AI model of a fit has one: capability then
        rises with them, and an AI model without runs is placed by its own.
    lineage
        What it has in common with its relatives, say "GPT-5" for GPT-5, GPT-5 mini and GPT-5.1:
        they lie near each other, so runs of some tell of the others.
    notes
        Free text, e.g. sources.
    """

    name: Text
    released: Day | None = None
    lineage: Text | None = None
    notes: str = ""


def undated(models: Mapping[str, AiModelSpec], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the names that have no release date."""
    return tuple(name for name in names if name not in models or models[name].released is None)
