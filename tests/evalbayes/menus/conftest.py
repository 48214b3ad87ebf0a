from __future__ import annotations

import pytest
from tests.evalbayes.menus.synthetic import prior_posterior, small_catalogue

from evalbayes import Menu
from evalbayes.catalogue import Catalogue
from evalbayes.menus import MenuNotes, build_menu
from evalbayes.posterior.posterior import Posterior


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return small_catalogue()


@pytest.fixture(scope="session")
def posterior(catalogue: Catalogue) -> Posterior:
    return prior_posterior(catalogue)


@pytest.fixture(scope="session")
def built(posterior: Posterior, catalogue: Catalogue) -> tuple[Menu, MenuNotes]:
    return build_menu(posterior, catalogue)


@pytest.fixture(scope="session")
def menu(built: tuple[Menu, MenuNotes]) -> Menu:
    return built[0]


@pytest.fixture(scope="session")
def notes(built: tuple[Menu, MenuNotes]) -> MenuNotes:
    return built[1]
