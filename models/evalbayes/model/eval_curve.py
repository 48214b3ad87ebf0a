"""The spend-to-outcome curve of one eval and AI model at an elicitation effort, draw by draw."""

import numpy as np

from evalbayes.curves import Curve
from evalbayes.model.priors import EFFORT_SPEND
from evalbayes.posterior.posterior import Posterior

EDGE = 1e-9  # plateaus are kept this far from 0 and 1


def eval_curve(posterior: Posterior, i: int, m: int, effort: float = 0.0) -> Curve:
    """Return the curve, fields of shape (n_draws,), in ln of the eval's spend unit.

    Elicited agents go on for longer: ln spend grows by `EFFORT_SPEND` per unit of effort.
    """
    longer = effort * EFFORT_SPEND[0]
    plateau = posterior.plateau(posterior.ai_models[m], effort, [i])[:, 0]
    return Curve(
        plateau=np.clip(plateau, EDGE, 1.0 - EDGE),
        success_location=posterior.draws["success_location"][:, i, m] + longer,
        success_scale=posterior.draws["spend_width"][:, i, m],
        gave_up_location=posterior.draws["gave_up_location"][:, i, m] + longer,
        gave_up_scale=posterior.draws["gave_up_scale"][:, i],
        tail=posterior.draws["spend_tail"][:, i, m],
        weights=posterior.spend_families_drawn(i, m),
    )
