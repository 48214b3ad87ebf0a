"""An AI model: when it was released, and whose relative it is."""

from __future__ import annotations

from collections.abc import Mapping

from evalbayes.catalogue.quantities import Day, Text
from evalbayes.catalogue.spec import Spec


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
