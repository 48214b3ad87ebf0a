"""Best-of-k from repeats, before it sees results."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from evalbayes.catalogue import Catalogue
from evalbayes.observations import Observations
from evalbayes.observations.attempts import attempts_of, by_task
from evalbayes.predictive.predictive import Predictive

MODEL = "repeats"
FEWEST = 5  # tasks with repeats, as where best-of-k is learned


def prior(
    catalogue: Catalogue, observations: Observations, n_draws: int, rng: np.random.Generator
) -> list[Predictive]:
    """Share of attempts that succeed, and of tasks solved by any, by eval and AI model."""
    from evalbayes.repeats.best_of_k import FLOOR_PRIOR, FLOORS, PRIOR_MEAN, PRIOR_SD

    singles, solved, of = [], [], []
    table = attempts_of(observations)
    for name, ai_model in table[["eval", "ai_model"]].drop_duplicates().itertuples(index=False):
        attempts, successes = by_task(table, str(name), str(ai_model))
        if (attempts > 1).sum() < FEWEST:
            continue
        drawn = rng.normal(PRIOR_MEAN[:3], PRIOR_SD[:3], (n_draws, 3))
        shape = (n_draws, len(attempts))
        mean, concentration = expit(drawn[:, [1]]), np.exp(drawn[:, [2]])
        p = rng.beta(mean * concentration, (1.0 - mean) * concentration, shape)
        never = rng.random(shape) < expit(drawn[:, [0]])
        stated = catalogue.eval(str(name)).guessing
        guess = rng.choice(FLOORS, (n_draws, 1), p=FLOOR_PRIOR) if stated is None else stated
        again = rng.binomial(attempts, guess + (1.0 - guess) * np.where(never, 0.0, p))
        singles.append((again.sum(axis=1) / attempts.sum(), successes.sum() / attempts.sum()))
        solved.append(((again > 0).mean(axis=1), (successes > 0).mean()))
        of.append(f"{name} by {ai_model}")
    return [
        Predictive(
            MODEL,
            figure,
            tuple(of),
            np.stack([draws for draws, _ in pairs], axis=1),
            np.array([seen for _, seen in pairs], dtype=float),
        )
        for figure, pairs in (
            ("share of attempts that succeed", singles),
            ("share of tasks solved in any attempt", solved),
        )
        if pairs
    ]
