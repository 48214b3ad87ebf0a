"""The population: draws of the tasks, and of the prior of a further AI model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalbayes.responses.spending import Spending
from evalbayes.responses.table import Tasks

Array = NDArray[np.float64]

NODES = 7  # of the effect of task and AI model together


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Population:
    """Draws of tasks, and of the prior of a further AI model; axis 0 is the draw.

    Parameters
    ----------
    tasks
        The tasks.
    difficulty
        b of every task, (n_draws, n_tasks), logits.
    loading
        α of every eval, (n_draws, n_evals).
    turn
        γ, (n_draws,).
    mean, sd
        Of capability over AI models, (n_draws,).
    validity_sd, tilt_sd
        ω and σ_ψ, (n_draws,).
    pair_sd
        σ_ζ; 0 where no task was repeated.
    spending
        Where spends lie; None where the history gives none: then no lower cap can be read.
    """

    tasks: Tasks
    difficulty: Array
    loading: Array
    turn: Array
    mean: Array
    sd: Array
    validity_sd: Array
    tilt_sd: Array
    pair_sd: float
    spending: Spending | None = None

    def nodes(self) -> tuple[Array, Array]:
        """Nodes and weights of ζ."""
        if self.pair_sd == 0:
            return np.zeros(1), np.ones(1)
        z, w = np.polynomial.hermite_e.hermegauss(NODES)
        return self.pair_sd * z, w / w.sum()
