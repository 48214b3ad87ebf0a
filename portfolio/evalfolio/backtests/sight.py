"""Sight: what the runs bought so far have shown a strategy that buys in stages."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from evalfolio.backtests.design import Design
from evalfolio.backtests.market import Market
from evalfolio.backtests.teaching import Foresight


class Sight:
    """What the runs bought so far have shown.

    Parameters
    ----------
    runs
        As they came out under the caps paid for.
    foretell
        Reads them, and tells what further runs would show and cost.
    """

    def __init__(self, runs: pd.DataFrame, foretell: Callable[[pd.DataFrame], Foresight]) -> None:
        self.runs, self._foretell = runs, foretell

    @property
    def spent(self) -> float:
        """What the runs have really spent."""
        return float(self.runs["spend"].sum())

    @cached_property
    def foresight(self) -> Foresight:
        """What further runs would show and cost."""
        return self._foretell(self.runs)


@runtime_checkable
class Staged(Protocol):
    """Decides in stages, and sees what the runs bought so far have shown before it buys more."""

    def stages(
        self, market: Market, budget: float, rng: np.random.Generator
    ) -> Generator[Design, Sight, Design]:
        """Yield all runs to have bought so far, be sent a `Sight`, and at last return all.

        Every design holds the one before, caps and attempts not less; what it adds is expected to
        spend no more than what is really left of the budget.
        """
        ...
