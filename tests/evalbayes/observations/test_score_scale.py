# ruff: noqa: E501 -- one line per mistake, so that they read as the table they are
"""Scores of any range: read on a stated scale, refused without one, never told twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from tests.evalbayes.model.simulated import catalogue, observed
from tests.evalbayes.observations.conftest import COUNT, SCORE

from evalbayes.catalogue import parse_catalogue
from evalbayes.catalogue.catalogue import Catalogue
from evalbayes.errors import InputError
from evalbayes.inputs import check_inputs, draft
from evalbayes.model.evidence import evidence_of
from evalbayes.observations.score_scale import ScoreScale, on_scale

BESIDE = {"name": "b", "human_minutes": 60}
AT = "scores of cybench by Model A at cap 100: "


def with_scale(**scale: Any) -> Catalogue:
    return catalogue({"name": "cybench", "human_minutes": 60, **scale}, BESIDE)


def scores(*rows: dict[str, Any]) -> Any:
    return observed(pd.DataFrame([{**SCORE, **row} for row in rows]))


def test_scores_on_any_scale_are_the_same_evidence_as_their_shares() -> None:
    """y → 5·y − 2 moves the scale along and changes nothing."""
    rows = [{"score": y, "cap": cap} for y, cap in ((0.1, 10.0), (0.7, 100.0))]
    moved = [{**row, "score": 5 * row["score"] - 2, "standard_error": 0.5} for row in rows]
    for noise in ("normal", "beta"):
        plain = evidence_of(on_scale(scores(*rows), with_scale(score_noise=noise)))
        scale = with_scale(score_low=-2, score_high=3, score_noise=noise)
        other = evidence_of(on_scale(scores(*moved), scale))
        for key in ("scores", "betas"):
            own, theirs = plain.rows[key].figures, other.rows[key].figures
            np.testing.assert_allclose(list(own.values()), list(theirs.values()))


def test_beta_noise_has_the_score_as_its_mean_and_the_standard_error_given() -> None:
    found = on_scale(
        scores({"score": 1.8}), with_scale(score_low=0, score_high=2, score_noise="beta")
    )
    n = float(found.scores["concentration"].iloc[0])
    law = stats.beta(0.9 * n, 0.1 * n)
    assert (law.mean(), law.std()) == pytest.approx((0.9, 0.05))


@pytest.mark.parametrize(
    ("scale", "row", "message"),
    [
        ({}, {"score": 1.3}, AT + "a score must lie from 0 to 1 where no other scale is stated, got 1.3; give score_low and score_high"),
        ({}, {"score": -0.01}, "a score must lie from 0 to 1 where no other scale is stated, got -0.01"),
        ({"score_low": 0, "score_high": 2}, {"score": 2.4}, AT + "a score must lie on the scale that the catalogue states, from 0 to 2, give or take 3 standard errors, got 2.4 with a standard error of 0.1; move"),
        ({"score_noise": "beta"}, {"score": 0.0}, AT + "beta noise must have a score inside its scale, from 0 to 1, and a variance below that of all or nothing, got 0 with"),
        ({"score_noise": "beta"}, {"standard_error": 0.5}, "got 0.4 with a standard error of 0.5; write score_noise = \"normal\""),
    ],
)  # fmt: skip
def test_scores_off_their_scale_are_refused(
    scale: dict[str, Any], row: dict[str, Any], message: str
) -> None:
    specs = with_scale(**scale)
    for read in (lambda: on_scale(scores(row), specs), lambda: check_inputs(specs, scores(row))):
        with pytest.raises(InputError) as refused:
            read()
        assert message in str(refused.value)


def test_noise_may_carry_a_mean_score_a_little_past_a_stated_end() -> None:
    found = on_scale(scores({"score": -0.2}), with_scale(score_low=0, score_high=2))
    assert list(found.scores["score"]) == [-0.1]


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        ({"score_high": 2}, "score_low must be given with score_high, got nothing"),
        ({"score_low": 2}, "score_high must be given with score_low, got nothing"),
        ({"score_low": 2, "score_high": 1}, "score_low must be below score_high, got 2 and 1; swap them"),
        ({"score_noise": "t"}, 'score_noise must be "normal" or "beta", got \'t\'; beta keeps'),
    ],
)  # fmt: skip
def test_a_scale_has_two_ends_in_order(scale: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        with_scale(**scale)
    assert message in str(refused.value)


def test_a_draft_states_the_scale_of_scores_above_one() -> None:
    import tomllib

    text = draft(scores({"score": 1.3}, {"eval": "b"}))
    first, second = tomllib.loads(text)["eval"] if "[[eval]]" in text else ({}, {})
    specs = parse_catalogue(tomllib.loads(text))
    assert {first["name"], second["name"]} == {"cybench", "b"}
    assert (specs.eval("cybench").score_low, specs.eval("cybench").score_high) == (0, 2)
    assert specs.eval("b").score_high is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([{"n_runs": 12}], "run_set 'all': rows of one set of runs must have the same n_runs at every cap, got 10 and 12"),
        ([{"n_success": 3}], "successes of one set of runs must not fall as the cap rises, got 4, 3; count again"),
    ],
)  # fmt: skip
def test_a_set_of_runs_that_cannot_be_one_is_refused(
    changes: list[dict[str, Any]], message: str
) -> None:
    first = {**COUNT, "run_set": "all"}
    with pytest.raises(InputError) as refused:
        observed(pd.DataFrame([first, {**first, "cap": 200.0, **changes[0]}]))
    assert message in str(refused.value)


def test_scores_of_one_set_of_runs_at_two_caps_are_refused() -> None:
    with pytest.raises(InputError) as refused:
        scores({"run_set": 1}, {"run_set": 1, "cap": 200.0})
    message = "a set of runs must have its score at one cap, got '1' at several; means at two caps"
    assert message in str(refused.value)
    assert len(scores({"run_set": 1}, {"run_set": 2, "cap": 200.0}).scores) == 2


def test_real_scores_of_re_bench_and_weirdml(data_folder: Path) -> None:
    """RE-Bench by environment and limit, as if counted to 2; WeirdML after five iterations."""
    bench = pd.read_csv(data_folder / "rebench_by_time_limit.csv")
    bench = bench[(bench["n_runs"] > 1) & (bench["sd_score"] > 0)].reset_index(drop=True)
    table = pd.DataFrame(
        {
            "eval": bench["environment"],
            "ai_model": bench["ai_model"],
            "cap": bench["time_limit_seconds"] / 3600.0,
            "score": 2.0 * bench["mean_score"],
            "standard_error": 2.0 * bench["sd_score"] / np.sqrt(bench["n_runs"]),
            "n_runs": bench["n_runs"],
        }
    )
    assert (table["score"] > 1.0).any()
    weird = pd.read_csv(data_folder / "weirdml_models.csv")
    weird = pd.DataFrame(
        {
            "eval": "weirdml",
            "ai_model": weird["ai_model"],
            "cap": 5.0,
            "score": weird["avg_acc"],
            "standard_error": weird["avg_acc_se"],
        }
    ).drop_duplicates("ai_model")
    specs = [
        {"name": name, "spend_unit": "hours", "max_cap": 32, "usd_per_unit": 15, "score_low": 0, "score_high": 2}
        for name in sorted(set(table["eval"]))
    ]  # fmt: skip
    iterations = {"spend_unit": "iterations", "usd_per_unit": 0.1, "score_noise": "beta"}
    catalogued = catalogue(*specs, {"name": "weirdml", **iterations})
    found = on_scale(observed(table, weird), catalogued)
    evidence = evidence_of(found)
    assert len(evidence.scores) == len(table)
    assert len(evidence.betas) == len(weird)
    np.testing.assert_allclose(np.sort(evidence.scores.score), np.sort(bench["mean_score"]))
    with pytest.raises(InputError, match="where no other scale is stated"):
        on_scale(observed(table), catalogue(*({"name": s["name"]} for s in specs)))


def test_a_scale_reads_scores_as_shares() -> None:
    assert ScoreScale(-1.0, 3.0).share(np.array([-1.0, 1.0, 3.0])).tolist() == [0.0, 0.5, 1.0]
