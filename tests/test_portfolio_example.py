"""The six-domain example: one catalogue in TOML and in a workbook, a plan with all its outputs."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

import evalfolio as ef
from evalbayes import Posterior
from evalbayes.catalogue import Catalogue, read_catalogue
from evalbayes.inputs import check_inputs
from evalbayes.menus import build_menu
from evalbayes.model.fit import fit
from evalbayes.observations import Observations, read_observations
from evalfolio.export.folder import write_all
from evalfolio.plans.outlook import CALLS
from evalfolio.recommendations.recommender import question_of, recommend
from evalfolio.search.certified import Certified
from evalfolio.sensitivities.assumed import assumptions_of
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.mixes import tornado

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


@pytest.fixture(scope="module")
def posterior(catalogue: Catalogue, observations: Observations) -> Posterior:
    return fit(catalogue, observations, seed=0, draws=400, tune=700, chains=2)


@pytest.mark.slow  # 42 evals are planned for at both ends of every figure
def test_no_other_five_figures_move_the_plan_more_than_the_five_named(
    catalogue: Catalogue, posterior: Posterior
) -> None:
    few, method = posterior.thinned(100), Certified(5e-3, 5.0)
    menu = build_menu(few, catalogue, with_draws=False)[0]
    basis = Basis(question_of(catalogue, menu), catalogue, few, 0)
    figures = [each for each in assumptions_of(catalogue, few) if each.ask]  # nobody gave them
    named = tornado(basis, figures, method=method).find_out_first()["name"].tolist()
    assert len(named) == 5 < len(figures)

    plan = method.find(basis.question)
    base = ef.evaluate(menu, plan.chosen).value
    moves = {}
    for figure in figures:
        far = []
        for level in (figure.low, figure.high):
            there = basis.menu_under({figure: level})
            question = question_of(catalogue, there)
            best = ef.evaluate(there, method.find(question).chosen).value
            far.append(abs(best / base - 1))
            if set(plan.chosen) <= set(there.options.index):
                far.append(1 - ef.evaluate(there, plan.chosen).value / best)
        moves[figure.name] = max(far)
    total = {five: sum(moves[name] for name in five) for five in combinations(moves, 5)}
    most = max(total.values())
    own = next(worth for five, worth in total.items() if set(five) == set(named))
    assert own > most - 0.01  # the searches are certified to half a percent
    assert min(moves[name] for name in named) > max(
        moves[name] for name in moves if name not in named
    ) - 0.01  # fmt: skip


@pytest.mark.slow  # 42 evals are fitted
def test_it_is_fitted_planned_and_written(
    catalogue: Catalogue, observations: Observations, posterior: Posterior, tmp_path: Path
) -> None:
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
