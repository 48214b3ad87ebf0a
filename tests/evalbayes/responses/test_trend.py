"""A further AI model is believed to lie where its date says, as surely as earlier ones allow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from tests.evalbayes.responses.test_responses import simulated

from evalbayes.errors import InputError
from evalbayes.responses import Population, fit_history
from evalbayes.responses.history import LINE_SD, _line


def test_a_line_has_the_posterior_of_the_textbook() -> None:
    """Normal with scaled inverse chi-squared: means, covariance and degrees of freedom."""
    rng = np.random.default_rng(0)
    years, guess = np.array([-1.0, -0.2, 0.3, 0.9]), 0.5
    y, x = np.array([-1.1, 0.2, 0.1, 1.4]), np.array([np.ones(4), years])
    prior = np.diag(LINE_SD**-2.0)
    wanted = np.linalg.solve(x @ x.T + prior, x @ y)
    # The residual sum of squares of the stacked regression in which the prior is two more rows.
    square = ((y - wanted @ x) ** 2).sum() + wanted @ prior @ wanted + 4 * guess
    found, sd = _line(np.tile(y, (200_000, 1)), x, guess, rng)
    np.testing.assert_allclose(found.mean(axis=1), wanted, atol=0.01)
    np.testing.assert_allclose((sd**2).mean(), square / (8 - 2), rtol=0.02)
    covariance = np.linalg.inv(x @ x.T + prior) * square / (8 - 2)
    np.testing.assert_allclose(np.cov(found), covariance, rtol=0.05, atol=0.005)
    assert stats.kstest(square / sd[:5_000] ** 2, stats.chi2(8).cdf).pvalue > 1e-3


@pytest.mark.parametrize("dated", [False, True])
def test_what_comes_next_is_foretold_as_often_as_said(dated: bool) -> None:
    """Worlds from the prior; next AI models a year on. Of 2,000 90 % hold 1,800, sd 13."""
    rng, held, worlds = np.random.default_rng(1), 0, 2_000
    years = np.array([-1.5, -0.6, 0.2, 0.5, 1.4])
    x, new = np.array([np.ones(5), years])[: 1 + dated], np.array([1.0, 2.4])[: 1 + dated]
    for _ in range(worlds):
        sd = np.sqrt(4 * 0.5 / rng.chisquare(4))
        truth = LINE_SD[: len(x)] * sd * rng.standard_normal(len(x))
        y = truth @ x + sd * rng.standard_normal(5)
        line, spread = _line(np.tile(y, (400, 1)), x, 0.5, rng)
        drawn = new @ line + spread * rng.standard_normal(400)
        rank = (drawn < new @ truth + sd * rng.standard_normal()).mean()
        held += 0.05 < rank < 0.95
    assert abs(held - 0.9 * worlds) < 4 * 13.4


def progress(rng: np.random.Generator, months: int) -> tuple[pd.DataFrame, dict[str, pd.Timestamp]]:
    """Runs of AI models of which each solves more than the last, and their dates."""
    runs = simulated(rng, 8)
    order = runs.groupby("ai_model")["won"].mean().sort_values().index
    start = pd.Timestamp("2024-01-01")
    dates = {name: start + pd.DateOffset(months=months * k) for k, name in enumerate(order)}
    return runs, dates


def belief(released: dict[str, pd.Timestamp] | None) -> Population:
    runs, _ = progress(np.random.default_rng(6), 3)
    return fit_history(runs, draws=400, released=released)


def test_a_later_ai_model_is_believed_abler_and_with_less_doubt() -> None:
    _, dates = progress(np.random.default_rng(6), 3)
    undated, dated = belief(None), belief(dates)
    last = max(dates.values())
    assert undated.at(last) is undated
    assert dated.at(None) is dated
    np.testing.assert_array_equal(dated.mean, undated.mean)
    next_one = dated.at(last + pd.DateOffset(months=3))
    assert next_one.mean.mean() > dated.at(last).mean.mean() > undated.mean.mean() + 0.5
    assert next_one.sd.mean() < 0.75 * undated.sd.mean()


@pytest.mark.parametrize("day", ["soon", None, float("nan")])
def test_what_is_no_date_is_refused_in_a_sentence(day: Any) -> None:
    with pytest.raises(InputError, match="released must be dates such as 2025-02-24"):
        belief({"m00": day})


def test_two_dates_or_one_day_tell_no_trend_and_who_has_none_stands_in_the_middle() -> None:
    _, dates = progress(np.random.default_rng(6), 3)
    names = sorted(dates, key=lambda name: dates[name])
    assert belief({name: dates[name] for name in names[:2]}).trend is None
    assert belief(dict.fromkeys(names, dates[names[0]])).trend is None
    trend = belief({name: dates[name] for name in names[1:]}).trend
    assert trend is not None
    middle = np.mean([dates[name].toordinal() for name in names[1:]])
    assert trend[0] == pytest.approx(middle)
