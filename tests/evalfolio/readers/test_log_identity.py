"""Which runs are attempts at one task by one AI model: settings, people, copies, names."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalbayes.errors import InputError
from evalfolio.readers import ImportResult, read_inspect_logs

WriteLog = Callable[..., Path]
MODEL = "openai/gpt-4o-mini"


def sample(value: object = "C", total: int = 1000, **more: Any) -> dict[str, Any]:
    kinds = {"input_tokens": total - 100, "output_tokens": 100, "total_tokens": total}
    return {"scores": {"match": {"value": value}}, "model_usage": {MODEL: kinds}, **more}


def said(result: ImportResult, words: str) -> str:
    notes = [note for note in result.notes if words in note]
    assert len(notes) == 1, result.notes
    return notes[0]


@pytest.fixture
def variants(write_log: WriteLog) -> list[Path]:
    return [
        write_log([sample(v)], f"{level}.eval", task_args={"level": level, "seed": 1})
        for level, v in (("easy", "C"), ("hard", "I"))
    ]


def test_other_task_arguments_are_said_and_may_name_the_eval(variants: list[Path]) -> None:
    result = read_inspect_logs(variants)
    assert set(result.runs["eval"]) == {"ctf"}
    note = said(result, "other task arguments")
    assert "level easy: 1, hard: 1" in note
    assert "seed" not in note
    assert "--by level" in note
    for by in ("level", ["level"]):
        apart = read_inspect_logs(variants, by=by)
        assert apart.runs["eval"].tolist() == ["ctf (level=easy)", "ctf (level=hard)"]
        assert apart.runs["attempt"].tolist() == [1, 1]
        assert not any("other task arguments" in note for note in apart.notes)
    whole = read_inspect_logs(variants, by="task_args").runs["eval"]
    assert whole.tolist() == ["ctf (level=easy, seed=1)", "ctf (level=hard, seed=1)"]


@pytest.fixture
def elicited(write_log: WriteLog) -> list[Path]:
    return [
        write_log([sample()], f"{effort}-{solver}.eval", solver=solver,
                  model_generate_config={"reasoning_effort": effort})
        for effort, solver in (("low", "react"), ("high", "react"), ("high", "acme/deep"))
    ]  # fmt: skip


def test_other_elicitation_is_said_and_may_name_the_ai_model(elicited: list[Path]) -> None:
    note = said(read_inspect_logs(elicited), "3 logs with other settings")
    assert "solver react: 2, acme/deep: 1" in note
    assert "reasoning_effort high: 2, low: 1" in note
    assert "--by solver,reasoning_effort" in note
    apart = read_inspect_logs(elicited, by="solver,reasoning_effort")
    assert sorted(apart.runs["ai_model"]) == [
        f"{MODEL} (solver=acme/deep, reasoning_effort=high)",
        f"{MODEL} (solver=react, reasoning_effort=high)",
        f"{MODEL} (solver=react, reasoning_effort=low)",
    ]
    assert not any("other settings" in note for note in apart.notes)


def test_a_setting_that_only_some_logs_have_is_another(write_log: WriteLog) -> None:
    logs = [
        write_log([sample()], "a.eval"),
        write_log([sample()], "b.eval", model_generate_config={"reasoning_effort": "high"}),
        write_log([sample()], "c.eval", task_args={"level": "hard"}),
    ]
    result = read_inspect_logs(logs)
    note = said(result, "other settings")
    assert "(reasoning_effort not set: 2, high: 1)" in note
    assert "--effort reasoning_effort:high=0.3" in note
    assert "(level not set: 2, hard: 1)" in said(result, "other task arguments")
    apart = read_inspect_logs(logs, by="level,reasoning_effort")
    assert apart.runs["ai_model"].tolist() == [MODEL, f"{MODEL} (reasoning_effort=high)", MODEL]
    assert not any("other settings" in note for note in apart.notes)


def test_tasks_of_one_name_in_two_packages_are_said(write_log: WriteLog) -> None:
    logs = [write_log([sample()], f"{p}.eval", task=f"{p}/ctf") for p in ("lab", "acme")]
    note = said(read_inspect_logs(logs), "tasks of 2 packages count as one eval")
    assert "lab/ctf, acme/ctf" in note
    assert "--eval 'acme/ctf=another name'" in note
    apart = read_inspect_logs(logs, evals={"lab/ctf": "other"})
    assert set(apart.runs["eval"]) == {"ctf", "other"}
    assert not any("packages" in note for note in apart.notes)


def test_a_setting_may_have_an_effort(elicited: list[Path]) -> None:
    efforts = {"reasoning_effort:low": 0.0, "solver:acme/deep": 0.8, "solver:none": 0.1}
    result = read_inspect_logs(elicited, effort={**efforts, "reasoning_effort:high": 0.3})
    # The order of the log's own settings decides where two hold: solver stands before effort.
    assert sorted(result.runs["effort"]) == [0.0, 0.3, 0.8]
    assert not any("other settings" in note for note in result.notes)
    assert result.runs["attempt"].tolist() == [1, 1, 1]
    assert said(result, "solver:none: the efforts given for them are not used")


def test_a_setting_no_log_has_is_refused(elicited: list[Path]) -> None:
    with pytest.raises(InputError, match="by must name settings that the logs have, got 'solvr'"):
        read_inspect_logs(elicited, by="solvr")


def test_steps_and_their_parameters_tell_solvers_apart(write_log: WriteLog) -> None:
    from inspect_ai.log import EvalPlan, EvalPlanStep, read_eval_log, write_eval_log

    logs = []
    for attempts in (1, 5):
        log = write_log([sample()], f"{attempts}.eval")
        read = read_eval_log(str(log))
        steps = [EvalPlanStep(solver="basic_agent", params={"max_attempts": attempts})]
        write_eval_log(read.model_copy(update={"plan": EvalPlan(steps=steps)}), str(log))
        logs.append(log)
    assert "max_attempts" in said(read_inspect_logs(logs), "other settings")


@pytest.mark.parametrize(
    "who",
    [
        {"model": "none/none", "solver": "human_cli"},
        {"model": MODEL, "solver": "inspect_ai/human_cli"},
        {"model": "human", "solver": "anything"},
        {"model": "lab/human-baseline"},
    ],
)
def test_people_are_no_ai_model_and_tell_how_long_a_task_takes(
    write_log: WriteLog, who: dict[str, Any]
) -> None:
    times = [("C", 3600.0), ("C", 7200.0), ("I", 60.0)]
    people = write_log(
        [sample(v, id="t", epoch=n, working_time=1.0, total_time=s)
         for n, (v, s) in enumerate(times, start=1)],
        "people.eval", **who,
    )  # fmt: skip
    agent = write_log([sample(id="t"), sample(id="u")], "agent.eval")
    result = read_inspect_logs([people, agent])
    human = result.runs["log"].eq(str(people))
    assert set(result.runs.loc[human, "outcome"]) == {"excluded"}
    assert set(result.runs.loc[human, "ai_model"]) == {"human"}
    assert result.runs.loc[~human, "human_minutes"].tolist()[0] == 90.0
    assert result.runs.loc[~human, "human_minutes"].isna().tolist() == [False, True]
    note = said(result, "runs by people are excluded")
    assert note.startswith("3 runs by people are excluded, 2 of them successes")
    assert "human_minutes of 1 tasks" in note


def test_the_clock_of_a_person_leaves_pauses_out(write_log: WriteLog) -> None:
    store = {"HumanAgentState:accumulated_time": 1800.0}
    log = write_log([sample(store=store, total_time=9000.0)], model="none/none", solver="human_cli")
    assert read_inspect_logs(log).runs["human_minutes"].tolist() == [30.0]


def test_a_run_of_no_ai_model_is_excluded_unless_it_is_named(write_log: WriteLog) -> None:
    log = write_log([sample()], model="none/none", solver="router")
    result = read_inspect_logs(log)
    assert result.runs["outcome"].tolist() == ["excluded"]
    assert said(result, "runs name no AI model")
    named = read_inspect_logs(log, ai_models={"none/none": "Router"}).runs
    assert named[["ai_model", "outcome"]].to_numpy().tolist() == [["Router", "success"]]


def corrected(log: Path, copy: Path, how: str) -> Path:
    from inspect_ai.log import (
        ProvenanceData,
        edit_score,
        invalidate_samples,
        read_eval_log,
        write_eval_log,
    )
    from inspect_ai.scorer import ScoreEdit

    read = read_eval_log(str(log))
    assert read.samples
    uuid = read.samples[0].uuid
    assert uuid
    why = ProvenanceData(author="me", reason="hand check")
    if how == "edited":
        edit_score(read, read.samples[0].id, "match", ScoreEdit(value="I", provenance=why),
                   recompute_metrics=False)  # fmt: skip
    elif how == "invalidated":
        read = invalidate_samples(read, [uuid], why)
    else:
        assert read.samples[0].scores
        read.samples[0].scores["match"].value = "I"
    write_eval_log(read, str(copy))
    return copy


@pytest.mark.parametrize("name", ["a.eval", "z.eval", "a.json", "z.json"])
@pytest.mark.parametrize(("how", "outcome"), [("edited", "gave_up"), ("invalidated", "excluded")])
def test_the_corrected_copy_counts(
    write_log: WriteLog, tmp_path: Path, name: str, how: str, outcome: str
) -> None:
    log = write_log([sample(id="t", uuid="one"), sample(id="u", uuid="two")], "m.eval")
    copy = corrected(log, tmp_path / name, how)
    result = read_inspect_logs([log, copy])
    runs = result.runs[~result.runs["reason"].str.startswith("duplicate")].set_index("task")
    assert runs["outcome"].to_dict() == {"t": outcome, "u": "success"}
    assert runs.loc["t", "log"] == str(copy)
    assert runs["attempt"].tolist() == [1, 1]
    assert said(result, "copies differ from the one that counts").startswith("1 copies")


def test_of_copies_changed_without_a_trace_the_one_written_last_counts(
    write_log: WriteLog, tmp_path: Path
) -> None:
    import os

    log = write_log([sample(uuid="one")], "m.json")
    copy = corrected(log, tmp_path / "a.json", "rescored")
    os.utime(log, (1_000_000_000, 1_000_000_000))
    result = read_inspect_logs([copy, log])
    runs = result.runs[~result.runs["reason"].str.startswith("duplicate")]
    assert runs[["log", "outcome"]].to_numpy().tolist() == [[str(copy), "gave_up"]]
    assert said(result, "copies differ")


def test_ids_one_and_one_in_text_are_two_samples(write_log: WriteLog) -> None:
    log = write_log([sample(id=1), sample("I", id="1"), sample(id="01")], "log.json")
    result = read_inspect_logs(log)
    outcomes = result.runs.set_index("task")["outcome"].to_dict()
    assert outcomes == {"1": "success", '"1"': "gave_up", "01": "success"}
    assert result.runs["attempt"].tolist() == [1, 1, 1]
    assert 'first: ctf "1" in log.json' in said(result, "an id in text that another has")


@pytest.mark.parametrize(
    ("names", "one"),
    [
        (["openrouter/anthropic/claude-opus-4.1", "anthropic/claude-opus-4-1-20250805"],
         "claude-opus-4-1"),
        (["azureai/gpt-4o", "openai/azure/gpt-4o"], "gpt-4o"),
        (["openai/gpt-4o:free", "openai/gpt-4o"], "gpt-4o"),
        (["bedrock/us.anthropic.claude-opus-4-1-v1:0", "vertex/claude-opus-4-1@20250805"],
         "claude-opus-4-1"),
        (["openai/gpt-4o-2024-05-13", "openai/gpt-4o-2024-11-20"], None),
        (["openai/gpt-4o", "openai/gpt-4o-mini"], None),
        (["ollama/llama3.1:8b", "ollama/llama3.1:70b"], None),
    ],
)  # fmt: skip
def test_one_name_is_offered_for_an_ai_model_under_several(
    write_log: WriteLog, names: list[str], one: str | None
) -> None:
    logs = [write_log([sample()], f"{n}.eval", model=name) for n, name in enumerate(names)]
    result = read_inspect_logs(logs)
    assert sorted(result.runs["ai_model"]) == sorted(names)
    notes = [note for note in result.notes if "look like one AI model" in note]
    assert len(notes) == (one is not None)
    if one:
        for name in names:
            assert f"--ai-model '{name}={one}'" in notes[0]
        merged = read_inspect_logs(logs, ai_models=dict.fromkeys(names, one))
        assert not any("look like" in note for note in merged.notes)


def test_twins_of_one_id_and_epoch_in_one_archive_are_copies_and_said(
    write_log: WriteLog, tmp_path: Path
) -> None:
    log = write_log([sample("C", id="t", uuid="two"), sample(id=1, uuid="three")], "m.eval")
    other = write_log([sample("I", 7000, id="t", uuid="one")], "earlier.eval")
    number = write_log([sample("I", id="1", uuid="four")], "text.eval")
    twins = tmp_path / "twins.eval"
    with zipfile.ZipFile(twins, "w") as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names met twice
        for source in (other, number, log):
            with zipfile.ZipFile(source) as archive:
                for entry in archive.infolist():
                    if source is log or entry.filename.startswith("samples/"):
                        made.writestr(entry.filename, archive.read(entry))
    result = read_inspect_logs(twins)
    runs = result.runs
    assert runs["task"].tolist() == ["t", "1", '"1"', "t"]
    assert runs["outcome"].tolist() == ["success", "success", "gave_up", "excluded"]
    assert runs["spend"].tolist() == [1000, 1000, 1000, 7000]
    assert result.counts["samples"].sum() == 4
    assert "first: ctf t in twins.eval" in said(result, "samples occur more than once")
    assert said(result, "copies differ from the one that counts").startswith("1 copies")
