"""Recommendations for all tests of exports: made-up ones, and one by the recommender itself."""

from __future__ import annotations

import tomllib
from collections.abc import Callable

import pytest
from tests.evalfolio.export.made import made, nasty_names
from tests.evalfolio.export.worth import Worth

from evalfolio.recommendations.recommendation import Recommendation
from evalfolio.search.certified import Certified


@pytest.fixture(scope="session")
def recommendation() -> Recommendation:
    return made()


@pytest.fixture(scope="session")
def nasty() -> Recommendation:
    return made(nasty_names(), swept=True)


@pytest.fixture(scope="session")
def renamed() -> Recommendation:
    """Return what `nasty` is, under names that are only new."""
    return made(lambda name: f"another {name}", swept=True)


@pytest.fixture(scope="session")
def swept() -> Recommendation:
    return made(swept=True)


@pytest.fixture(scope="session")
def pointed() -> Recommendation:
    return made(points=True)


@pytest.fixture(scope="session")
def worth() -> Callable[[Recommendation], Worth]:
    return lambda recommendation: Worth(recommendation.menu)


@pytest.fixture(scope="session")
def real() -> Recommendation:
    """Recommend from the template's catalogue, with the frontier, by the recommender itself."""
    from evalbayes.catalogue import parse_catalogue, toml_template
    from evalbayes.model.fit import fit
    from evalbayes.observations import Observations
    from evalfolio.recommendations.recommender import recommend

    catalogue = parse_catalogue(tomllib.loads(toml_template()), "template")
    posterior = fit(catalogue, Observations(), seed=3)  # the prior alone: nothing is sampled
    return recommend(catalogue, None, posterior, frontier_points=10, method=Certified(gap=1e-4))
