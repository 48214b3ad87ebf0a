import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import lognorm, norm

from evalbayes.catalogue import Interval
from evalbayes.catalogue.human_time import in_words, minutes_of, threshold_of

numbers = st.floats(-1e6, 1e6)
positives = st.floats(1e-6, 1e6)


@settings(deadline=None)  # a busy machine is no mistake
@given(numbers, numbers)
def test_the_normal_has_its_5_and_95_per_cent_quantiles_at_the_ends(a: float, b: float) -> None:
    low, high = sorted((a, b))
    mean, sd = Interval(low, high).normal()
    scale = 1 + abs(low) + abs(high)
    if sd > 0:
        assert abs(norm(mean, sd).ppf(0.05) - low) < 1e-9 * scale
        assert abs(norm(mean, sd).ppf(0.95) - high) < 1e-9 * scale


@settings(deadline=None)  # a busy machine is no mistake
@given(positives, positives)
def test_the_lognormal_has_its_5_and_95_per_cent_quantiles_at_the_ends(a: float, b: float) -> None:
    low, high = sorted((a, b))
    interval = Interval(low, high)
    mean, sd = interval.lognormal()
    if sd > 0:
        spread = lognorm(sd, scale=math.exp(mean))
        assert spread.ppf(0.05) == pytest.approx(low)
        assert spread.ppf(0.95) == pytest.approx(high)
        assert spread.mean() == pytest.approx(interval.lognormal_mean)
    assert math.exp(mean) == pytest.approx(math.sqrt(low * high))


def test_an_exact_number_has_no_spread() -> None:
    assert Interval.of(8.9).normal() == (8.9, 0.0)
    assert Interval.of([5, 5]).exact
    assert str(Interval.of(5)) == "5"
    assert str(Interval.of({"low": 1, "high": 2})) == "[1, 2]"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([2, 1], r"must be an interval from low to high, got \[2, 1\]; swap the two ends"),
        ([1, 2, 3], r"must be a number or an interval \[low, high\], got \[1, 2, 3\]"),
        ("1", "must be a number, got the text '1'; write it without quotes"),
        ([1, float("nan")], "must be a finite number, got nan"),
        ([1, None], "must be a number, got None"),
        (True, "must be a number, got True"),
    ],
)
def test_what_is_no_interval_is_refused(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Interval.of(value)


def test_an_interval_from_0_has_no_lognormal() -> None:
    with pytest.raises(ValueError, match="a lognormal interval must be above 0"):
        Interval(0, 1).lognormal()


@pytest.mark.parametrize(
    ("words", "minutes"),
    [
        ("8 h", 480),
        ("8h", 480),
        ("30 min", 30),
        ("1.5 hours", 90),
        ("45 s", 0.75),
        ("2 days", 960),
        ("1 week", 2400),
        ("1 month", 10020),
        ("1,000 min", 1000),
    ],
)
def test_human_times_are_read_in_minutes_of_work(words: str, minutes: float) -> None:
    assert minutes_of(words) == pytest.approx(minutes)


@pytest.mark.parametrize("words", ["8", "h", "-3 h", "0 h", "8 parsecs", "eight hours", 8, None])
def test_what_is_no_human_time_is_refused(words: object) -> None:
    with pytest.raises(ValueError, match="must be a time in words"):
        minutes_of(words)


def test_a_pair_of_times_is_an_interval_of_log2_minutes() -> None:
    assert threshold_of(["4 h", "16 h"]).high == pytest.approx(math.log2(960))
    with pytest.raises(ValueError, match=r"must be one time or two, \[low, high\]"):
        threshold_of(["1 h", "2 h", "3 h"])


@settings(deadline=None)  # a busy machine is no mistake
@given(st.floats(0.001, 1e6))
def test_a_time_in_words_is_off_by_at_most_its_rounding(minutes: float) -> None:
    assert minutes_of(in_words(minutes)) == pytest.approx(minutes, rel=0.06)
