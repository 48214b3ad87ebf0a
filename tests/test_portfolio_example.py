"""The six-domain example: one catalogue in TOML and in a workbook, a plan with all its outputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalbayes.catalogue import Catalogue, read_catalogue
from evalbayes.inputs import check_inputs
from evalbayes.model.fit import fit
from evalbayes.observations import Observations, read_observations
from evalfolio.export.folder import write_all
from evalfolio.plans.outlook import CALLS
from evalfolio.recommendations.recommender import recommend

EXAMPLES = Path(__file__).parents[1] / "examples"
LEVELS = ["cyber, High", "cyber, Critical", "bio, High", "bio, Critical"]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return read_catalogue(EXAMPLES / "portfolio" / "catalogue.toml")


@pytest.fixture(scope="module")
def observations(catalogue: Catalogue) -> Observations:
    return read_observations(sorted((EXAMPLES / "cyber").glob("*.csv")), catalogue)


def test_the_workbook_is_the_same_catalogue(catalogue: Catalogue) -> None:
    theirs = read_catalogue(EXAMPLES / "portfolio" / "catalogue.xlsx")
    assert [spec.name for spec in theirs.decisions] == [spec.name for spec in catalogue.decisions]
    assert theirs.evals == catalogue.evals
    assert theirs.elicitations == catalogue.elicitations
    assert theirs.studies == catalogue.studies
    assert theirs.budget == catalogue.budget
    assert theirs.portfolio == catalogue.portfolio
    for name in LEVELS[:2]:
        assert theirs.adversary(name, "cyber") == catalogue.adversary(name, "cyber") is not None
    for ours, other in zip(catalogue.levels, theirs.levels, strict=True):
        # a workbook keeps 16 digits, one fewer than a logarithm may need
        assert other.threshold.mid == pytest.approx(ours.threshold.mid, rel=1e-14)
        assert other.model_copy(update={"threshold": ours.threshold}) == ours


def test_it_asks_what_a_framework_asks_and_is_told_without_a_warning(
    catalogue: Catalogue, observations: Observations
) -> None:
    assert len(catalogue.domains) == 6
    assert len(catalogue.evals) == 42
    assert [spec.name for spec in catalogue.levels] == ["High", "Critical"] * 2
    assert isinstance(catalogue.budget.staff_hours, dict)
    assert sum(bool(spec.mandatory) for spec in catalogue.evals) >= 3
    assert len(catalogue.elicitations) == 10
    assert [spec.level for spec in catalogue.studies] == ["High", "Critical"]
    assert len(catalogue.elicitations_of("cybergym")) == 1
    check = check_inputs(catalogue, observations)
    assert not [line for line in check.lines if line.startswith(("warning", "no anchor"))]


@pytest.mark.slow  # 42 evals are fitted
def test_it_is_fitted_planned_and_written(
    catalogue: Catalogue, observations: Observations, tmp_path: Path
) -> None:
    posterior = fit(catalogue, observations, seed=0, draws=400, tune=700, chains=2)
    result = recommend(catalogue, observations, posterior, frontier_points=0, sensitivity=False)
    plan, record = result.plan, result.record
    for name in record.budget:
        assert plan.spend[name] <= record.may_spend(name) * (1 + 1e-9)
    mandatory = {spec.name for spec in catalogue.evals if spec.mandatory}
    assert mandatory <= {row.eval for row in record.choices}
    for domain in catalogue.domains:
        own = [e.name for e in catalogue.evals if domain.name in e.loadings]
        assert {row.eval for row in record.choices} & set(own)
    called = {row.name: row for row in record.domains}
    assert set(LEVELS) < set(called)
    for low, high in (LEVELS[:2], LEVELS[2:]):  # equal rules: never the higher level alone
        assert called[low].p_exceeds >= called[high].p_exceeds
        assert called[low].call_now == CALLS[1] or called[high].call_now == CALLS[0]
    assert called["cyber, High"].held_against == "4 attempts at up to $1,000 each"
    assert called["cyber, Critical"].held_against == "8 attempts at up to $20,000 each"
    write_all(result, tmp_path / "out")
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"report.html", "plan.xlsx", "plan.json", "mix.csv", "mix.parquet"} <= written
