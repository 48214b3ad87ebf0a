import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from evalbayes.catalogue import parse_catalogue
from evalbayes.catalogue.domain import implied_probability, loss_ratio, psi


@settings(deadline=None)  # a busy machine is no mistake
@given(st.floats(-4, 4))
def test_psi_is_the_mean_positive_part_of_a_normal(z: float) -> None:
    area, _ = quad(lambda y: max(y, 0.0) * norm.pdf(y - z), 0, z + 12 if z > -2 else 10)
    assert psi(z) == pytest.approx(area, abs=1e-8)


@settings(deadline=None)  # a busy machine is no mistake
@given(st.floats(0.001, 0.999))
def test_at_the_probability_given_both_acts_lose_the_same(p: float) -> None:
    """With y ~ N(z, 1) and P(y > 0) = p: L_m E[y⁺] = L_f E[(−y)⁺]."""
    z = norm.ppf(p)
    assert loss_ratio(p) * psi(z) == pytest.approx(psi(-z))
    assert implied_probability(loss_ratio(p)) == pytest.approx(p, rel=1e-6)


@settings(deadline=None)  # a busy machine is no mistake
@given(st.floats(0.001, 0.998))
def test_the_more_careful_the_higher_the_ratio(p: float) -> None:
    assert loss_ratio(p) > loss_ratio(p + 0.001)


def test_weight_is_the_loss_of_a_false_alarm() -> None:
    catalogue = parse_catalogue(
        {
            "domain": [
                {"name": "a", "threshold": 5, "mitigate_above": 0.5, "weight": 3},
                {"name": "b", "threshold": 5},
            ],
            "eval": [{"name": "e", "domain": "a", "tasks": 1}],
        }
    )
    assert catalogue.points
    assert catalogue.domain("a").loss_false_alarm == 3
    assert catalogue.domain("a").loss_missed == pytest.approx(3)
    assert catalogue.domain("b").loss_missed == pytest.approx(loss_ratio(0.1))
    assert catalogue.assumed("domain 'b'", "mitigate_above")
    assert not catalogue.assumed("domain 'a'", "mitigate_above")


def test_losses_in_usd_are_taken_as_given() -> None:
    catalogue = parse_catalogue(
        {
            "domain": [{"name": "a", "threshold": 5, "loss_missed": 4e6, "loss_false_alarm": 1e6}],
            "eval": [{"name": "e", "domain": "a", "tasks": 1}],
        }
    )
    assert not catalogue.points
    assert catalogue.domain("a").loss_missed == 4e6
    assert catalogue.domain("a").mitigate_above is None
