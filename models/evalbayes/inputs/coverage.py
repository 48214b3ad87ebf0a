"""Coverage: every eval must be known by observations or by the money a run takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalbayes.catalogue.catalogue import Catalogue
from evalbayes.errors import InputError

if TYPE_CHECKING:
    from evalbayes.observations import Observations


def check_covered(catalogue: Catalogue, observations: Observations | None) -> None:
    """Refuse an eval that has neither observations nor `usd_per_run`.

    Raises
    ------
    InputError
        Naming all such evals.
    """
    seen = set(observations.evals) if observations is not None else set()
    bare = [e.name for e in catalogue.evals if e.name not in seen and e.usd_per_run is None]
    if bare:
        raise InputError(
            "catalogue: every eval must have observations or usd_per_run, got neither for "
            f"{', '.join(bare)}; add usd_per_run = [low, high] or give its results"
        )
