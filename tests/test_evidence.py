"""The page on more evidence runs as it stands: its catalogues, its recipes, its commands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from tests.evalbayes.catalogue.test_study import two

from evalbayes.catalogue import parse_catalogue

PAGE = (Path(__file__).parents[1] / "docs" / "how-to" / "evidence.md").read_text("utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.S | re.M)


def test_the_studies_of_the_page_are_read_as_told() -> None:
    trial, red_team = parse_catalogue(two(*tomllib.loads(blocks("toml")[0])["study"])).studies
    assert trial.participants is not None
    assert trial.sampling_sd(trial.participants) == pytest.approx(1.2 * (2 / 60) ** 0.5)
    assert (red_team.lasting_sd, red_team.effort) == (0.6, 0.7)
