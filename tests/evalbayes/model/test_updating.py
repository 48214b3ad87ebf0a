"""The fast update: what weighted draws say, whatever the order, and no fit for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from tests.evalbayes.menus.synthetic import UNDER_TEST, prior_posterior, small_catalogue

from evalbayes import InputError
from evalbayes.model.evidence import evidence_of
from evalbayes.model.likelihood import Curves, log_likelihood
from evalbayes.model.updating import _q, updated
from evalbayes.observations import Observations

Array = NDArray[np.float64]
CAP = 1e6


def counts(rows: list[tuple[str, float, int, int]], ai_model: str = UNDER_TEST) -> Observations:
    """Counts of (eval, effort, runs, successes)."""
    names, efforts, runs, won = zip(*rows, strict=True)
    frame = {"eval": names, "ai_model": ai_model, "effort": efforts, "cap": CAP}
    frame |= {"n_runs": runs, "n_success": won, "human_minutes": np.nan}
    return Observations(counts=pd.DataFrame(frame))


def weighted(results: Observations, n_draws: int = 60_000) -> tuple[dict[str, Array], Array]:
    """Prior draws of the AI model under test, and what results make each weigh: exact but dear."""
    catalogue = small_catalogue()
    belief = prior_posterior(catalogue, n_draws=n_draws, seed=5)
    evidence, ln = evidence_of(results, catalogue), np.zeros(n_draws)
    for c, (name, _, effort) in enumerate(evidence.conditions.itertuples(index=False)):
        i = belief.evals.index(name)
        q = _q(belief, i, 1, effort)
        curves = Curves(
            q[:, :1],
            q[:, 1:2],
            belief.draws["success_scale"][:, i, None],
            q[:, 2:],
            belief.draws["gave_up_scale"][:, i, None],
        )
        ln += log_likelihood(curves, evidence.about(c))[:, 0]
    weights = np.exp(ln - ln.max())
    return {key: belief.draws[key][..., 1] for key in ("shown", "gap")}, weights / weights.sum()


@pytest.mark.parametrize(
    "rows",
    [
        [("cybench", 0.0, 38, 9)],
        [("cybench", 0.0, 38, 30), ("nyuctf", 0.0, 47, 40), ("hcast", 0.0, 60, 20)],
        [("cybench", 0.0, 38, 12), ("cybench", 0.6, 38, 27)],
        [("cybench", 0.0, 38, 20), ("cybench", 0.6, 38, 20)],
        [("range", 0.0, 4, 0)],
    ],
)
def test_it_says_what_weighing_the_draws_says(rows: list[tuple[str, float, int, int]]) -> None:
    catalogue, results = small_catalogue(), counts(rows)
    after = updated(prior_posterior(catalogue, n_draws=8000), catalogue, results)
    exact, weights = weighted(results)
    assert 1.0 / (weights**2).sum() > 1000  # of the draws that weigh count
    for name, values in exact.items():
        values, moved = np.log(values) if name == "gap" else values, after.draws[name][..., 1]
        moved = np.log(moved) if name == "gap" else moved
        mean = weights @ values
        sd = np.sqrt(weights @ (values - mean) ** 2)
        assert np.abs((moved.mean(axis=0) - mean) / sd).max() < 0.2
        assert np.abs(np.log(moved.std(axis=0) / sd)).max() < 0.15


def test_neither_order_nor_batches_matter() -> None:
    catalogue = small_catalogue()
    belief = prior_posterior(catalogue, n_draws=500)
    rows = [("cybench", 0.0, 38, 9), ("hcast", 0.0, 60, 30), ("nyuctf", 0.0, 20, 12)]
    one = updated(belief, catalogue, counts(rows))
    other = updated(belief, catalogue, counts(rows[::-1]))
    for name, values in one.draws.items():
        np.testing.assert_allclose(other.draws[name], values, rtol=1e-6, atol=1e-6)
    halves = counts([("nyuctf", 0.0, 10, 5), *rows[:2], ("nyuctf", 0.0, 10, 7)])
    again = updated(belief, catalogue, halves)
    np.testing.assert_allclose(again.draws["shown"], one.draws["shown"], rtol=1e-6)


def test_without_results_it_is_the_same_belief() -> None:
    belief = prior_posterior(small_catalogue(), n_draws=100)
    assert updated(belief, small_catalogue(), Observations()) is belief


def test_runs_are_counted_and_the_reader_told() -> None:
    catalogue = small_catalogue()
    belief = prior_posterior(catalogue, n_draws=500)
    after = updated(belief, catalogue, counts([("cybench", 0.0, 30, 9), ("cybench", 0.6, 8, 5)]))
    assert after.n_runs[0, 1] == 38
    assert after.n_success is not None
    assert after.n_success[0, 1] == 14
    assert after.elicited_history
    assert after.diagnostics.notes[-1].startswith("updated with 38 runs since the fit")
    np.testing.assert_array_equal(belief.n_runs, 0)


def test_an_unknown_ai_model_is_refused() -> None:
    catalogue = small_catalogue()
    with pytest.raises(
        InputError, match=r"one the posterior knows, got 'other'; fit again with its rows, or "
    ):
        updated(
            prior_posterior(catalogue, n_draws=100),
            catalogue,
            counts([("cybench", 0.0, 3, 1)], "other"),
        )
