"""Where an AI model comes from: its release date and its relatives, as the model uses them."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from evalbayes.arrays import Array, Index
from evalbayes.catalogue import Catalogue
from evalbayes.catalogue.catalogue import undated

DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Ancestry:
    """Release dates and lineages of the AI models of a fit."""

    # years: of release, about the mean of all: of shape (n_models,). Zeros where not all have a
    # date.
    years: Array
    dated: bool  # whether release dates count: every AI model has one, and they differ
    # lineages: names of the lineages of two or more of the AI models; one of one would tell nothing
    lineages: tuple[str, ...]
    lineage_of: Index  # index of every AI model's, −1 for none


def ancestry_of(catalogue: Catalogue, ai_models: tuple[str, ...]) -> Ancestry:
    """Look up what the catalogue says of the AI models of a fit."""
    known = catalogue.known_models
    years = np.zeros(len(ai_models))
    if not undated(known, ai_models):
        released = [known[name].released or date.min for name in ai_models]  # all have one
        years = np.array([day.toordinal() for day in released]) / DAYS_PER_YEAR
        years = years - years.mean()
    named = [known[name].lineage if name in known else None for name in ai_models]
    lineages = tuple(sorted({name for name in named if name and named.count(name) > 1}))
    return Ancestry(
        years,
        bool(np.ptp(years) > 0),
        lineages,
        np.array([lineages.index(name) if name in lineages else -1 for name in named]),
    )
