"""Gains still to come: sub-additivity, growth and the buffer, held to what they must satisfy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalbayes.elicitation.post_training import buffer, growth, to_come
from evalbayes.errors import InputError


@given(st.floats(0.0, 5.0), st.floats(0.0, 10.0), st.floats(0.0, 10.0), st.floats(1.0, 8.0))
def test_growth_of_two_spans_combines_to_growth_of_both(
    g: float, first: float, second: float, p: float
) -> None:
    parts = np.linalg.norm([growth(g, first, p), growth(g, second, p)], ord=p)
    assert float(parts) == pytest.approx(float(growth(g, first + second, p)), rel=1e-6, abs=1e-9)


def test_growth_is_that_of_yearly_enhancements() -> None:
    for p in (1.0, 1.7, np.inf):
        assert float(growth(0.9, 5.0, p)) == pytest.approx(np.linalg.norm([0.9] * 5, ord=p))


def test_to_come_of_a_normal_gap_has_the_normal_quantile() -> None:
    rng = np.random.default_rng(0)
    gap = np.maximum(rng.normal(3.0, 0.5, 200_000), 0.0)
    rate = rng.normal(2.0, 0.3, 200_000).clip(0.0)
    draws = to_come(gap, 0.4, 0.5, rate, 0.5)
    mean, sd = 0.6 * 3.0 + 0.5 * 2.0 * 0.5, np.hypot(0.6 * 0.5, 0.25 * 0.3)
    assert buffer(draws, 0.95) == pytest.approx(mean + 1.645 * sd, abs=0.01)
    # full elicitation and no time to come leave nothing
    assert buffer(to_come(gap, 1.0, 0.5, rate, 0.0), 0.99) == 0.0


def test_old_responsible_scaling_buffer() -> None:
    # a buffer of 6 times effective compute with an evaluation every 4 times leaves 1.5 times
    assert np.exp(np.log(6.0) - float(growth(np.log(4.0), 1.0))) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: growth(-1.0, 1.0), "gain_per_year must be 0 or more throughout; the least is -1"),
        (lambda: growth(1.0, 1.0, 0.5), r"overlap must be 1 or more throughout; the least is 0\.5"),
        (lambda: to_come(1.0, 1.2, 1.0, 1.0, 1.0), "elicited must be a share of the gap"),
        (lambda: buffer([1.0], 1.0), "level of a buffer must lie between 0 and 1"),
    ],
)
def test_what_is_wrong_is_told(call: object, words: str) -> None:
    assert callable(call)
    with pytest.raises(InputError, match=words):
        call()
