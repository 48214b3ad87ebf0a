"""Logs written here, each to show one thing."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from evalfolio.readers import default_prices, read_inspect_logs
from evalfolio.readers.prices import Price, Prices

WriteLog = Callable[..., Path]
MODEL = "openai/gpt-4o-mini"


def used(total: int, model: str = MODEL, **more: Any) -> dict[str, Any]:
    output = min(10, total)
    kinds = {"input_tokens": total - output, "output_tokens": output, "total_tokens": total}
    return {model: {**kinds, **more}}


def scored(value: object, **more: Any) -> dict[str, Any]:
    return {"scores": {"match": {"value": value}}, "model_usage": used(100), **more}


def test_limits_censor_and_a_success_past_one_stays(write_log: WriteLog) -> None:
    limit = {"type": "token", "limit": 100}
    log = write_log(
        [
            scored("C", limit=limit, model_usage=used(105)),
            scored("I", limit=limit, model_usage=used(108)),
            scored("I", limit={"type": "message", "limit": 5}),
            scored("I", limit={"type": "operator", "limit": 1}),
            scored("I"),
        ],
        config={"token_limit": 100},
    )
    result = read_inspect_logs(log)
    assert result.runs["outcome"].tolist() == [
        "success", "stopped_by_cap", "stopped_otherwise", "stopped_otherwise", "gave_up",
    ]  # fmt: skip
    assert set(result.runs["cap"]) == {100.0}
    assert result.counts["limits"].tolist() == [4]


def test_a_limit_in_usd_caps_spend_in_usd(write_log: WriteLog) -> None:
    cost = 2_000_000 * 0.15 / 1e6
    log = write_log(
        [scored("I", limit={"type": "cost", "limit": 0.3}, model_usage=used(2_000_000))],
        config={"cost_limit": 0.3},
    )
    usd = read_inspect_logs(log, spend="usd").runs.iloc[0]
    assert (usd["outcome"], usd["cap"]) == ("stopped_by_cap", 0.3)
    assert usd["spend"] == pytest.approx(cost)
    tokens = read_inspect_logs(log).runs.iloc[0]
    assert (tokens["outcome"], tokens["spend"]) == ("stopped_otherwise", 2_000_000)


def test_a_limit_in_time_caps_spend_in_hours(write_log: WriteLog) -> None:
    log = write_log(
        [scored("I", limit={"type": "working", "limit": 3600}, working_time=3600, total_time=4000)],
        config={"working_limit": 3600, "time_limit": 7200},
    )
    run = read_inspect_logs(log, spend="hours").runs.iloc[0]
    assert (run["outcome"], run["spend"], run["cap"]) == ("stopped_by_cap", 1.0, 1.0)


def test_a_limit_on_output_tokens_is_no_cap_on_all_tokens(write_log: WriteLog) -> None:
    log = write_log(
        [scored("I", limit={"type": "token", "limit": 50}), scored("C")],
        config={"token_limit": 50, "token_limit_type": "output"},
    )
    runs = read_inspect_logs(log).runs
    assert runs["outcome"].tolist() == ["stopped_otherwise", "success"]
    assert runs["cap_from"].tolist() == ["largest spend"] * 2


def test_what_does_not_count_is_excluded_and_reported(write_log: WriteLog) -> None:
    error = {"message": "sandbox gone", "traceback": "", "traceback_ansi": ""}
    log = write_log(
        [
            scored("C"),
            {"error": error, "model_usage": used(10)},
            scored(float("nan")),
            {"model_usage": used(10)},
        ]
    )
    result = read_inspect_logs(log)
    assert result.runs["reason"].tolist() == ["", "errored", "unscored", "unscored"]
    assert result.runs["error"].iloc[1] == "sandbox gone"
    counts = result.counts.iloc[0]
    assert (counts["excluded"], counts["errored"], counts["unscored"]) == (3, 1, 2)
    assert "2 samples are excluded: unscored (first: ctf 3 in log.eval)." in result.notes
    assert "1 samples are excluded: errored (first: ctf 2 in log.eval)." in result.notes


def test_a_cancelled_log_tells_what_is_missing(write_log: WriteLog) -> None:
    log = write_log([scored("C"), {}], status="cancelled", planned=10)
    result = read_inspect_logs(log)
    assert result.runs["reason"].tolist() == ["", "cancelled"]
    assert result.counts["missing"].tolist() == [8]
    assert any("8 planned samples are not in their" in note for note in result.notes)


@pytest.mark.parametrize("ending", ["eval", "json"])
def test_an_invalidated_sample_is_excluded(write_log: WriteLog, ending: str) -> None:
    from inspect_ai.log import ProvenanceData, invalidate_samples, read_eval_log, write_eval_log

    log = write_log([scored("C", uuid="one"), scored("C", uuid="two")], f"log.{ending}")
    edited = invalidate_samples(
        read_eval_log(str(log)), ["two"], ProvenanceData(author="a", reason="leak")
    )
    write_eval_log(edited, str(log))
    assert read_inspect_logs(log).runs["reason"].tolist() == ["", "invalidated"]


def test_zero_tokens_are_not_recorded_rather_than_free(write_log: WriteLog) -> None:
    log = write_log([scored("C", model_usage={}), scored("I")])
    result = read_inspect_logs(log)
    assert result.runs["spend"].isna().tolist() == [True, False]
    assert result.runs["usd"].isna().tolist() == [True, False]
    assert result.counts["no_spend"].tolist() == [1]


def test_tokens_of_the_grader_are_paid_but_not_spent(write_log: WriteLog) -> None:
    usage = used(75) | used(25, "openai/gpt-4o")
    log = write_log([scored("C", model_usage=usage, role_usage={"grader": usage["openai/gpt-4o"]})])
    run = read_inspect_logs(log).runs.iloc[0]
    assert (run["spend"], run["tokens"], run["grader_tokens"]) == (75, 100, 25)
    assert run["usd"] == pytest.approx((65 * 0.15 + 10 * 0.6 + 15 * 2.5 + 10 * 10) / 1e6)


def test_an_unknown_price_leaves_usd_empty_or_as_reported(write_log: WriteLog) -> None:
    told = used(100, "lab/x", total_cost=0.25)
    log = write_log([scored("C", model_usage=used(100, "lab/x")), scored("C", model_usage=told)])
    result = read_inspect_logs(log)
    assert result.runs["spend"].tolist() == [100, 100]
    assert result.runs["usd"].isna().tolist() == [True, False]
    assert result.runs["usd_reported"].iloc[1] == 0.25
    assert any("No price is known for lab/x" in note for note in result.notes)


def test_a_users_prices_count(write_log: WriteLog, tmp_path: Path) -> None:
    log = write_log([scored("C", model_usage=used(1_000_000, "lab/x"))])
    base = default_prices().rows[0]
    price = Price("x", 7.0, 9.0, base.date, "contract")
    assert read_inspect_logs(log, prices=Prices((price,))).runs["usd"].iloc[0] == pytest.approx(
        7.0, rel=1e-5
    )
    file = tmp_path / "p.csv"
    file.write_text("model,input,output,date,source\nx,8,9,2026-11-01,contract\n")
    assert read_inspect_logs(log, prices=file).runs["usd"].iloc[0] == pytest.approx(8.0, rel=1e-5)


def test_one_of_several_scores_counts_and_is_named(write_log: WriteLog) -> None:
    scores = {"first": {"value": "I"}, "judge": {"value": {"style": 0.2, "right": "C"}}}
    log = write_log([{"scores": scores, "model_usage": used(5)}])
    plain = read_inspect_logs(log)
    assert plain.runs["scorer"].tolist() == ["first"]
    assert plain.runs["outcome"].tolist() == ["gave_up"]
    assert any("several scores; counted was first" in note for note in plain.notes)
    asked = read_inspect_logs(log, scorer="right")
    assert asked.runs["scorer"].tolist() == ["judge.right"]
    assert asked.runs["outcome"].tolist() == ["success"]
    none = read_inspect_logs(log, scorer="nobody")
    assert none.runs["reason"].tolist() == ["unscored"]
    assert any("no score named nobody" in note for note in none.notes)


def test_scores_between_need_a_threshold_and_the_reader_says_so(write_log: WriteLog) -> None:
    log = write_log([scored(0.7), scored(0.2), scored(1.5)])
    result = read_inspect_logs(log)
    assert result.runs["outcome"].tolist() == ["gave_up", "gave_up", "success"]
    assert any("67% of the scores lie between 0 and 1" in note for note in result.notes)
    assert any("outside 0..1" in note for note in result.notes)
    for rule in (0.5, {"ctf": 0.5}, lambda score: score > 0.5):
        assert read_inspect_logs(log, success=rule).runs["outcome"].tolist() == [
            "success", "gave_up", "success",
        ]  # fmt: skip


def test_epochs_of_several_logs_are_numbered_on(write_log: WriteLog) -> None:
    logs = [
        write_log([scored("C", id="t", epoch=1), scored("I", id="t", epoch=2)], name, eval_id=name)
        for name in ("a.eval", "b.eval")
    ]
    runs = read_inspect_logs(logs).runs
    assert runs["attempt"].tolist() == [1, 2, 3, 4]
    assert runs["epoch"].tolist() == [1, 2, 1, 2]


def test_a_retried_log_repeats_no_sample(write_log: WriteLog) -> None:
    error = {"message": "boom", "traceback": "", "traceback_ansi": ""}
    kept = scored("C", id="kept", uuid="kept")
    first = write_log([kept, scored("I", id="again", uuid="x", error=error)], "1.eval")
    second = write_log([kept, scored("C", id="again", uuid="y")], "2.eval")
    result = read_inspect_logs([first, second])
    assert result.runs["outcome"].tolist() == ["success", "excluded", "excluded", "success"]
    twice = read_inspect_logs([first, second], duplicates="keep")
    assert (twice.runs["outcome"] == "success").sum() == 3
    assert any("counted again" in note for note in twice.notes)


def test_names_and_effort_may_be_given(write_log: WriteLog) -> None:
    log = write_log([scored("C", metadata={"human_minutes": 42})])
    run = read_inspect_logs(
        log, evals={"pkg/ctf": "cybench"}, ai_models={MODEL: "Model A"}, effort={"cybench": 0.8}
    ).runs.iloc[0]
    assert (run["eval"], run["ai_model"], run["effort"]) == ("cybench", "Model A", 0.8)
    assert run["human_minutes"] == 42
    assert read_inspect_logs(log, evals={"ctf": "c"}).runs["eval"].tolist() == ["c"]
    assert read_inspect_logs(log).runs["eval"].tolist() == ["ctf"]
    assert read_inspect_logs(log, effort=0.3).runs["effort"].tolist() == [0.3]


def test_a_log_without_samples_gives_no_runs(write_log: WriteLog) -> None:
    result = read_inspect_logs(write_log([], status="error"))
    assert len(result.runs) == 0
    assert result.counts["samples"].tolist() == [0]
    assert "0 runs" in str(result)


def test_a_folder_is_searched_and_other_files_left(write_log: WriteLog, tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    write_log([scored("C")]).rename(deep / "log.eval")
    (tmp_path / "logs.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("hello")
    assert len(read_inspect_logs(tmp_path).counts) == 1


def test_a_new_name_for_an_eval_no_log_is_of_is_noted(write_log: WriteLog) -> None:
    log = write_log([scored("C")])
    (eval_name,) = read_inspect_logs(log).runs["eval"]
    assert not any(
        "No log is of" in n for n in read_inspect_logs(log, evals={eval_name: "x"}).notes
    )
    assert read_inspect_logs(log, evals={"cybnch": "x"}).notes[-1] == (
        "No log is of cybnch: the new names given for them are not used."
    )


def test_importing_the_readers_loads_neither_inspect_ai_nor_pymc() -> None:
    import subprocess

    code = (
        "import evalfolio.readers, sys; print('inspect_ai' in sys.modules, 'pymc' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_the_metadata_of_an_exported_run_is_read_back(write_log: WriteLog) -> None:
    ours: Mapping[str, object] = {
        "eval": "a, b", "option": "o", "tier": "max-elicitation", "effort": 0.8,
    }  # fmt: skip
    run = read_inspect_logs(write_log([scored("C")], metadata={"evalfolio": ours})).runs.iloc[0]
    assert run[["eval", "option", "tier", "effort"]].tolist() == list(ours.values())


@pytest.mark.parametrize(
    ("config", "missing"),
    [
        ({}, 19),
        ({"epochs": 2}, 39),
        ({"limit": 5}, 4),
        ({"limit": 50}, 19),
        ({"sample_id": ["a"]}, 0),
    ],
)
def test_missing_samples_are_counted_from_what_was_planned(
    write_log: WriteLog, config: dict[str, Any], missing: int
) -> None:
    log = write_log([scored("C")], status="cancelled", planned=20, config=config)
    assert read_inspect_logs(log).counts["missing"].tolist() == [missing]


def test_the_log_of_a_run_that_was_killed_is_read(write_log: WriteLog, tmp_path: Path) -> None:
    # Until a run ends, its log has a journal but neither a header nor a file of summaries.
    whole, cut = (
        write_log([scored("C"), scored("I")], "whole.eval", planned=9),
        tmp_path / "cut.eval",
    )
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(cut, "w") as target:
        summaries = json.loads(source.read("summaries.json"))
        for entry in source.namelist():
            if entry not in ("header.json", "summaries.json", "reductions.json"):
                target.writestr(entry, source.read(entry))
        if "_journal/summaries/1.json" not in source.namelist():
            target.writestr("_journal/summaries/1.json", json.dumps(summaries))
    result = read_inspect_logs(cut)
    assert result.runs["outcome"].tolist() == ["success", "gave_up"]
    assert result.runs["spend"].tolist() == [100, 100]
    counts = result.counts.iloc[0]
    assert (counts["status"], counts["missing"]) == ("started", 7)


def test_solver_and_reasoning_effort_are_told(write_log: WriteLog) -> None:
    log = write_log(
        [scored("C")], solver="react", model_generate_config={"reasoning_effort": "high"}
    )
    run = read_inspect_logs(log).runs.iloc[0]
    assert (run["solver"], run["reasoning_effort"]) == ("react", "high")


@pytest.mark.parametrize("ours", ["text", {"effort": "high"}, {"effort": 7}, {}, None])
def test_metadata_of_another_meaning_is_left_alone(write_log: WriteLog, ours: object) -> None:
    run = read_inspect_logs(write_log([scored("C")], metadata={"evalfolio": ours})).runs.iloc[0]
    assert run["eval"] == "ctf"
    assert run[["effort"]].isna().all()
