from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalbayes.errors import InputError
from evalfolio.inspect import inspect_settings


def choices(**given: Any) -> pd.DataFrame:
    row = {
        "option": "cybench max",
        "eval": "cybench",
        "tier": "max-elicitation",
        "cap": 2e6,
        "cap_unit": "tokens",
        "attempts": 4,
        "tasks": 20,
        "effort": 0.8,
        **given,
    }
    return pd.DataFrame([row])


def catalogue(tasks: int = 38) -> SimpleNamespace:
    spec = SimpleNamespace(tasks=tasks, staff_hours_elicitation=60.0, staff_hours_repair=16.0)
    budget = SimpleNamespace(agents_in_parallel=40)
    return SimpleNamespace(eval=lambda name: spec, budget=budget)


def config(frame: pd.DataFrame, *args: Any, **given: Any) -> dict[str, Any]:
    settings = inspect_settings(frame, *args, model="openai/gpt-5", **given)
    run_config: dict[str, Any] = settings["runs"][0]["run_config"]
    return run_config


def test_an_option_becomes_epochs_a_limit_and_a_random_subset() -> None:
    found = config(choices(), seed=7)
    assert found["task"] == "cybench"
    assert found["model"] == "openai/gpt-5"
    assert found["eval_config"] == {
        "epochs": 4,
        "epochs_reducer": ["mean", "pass_at_4"],
        "token_limit": 2_000_000,
        "limit": 20,
        "sample_shuffle": 7,
        "fail_on_error": False,
    }
    assert found["metadata"]["evalfolio"] == {
        "eval": "cybench", "option": "cybench max", "tier": "max-elicitation", "effort": 0.8,
    }  # fmt: skip


def test_the_reading_inside_a_deep_option_is_a_run_of_its_own() -> None:
    frame = choices(baseline_runs=20, baseline_cap=3e5, cap=9e6)
    settings = inspect_settings(
        frame, catalogue(), model="m", seed=7, solvers={"max-elicitation": "tailored"}
    )
    plain, deep = (run["run_config"] for run in settings["runs"])
    assert plain["eval_config"]["epochs"] == 1
    assert plain["eval_config"]["token_limit"] == 300_000
    assert (
        plain["metadata"]["evalfolio"] | {"tier": "plateau", "effort": 0.0}
        == (plain["metadata"]["evalfolio"])
    )
    assert "solver" not in plain
    assert deep["solver"] == "tailored"
    assert (deep["eval_config"]["epochs"], deep["eval_config"]["token_limit"]) == (4, 9_000_000)
    # Both read the same tasks, so that they differ by elicitation alone.
    for key in ("limit", "sample_shuffle"):
        assert plain["eval_config"][key] == deep["eval_config"][key]
    assert "before any elicitation" in " ".join(settings["runs"][0]["notes"])
    # None is bought with an option that has none.
    assert len(inspect_settings(choices(baseline_runs=0), model="m")["runs"]) == 1


@pytest.mark.parametrize(
    ("cap", "unit", "limit"),
    [
        (2e6, "tokens", {"token_limit": 2_000_000}),
        (12.5, "usd", {"cost_limit": 12.5}),
        (1.5, "hours", {"working_limit": 5400}),
        (np.nan, "tokens", {}),
    ],
)
def test_the_cap_becomes_the_limit_on_its_unit(
    cap: float, unit: str, limit: dict[str, float]
) -> None:
    found = config(choices(cap=cap, cap_unit=unit))["eval_config"]
    limits = {"token_limit", "cost_limit", "working_limit"}
    assert {k: v for k, v in found.items() if k in limits} == limit


def test_all_tasks_of_an_eval_need_no_subset() -> None:
    found = config(choices(tasks=38), catalogue())["eval_config"]
    assert not {"limit", "sample_shuffle", "sample_id"} & set(found)
    assert found["max_samples"] == 40
    assert config(choices(tasks=37), catalogue())["eval_config"]["limit"] == 37


def test_drawn_tasks_go_by_their_ids_taken_literally() -> None:
    found = config(choices(tasks=2), sample_ids={"cybench": ["a*b", "c"]})["eval_config"]
    assert found["sample_id"] == ["a[*]b", "c"]
    by_option = {"cybench max": ["x", "y"], "cybench": ["a"]}
    assert config(choices(tasks=2), sample_ids=by_option)["eval_config"]["sample_id"] == ["x", "y"]


def test_one_attempt_needs_no_reducer() -> None:
    assert "epochs_reducer" not in config(choices(attempts=1))["eval_config"]


def test_seed_zero_still_shuffles() -> None:
    assert config(choices(), seed=0)["eval_config"]["sample_shuffle"] == 1


def test_tasks_arguments_and_solvers_may_be_given() -> None:
    found = config(
        choices(),
        tasks={"cybench": "inspect_evals/cybench"},
        task_args={"cybench": {"max_attempts": 3}},
        solvers={"max-elicitation": "agents.py@tailored"},
    )
    assert found["task"] == {"task": "inspect_evals/cybench", "args": {"max_attempts": 3}}
    assert found["solver"] == "agents.py@tailored"
    assert "solver" not in config(choices(tier="plateau"), solvers={"max-elicitation": "x"})


def test_notes_say_what_the_commands_cannot() -> None:
    def notes(**given: Any) -> str:
        settings = inspect_settings(choices(**given), catalogue(), model="openai/gpt-5")
        return "; ".join(settings["runs"][0]["notes"])

    assert "20 of 38 tasks, 4 attempts each, cap 2,000,000 tokens per attempt" in notes()
    assert "elicit first (60 staff hours): effort 0.8" in notes()
    # What a plan repairs has an effort of 0.2 by default: two like commands would tell nobody why.
    assert "repair first (16 staff hours): read the" in notes(tier="plateau", effort=0.2)
    assert "first" not in notes(tier="plateau", effort=0.0)
    assert "20 of 38 tasks, 1 attempt each, cap" in notes(attempts=1)
    frame = choices(tier="plateau", effort=0.2, attempts=1, baseline_runs=20, baseline_cap=2e6)
    plain, repaired = inspect_settings(frame, catalogue(), model="m")["runs"]
    assert "reading that the one after repairs is held against" in plain["notes"][1]
    assert "repair first" not in " ".join(plain["notes"])
    assert "repair first" in repaired["notes"][1]
    assert "random subset" in notes()
    assert "random subset" not in notes(tasks=38)


def test_options_may_stand_in_the_index_and_effort_may_be_missing() -> None:
    frame = choices().drop(columns="effort").set_index("option")
    assert config(frame)["metadata"]["evalfolio"]["option"] == "cybench max"
    assert config(frame)["metadata"]["evalfolio"]["effort"] == 0.0


def test_a_limit_in_usd_brings_the_models_prices() -> None:
    frame = choices(cap=5.0, cap_unit="usd")
    settings = inspect_settings(frame, model="anthropic/claude-opus-4-1")
    assert settings["model_costs"] == {
        "anthropic/claude-opus-4-1": {
            "input": 15.0, "output": 75.0, "input_cache_read": 1.5, "input_cache_write": 18.75,
        }
    }  # fmt: skip
    assert inspect_settings(choices(), model="anthropic/claude-opus-4-1")["model_costs"] == {}
    with pytest.raises(InputError, match="no price is known for lab/x"):
        inspect_settings(frame, model="lab/x")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"cap_unit": "points"}, "cybench: Inspect limits tokens, usd or hours"),
        ({"cap": 0.0}, "cybench: the cap must be above 0"),
        ({"cap": float("inf")}, "cybench: cap must be a number of at most"),
        ({"tasks": float("inf")}, "cybench: tasks must be a number of at most"),
        ({"attempts": "3"}, "cybench: attempts must be a number of at most .*, got 3"),
        ({"baseline_runs": float("inf")}, "cybench: baseline_runs must be a number of at most"),
        ({"effort": 80.0}, "cybench: effort must be from 0 to 1, got 80"),
        ({"attempts": 0}, "cybench: attempts must be a whole number"),
        ({"tasks": 1.5}, "cybench: tasks must be a whole number"),
        ({"tasks": None}, "cybench: tasks must be a whole number"),
    ],
)
def test_what_inspect_cannot_run_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        inspect_settings(choices(**given), model="openai/gpt-5")


def test_missing_columns_and_ids_are_named() -> None:
    with pytest.raises(InputError, match="cap_unit is missing"):
        inspect_settings(choices().drop(columns="cap_unit"), model="m")
    with pytest.raises(InputError, match="20 tasks are to be run, but 1 sample ids came"):
        inspect_settings(choices(), model="m", sample_ids={"cybench": ["a"]})


def test_the_same_plan_and_seed_give_the_same_settings() -> None:
    assert inspect_settings(choices(), model="m", seed=3) == inspect_settings(
        choices(), model="m", seed=3
    )
