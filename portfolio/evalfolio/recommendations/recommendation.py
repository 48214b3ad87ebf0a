"""A recommendation: the plan with everything that explains it, as the exports need it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from evalbayes import Menu
    from evalbayes.catalogue import Catalogue
    from evalbayes.observations import Observations
    from evalbayes.posterior.posterior import Posterior
    from evalfolio.plans.plan import Plan
    from evalfolio.record.record import Record
    from evalfolio.sensitivities.frontiers import Frontier
    from evalfolio.sensitivities.mixes import Tornado


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Recommendation:
    """What `evalfolio recommend` found, before it is written anywhere.

    Parameters
    ----------
    catalogue, observations
        The inputs; observations is None where a stored posterior was used.
    posterior
        Belief after the observations.
    menu
        What could be bought.
    plan
        The certified mix.
    curves
        One row per eval: plateau, sweet spot, saturation point and class, of the AI model under
        test.
    curve_grid
        Success within a cap and expected spend by cap, with intervals, for drawing.
    comparisons
        Other ways to spend the same budget, valued alike; the first row is the plan.
    frontier
        The best mixes at other budgets in usd, the other budgets held; None where not asked for.
    tornado
        The best mixes with every assumed figure moved; None where not asked for.
    """

    catalogue: Catalogue
    observations: Observations | None
    posterior: Posterior
    menu: Menu
    plan: Plan
    curves: pd.DataFrame
    curve_grid: pd.DataFrame
    comparisons: pd.DataFrame
    frontier: Frontier | None = None
    tornado: Tornado | None = None

    @property
    def record(self) -> Record:
        """What `plan.json` holds; every export is written from it."""
        return self.plan.record

    @property
    def proof(self) -> dict[str, Any]:
        """What `certificate.json` holds."""
        return self.plan.proof

    def __str__(self) -> str:
        return f"{self.record.words.mix}\n{self.record.words.hangs_on}"
