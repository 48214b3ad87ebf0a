"""Best-of-k against closed forms, simulation and METR's repeated runs."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks.best_of_k import solved_in, still_unsolved
from scipy.special import betaln, expit
from scipy.stats import betabinom

from evalbayes.errors import InputError
from evalbayes.repeats import BestOfK, counted, fit_best_of_k
from evalbayes.repeats.best_of_k import _with_guesses

QUARTER = np.full(1, 0.25)
DATA = Path(os.environ.get("EVALFOLIO_DATA", Path(__file__).parents[4] / "shared" / "data"))


def known(never: float = 0.25, mean: float = 0.4, concentration: float = 0.8) -> BestOfK:
    one = np.ones(1)
    centre = np.log(mean / (1.0 - mean))
    return BestOfK(never * one, centre * one, concentration * one, 0.0 * one)


def test_pass_at_k_is_the_beta_binomial() -> None:
    k = np.array([1, 2, 8, 40])
    wanted = 0.75 * (1.0 - betabinom(k, 0.4 * 0.8, 0.6 * 0.8).pmf(0))
    np.testing.assert_allclose(known().pass_at(k)[0], wanted, rtol=1e-9)
    assert known().pass_at(10**9)[0, 0] < 0.75


@pytest.mark.parametrize("k", [1, 3, 17, 64])
def test_short_attempts_are_the_integral_over_tasks(k: int) -> None:
    p = np.random.default_rng(0).beta(0.32, 0.48, 400_000)
    wanted = 0.75 * (1.0 - ((1.0 - 0.3 * p) ** k).mean())
    assert known().pass_within(k, 0.3)[0] == pytest.approx(wanted, abs=0.003)
    assert known().pass_within(k, 1.0)[0] == pytest.approx(known().pass_at(k)[0, 0], rel=1e-8)


@pytest.mark.parametrize("k", [1, 4, 16])
def test_guesses_are_a_floor_under_every_task(k: int) -> None:
    """Against tasks drawn one by one, a guess right once in four."""
    rng = np.random.default_rng(2)
    q = 0.25 + 0.75 * rng.beta(0.32, 0.48, 400_000) * (rng.random(400_000) > 0.25)
    plain = known()
    found = BestOfK(plain.never, plain.centre, plain.concentration, plain.slope, guessing=QUARTER)
    assert found.pass_at(k)[0, 0] == pytest.approx(1.0 - ((1.0 - q) ** k).mean(), abs=0.003)
    short = 1.0 - ((1.0 - 0.3 * q) ** k).mean()
    assert found.pass_within(k, 0.3)[0] == pytest.approx(short, abs=0.003)
    assert found.pass_within(k, 1.0)[0] == pytest.approx(found.pass_at(k)[0, 0], rel=1e-8)
    missed = still_unsolved(found, np.array([k]), np.array([k + 3]))[0, 0]
    wanted = ((1.0 - q) ** (k + 3)).mean() / ((1.0 - q) ** k).mean()
    assert missed == pytest.approx(wanted, abs=0.005)
    assert found.pass_at(200)[0, 0] > 0.999  # no plateau where guessing gets there in the end


def test_the_likelihood_with_guesses_is_the_integral_over_tasks() -> None:
    n, k = np.array([3.0, 4.0, 7.0]), np.array([0.0, 2.0, 7.0])
    a, b = np.full((1, 3), 0.3), np.full((1, 3), 0.7)
    p = np.random.default_rng(3).beta(0.3, 0.7, 1_000_000)
    q = 0.25 + 0.75 * p
    wanted = [np.log((q**s * (1.0 - q) ** (m - s)).mean()) for m, s in zip(n, k, strict=True)]
    np.testing.assert_allclose(_with_guesses(n, k, a, b, 0.25)[0], wanted, atol=0.01)
    # the smaller the floor, the nearer to the beta-binomial
    plain = betaln(0.3 + k, 0.7 + n - k) - betaln(0.3, 0.7)
    np.testing.assert_allclose(_with_guesses(n, k, a, b, 1e-9)[0], plain, atol=1e-6)


@pytest.mark.slow  # a hundred and eighty fits of 40 tasks: about a CPU-minute
def test_multiple_choice_is_foretold_at_four_times_the_attempts() -> None:
    """90 % intervals of the share solved in 16 attempts, from 4, in 60 worlds from the prior.

    Binomial bounds at 1 in 1000; told of no guessing the same counts foretell far too little.
    """
    held = dict.fromkeys((0.25, None, 0.0), 0)
    for world in range(60):
        rng = np.random.default_rng([7, world])
        never, mean = expit(rng.normal(-1.5, 1.5)), expit(rng.normal(0.0, 1.5))
        whole = np.exp(rng.normal(0.0, 0.8))
        p = rng.beta(mean * whole, (1.0 - mean) * whole, 40) * (rng.random(40) > never)
        p = 0.25 + 0.75 * p
        seen = rng.binomial(4, p)
        actual = ((seen > 0) | (rng.binomial(12, p) > 0)).mean()
        four, sixteen = np.full(40, 4), np.full(40, 16)
        for guessing in held:
            found = fit_best_of_k(four, seen, guessing=guessing, n_draws=300)
            share = solved_in(found, four, seen, sixteen).mean(axis=1)
            low, high = np.quantile(share, (0.05, 0.95))
            held[guessing] += bool(low - 1e-9 <= actual <= high + 1e-9)
    assert held[0.25] >= 46
    assert held[None] >= 46
    assert held[0.0] < 40


def test_no_guessing_is_found_where_many_tasks_are_never_solved() -> None:
    rng = np.random.default_rng(8)
    p = rng.beta(0.4, 0.4, 80) * (rng.random(80) > 0.3)
    found = fit_best_of_k(np.full(80, 8), rng.binomial(8, p))
    assert (found.wrong == 1.0).all()


def test_what_stays_unsolved_is_bayes_rule() -> None:
    rng = np.random.default_rng(1)
    n = 400_000
    p = rng.beta(0.32, 0.48, n) * (rng.random(n) > 0.25)
    first, later = rng.binomial(4, p), rng.binomial(6, p)
    wanted = (later[first == 0] == 0).mean()
    got = still_unsolved(known(), np.array([4]), np.array([10]))[0, 0]
    assert got == pytest.approx(wanted, abs=0.005)


@pytest.mark.parametrize("worlds", [30, pytest.param(100, marks=pytest.mark.slow)])
def test_the_posterior_holds_the_truth_drawn_from_its_prior(worlds: int) -> None:
    """Ranks of truths among their posterior draws: uniform, or chi² fails one time in 1000."""
    rng = np.random.default_rng(5)
    places = []
    for _ in range(worlds):
        never = 1.0 / (1.0 + np.exp(-rng.normal(-1.5, 1.5)))
        mean = 1.0 / (1.0 + np.exp(-rng.normal(0.0, 1.5)))
        total = np.exp(rng.normal(0.0, 0.8))
        p = rng.beta(mean * total, (1.0 - mean) * total, 40) * (rng.random(40) > never)
        found = fit_best_of_k(np.full(40, 6), rng.binomial(6, p), n_draws=200)
        truth = (1.0 - never) * (1.0 - betabinom(24, mean * total, (1 - mean) * total).pmf(0))
        places.append((found.pass_at(24)[:, 0] < truth).mean())
    counts = np.histogram(places, bins=5, range=(0.0, 1.0))[0]
    assert ((counts - worlds / 5) ** 2 / (worlds / 5)).sum() < 18.5


def test_covariate_orders_tasks() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(5.0, 2.0, 300)
    mean = 1.0 / (1.0 + np.exp(1.2 * (x - 5.0)))
    p = rng.beta(mean * 2.0, (1.0 - mean) * 2.0)
    found = fit_best_of_k(np.full(300, 8), rng.binomial(8, p), x)
    easy, hard = found.pass_at(1, np.array([2.0])), found.pass_at(1, np.array([8.0]))
    assert np.median(easy) == pytest.approx(1.0 / (1.0 + np.exp(-3.6)), abs=0.05)
    assert np.median(hard) == pytest.approx(1.0 / (1.0 + np.exp(3.6)), abs=0.05)
    assert fit_best_of_k(np.full(300, 8), rng.binomial(8, p), x, seed=3).slope.mean() < 0


def test_best_of_k_counts_only_where_fair() -> None:
    assert counted(0.3, 0.7, resettable=0.25, verifier=True) == pytest.approx(0.4)
    assert counted(0.3, 0.7, resettable=0.25, verifier=False) == 0.3
    with pytest.raises(InputError, match=r"resettable must be a share .* it is 1\.5"):
        counted(0.3, 0.7, resettable=1.5, verifier=True)


def test_wrong_counts_are_told() -> None:
    with pytest.raises(InputError, match="task 1 has 3 successes in 2 attempts"):
        fit_best_of_k(np.array([2, 2]), np.array([0, 3]))
    with pytest.raises(InputError, match="of at least one task, both of one length"):
        fit_best_of_k(np.array([2, 2]), np.array([1]))
    with pytest.raises(InputError, match=r"guessing must be a chance from 0 to below 1, got 1\.0"):
        fit_best_of_k(np.array([2, 2]), np.array([1, 0]), guessing=1.0)


@pytest.mark.parametrize("solved", [0, 5])
def test_nothing_or_everything_solved_still_fits(solved: int) -> None:
    found = fit_best_of_k(np.full(12, 5), np.full(12, solved))
    share = found.pass_at(np.array([1, 50]))
    assert np.isfinite(share).all()
    assert (share[:, 1] >= share[:, 0]).all()
    assert (np.median(share[:, 0]) < 0.1) == (solved == 0)


def test_half_of_metrs_attempts_tell_what_all_of_them_solve() -> None:
    """A small version of benchmarks/best_of_k.py: smaller error than the naive rule, each model."""
    path = DATA / "metr_repeats.csv"
    if not path.exists():
        pytest.skip(f"the public data is not in {DATA}; set EVALFOLIO_DATA to its folder")
    repeats = pd.read_csv(path).query("n_attempts >= 2")
    covered, better = [], []
    for i, (_, own) in enumerate(repeats.groupby("ai_model")):
        rng = np.random.default_rng([9, i])
        total = own["n_attempts"].to_numpy()
        half = total // 2
        seen = rng.hypergeometric(own["k_successes"], total - own["k_successes"], half)
        x = np.log2(own["human_minutes"].to_numpy(float))
        share = solved_in(fit_best_of_k(half, seen, x), half, seen, total, x).mean(axis=1)
        truth = (own["k_successes"] > 0).mean()
        naive = (1.0 - (1.0 - seen.sum() / half.sum()) ** total).mean()
        low, high = np.quantile(share, [0.01, 0.99])
        covered.append(low - 1e-9 <= truth <= high + 1e-9)
        better.append(abs(share.mean() - truth) < abs(naive - truth))
    assert sum(covered) >= 7
    assert sum(better) >= 6
