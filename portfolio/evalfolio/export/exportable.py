"""What the workbook and the report are written from."""

from typing import Any, Protocol, runtime_checkable

import pandas as pd

from evalbayes import Menu
from evalbayes.catalogue import Catalogue
from evalbayes.observations import Observations
from evalbayes.posterior import Posterior
from evalfolio.record.record import Record


class Exportable(Protocol):
    """A plan or a recommendation: whatever has a record and the menu it was chosen from."""

    @property
    def record(self) -> Record:
        """What `plan.json` holds."""

    @property
    def menu(self) -> Menu:
        """What could be bought."""


@runtime_checkable
class Drawable(Exportable, Protocol):
    """What also has the curves of its evals, to be drawn in the report."""

    @property
    def curves(self) -> pd.DataFrame:
        """One row per eval."""

    @property
    def curve_grid(self) -> pd.DataFrame:
        """Curves to draw, column eval and see `charts.curve`."""


class Storable(Drawable, Protocol):
    """What a folder is written from: an export that keeps the posterior it rests on."""

    @property
    def posterior(self) -> Posterior:
        """Belief after the observations, kept as `posterior.nc`."""

    @property
    def catalogue(self) -> Catalogue:
        """What could be run, with the names of tasks."""

    @property
    def observations(self) -> Observations | None:
        """Results so far, which name tasks too; None where a stored posterior was used."""

    @property
    def proof(self) -> dict[str, Any]:
        """What `certificate.json` holds."""
