"""What if spend were of another family: the same medians and spreads, another shape."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from evalbayes.errors import InputError

if TYPE_CHECKING:
    from evalbayes.posterior import Posterior

# Sd of ln spend at scale 1: a normal's, a logistic's and a Gumbel's.
SPREADS = {
    "lognormal": 1.0,
    "hill": float(np.pi / np.sqrt(3.0)),
    "weibull": float(np.pi / np.sqrt(6.0)),
}


def with_success_family(posterior: Posterior, family: str) -> Posterior:
    """Return the posterior with the spend of successes of another family.

    Every draw keeps its median and its sd of ln spend; what changes is the shape, above all the
    upper tail (heavier for "hill", lighter for "weibull"). It is a question about the menu, not
    another fit: for what the runs say of the families see `compare_families`.

    Raises
    ------
    InputError
        If the family is not one of `SPREADS`.
    """
    if family not in SPREADS:
        raise InputError(f"curve family must be one of {', '.join(SPREADS)}, got {family!r}")
    ratio = SPREADS[posterior.success_family] / SPREADS[family]
    draws = {**posterior.draws, "success_scale": posterior.draws["success_scale"] * ratio}
    return replace(posterior, draws=draws, success_family=family)
