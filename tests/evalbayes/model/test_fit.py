"""The fit on real cells and on inputs with something missing."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchmarks.cyber_runs import FAMILIES
from tests.evalbayes.model.simulated import catalogue, observed, runs

from evalbayes.catalogue import Catalogue, parse_catalogue
from evalbayes.errors import InputError
from evalbayes.model.fit import fit
from evalbayes.observations import Observations
from evalbayes.observations.observations import FRAMES
from evalbayes.posterior.posterior import Posterior
from evalbayes.summaries.curves import curve_grid, curve_table

DATA = Path(os.environ.get("EVALFOLIO_DATA", Path(__file__).parents[4] / "shared" / "data"))


def cyber() -> tuple[Catalogue, Observations]:
    path = DATA / "cyber_cells.csv"
    if not path.exists():
        pytest.skip(f"{path} is not there: the real cells are kept beside the project, not in it")
    cells = pd.read_csv(path).rename(
        columns={"cap_tokens": "cap", "median_human_minutes": "human_minutes"}
    )
    minutes = cells.groupby("eval")["human_minutes"].first()
    specs = parse_catalogue(
        {
            "portfolio": {"ai_model": "GPT-5.5"},
            "domain": [{"name": "cyber", "threshold_human_time": "16 h"}],
            "eval": [
                {
                    "name": name,
                    "domain": "cyber",
                    "family": family,
                    "tasks": 50,
                    "human_minutes": float(minutes[name]),
                    "spend_unit": "tokens",
                    "usd_per_unit": [4e-6, 9e-6],
                    "max_cap": 2e7,
                }
                for name, family in FAMILIES.items()
            ],
        }
    )
    return specs, observed(cells.drop(columns=["mean_spend_tokens"]))


@pytest.fixture(scope="module")
def few_draws() -> tuple[Catalogue, Posterior]:
    specs, observations = cyber()
    return specs, fit(specs, observations, draws=250, tune=400, chains=2)


@pytest.mark.slow  # a fit of all real cells
def test_real_cells_fit_without_divergence(few_draws: tuple[Catalogue, Posterior]) -> None:
    posterior = few_draws[1]
    diagnostics = posterior.diagnostics
    assert diagnostics.divergences == 0
    assert diagnostics.quantities["r_hat"].max() < 1.06  # a few draws only
    p = diagnostics.cells["p_success"]
    assert p.between(0.005, 0.995).mean() >= 0.95


@pytest.mark.slow  # a fit of all real cells
def test_plateaus_of_real_cells_follow_success_where_the_cap_never_binds(
    few_draws: tuple[Catalogue, Posterior],
) -> None:
    posterior = few_draws[1]
    cells = posterior.diagnostics.cells
    for name in ("cybashbench", "nl2bash"):
        rows: Any = cells[cells["eval"] == name].itertuples()
        for row in rows:
            plateau = posterior.plateau(row.ai_model)[:, posterior.evals.index(name)]
            share = row.n_success / row.n
            assert abs(plateau.mean() - share) < 0.06


@pytest.mark.slow  # a fit of all real cells
def test_abler_ai_models_have_more_shown_capability(
    few_draws: tuple[Catalogue, Posterior],
) -> None:
    posterior = few_draws[1]
    shown = dict(zip(posterior.ai_models, posterior.draws["shown"][:, 0].mean(axis=0), strict=True))
    assert shown["Claude 3 Opus"] < shown["o3"] < shown["GPT-5.3 Codex"]


@pytest.mark.slow  # a fit of all real cells
def test_curves_of_real_cells_say_which_have_levelled(
    few_draws: tuple[Catalogue, Posterior],
) -> None:
    specs, posterior = few_draws
    table: Any = curve_table(posterior, specs, "GPT-5.3 Codex").set_index("eval")
    assert table.loc["nl2bash", "class"] == "plateau"
    assert table.loc["cybergym", "class"] == "not yet levelling"
    assert (table["plateau_low"] <= table["plateau"]).all()
    assert (table["success_at_max_cap"] <= table["plateau"] + 1e-9).all()
    grid = curve_grid(posterior, specs)
    assert set(grid["eval"]) == set(posterior.evals)
    for _, rows in grid.groupby("eval"):
        assert rows["success"].is_monotonic_increasing
        spend = rows["spend"].to_numpy()
        assert (np.diff(spend) >= -1e-9 * spend[1:]).all()


def test_posterior_reads_back_as_written(
    taught: tuple[Posterior, Counter[str]], tmp_path: Path
) -> None:
    posterior = taught[0]
    stored = Posterior.load(posterior.save(tmp_path / "posterior.nc"))
    for key, draws in posterior.draws.items():
        np.testing.assert_array_equal(stored.draws[key], draws)
    assert stored.provenance == posterior.provenance
    assert stored.diagnostics.reasons == posterior.diagnostics.reasons


@pytest.mark.slow  # full draws of all real cells
def test_real_cells_pass_the_gate_with_full_draws() -> None:
    specs, observations = cyber()
    posterior = fit(specs, observations)
    assert posterior.diagnostics.reasons == ()
    assert posterior.diagnostics.divergences == 0


def test_without_observations_everything_is_the_catalogues() -> None:
    specs = catalogue(
        {"name": "cheap", "human_minutes": 30, "half_spend": [1e4, 1e5]},
        {"name": "dear", "plateau": [0.05, 0.85], "usd_per_run": [10, 40]},
        {"name": "sure", "plateau": [0.35, 0.45], "usd_per_run": [10, 40]},
        shown_capability=[4.0, 8.0],
        elicitation_gap=[0.5, 2.0],
    )
    posterior = fit(specs, Observations(), draws=4000)
    assert posterior.diagnostics.passed
    assert posterior.ai_models == ("C",)
    low, high = np.quantile(posterior.draws["shown"][:, 0, 0], (0.05, 0.95))
    assert (low, high) == pytest.approx((4.0, 8.0), abs=0.15)
    low, high = np.quantile(posterior.draws["gap"][:, 0, 0], (0.05, 0.95))
    assert (low, high) == pytest.approx((0.5, 2.0), rel=0.06)
    low, high = np.quantile(np.exp(posterior.draws["success_location"][:, 0, 0]), (0.05, 0.95))
    assert (low, high) == pytest.approx((1e4, 1e5), rel=0.12)
    plateau = np.quantile(posterior.plateau("C"), (0.05, 0.5, 0.95), axis=0)
    assert plateau[[0, 2], 1] == pytest.approx([0.05, 0.85], abs=0.05)
    # A range narrower than the capability prior allows keeps its middle, and is widened.
    assert plateau[1, 2] == pytest.approx(0.4, abs=0.05)
    assert plateau[0, 2] < 0.3
    assert (curve_table(posterior, specs)["class"] == "unknown").all()


def test_capability_and_gap_are_independent_without_elicited_runs() -> None:
    posterior = fit(catalogue(shown_capability=[4.0, 8.0]), Observations(), draws=4000)
    shown, gap = posterior.draws["shown"][:, 0, 0], posterior.draws["gap"][:, 0, 0]
    assert abs(np.corrcoef(shown, gap)[0, 1]) < 0.05
    assert not posterior.elicited_history


@pytest.mark.parametrize("interval", [[0.0, 0.05], [0.0, 0.0], [0.3, 0.3]])
def test_a_small_or_exact_gap_stays_where_it_was_put(interval: list[float]) -> None:
    posterior = fit(catalogue(elicitation_gap=interval), Observations(), draws=500)
    gap = posterior.draws["gap"]
    assert (gap >= 0).all()
    assert np.quantile(gap, 0.95) <= 1.1 * interval[1] + 2e-3


@pytest.fixture(scope="module")
def hardly_anything() -> Posterior:
    """One AI model: all successes on one eval, none on another, the third unseen."""
    specs = catalogue()
    table: Any = runs(specs, ("A",), n=20)
    table = table[table["eval"] != "middle"]
    table.loc[table["eval"] == "easy", "outcome"] = "success"
    table.loc[table["eval"] == "easy", "spend"] = np.geomspace(1e4, 1e5, 20)
    table.loc[table["eval"] == "hard", ["outcome", "spend"]] = ["stopped_by_cap", 1e6]
    return fit(specs, observed(table), draws=250, tune=1000, chains=2)


@pytest.mark.slow  # a fit of its own
def test_one_ai_model_with_all_or_no_successes_still_fits(hardly_anything: Posterior) -> None:
    plateau = hardly_anything.plateau("A").mean(axis=0)
    by_name = dict(zip(hardly_anything.evals, plateau, strict=True))
    assert by_name["easy"] > by_name["middle"] > by_name["hard"]
    assert by_name["easy"] > 0.85
    assert hardly_anything.diagnostics.divergences <= 5


@pytest.mark.slow  # a fit of its own
def test_no_success_is_a_floor_and_no_plateau(hardly_anything: Posterior) -> None:
    table: Any = curve_table(hardly_anything, catalogue(), "A").set_index("eval")
    assert table.loc["hard", "class"] == "floor"
    assert table.loc["middle", "class"] == "unknown"
    assert table.loc["hard", "plateau_high"] > 0.05  # a floor does not exclude a late plateau


@pytest.mark.slow  # a fit of its own
def test_an_ai_model_without_runs_comes_from_the_population(hardly_anything: Posterior) -> None:
    assert hardly_anything.ai_models == ("A", "C")
    shown = hardly_anything.draws["shown"][:, 0]
    assert shown[:, 1].std() > shown[:, 0].std()
    assert (hardly_anything.n_runs[:, 1] == 0).all()


def elicited() -> tuple[Catalogue, Observations]:
    """Runs of two AI models, and the same again where full elicitation mended most failures."""
    specs = catalogue(elicitation_gap=[0.05, 4.0], shown_capability=[2.0, 8.0])
    standard = runs(specs, ("A", "C"), n=60).assign(effort=0.0)
    better: Any = standard.assign(effort=1.0)
    failed = better["outcome"] != "success"
    better.loc[failed & (better.index % 4 > 0), ["outcome", "spend"]] = ["success", 2e5]
    return specs, observed(standard, better)


@pytest.fixture(scope="module")
def taught() -> tuple[Posterior, Counter[str]]:
    """Elicited runs fitted, and which modules looked at the observations how often."""
    readers: Counter[str] = Counter()

    class Watched(Observations):
        def __getattribute__(self, name: str) -> Any:
            if name in FRAMES:
                readers[sys._getframe(1).f_globals["__name__"]] += 1
            return super().__getattribute__(name)

    specs, observations = elicited()
    watched = Watched(**{key: getattr(observations, key) for key in FRAMES})
    readers.clear()
    return fit(specs, watched, draws=150, tune=300, chains=2, seed=3), readers


def test_a_fit_reads_its_observations_once(taught: tuple[Posterior, Counter[str]]) -> None:
    """The evidence alone looks at them, by what reads them to it, and their hash is taken."""
    assert "evalbayes.model.evidence" in taught[1]
    others = {name for name in taught[1] if not name.startswith("evalbayes.observations.")}
    assert others == {"evalbayes.model.evidence"}


def test_elicited_runs_teach_the_gap(taught: tuple[Posterior, Counter[str]]) -> None:
    posterior = taught[0]
    assert posterior.elicited_history
    gap = posterior.draws["gap"][:, 0, posterior.ai_models.index("C")]
    assert np.quantile(gap, 0.05) > 0.4
    assert (posterior.plateau("C", effort=1.0).mean(axis=0) > posterior.plateau("C").mean(0)).all()


@pytest.mark.slow  # two fits of the same
def test_the_same_seed_gives_the_same_draws() -> None:
    first, second = (fit(*elicited(), draws=50, tune=100, chains=2, seed=3) for _ in range(2))
    for key, draws in first.draws.items():
        np.testing.assert_array_equal(second.draws[key], draws)


def test_an_eval_that_the_catalogue_does_not_hold_is_refused() -> None:
    other = catalogue({"name": "other", "human_minutes": 5})
    with pytest.raises(InputError, match=r"eval must be one of the catalogue's .*got 'other'"):
        fit(catalogue(), observed(runs(other, ("A",), n=5)))
