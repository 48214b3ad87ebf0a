"""The back-test: blind to what it judges, within budgets, the same every time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from evalfolio.backtests import findings as measures
from evalfolio.backtests.conclusion import Judge, Losses, promised, regression_of
from evalfolio.backtests.findings import findings_of
from evalfolio.backtests.market import Market, Staged
from evalfolio.backtests.page import told
from evalfolio.backtests.record import Design, record_of
from evalfolio.backtests.regression import HorizonRegression
from evalfolio.backtests.replay import Backtest, backtest, known_strategies, some_of, write
from evalfolio.backtests.strategies import Strategy
from evalfolio.backtests.teaching import ResponseModel
from evalfolio.backtests.trial import Setting, Trials, prepared
from evalfolio.cli.app import app
from evalfolio.errors import InputError
from evalfolio.sensitivities.sweep import Sweep

BUDGETS = (0.05, 0.3)


def everything(market: Market, budget: float, rng: np.random.Generator) -> Design:
    """Buy without looking at the money."""
    return Design(market.at, market.caps)


def at_once() -> dict[str, Strategy]:
    """Return the strategies that decide before anything is bought."""
    return {
        name: strategy
        for name, strategy in known_strategies().items()
        if not isinstance(strategy, Staged)
    }


def trials_on(runs: pd.DataFrame, ai_model: str = "model 3") -> Trials:
    setting = Setting(inference=ResponseModel(draws=48))
    trials = prepared(ai_model, record_of(runs), setting)
    assert trials is not None
    return trials


@pytest.fixture(scope="module")
def found(runs: pd.DataFrame) -> Backtest:
    return backtest(
        record_of(runs),
        budgets=BUDGETS,
        repetitions=2,
        ai_models=["model 1", "model 2", "model 3"],
        inference=ResponseModel(draws=64),
        losses=Losses((1.0, 16.0, 256.0)),
    )


def test_no_strategy_sees_what_is_hidden(runs: pd.DataFrame) -> None:
    own = runs["ai_model"] == "model 3"
    other = runs.assign(
        outcome=runs["outcome"].where(~own, "gave_up"), spend=runs["spend"].where(~own, 7.0)
    )
    first, second = trials_on(runs).market, trials_on(other).market
    for name, strategy in at_once().items():
        designs = [strategy(market, 900.0, np.random.default_rng(0)) for market in (first, second)]
        np.testing.assert_array_equal(designs[0].tasks, designs[1].tasks, err_msg=name)
        np.testing.assert_array_equal(designs[0].caps, designs[1].caps, err_msg=name)


def test_every_strategy_keeps_within_the_budget_in_expectation(runs: pd.DataFrame) -> None:
    market = trials_on(runs).market
    for budget in (50.0, 900.0, 6000.0):
        for name, strategy in at_once().items():
            design = strategy(market, budget, np.random.default_rng(1))
            rows = np.searchsorted(market.at, design.tasks)
            shares = np.round(design.caps / market.caps[rows], 9)
            price = [market.price(share, 1)[row] for share, row in zip(shares, rows, strict=True)]
            assert sum(price) <= budget * (1 + 1e-6), name
            if name not in ("one flagship", "uniform random"):  # may afford no single run
                assert len(design), name


def test_everything_bought_leaves_nothing_unknown(runs: pd.DataFrame) -> None:
    trials = trials_on(runs)
    row = trials.judged(Design(trials.at, trials.market.caps), 0)
    assert row["low"] == row["high"] == pytest.approx(trials.truth)
    assert row["wrong"] == 0
    assert row["spent"] == pytest.approx(trials.bill)


def test_more_money_leaves_less_unsure(found: Backtest) -> None:
    width = found.trials["high"] - found.trials["low"]
    mean = width.groupby([found.trials["strategy"], found.trials["budget"]]).mean()
    for name in ("evalfolio", "uniform random", "all maximum"):
        assert mean[name, BUDGETS[1]] < mean[name, BUDGETS[0]]


def test_the_same_on_more_workers_and_after_a_kill(
    runs: pd.DataFrame, found: Backtest, tmp_path: Path
) -> None:
    again = backtest(
        found.record,
        budgets=BUDGETS,
        repetitions=2,
        ai_models=["model 1", "model 2"],
        inference=ResponseModel(draws=64),
        losses=Losses((1.0, 16.0, 256.0)),
        sweep=Sweep(2, checkpoint=tmp_path / "kept"),
    )
    columns = ["ai_model", "strategy", "budget", "repetition", "median", "low", "high", "spent"]
    whole = found.trials[found.trials["ai_model"] != "model 3"]
    pd.testing.assert_frame_equal(
        again.trials[columns].reset_index(drop=True), whole[columns].reset_index(drop=True)
    )
    lines = (tmp_path / "kept").read_text().splitlines()
    (tmp_path / "kept").write_text("\n".join(lines[:2]) + "\n")
    resumed = backtest(
        found.record,
        budgets=BUDGETS,
        repetitions=2,
        ai_models=["model 1", "model 2"],
        inference=ResponseModel(draws=64),
        losses=Losses((1.0, 16.0, 256.0)),
        sweep=Sweep(checkpoint=tmp_path / "kept"),
    )
    pd.testing.assert_frame_equal(resumed.trials[columns], again.trials[columns])


def test_measures_are_what_they_say(found: Backtest) -> None:
    own = found.trials[(found.trials["strategy"] == "evalfolio") & (found.trials["budget"] == 0.3)]
    row = measures.at(found.summary, "evalfolio", 0.3)
    assert row["rmse"] == pytest.approx(np.sqrt(((own["median"] - own["truth"]) ** 2).mean()))
    inside = (own["low"] <= own["truth"]) & (own["truth"] <= own["high"])
    assert row["coverage_90"] == pytest.approx(inside.mean())
    table = measures.summary(six(found.trials))
    row = measures.at(table, "evalfolio", 0.3)
    assert row["rmse_low"] <= row["rmse"] <= row["rmse_high"]
    score = own["high"] - own["low"]
    score += 20 * np.maximum(own["low"] - own["truth"], 0)
    score += 20 * np.maximum(own["truth"] - own["high"], 0)
    assert row["interval_score"] == pytest.approx(score.mean())


def six(trials: pd.DataFrame) -> pd.DataFrame:
    """Trials of three AI models told as those of six."""
    return pd.concat([trials, trials.assign(ai_model=trials["ai_model"] + " again")])


def test_fewer_than_five_ai_models_give_no_interval_and_no_verdict(
    found: Backtest, tmp_path: Path
) -> None:
    assert found.trials["ai_model"].nunique() == 3
    ends = [c for c in found.summary if str(c).endswith(("_low", "_high"))]
    assert found.summary[ends].isna().all(axis=None)
    assert {finding.holds for finding in found.findings} == {None}
    for finding in found.findings:
        assert finding.figures.endswith("3 AI models, of 5 that a verdict takes")
        assert "[" not in finding.figures
        assert str(finding).startswith("no verdict: ")
    folder = write({"others": found}, tmp_path / "out")
    rows = json.loads((folder / "findings.json").read_text())["others"]
    assert {row["holds"] for row in rows} == {None}
    assert "nan" not in (folder / "backtest.md").read_text()
    assert "- no verdict: " in (folder / "backtest.md").read_text()
    assert all(
        sentence.startswith(("No verdict: ", "Of the value promised, "))
        for sentence in told(folder).sentences
    )
    trials = six(found.trials)
    enough = findings_of(trials, measures.summary(trials), "evalfolio")
    assert None not in {finding.holds for finding in enough}
    assert any("[" in finding.figures for finding in enough)


def test_slope_of_value_is_found_again() -> None:
    rng = np.random.default_rng(0)
    promised = rng.uniform(0, 2, (60, 4))
    realised = 0.8 * promised + rng.normal(0, 0.05, promised.shape)
    trials = pd.DataFrame(
        {
            "ai_model": np.repeat(list("abcdef"), 10), "strategy": "evalfolio",
            "promised": promised.tolist(), "value": realised.tolist(),
        }
    )  # fmt: skip
    slopes = measures.calibration_of_value(trials, "evalfolio")
    assert slopes["slope"] == pytest.approx(0.8, abs=0.05)
    # Repetitions are no independent units: telling them twice narrows nothing.
    again = measures.calibration_of_value(pd.concat([trials, trials]), "evalfolio")
    assert again["slope_high"] - again["slope_low"] == pytest.approx(
        slopes["slope_high"] - slopes["slope_low"]
    )


def test_what_became_of_the_value_is_told_apart_by_ai_model(found: Backtest) -> None:
    trials = six(found.trials)
    table = measures.summary(trials)
    own = trials[(trials["strategy"] == "evalfolio") & (trials["budget"] == 0.3)]
    promised, evpi, lost, realised = (
        np.mean([np.mean(row) for row in own[name]])
        for name in ("promised", "evpi", "without", "value")
    )
    row = measures.at(table, "evalfolio", 0.3)
    assert row["promised_of_evpi"] == pytest.approx(promised / evpi)
    assert row["evpi_of_lost"] == pytest.approx(evpi / lost)
    assert row["realised_of_lost"] == pytest.approx(realised / lost)
    assert row["came_true"] == pytest.approx(realised / promised)
    assert 0 < row["promised_of_evpi"] <= 1
    assert row["realised_of_lost"] <= 1  # no runs save more than what is lost without them
    for name in measures.RATIOS:
        assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]
    # Before anything is bought all strategies and budgets lose, and expect to lose, the same.
    assert np.ptp(table["evpi_of_lost"].to_numpy()) == 0
    assert table.loc[table["strategy"] == "all maximum", "came_true"].isna().all()
    claims = {f.claim.split(" (")[0]: f for f in findings_of(trials, table, "evalfolio")}
    finding = claims[
        "the value promised comes true, within the 95 % interval clustered by AI model"
    ]
    assert [each["budget"] for each in finding.numbers] == list(BUDGETS)
    assert finding.numbers[1]["came_true"] == pytest.approx(realised / promised)
    assert "promised over EVPI" in finding.figures
    lost_as_expected = claims[
        "calls without any run lose what the belief about a new AI model expects"
    ]
    assert lost_as_expected.holds is bool(row["evpi_of_lost_low"] <= 1 <= row["evpi_of_lost_high"])


def test_a_plan_is_told_what_came_true(found: Backtest, tmp_path: Path) -> None:
    whole = Backtest(six(found.trials), found.setting, found.record)
    account = told(write({"others": whole}, tmp_path / "out"))
    row = measures.at(whole.summary, "evalfolio", 0.3)
    words = f"{row['came_true']:.2f} [{row['came_true_low']:.2f}, {row['came_true_high']:.2f}]"
    said = account.sentences[-1]
    assert said.startswith("Of the value promised, ")
    assert said.endswith(f"and {words} at 30 % of the bill came true in replay.")
    table = account.tables[-1]
    assert table.name == "value_others"
    assert table.rows[-1] == ("Realised over promised", table.rows[-1][1], words)
    note = (tmp_path / "out" / "backtest.md").read_text()
    assert "| promised / EVPI | EVPI / lost without runs | realised / lost without runs |" in note
    assert f"| {words} |" in note


def test_thresholds_are_fine_from_the_shortest_task_to_the_longest(runs: pd.DataFrame) -> None:
    for minutes in ([0.02, 3.0, 5000.0], [7.0, 7.0], [1.0, 1.1]):
        levels = Losses.over(np.array(minutes)).levels
        assert (levels[0], levels[-1]) == (np.log2(min(minutes)), np.log2(max(minutes)))
        assert (np.diff(levels) <= 0.25 + 1e-9).all()
    assert (np.diff(Losses().levels) <= 0.25 + 1e-9).all()
    # On fine thresholds what is lost hardly hangs on where between two of them a horizon lies.
    draws = np.random.default_rng(0).normal(4.0, 2.0, 2000)
    fine, coarse = Losses(), Losses((1.0, 4.0, 15.0, 60.0, 240.0, 960.0))
    for losses, most in ((fine, 0.02), (coarse, 0.5)):
        lost = [losses.of(losses.calls(draws), truth).mean() for truth in np.arange(0.5, 3.0, 0.1)]
        smooth = np.convolve(lost, [0.25, 0.5, 0.25], "valid")
        wiggle = np.abs(np.asarray(lost)[1:-1] - smooth).max() / np.mean(lost)
        assert wiggle < most
        np.testing.assert_allclose(
            losses.perfect(draws), np.mean([losses.of(losses.calls(draws), t) for t in draws], 0)
        )


def test_money_saved_is_read_off_the_line() -> None:
    table = pd.DataFrame(
        {
            "strategy": ["evalfolio", "evalfolio", "other", "other"],
            "budget": [0.01, 0.1, 0.1, 0.01],
            "rmse": [1.0, 0.1, 0.1**0.5, 3.0],
        }
    )
    found = measures.saved(table, "evalfolio")
    assert measures.at(found, "other", 0.1)["saved"] == pytest.approx(1 - 0.1**1.5 / 0.1)
    assert measures.at(found, "other", 0.01)["at_least"] == pytest.approx(0.0)


def test_calls_lose_what_the_decision_says() -> None:
    losses = Losses((4.0,), missed=3.0, false_alarm=1.0)
    draws = np.array([1.0, 2.5])  # expected: 0.75 lost by not mitigating, 0.5 by mitigating
    assert losses.calls(draws).tolist() == [True]
    assert losses.of(np.array([True]), 1.0).tolist() == [1.0]
    assert losses.of(np.array([False]), 3.0).tolist() == [3.0]


def test_shares_are_counted_by_eval() -> None:
    minutes = np.array([1.0, 2.0, 4.0])
    judge = Judge(minutes, np.array([1, 0, 1]), HorizonRegression(minutes))
    assert judge.shares(np.array([[1.0, 0.0, 0.0]])).tolist() == [[0.0, 0.5]]


def test_promised_value_is_none_for_nothing_and_of_perfect_information_for_all() -> None:
    rng = np.random.default_rng(0)
    draws, losses = rng.gamma(2.0, 2.0, 400), Losses((4.0, 60.0), missed=3.0)
    nothing, some, half, everything = (promised(draws, r, losses) for r in (0.0, 0.2, 0.5, 1.0))
    lost = np.array(  # by call, draw and threshold
        [[losses.of(np.array([call, call]), float(t)) for t in draws] for call in (False, True)]
    )
    perfect = lost.mean(axis=1).min(axis=0) - lost.min(axis=0).mean(axis=0)
    np.testing.assert_allclose(everything, perfect, atol=1e-9)
    np.testing.assert_allclose(nothing, 0.0, atol=1e-12)
    assert (some >= 0).all()
    assert (some <= half).all()
    assert (half < everything).all()


@pytest.mark.parametrize("slope", ["common", "own"])
def test_the_horizon_is_of_the_slope_asked_for(runs: pd.DataFrame, slope: str) -> None:
    record = record_of(runs)
    history = record.history("model 1", "others")
    minutes = 2.0 ** np.arange(8.0)
    steep, mixed = np.array([[1.0] * 6 + [0.0] * 2]), np.array([[1.0, 1, 0, 1, 0, 1, 0, 0]])
    found = regression_of(slope, minutes, history, 1).fit(steep).slope[0]
    other = regression_of(slope, minutes, history, 1).fit(mixed).slope[0]
    assert bool(found == other) is (slope == "common")


def test_writes_tables_note_and_picture(found: Backtest, tmp_path: Path) -> None:
    folder = write({"others": found}, tmp_path / "out")
    note = (folder / "backtest.md").read_text()
    assert "evalfolio" in note
    assert "RMSE" in note
    assert (folder / "backtest.svg").read_text().startswith("<svg")
    assert len(pd.read_csv(folder / "trials-others.csv.gz")) == len(found.trials)
    assert not list(tmp_path.glob(".*partial"))


def test_refuses_what_it_cannot_replay(runs: pd.DataFrame) -> None:
    record = record_of(runs)
    with pytest.raises(InputError, match="shares of the full bill above 0"):
        backtest(record, budgets=(0.0,))
    with pytest.raises(InputError, match="slope must be one of common, own, got 'mine'"):
        backtest(record, slope="mine")
    with pytest.raises(InputError, match="repetitions must be 1 or more"):
        backtest(record, repetitions=0)
    with pytest.raises(InputError, match="must have a history"):
        backtest(record, ai_models=["model 0"], history="earlier")
    with pytest.raises(
        InputError, match="strategy greedy one: the expected spend must keep within"
    ):
        backtest(
            record,
            budgets=(0.05,),
            repetitions=1,
            ai_models=["model 1"],
            inference=ResponseModel(draws=16),
            extra={"greedy one": everything},
        )


def test_the_command_replays_any_table(runs: pd.DataFrame, tmp_path: Path) -> None:
    table = runs.assign(success=(runs["outcome"] == "success").astype(int)).rename(
        columns={"spend": "hours", "cap": "limit"}
    )
    table.drop(columns="outcome").to_csv(tmp_path / "runs.csv", index=False)
    result = CliRunner().invoke(
        app,
        [
            "backtest", str(tmp_path / "runs.csv"), "--map", "spend=hours", "--map", "cap=limit",
            "--out", str(tmp_path / "out"), "--repetitions", "1", "--budget", "0.2", "--ai-model",
            "model 2", "--history", "both", "--json",
        ],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert set(json.loads(result.output)) == {"others", "earlier"}
    told_apart = [row["numbers"] for row in json.loads(result.output)["others"] if row["numbers"]]
    assert told_apart[0][0]["promised_of_evpi"] > 0
    assert told_apart[0][0]["came_true_low"] is None  # one AI model gives no interval
    assert (tmp_path / "out" / "backtest.html").exists()
    assert not list(tmp_path.glob("*.checkpoint"))


def test_intervals_fail_by_being_too_narrow_only(found: Backtest) -> None:
    trials = six(found.trials)
    held = np.random.default_rng(0).random(len(trials))
    for share, holds in ((0.5, False), (0.9, True), (1.0, True)):
        scored = trials.assign(held_90=held < share)
        claims = findings_of(scored, measures.summary(scored), "evalfolio")
        finding = next(each for each in claims if each.claim.startswith("90 % predictive"))
        assert finding.holds is holds


def test_what_each_stage_promised_is_held_against_what_it_saved(found: Backtest) -> None:
    trials = six(found.trials)
    own = trials[trials["strategy"] == "evalfolio"]
    saved = np.stack(own["stages_saved"].to_list())
    # What the stages save is what the whole design does, and each promise is a value.
    np.testing.assert_allclose(saved.sum(axis=1), own["realised"], atol=1e-12)
    promised = np.stack(own["stages_promised"].to_list())
    assert (promised >= 0).all()
    claims = findings_of(trials, measures.summary(trials), "evalfolio")
    finding = next(each for each in claims if each.claim.startswith("the value that each stage"))
    for k in range(3):
        ratio = saved[:, k].mean() / promised[:, k].mean()
        assert f"{ratio:.2f}" in finding.figures
        assert f"in stage {k + 1} ({promised[:, k].mean():.3f} promised)" in finding.figures
    assert trials.loc[trials["strategy"] == "uniform random", "stages_promised"].map(len).max() == 0


def test_a_quick_back_test_takes_ai_models_evenly_in_time(runs: pd.DataFrame) -> None:
    assert some_of(record_of(runs), 3) == ["model 0", "model 2", "model 4"]
    assert some_of(record_of(runs), 9) == [f"model {k}" for k in range(5)]
