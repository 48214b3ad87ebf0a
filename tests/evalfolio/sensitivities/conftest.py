"""A small catalogue with its menu, for figures that ask for a new one."""

from __future__ import annotations

import pytest
from tests.evalbayes.menus.synthetic import prior_posterior, small_catalogue

from evalbayes.menus import build_menu
from evalfolio.search.question import Question
from evalfolio.sensitivities.basis import Basis


@pytest.fixture(scope="session")
def whole_basis() -> Basis:
    """A basis of two domains, built from a catalogue and plain prior draws."""
    catalogue = small_catalogue()
    posterior = prior_posterior(catalogue).thinned(400)
    menu, _ = build_menu(posterior, catalogue, with_draws=False)
    return Basis(Question(menu), catalogue, posterior)
