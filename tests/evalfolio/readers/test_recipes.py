"""Result files of other harnesses, made to their public form, read by shipped recipes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from evalbayes.errors import InputError
from evalbayes.observations import imported
from evalfolio.readers.prices import default_prices
from evalfolio.readers.recipes import read_by_recipe

MODEL = "openai/gpt-5"


def instance(sample: str, correct: bool, tokens: tuple[int, int] = (900, 100)) -> dict[str, Any]:
    return {
        "schema_version": "0.3.0",
        "evaluation_id": "gaia/openai_gpt-5/1767225600",
        "model_id": MODEL,
        "evaluation_name": "gaia",
        "sample_id": sample,
        "interaction_type": "agentic",
        "input": {"raw": "?", "reference": ["42"]},
        "output": None,
        "messages": [{"turn_idx": 0, "role": "user", "content": "?"}],
        "answer_attribution": [],
        "evaluation": {"score": float(correct), "is_correct": correct},
        "token_usage": {
            "input_tokens": tokens[0],
            "output_tokens": tokens[1],
            "total_tokens": sum(tokens),
            "input_tokens_cache_read": 2_000,
        },
    }


AGGREGATE = {
    "schema_version": "0.3.0",
    "evaluation_id": "gpqa/openai_gpt-5/1767225600",
    "retrieved_timestamp": "1767225600",
    "source_metadata": {"source_type": "evaluation_run", "evaluator_relationship": "third_party"},
    "eval_library": {"name": "inspect_ai", "version": "0.3"},
    "model_info": {"name": "GPT-5", "id": MODEL, "developer": "openai"},
    "evaluation_results": [
        {
            "evaluation_name": "gpqa",
            "source_data": {"dataset_name": "gpqa", "source_type": "url", "url": ["x"]},
            "metric_config": {"lower_is_better": False, "score_type": "continuous"},
            "score_details": {
                "score": 0.81,
                "uncertainty": {"standard_error": {"value": 0.02}, "num_samples": 198},
            },
            "generation_config": {"generation_args": {"eval_limits": {"token_limit": 200_000}}},
        }
    ],
}
HAL = {
    "config": {
        "agent_name": "HAL Generalist",
        "benchmark_name": "gaia",
        "date": "2025-09-24",
        "agent_args": {"model_name": MODEL},
    },
    "results": {
        "accuracy": 0.5,
        "successful_tasks": ["a", "b"],
        "failed_tasks": ["c", "d"],
        "total_cost": 12.5,
        "latencies": {},
    },
    "raw_eval_results": {},
    "total_usage": {MODEL: {"prompt_tokens": 100}},
}
SWE = {
    "total_instances": 4,
    "completed_ids": ["r", "u"],
    "empty_patch_ids": ["p"],
    "resolved_ids": ["r"],
    "unresolved_ids": ["u"],
    "error_ids": ["e"],
    "schema_version": 2,
}
TERMINAL: dict[str, Any] = {
    "id": "0",
    "results": [
        {
            "trial_name": f"{task}.1-of-1",
            "task_id": task,
            "is_resolved": won,
            "failure_mode": mode,
            "total_input_tokens": spent,
            "total_output_tokens": 100,
        }
        for task, won, mode, spent in [
            ("one", True, "unset", 1_900),
            ("two", False, "agent_timeout", 3_900),
            ("three", False, "unset", 900),
        ]
    ],
    "accuracy": 1 / 3,
}
LM = [{"doc_id": k, "doc": {}, "target": "1", "filter": "none", "acc": k % 2} for k in range(4)]


def write(path: Path, content: Any) -> Path:
    lines = content if path.suffix == ".jsonl" else [content]
    path.write_text("\n".join(json.dumps(each) for each in lines))
    return path


def test_instances_of_every_eval_ever_are_runs_with_tokens(tmp_path: Path) -> None:
    rows = [instance("s1", True), instance("s2", False, (4_000, 1_000))]
    path = write(tmp_path / "x_samples.jsonl", rows)
    frame, lacks = read_by_recipe([path], "eee", {}, {})
    assert "hold no limit" in lacks
    runs = imported([frame]).observations.runs
    assert runs["spend"].tolist() == [3_000.0, 7_000.0]
    assert runs["cap"].tolist() == [7_000.0] * 2
    assert runs["outcome"].tolist() == ["success", "gave_up"]  # of its cap nothing is known
    assert set(runs["ai_model"]) == {MODEL}
    priced, _ = read_by_recipe([path], "eee", {}, {"cap": "1"}, default_prices())
    price = default_prices().find(MODEL)
    assert price is not None
    usage = {"input": 900.0, "output": 100.0, "cache_read": 2_000.0, "cache_write": 0.0}
    assert priced["spend"].iloc[0] == pytest.approx(price.usd(usage))
    assert imported([priced]).observations.runs["cap"].tolist() == [1.0, 1.0]


def test_aggregates_of_every_eval_ever_are_scores(tmp_path: Path) -> None:
    frame, _ = read_by_recipe([write(tmp_path / "a.json", AGGREGATE)], "eee_aggregate", {}, {})
    (row,) = imported([frame]).observations.scores.to_dict("records")
    assert (row["eval"], row["ai_model"], row["score"]) == ("gpqa", MODEL, 0.81)
    assert (row["standard_error"], row["cap"]) == (0.02, 200_000)


def test_hal_names_tasks_that_succeeded_and_failed(tmp_path: Path) -> None:
    frame, lacks = read_by_recipe([write(tmp_path / "a.json", HAL)], "hal", {}, {"cap": "2e6"})
    assert "without a cap" in lacks
    runs = imported([frame]).frame
    assert dict(zip(runs["task"], runs["outcome"], strict=True)) == {
        **dict.fromkeys("ab", "success"),
        **dict.fromkeys("cd", "gave_up"),
    }
    assert runs["spend"].isna().all()
    assert set(runs["eval"]) == {"gaia"}
    (counts,) = imported([frame]).observations.counts.to_dict("records")
    assert (counts["n_runs"], counts["n_success"], counts["cap"]) == (4, 2, 2e6)


def test_a_report_of_swe_bench_excludes_errors(tmp_path: Path) -> None:
    given = {"ai_model": MODEL, "cap": "5"}
    frame, _ = read_by_recipe([write(tmp_path / "a.json", SWE)], "swe_bench", {}, given)
    runs = imported([frame]).frame
    assert dict(zip(runs["task"], runs["outcome"], strict=True)) == {
        "r": "success",
        "u": "gave_up",
        "p": "gave_up",
        "e": "excluded",
    }


def test_terminal_bench_stops_by_time(tmp_path: Path) -> None:
    path = write(tmp_path / "results.json", TERMINAL)
    frame, _ = read_by_recipe([path], "terminal_bench", {}, {"ai_model": MODEL, "cap": "1e6"})
    runs = imported([frame]).observations.runs
    assert runs["outcome"].tolist() == ["success", "stopped_otherwise", "gave_up"]
    assert runs["spend"].tolist() == [2_000.0, 4_000.0, 1_000.0]


def test_samples_of_lm_eval_take_another_metric(tmp_path: Path) -> None:
    path = write(tmp_path / "samples_arc.jsonl", [{**row, "exact": 1} for row in LM])
    given = {"eval": "arc", "ai_model": MODEL, "cap": "1"}
    frame, _ = read_by_recipe([path], "lm_eval", {}, given)
    assert (imported([frame]).frame["outcome"] == "success").sum() == 2
    frame, _ = read_by_recipe([path], "lm_eval", {"success": "exact"}, given)
    assert (imported([frame]).frame["outcome"] == "success").all()


def test_errors_of_a_harness_are_no_failures(tmp_path: Path) -> None:
    rows = [instance("s1", True), instance("s2", False) | {"error": "APIConnectionError"}]
    frame, _ = read_by_recipe([write(tmp_path / "x.jsonl", rows)], "eee", {}, {})
    assert imported([frame]).frame["outcome"].tolist() == ["success", "excluded"]
    never = {"is_resolved": None, "failure_mode": "unknown_agent_error"}
    trials = {"results": [TERMINAL["results"][0], TERMINAL["results"][1] | never]}
    given = {"ai_model": MODEL, "cap": "1e6"}
    frame, _ = read_by_recipe([write(tmp_path / "r.json", trials)], "terminal_bench", {}, given)
    assert imported([frame]).frame["outcome"].tolist() == ["success", "excluded"]


def test_of_several_filters_one_is_picked(tmp_path: Path) -> None:
    both = [{**row, "filter": name} for row in LM for name in ("strict-match", "flexible-extract")]
    path = write(tmp_path / "samples_gsm8k.jsonl", both)
    given = {"eval": "gsm8k", "ai_model": MODEL, "cap": "1"}
    with pytest.raises(
        InputError, match="got flexible-extract and strict-match; give --set filter"
    ):
        read_by_recipe([path], "lm_eval", {}, given)
    frame, _ = read_by_recipe([path], "lm_eval", {}, given | {"filter": "strict-match"})
    assert len(imported([frame]).frame) == len(LM)


@pytest.mark.parametrize(
    ("name", "content", "given", "said"),
    [
        ("hal", HAL, {}, "a.json: 4 results by the recipe hal must have cap, got none; give --set"),
        ("swe_bench", SWE, {"cap": "5"}, "must have ai_model, got none; give --set ai_model="),
        ("terminal_bench", {"results": []}, {}, "0 results by the recipe terminal_bench must have"),
        ("hal", {**HAL, "results": {"successful_tasks": [], "failed_tasks": []}}, {}, "0 results"),
        ("hal", "[" * 100_000, {}, "must be JSON of the recipe's form, got RecursionError"),
        (
            "terminal_bench",
            {"results": [TERMINAL["results"][0] | {"total_input_tokens": "many"}]},
            {},
            "a.json: tokens must be numbers from 0, got 'many'; mend or drop it",
        ),
        ("hal", HAL, {"capp": "1"}, "set: every column must be a known one, got 'capp'; did you"),
        ("eee_aggregate", {**AGGREGATE, "evaluation_results": []}, {}, "0 results by the recipe"),
    ],
)
def test_files_that_are_not_as_they_should_be(
    tmp_path: Path, name: str, content: Any, given: dict[str, str], said: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(InputError, match=re.escape(said)) as error:
        read_by_recipe([path], name, {}, given)
    assert "\n" not in str(error.value)


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", HAL)
    with pytest.raises(InputError, match="--recipe must be a shipped one, got 'hall'; did you"):
        read_by_recipe([path], "hall", {}, {})
    with pytest.raises(InputError, match="must be JSON of the recipe's form, got KeyError"):
        read_by_recipe([path], "swe_bench", {}, {})
    with pytest.raises(InputError, match="must be JSON of the recipe's form"):
        read_by_recipe([tmp_path / "none.json"], "hal", {}, {})
    (tmp_path / "b.json").write_text("{")
    with pytest.raises(InputError, match="must be JSON of the recipe's form"):
        read_by_recipe([tmp_path / "b.json"], "hal", {}, {})
    (tmp_path / "b.json").write_text('{"results": 3}')
    for name in ("eee", "lm_eval", "terminal_bench"):
        with pytest.raises(InputError, match=rf"b\.json: must have rows of the form of {name}"):
            read_by_recipe([tmp_path / "b.json"], name, {}, {})
    odd = write(tmp_path / "c.jsonl", [instance("s", True) | {"model_id": "nobody/knows"}])
    with pytest.raises(InputError, match="a price must be known of 'nobody/knows'"):
        read_by_recipe([odd], "eee", {}, {}, default_prices())


def test_every_recipe_says_what_it_lacks_and_is_in_the_page() -> None:
    root = Path(__file__).parents[3]
    page = (root / "docs" / "how-to" / "evidence.md").read_text("utf-8")
    for path in (root / "portfolio" / "evalfolio" / "readers" / "recipes").glob("*.toml"):
        assert f"--recipe {path.stem}" in page, path
        assert pd.Series(path.read_text("utf-8").splitlines()).str.startswith("lacks = ").sum() == 1
