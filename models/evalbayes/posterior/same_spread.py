"""What if spend were of another family: the same medians and spreads, another shape."""

from dataclasses import replace

import numpy as np

from evalbayes.curves.law import STACKED
from evalbayes.errors import InputError
from evalbayes.posterior.posterior import Posterior

OFFERED = ("lognormal", "hill", "weibull")


def with_success_family(posterior: Posterior, family: str) -> Posterior:
    """Return the posterior with the spend of successes of one family in every draw.

    Every draw keeps its median and its sd of ln spend; what changes is the shape, above all the
    upper tail (heavier for "hill", lighter for "weibull"). It is a question about the menu, not
    another fit: what the runs say of the families is in `Posterior.spend_families`.
    """
    if family not in OFFERED:
        raise InputError(f"curve family must be one of {', '.join(OFFERED)}, got {family!r}")
    shape = posterior.draws["spend_family"].shape
    draws = {
        **posterior.draws,
        "spend_family": np.full(shape, float(STACKED.index(family))),
        "spend_tail": np.ones(shape),
    }
    weights = np.tile(np.eye(len(STACKED))[STACKED.index(family)], (len(posterior.evals), 1))
    return replace(posterior, draws=draws, spend_weights=weights)
