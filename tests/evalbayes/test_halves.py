"""Monte Carlo noise from halves of the draws, against what repeated chains really do."""

from __future__ import annotations

import numpy as np

from evalbayes.halves import halves, noise


def chains(rng: np.random.Generator, tied: float) -> np.ndarray:
    """Four chains of 500 draws, each normal and tied to the one before."""
    steps = rng.standard_normal((4, 500)) * np.sqrt(1 - tied**2)
    out = np.empty((4, 500))
    out[:, 0] = rng.standard_normal(4)
    for k in range(1, 500):
        out[:, k] = tied * out[:, k - 1] + steps[:, k]
    return out.ravel()


def test_noise_of_a_mean_and_of_a_variance_is_that_of_repeated_chains() -> None:
    rng = np.random.default_rng(0)
    held = halves(2000)
    assert held is not None
    for tied in (0.0, 0.7):
        for figure in (np.mean, np.var):
            found, told = [], []
            for _ in range(300):
                draws = chains(rng, tied)
                found.append(figure(draws))
                again = np.array([figure(draws[half]) for half in held])
                told.append(float(noise(again, found[-1])))
            true = np.std(found)
            assert 0.8 < np.sqrt(np.mean(np.square(told))) / true < 1.15


def test_halves_are_balanced_no_two_batches_go_together() -> None:
    held = halves(3200)
    assert held is not None
    signs = np.where(held[:, ::100], 1, -1)  # one draw of each batch
    assert (signs.sum(axis=1) == 0).all()
    assert np.array_equal(signs.T @ signs, 32 * np.eye(32) - 1)
