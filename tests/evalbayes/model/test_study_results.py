"""What a study found moves the belief as a normal reading does, in closed form and by weighing."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.evalbayes.menus.synthetic import prior_posterior
from tests.evalbayes.menus.test_studies import bio

from evalbayes import InputError, Posterior
from evalbayes.catalogue import Catalogue, parse_catalogue
from evalbayes.inputs import check_inputs
from evalbayes.menus import build_menu, state_draws
from evalbayes.model.fit import fit
from evalbayes.model.study_readings import read_by_study
from evalbayes.model.updating import updated
from evalbayes.observations import Observations, observations_of, read_observations

ARMS = {"participants_with": 30, "participants_without": 40}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return parse_catalogue(bio(effect_at_threshold=0.8))


@pytest.fixture(scope="module")
def belief(catalogue: Catalogue) -> Posterior:
    return prior_posterior(catalogue, n_draws=20_000)


def results(catalogue: Catalogue, *rows: dict[str, Any]) -> Observations:
    return observations_of(
        pd.DataFrame([{"study": "trial", "ai_model": "newest", **row} for row in rows]), catalogue
    )


def test_a_reading_of_what_is_shown_moves_it_as_a_normal_prior(
    catalogue: Catalogue, belief: Posterior
) -> None:
    told = results(catalogue, {"reading": 2.0, "sd": 0.5})
    after = updated(belief, catalogue, told)
    before, now = (p.draws["shown"][:, 0, p.ai_models.index("newest")] for p in (belief, after))
    weight = before.var() / (before.var() + 0.25)
    assert now.mean() == pytest.approx(before.mean() + weight * (2.0 - before.mean()), abs=0.02)
    assert now.var() == pytest.approx(before.var() * (1 - weight), rel=0.03)
    gap = [p.draws["gap"][:, 0, p.ai_models.index("newest")].mean() for p in (belief, after)]
    assert gap[1] == pytest.approx(gap[0], rel=0.03)  # nothing was said of it
    assert not after.elicited_history


def test_a_reading_of_what_is_elicited_says_what_weighing_draws_says(
    catalogue: Catalogue, belief: Posterior
) -> None:
    told = results(catalogue, {"study": "red team", "reading": 2.6})
    after = updated(belief, catalogue, told)
    m = belief.ai_models.index("newest")
    shown, gap = (belief.draws[key][:, 0, m] for key in ("shown", "gap"))
    weights = np.exp(-0.5 * ((shown + 0.8 * gap - 2.6) / 0.7) ** 2)
    weights /= weights.sum()
    for values, key in ((shown, "shown"), (gap, "gap")):
        mean = weights @ values
        sd = math.sqrt(weights @ (values - mean) ** 2)
        moved = after.draws[key][:, 0, m]
        assert moved.mean() == pytest.approx(mean, abs=0.06 * sd)
        assert moved.std() == pytest.approx(sd, rel=0.06)
    assert after.elicited_history  # so the menu's states are tied as the draws are
    ties = np.corrcoef(after.draws["shown"][:, 0, m], after.draws["gap"][:, 0, m])[0, 1]
    assert ties < -0.1


def test_beside_runs_it_is_the_same_in_any_order(catalogue: Catalogue) -> None:
    belief = prior_posterior(catalogue, n_draws=4000)
    runs = pd.DataFrame(
        {"eval": ["q1"], "ai_model": ["newest"], "cap": [30.0], "n_runs": [60], "n_success": [33]}
    )
    trial = pd.DataFrame([{"study": "trial", "ai_model": "newest", "reading": 1.5, "sd": 0.6}])
    both = [updated(belief, catalogue, observations_of(o, catalogue)) for o in (
        [runs, trial], [trial, runs]
    )]  # fmt: skip
    np.testing.assert_allclose(both[0].draws["shown"], both[1].draws["shown"])
    alone = updated(belief, catalogue, observations_of(runs, catalogue))
    assert both[0].draws["shown"][:, 0, -1].std() < alone.draws["shown"][:, 0, -1].std()
    one_more = updated(alone, catalogue, observations_of(trial, catalogue))  # Bayes, step by step
    for key in ("shown", "gap"):
        a, b = both[0].draws[key][:, 0, -1], one_more.draws[key][:, 0, -1]
        assert a.mean() == pytest.approx(b.mean(), abs=0.1 * b.std())
        assert a.std() == pytest.approx(b.std(), rel=0.1)


def test_an_effect_reads_from_the_threshold_on(catalogue: Catalogue) -> None:
    told = results(catalogue, {"effect": 1.0, **ARMS}).studies.to_dict("records")[0]
    value, variance, _ = read_by_study(told, catalogue.studies[0], catalogue)
    assert value == pytest.approx(1.2 + 1.5 * (1.0 - 0.8))
    assert variance == pytest.approx(0.4**2 + 1.5**2 * (1 / 30 + 1 / 40 + 1 / 140))


def test_the_sd_of_an_effect_is_that_of_simulated_trials(catalogue: Catalogue) -> None:
    """Of means over the pooled sd, and of successes of people whose logits differ."""
    rng, many, k = np.random.default_rng(4), 6000, catalogue.studies[0]
    treated, control = rng.normal(0.7, 1.0, (many, 30)), rng.normal(0.0, 1.0, (many, 40))
    pooled = np.sqrt((29 * treated.var(axis=1, ddof=1) + 39 * control.var(axis=1, ddof=1)) / 68)
    effects = (treated.mean(axis=1) - control.mean(axis=1)) / pooled
    row = results(catalogue, {"effect": 0.7, **ARMS}).studies.to_dict("records")[0]
    _, variance, _ = read_by_study(row, k.model_copy(update={"validity_sd": 0.0}), catalogue)
    assert 1.5 * effects.std() == pytest.approx(math.sqrt(variance), rel=0.03)

    odds = rng.logistic(0.0, 1.0, (many, 60)) + 0.9 > 0.3, rng.logistic(0.0, 1.0, (many, 60)) > 0.3
    read, said = [], []
    for won, lost in zip(odds[0].sum(axis=1)[:800], odds[1].sum(axis=1)[:800], strict=True):
        arms: dict[Any, Any] = {"successes_with": won, "successes_without": lost}
        arms |= {"participants_with": 60, "participants_without": 60}
        arms |= {"effect": math.nan, "reading": math.nan}
        value, variance, _ = read_by_study(arms, k, catalogue)
        read.append(value)
        said.append(variance - 0.4**2)
    truth = 1.2 + 1.5 * (0.9 * math.sqrt(3) / math.pi - 0.8)  # in sds of a logistic
    assert np.mean(read) == pytest.approx(truth, abs=0.04)
    assert np.std(read) == pytest.approx(math.sqrt(np.mean(said)), rel=0.07)


def test_a_fit_reads_it_and_a_file_keeps_it(catalogue: Catalogue, tmp_path: Path) -> None:
    told = results(catalogue, {"reading": 2.0, "sd": 0.5})
    bare, found = fit(catalogue, Observations(), seed=1), fit(catalogue, told, seed=1)
    before, now = (p.draws["shown"][:, 0, 0] for p in (bare, found))
    weight = before.var() / (before.var() + 0.25)
    assert now.mean() == pytest.approx(before.mean() + weight * (2.0 - before.mean()), abs=0.05)
    kept = Posterior.load(found.save(tmp_path / "posterior.nc"))
    assert kept.studies == (("trial", "newest"),)
    assert fit(catalogue, told, seed=1, keep=tmp_path / "posterior.nc").studies == kept.studies
    assert told.hash != Observations().hash


def test_it_is_sold_once_and_what_it_left_is_what_the_menu_believes(
    catalogue: Catalogue, belief: Posterior
) -> None:
    before, _ = build_menu(belief, catalogue, with_draws=False)
    after = updated(belief, catalogue, results(catalogue, {"reading": 2.0, "sd": 0.5}))
    menu, _ = build_menu(after, catalogue)
    own = menu.options[menu.options["eval"] == "trial"]
    assert list(own.index) == ["trial / done"]
    assert (own[list(menu.resources)].to_numpy() == 0).all()
    assert not menu.information[menu.options.index.get_loc("trial / done")].any()
    at = before.states.index("bio.shown")
    precision = np.linalg.inv(before.prior_covariance)
    precision[at, at] += 1 / 0.25
    left = np.linalg.inv(precision)[at, at]
    assert menu.prior_covariance[at, at] == pytest.approx(left, rel=0.04)
    assert state_draws(after, catalogue)[:, at].mean() > before.prior_mean[at]
    other = results(catalogue, {"ai_model": belief.ai_models[0], "reading": 2.0, "sd": 0.5})
    still, _ = build_menu(updated(belief, catalogue, other), catalogue, with_draws=False)
    assert list(still.options.index) == list(before.options.index)  # another model's


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            {"study": "trail", "reading": 1},
            "study must be one of the catalogue's, got 'trail'; did",
        ),
        ({}, "must be told by one of reading, effect and successes_with, got none; keep one"),
        ({"reading": 1, "effect": 1, **ARMS}, "got reading and effect; keep one"),
        ({"effect": 0.4}, "participants_with must be given beside effect, got nothing; fill it in"),
        ({"effect": 40, **ARMS}, "effect must be from -10 to 10, got 40; write the difference of"),
        (
            {"effect": 1, "sd": 0.3, **ARMS},
            "sd must stand beside reading alone, got 0.3; that of effect",
        ),
        ({"reading": 1, "sd": 0}, "sd must be above 0, got 0; write the sd of all its error"),
        ({"reading": "high"}, "reading must be a number, got high"),
        (
            {"successes_with": 31, "successes_without": 3, **ARMS},
            "successes_with must not be above",
        ),
        ({"successes_with": 3, **ARMS}, "successes_without must be given beside successes_with"),
        ({"effect": 1, **ARMS, "participants_with": 2.5}, "must be a whole number, 1 or more, got"),
        ({"ai_model": None, "reading": 1}, "ai_model must be given in every row, got nothing"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    catalogue: Catalogue, row: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=re.escape(said)) as error:
        results(catalogue, row)
    assert "row 2" in str(error.value)
    assert "\n" not in str(error.value)


def test_what_cannot_be_read_is_said(catalogue: Catalogue, tmp_path: Path) -> None:
    bare = parse_catalogue(bio())
    with pytest.raises(InputError, match="effect_scale and effect_at_threshold must say what an"):
        updated(prior_posterior(bare, n_draws=50), bare, results(bare, {"effect": 1, **ARMS}))
    with pytest.raises(
        InputError, match="study must be one of the catalogue's, got 'trial'; it has none"
    ):
        results(bare.model_copy(update={"studies": ()}), {"reading": 1})
    with pytest.raises(InputError, match=r"trial by newest twice \(table row 2 and table row 3"):
        results(catalogue, {"reading": 1}, {"reading": 2})
    with pytest.raises(InputError, match="ai_model must be one the posterior knows, got 'other'"):
        updated(
            prior_posterior(catalogue, n_draws=50),
            catalogue,
            results(catalogue, {"ai_model": "other", "reading": 1}),
        )
    path = tmp_path / "trial.csv"
    path.write_text("study,reading\ntrial,1\n")
    with pytest.raises(InputError, match="studies must have a column 'ai_model', got study, read"):
        read_observations(path, catalogue)
    path.write_text("study,ai_model,raeding\ntrial,newest,1\n")
    with pytest.raises(InputError, match="did you mean 'reading'"):
        read_observations(path, catalogue)
    given = bio(effect_at_threshold=0.8, reading_sd=1.0)
    for key in ("participants", "effect_scale", "validity_sd"):
        del given["study"][0][key]
    whole = parse_catalogue(given)
    with pytest.raises(InputError, match="effect_scale and effect_at_threshold must say what an"):
        check_inputs(whole, results(whole, {"effect": 1, **ARMS}))
