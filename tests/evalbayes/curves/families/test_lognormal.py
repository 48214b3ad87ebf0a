"""The lognormal family against scipy and quadrature."""

import numpy as np
import pytest
from scipy import integrate, stats

from evalbayes.curves.families import lognormal

CASES = [(11.0, 1.6, 14.5), (0.0, 0.2, 0.1), (-4.4, 1.1, 2.3), (25.0, 3.0, 10.0)]


@pytest.mark.parametrize(("location", "scale", "ln_cap"), CASES)
def test_densities_and_tails_are_scipys(location: float, scale: float, ln_cap: float) -> None:
    reference = stats.norm(location, scale)
    assert lognormal.log_density(ln_cap, location, scale) == pytest.approx(reference.logpdf(ln_cap))
    assert lognormal.log_cdf(ln_cap, location, scale) == pytest.approx(reference.logcdf(ln_cap))
    assert lognormal.log_survival(ln_cap, location, scale) == pytest.approx(reference.logsf(ln_cap))
    assert lognormal.cdf(ln_cap, location, scale) == pytest.approx(reference.cdf(ln_cap))
    assert lognormal.quantile(0.95, location, scale) == pytest.approx(reference.ppf(0.95))


@pytest.mark.parametrize(("location", "scale", "ln_cap"), CASES)
def test_limited_mean_is_the_integral(location: float, scale: float, ln_cap: float) -> None:
    survival = stats.norm(location, scale).sf
    # E[min(T, c)] = ∫ S(t) dt over (0, c), taken over ln t
    expected, _ = integrate.quad(
        lambda x: np.exp(x) * survival(x), ln_cap - 60.0, ln_cap, epsrel=1e-10, limit=500
    )
    assert lognormal.limited_mean(ln_cap, location, scale) == pytest.approx(expected, rel=1e-7)


def test_limited_mean_stays_finite_and_below_the_cap_for_any_scale() -> None:
    location, scale = np.array([11.0, 11.0, 30.0]), np.array([0.01, 40.0, 5.0])
    mean = lognormal.limited_mean(np.log(1e6), location, scale)
    assert np.isfinite(mean).all()
    assert (mean <= 1e6 * (1 + 1e-12)).all()


def test_mean_and_squares_are_all_the_likelihood_needs() -> None:
    x = np.random.default_rng(1).normal(11.0, 1.4, 30)
    square = ((x - x.mean()) ** 2).sum()
    for location, scale in ((10.0, 2.0), (11.5, 0.7)):
        assert lognormal.summary_log_density(30, x.mean(), square, location, scale) == (
            pytest.approx(stats.norm(location, scale).logpdf(x).sum())
        )


def test_symbolic_values_are_the_numeric_ones_far_into_both_tails() -> None:
    from evalbayes.model.sampling import pt, pytensor

    z = np.array([-40.0, -8.0, -1.0, -0.99, 0.0, 3.0, 8.0, 40.0])
    x = pt.dvector()
    value = lognormal.log_cdf(x, 0.0, pt.constant(1.0))
    gradient = pt.grad(value.sum(), x)
    function = pytensor.function([x], [value, gradient], mode="FAST_COMPILE")
    got, slope = function(z)
    np.testing.assert_allclose(got, stats.norm.logcdf(z), rtol=1e-9, atol=1e-300)
    expected = np.exp(stats.norm.logpdf(z) - stats.norm.logcdf(z))
    np.testing.assert_allclose(slope, expected, rtol=1e-8, atol=1e-300)
