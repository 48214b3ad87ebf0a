"""Evals without limit: what each could tell at most, run on ever more tasks at every effort."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalbayes.menu import Menu
from evalbayes.menus.offer import MAX_ELICITATION
from evalbayes.menus.reading import UNLIMITED, reading_of
from evalbayes.menus.stakes import decisions_of
from evalbayes.menus.states import states_of
from evalbayes.posterior.placing import placed

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue
    from evalbayes.posterior.posterior import Posterior


def unlimited_menu(posterior: Posterior, catalogue: Catalogue) -> Menu:
    """Return a menu of one free option per eval: its readings without sampling noise.

    Named "cybench / without limit". What is left of their noise are the eval's own errors, of
    validity and of the gap, so the value of a set of them is the EVPPI of what those evals measure:
    no plan with them is worth more, whatever it runs of them.
    """
    m = posterior.index_of("ai_model", catalogue.portfolio.ai_model)
    posterior = placed(posterior, catalogue)
    states = states_of(posterior, catalogue)
    names, rows, information = [], [], []
    for spec in catalogue.evals:
        i = posterior.index_of("eval", spec.name)
        efforts = tuple(sorted({0.0, min(spec.effort_repaired, spec.effort_max), spec.effort_max}))
        reading = reading_of(posterior, states, i, m, efforts)
        names.append(f"{spec.name} / without limit")
        rows.append({"eval": spec.name, "domain": spec.domain, "tier": MAX_ELICITATION, "usd": 0.0})
        information.append(reading.information(UNLIMITED * reading.margin_variance))
    return Menu(
        options=pd.DataFrame(rows, index=pd.Index(names, name="option")),
        resources=("usd",),
        information=np.stack(information),
        states=states.names,
        prior_mean=states.mean,
        prior_covariance=states.covariance,
        decisions=decisions_of(catalogue, states, posterior),
        skewed=states.skewed,
    )
