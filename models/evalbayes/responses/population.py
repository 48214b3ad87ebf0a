"""The population: draws of the tasks, and of the prior of a further AI model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalbayes.arrays import Array, Index
from evalbayes.errors import InputError
from evalbayes.responses.spending import Spending
from evalbayes.responses.table import Tasks

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

    def level_covariance(self, at: Index) -> Array:
        r"""Return the covariance of a further AI model's mean log-odds on evals, by eval.

        Cov(η̄_e, η̄_f) = E[α_e·α_f·σ²] + δ_ef·E[ω²] + Cov(α_e·μ − b̄_e, α_f·μ − b̄_f) over draws, b̄_e
        the mean difficulty of those of the tasks `at` that are of eval e (0 where none is): what
        the AI model's capability and departures add, and what is not known of the evals
        themselves. Its own slope in length is left out.
        """
        eval_of = self.tasks.eval_of[at]
        member = eval_of == np.arange(self.loading.shape[1])[:, None]
        share = member / np.maximum(member.sum(axis=1, keepdims=True), 1)
        centre = self.loading * self.mean[:, None] - self.difficulty[:, at] @ share.T
        centre -= centre.mean(axis=0)
        spread = self.loading * self.sd[:, None]
        n = len(self.mean)
        found: Array = (spread.T @ spread + centre.T @ centre) / n
        return found + np.eye(len(found)) * float((self.validity_sd**2).mean())

    def spends(self) -> Spending:
        """Return where spends lie.

        Raises
        ------
        InputError
            If the history gives none.
        """
        if self.spending is None:
            raise InputError(
                "what runs cost, and runs stopped below the highest cap, can only be read where "
                "the history gives spend and cap of every run; add those columns to it"
            )
        return self.spending

    def nodes(self) -> tuple[Array, Array]:
        """Nodes and weights of ζ."""
        if self.pair_sd == 0:
            return np.zeros(1), np.ones(1)
        z, w = np.polynomial.hermite_e.hermegauss(NODES)
        return self.pair_sd * z, w / w.sum()
