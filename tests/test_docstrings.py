"""Public names are documented whole: `help()` of either package is a glossary and a map."""

from __future__ import annotations

import inspect
import re
from types import ModuleType

import pytest

import evalbayes
import evalfolio

PUBLIC = [(package, name) for package in (evalfolio, evalbayes) for name in sorted(package.__all__)]


@pytest.mark.parametrize(("package", "name"), PUBLIC)
def test_help_of_the_package_names_it(package: ModuleType, name: str) -> None:
    assert f"`{name}`" in str(package.__doc__)
    assert name in dir(package)


def test_help_names_nothing_that_is_not_there() -> None:
    named = re.findall(r"`(\w+)`", str(evalfolio.__doc__).partition("Names\n")[2])
    assert set(named) == set(evalfolio.__all__)


@pytest.mark.parametrize(("package", "name"), PUBLIC)
def test_every_parameter_is_told(package: ModuleType, name: str) -> None:
    thing = getattr(package, name)
    doc = inspect.getdoc(thing)
    assert doc
    if inspect.isclass(thing) and issubclass(thing, Exception):
        return
    told = doc.partition("Parameters\n")[2].partition("\n\n")[0]
    names = {word for line in re.findall(r"^(\w[\w, ]*)$", told, re.M) for word in line.split(", ")}
    assert set(inspect.signature(thing).parameters) <= names
