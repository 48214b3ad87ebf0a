"""Spurious failures: rates held as often as they say, plateaus of simulated runs given back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from tests.evalbayes.model.simulated import observed

from evalbayes.observations.spurious import (
    PRIOR_MEAN,
    PRIOR_SD,
    as_it_comes,
    repaired,
    reviewed_failures,
    spurious_rates,
    uncounted,
)


def runs(counts: dict[tuple[str, str], tuple[int, int, int]]) -> pd.DataFrame:
    """Failures read and not spurious, spurious, and unread, by eval and AI model."""
    rows = []
    for (name, model), (plain, spurious, unread) in counts.items():
        kinds: list[tuple[str, int | None]] = [("gave_up", 1)] * plain
        kinds += [("spurious", 1)] * spurious
        kinds += [("stopped_by_cap", None)] * unread + [("success", None)] * 3
        for k, (outcome, read) in enumerate(kinds):
            rows.append(
                {
                    "eval": name,
                    "task": f"t{k}",
                    "ai_model": model,
                    "outcome": outcome,
                    "spend": 1e6 if outcome == "stopped_by_cap" else 1e4,
                    "cap": 1e6,
                    "reviewed": read,
                }
            )
    return pd.DataFrame(rows)


def test_failures_are_counted_by_what_was_read() -> None:
    table: Any = reviewed_failures(observed(runs({("a", "X"): (5, 2, 3), ("b", "X"): (0, 0, 4)})))
    assert table.loc[("a", "X")].tolist() == [10, 7, 2]
    assert table.loc[("b", "X")].tolist() == [4, 0, 0]


def test_without_reviewed_failures_that_stood_there_is_no_rate() -> None:
    assert spurious_rates(observed(runs({("a", "X"): (0, 3, 5)}))) is None
    assert spurious_rates(observed(runs({("a", "X"): (0, 0, 5)}))) is None


def test_few_reviewed_failures_borrow_from_the_others() -> None:
    counts = {(f"e{k}", "X"): (60, 20, 0) for k in range(6)} | {("new", "X"): (0, 2, 30)}
    rates = spurious_rates(observed(runs(counts)))
    assert rates is not None
    assert rates.of("e0", "X").mean() == pytest.approx(0.25, abs=0.05)
    assert 0.2 < rates.of("new", "X").mean() < 0.6  # two of two read, yet not near 1
    assert rates.of("never", "seen").mean() == pytest.approx(rates.fresh.mean())
    assert rates.unreviewed("new", "X") == pytest.approx(30 / 32)
    assert rates.unreviewed("never", "seen") == 1.0


def test_intervals_hold_the_rate_as_often_as_they_say() -> None:
    """90 % intervals of 8 cells in each of 60 data sets drawn from the prior."""
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(60):
        logit, ln_c = rng.normal(PRIOR_MEAN, PRIOR_SD)
        mean, c = expit(logit), np.exp(ln_c)
        truth = rng.beta(mean * c, (1 - mean) * c, 8)
        spurious = rng.binomial(12, truth)
        counts = {(f"e{k}", "X"): (12 - int(s), int(s), 0) for k, s in enumerate(spurious)}
        rates = spurious_rates(observed(runs(counts)), n_draws=500)
        if rates is None:  # all read were spurious: nothing is claimed
            continue
        low, high = np.quantile([rates.of(f"e{k}", "X") for k in range(8)], (0.05, 0.95), axis=1)
        shares.append(np.mean((low <= truth) & (truth <= high)))
    # Data sets are the independent units: within three standard errors.
    assert np.mean(shares) == pytest.approx(0.9, abs=3 * np.std(shares) / np.sqrt(len(shares)))


@pytest.mark.parametrize("reviewed", [0.0, 0.4, 1.0])
def test_the_plateau_without_spurious_failures_is_found_from_runs_that_have_them(
    reviewed: float,
) -> None:
    rng = np.random.default_rng(1)
    n, plateau, q = 400_000, 0.6, 0.2
    would, broken = rng.random(n) < plateau, rng.random(n) < q
    success = would & ~broken
    failed = ~success
    rate = (broken & failed).sum() / failed.sum()
    # All broken runs are failures here, whether they would have succeeded or not.
    assert rate == pytest.approx(q / (1 - (1 - q) * plateau), abs=0.005)
    assert success.mean() == pytest.approx(float(as_it_comes(plateau, rate)), abs=0.005)
    # A fit leaves out (censors) spurious failures that were found on review and counts the others.
    read = rng.random(n) < reviewed
    counted = ~(broken & read)
    share = success[counted].mean()
    assert float(repaired(share, uncounted(rate, 1.0 - reviewed))) == pytest.approx(
        plateau, abs=0.005
    )
