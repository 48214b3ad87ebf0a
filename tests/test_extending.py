"""The page on families, objectives and limits of one's own runs as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalbayes.curves.families import FAMILIES, Family, add_family
from evalbayes.curves.law import STACKED, WIDTHS, Law
from evalbayes.errors import InputError

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"


@pytest.fixture(autouse=True)
def families_as_they_were() -> Iterator[None]:
    before = len(STACKED)
    yield
    for name in STACKED[before:]:
        for table in (FAMILIES, WIDTHS):
            table.pop(name)
    del STACKED[before:]


@pytest.fixture(name="page")
def page_fixture() -> dict[str, Any]:
    """Run the page's blocks one after the other, as one reader would; return the names."""
    names: dict[str, Any] = {"__name__": "page"}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.S | re.M):
        exec(compile(block, str(PAGE), "exec", dont_inherit=True), names)  # it is ours
    return names


def test_every_block_runs_and_holds(page: dict[str, Any]) -> None:
    assert STACKED[-1] == "frechet"
    assert page["both"].status == page["held"].status == "certified"
    # with a median of its own the width is one sd of ln spend, as of the other families
    law = Law(0.0, 2.0, weights=np.eye(len(STACKED))[-1])
    drawn = law.sampled(np.random.default_rng(0), (200_000,))
    assert drawn.std() == pytest.approx(2.0, rel=0.02)
    assert float(law.cdf(0.0)) == pytest.approx(0.5)


def test_a_term_of_ones_own_is_certified_as_brute_force_has_it(page: dict[str, Any]) -> None:
    from tests.evalfolio.conftest import every_choice, random_menu

    import evalfolio as ef
    from evalfolio.search.problem import Problem
    from evalfolio.search.question import Question

    for seed in range(5):
        menu = random_menu(seed, 4, 2, 2)
        budget = {"usd": 0.4 * float(menu.options["usd"].sum())}
        objective = page["known"] + 0.2 * ef.evsi()
        problem = Problem(Question(menu, budget, objective=objective))
        best = max(problem.value(x) for x in every_choice(menu) if problem.met(x))
        plan = ef.optimise(menu, budget=budget, objective=objective, gap=1e-6)
        assert plan.value == pytest.approx(best, rel=1e-6)
        split = ef.optimise(menu, budget=budget, objective=objective, method="convex")
        assert split.bound >= best * (1 - 1e-9)


def test_a_posterior_follows_families_that_are_added(page: dict[str, Any], tmp_path: Path) -> None:
    from tests.evalbayes.posterior.test_posterior import posterior

    fitted = posterior()
    assert fitted.spend_weights is not None
    assert fitted.spend_weights.shape[1] == len(STACKED)
    fitted.save(tmp_path / "posterior.nc")
    STACKED.remove("frechet")
    with pytest.raises(InputError, match=r"fitted with 1 families of spend .* add them first"):
        type(fitted).load(tmp_path / "posterior.nc")
    STACKED.append("frechet")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "hill"}, "must have a name of its own, got 'hill'; there are already lognormal"),
        ({"plateau": False}, "must have a plateau and the one shape scale, got scale;"),
        ({"quantile": lambda share, location, scale: location + share}, "must keep the rule"),
    ],
)
def test_what_cannot_be_weighed_is_refused(
    page: dict[str, Any], changes: dict[str, Any], message: str
) -> None:
    from dataclasses import replace

    family: Family = page["frechet"]
    with pytest.raises(InputError, match=re.escape(message)):
        add_family(replace(family, **{"name": "other", **changes}))


@pytest.mark.slow  # a fit
def test_a_fit_and_its_menu_carry_a_family_of_ones_own(
    page: dict[str, Any], tmp_path: Path
) -> None:
    from evalbayes.catalogue import read_catalogue
    from evalbayes.menus import build_menu
    from evalbayes.model.fit import fit
    from evalbayes.observations import read_observations

    runs = page["runs"].assign(
        task=[f"t{k}" for k in range(len(page["runs"]))], cap=1e9, human_minutes=30.0
    )
    failed = runs.head(20).assign(outcome="gave_up")

    pd.concat([runs, failed]).to_csv(tmp_path / "runs.csv", index=False)
    (tmp_path / "catalogue.toml").write_text(
        '[portfolio]\nai_model = "model A"\n[budget]\nusd = 5000\n'
        '[[domain]]\nname = "cyber"\nthreshold_human_time = "8 h"\nmitigate_above = 0.1\n'
        '[[eval]]\nname = "ctf"\ndomain = "cyber"\ntasks = 40\nusd_per_unit = 1e-5\n'
    )
    catalogue = read_catalogue(tmp_path / "catalogue.toml")
    observations = read_observations([tmp_path / "runs.csv"])
    fitted = fit(catalogue, observations, draws=200, tune=400, chains=2)
    assert fitted.spend_weights is not None
    own = STACKED.index("frechet")
    assert fitted.spend_weights[0, own] > 0.5
    drawn = fitted.draws["spend_family"][:, 0, 0] == own
    assert drawn.mean() == pytest.approx(fitted.spend_weights[0, own], abs=0.02)
    menu, _ = build_menu(fitted, catalogue)
    assert len(menu)
    assert (menu.options["usd"] > 0).all()
