"""The example that `make demo` runs: certified, within its budgets, and not tuned to please."""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalbayes.catalogue import Catalogue, Interval, read_catalogue
from evalbayes.halves import T_95
from evalbayes.model.fit import fit
from evalbayes.observations import Observations, read_observations
from evalfolio.export import write_all
from evalfolio.plans.evaluation import evaluate
from evalfolio.plans.rivals import rival_plans
from evalfolio.programmes.concluding import conclude
from evalfolio.programmes.programme import Programme
from evalfolio.programmes.replanning import replan
from evalfolio.recommendations.recommendation import Recommendation
from evalfolio.recommendations.recommender import recommend

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "cyber"
DATA = Path(os.environ.get("EVALFOLIO_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return read_catalogue(EXAMPLE / "catalogue.toml")


@pytest.fixture(scope="module")
def example(catalogue: Catalogue) -> Recommendation:
    """Fit with few draws, enough for the plan, and recommend."""
    observations = read_observations(sorted(EXAMPLE.glob("*.csv")), catalogue)
    posterior = fit(catalogue, observations, seed=0, draws=400, tune=700, chains=2)
    return recommend(catalogue, observations, posterior, frontier_points=0)


def test_the_plan_is_certified_and_keeps_every_budget(example: Recommendation) -> None:
    plan = example.plan
    assert plan.status == "certified"
    assert plan.gap is not None
    assert plan.firm is not None
    assert plan.gap * plan.bound <= 1e-3 * plan.bound + plan.firm.given_up * (1 + 1e-9)
    assert plan.firm.given_up <= max(T_95 * plan.firm.apart, 1e-3 * plan.bound)
    for name in example.record.budget:
        assert plan.spend[name] <= example.record.may_spend(name) * (1 + 1e-9)


def test_noise_firm_rows_and_what_may_stand_for_others_are_recorded(
    example: Recommendation,
) -> None:
    record = example.record
    assert record.value.noise is not None
    assert record.value.gap is not None
    assert record.value.gap_with_noise is not None
    # Of a tenth of the draws of `make demo`, where they are 0.024 and 0.007.
    assert 0 < record.value.noise < 0.1 * record.value.evsi
    assert record.value.gap < record.value.gap_with_noise < 0.05
    assert {row.firm for row in record.choices} <= {True, False}
    # None need be firm: the noise of so few draws hides what `make demo` can prove.
    assert not any(row.instead for row in record.choices if row.firm)
    assert "± " in record.words.firm


def test_usd_and_staff_hours_both_bind(example: Recommendation) -> None:
    assert example.plan.shadow_prices["usd"] > 0
    assert example.plan.shadow_prices["staff_hours"] > 0


def test_both_domains_and_both_depths_are_funded(example: Recommendation) -> None:
    assert (example.plan.domains["v"] > 0).all()
    assert {"plateau", "max-elicitation"} <= set(example.plan.choices["tier"])


def test_depth_is_worth_next_to_nothing_far_from_the_threshold(example: Recommendation) -> None:
    plan, menu = example.plan, example.plan.menu
    flat = rival_plans(plan.question)["all plateau"]
    least = evaluate(menu, flat).value
    for name in ("nl2bash", "cybashbench"):  # 20-second tasks and multiple choice, against 40 hours
        own = menu.options[menu.options["eval"] == name]
        rest = [option for option in flat if option not in own.index]
        deep = own.index[own["tier"] == "max-elicitation"]
        assert len(deep)
        most = max(evaluate(menu, [*rest, option]).value for option in deep)
        assert most - least < 0.01 * plan.evpi


def test_depth_goes_to_evals_whose_gap_goes_with_that_at_the_threshold(
    example: Recommendation,
) -> None:
    chosen, posterior = example.plan.choices, example.posterior
    deep = chosen[(chosen["tier"] == "max-elicitation") & (chosen["domain"] == "cyber")]
    assert len(deep)
    for name in deep["eval"]:
        knot = int(posterior.reach[posterior.index_of("eval", name)].argmax())
        distance = abs(posterior.knot_place[knot] - posterior.knot_place[0])
        assert np.exp(-distance / posterior.draws["gap_range"][:, 0]).mean() >= 0.4


def test_the_first_two_lines_say_the_mix_and_what_it_hangs_on(example: Recommendation) -> None:
    first, second = str(example).splitlines()[:2]
    assert first.startswith(("Run ", "THE FIT FAILED ITS GATE. Run "))
    assert "maximum elicitation" in first
    assert second.startswith("It hangs on the prior range of the elicitation gap")


def test_the_plan_beats_every_other_way_to_spend_the_budget(example: Recommendation) -> None:
    table = example.comparisons.set_index("plan")
    plain = {"greedy", "even split", "all plateau", "all maximum", "half of every budget"}
    assert set(table.index) == {"this plan"} | plain
    given_up = example.plan.firm.given_up if example.plan.firm else 0.0
    assert table["value"].drop("this plan").max() <= table["value"]["this plan"] + given_up


def test_depth_on_a_prior_is_said_in_the_warnings(example: Recommendation) -> None:
    assert any("depth rests on the prior range" in text for text in example.record.warnings)


@pytest.mark.slow  # a prior drawn and a menu of it: half a CPU-minute
def test_without_an_elicitation_gap_no_maximum_option_is_chosen(
    catalogue: Catalogue, example: Recommendation
) -> None:
    interval = Interval(low=0.0, high=0.05)
    domains = tuple(
        domain.model_copy(update={"elicitation_gap": interval}) for domain in catalogue.domains
    )
    narrow = catalogue.model_copy(update={"domains": domains})
    # Without elicited runs the gap is its prior, independent of all else: a fit with the narrow
    # range has the same draws but for those of the gap.
    posterior = example.posterior
    assert not posterior.elicited_history
    prior = fit(narrow, Observations(), draws=posterior.n_draws, seed=0)
    m = prior.index_of("ai_model", narrow.portfolio.ai_model)
    gap = np.broadcast_to(prior.draws["gap"][:, :, [m]], posterior.draws["gap"].shape)
    narrowed = replace(posterior, draws={**posterior.draws, "gap": gap}, gap_prior=prior.gap_prior)
    plan = recommend(narrow, None, narrowed, frontier_points=0).plan
    assert plan.chosen
    assert "max-elicitation" not in set(plan.choices["tier"])


@pytest.mark.skipif(not (DATA / "cyber_cells.csv").exists(), reason="the public runs are absent")
@pytest.mark.slow  # two plans of what is left: a CPU-minute
def test_the_programme_of_the_readme_is_played_to_its_end(
    example: Recommendation, tmp_path: Path
) -> None:
    write_all(example, tmp_path / "start")
    at = tmp_path / "start"
    for k, name in enumerate(("first.csv", "second.csv")):
        programme, results = Programme.load(at), [EXAMPLE / "results" / name]
        made, at = replan(programme, results, frontier_points=0), tmp_path / f"step{k}"
        log = partial(programme.write, new=results, step=made.step)
        write_all(made.recommendation, at, programme=log)
        assert all(made.paid[name] <= most for name, most in programme.budget.items() if most)
    assert not made.recommendation.record.to_run  # nothing that is left would turn a call
    found = conclude(Programme.load(at))
    calls = {row["name"]: (row["call_before"], row["call"]) for row in found.decisions}
    assert calls == {
        "cyber": ("mitigate", "mitigate"),
        "autonomy": ("mitigate", "do not mitigate"),
    }


def test_the_observations_are_what_the_public_runs_give() -> None:
    spec = importlib.util.spec_from_file_location("derive", EXAMPLE / "derive.py")
    assert spec is not None
    assert spec.loader is not None
    derive = importlib.util.module_from_spec(spec)
    sys.modules["derive"] = derive
    spec.loader.exec_module(derive)
    pd.testing.assert_frame_equal(
        pd.read_csv(EXAMPLE / "cyber_cells.csv"),
        derive.cyber_cells(DATA).round(6).reset_index(drop=True),
        check_dtype=False,
    )
    counts = pd.concat([derive.hcast_counts(DATA), derive.rebench_counts(DATA)], ignore_index=True)
    pd.testing.assert_frame_equal(
        pd.read_csv(EXAMPLE / "metr_counts.csv"), counts, check_dtype=False
    )
