"""Public names are documented whole: `help()` of either package is a glossary and a map."""

from __future__ import annotations

import inspect
import re
from enum import Enum
from types import ModuleType

import pytest

import evalbayes
import evalfolio

PUBLIC = [(package, name) for package in (evalfolio, evalbayes) for name in sorted(package.__all__)]


@pytest.mark.parametrize(("package", "name"), PUBLIC)
def test_help_of_the_package_names_it(package: ModuleType, name: str) -> None:
    assert f"`{name}`" in str(package.__doc__)
    assert name in dir(package)


@pytest.mark.parametrize("package", [evalfolio, evalbayes])
def test_help_gives_every_public_name_one_line_and_no_other(package: ModuleType) -> None:
    named = re.findall(r"^    `(\w+)`  +\S", str(package.__doc__), re.M)
    assert sorted(named) == package.__all__


@pytest.mark.parametrize(("package", "name"), PUBLIC)
def test_every_parameter_is_told(package: ModuleType, name: str) -> None:
    thing = getattr(package, name)
    doc = inspect.getdoc(thing)
    assert doc
    if not callable(thing) or (inspect.isclass(thing) and issubclass(thing, Exception | Enum)):
        return
    told = doc.partition("Parameters\n")[2].partition("\n\n")[0]
    names = {word for line in re.findall(r"^(\w[\w, ]*)$", told, re.M) for word in line.split(", ")}
    assert set(inspect.signature(thing).parameters) <= names


@pytest.mark.parametrize(("package", "name"), PUBLIC)
def test_a_public_name_is_not_hidden_by_a_room(package: ModuleType, name: str) -> None:
    assert not inspect.ismodule(getattr(package, name))
