"""Run settings of a plan: per chosen option what Inspect is to run, how often and how far."""

import glob
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.errors import InputError
from evalfolio.narrative import STUDY
from evalfolio.readers.prices import Prices, default_prices

NEEDED = ("eval", "tier", "cap", "cap_unit", "attempts", "tasks")
MOST = 1e15  # tokens, tasks or hours: more is a slip of the pen


def inspect_settings(
    choices: pd.DataFrame,
    catalogue: Any = None,
    *,
    model: str,
    tasks: Mapping[str, str] | None = None,
    task_args: Mapping[str, Mapping[str, Any]] | None = None,
    sample_ids: Mapping[str, Sequence[str]] | None = None,
    solvers: Mapping[str, str] | None = None,
    prices: Prices | None = None,
    seed: int = 0,
    max_samples: int | None = None,
) -> dict[str, Any]:
    """Return the run settings of the chosen options.

    The cap of an option becomes the sample limit on its unit (tokens, USD, or hours as working
    time), attempts become epochs with the reducers mean and pass_at_k, and its number of tasks
    becomes the drawn sample ids, or as many samples in an order shuffled by `seed`: a random
    subset, the same for every attempt. A sample that ends in an error does not end the eval.
    A max-elicitation option also holds the plateau-level reading of the same tasks: a run of its
    own before it, at effort 0.

    InputError if a column is missing or a row holds what Inspect cannot run; the eval is named.

    Parameters
    ----------
    choices
        `Plan.choices` or the rows of `mix.csv`: columns eval, tier, cap, cap_unit, attempts,
        tasks; used where present: option (or the index), effort, baseline_runs and baseline_cap
        (of the plateau-level reading inside an option, as the menu has them).
    catalogue
        Where given, an option of all of an eval's tasks is not limited, and the budget's
        agents_in_parallel is the number of samples at a time.
    model
        Model as Inspect names it, e.g. "openai/gpt-5".
    tasks
        Inspect task (`inspect_evals/cybench`, `file.py@task`) by eval; else the eval's name.
    task_args
        Arguments of the task, by eval.
    sample_ids
        Sample ids to run, by option or by eval, such as the tasks drawn in `tasks.csv`.
    solvers
        Solver or agent by option, eval or tier, e.g. a tailored one for "max-elicitation".
    prices
        Price table: Inspect checks a limit in USD against it; None: the shipped one.
    seed
        Seed of the random subset.
    max_samples
        Samples to run at a time.

    Returns
    -------
    dict
        `model`, `model_costs` (prices for a USD limit, or empty) and `runs`, each with option,
        eval, tier, `notes` and a `run_config` as `inspect eval --run-config` takes it.
    """
    missing = [column for column in NEEDED if column not in choices]
    if missing:
        raise InputError(
            f"The choices must have the columns {', '.join(NEEDED)}; {missing[0]} is missing."
        )
    if max_samples is None and catalogue is not None:
        max_samples = getattr(catalogue.budget, "agents_in_parallel", None)
    choices = choices[choices["tier"] != STUDY]  # a harness runs no people
    options = choices.get("option", choices.index)
    runs = []
    passes = [
        (option, each)
        for option, (_, row) in zip(options.astype(str), choices.iterrows(), strict=True)
        for each in _passes(row)
    ]
    for option, row in passes:
        keys = (option, str(row["eval"]), str(row["tier"]))
        size = None if catalogue is None else int(catalogue.eval(keys[1]).tasks)
        subset = _subset(row, keys, sample_ids or {}, size, seed)
        config: dict[str, Any] = {"epochs": _whole(row, "attempts")}
        if config["epochs"] > 1:
            config["epochs_reducer"] = ["mean", f"pass_at_{config['epochs']}"]
        config |= _limit(row) | subset | {"fail_on_error": False}
        if max_samples is not None:
            config["max_samples"] = int(max_samples)
        task: Any = (tasks or {}).get(keys[1], keys[1])
        arguments = dict((task_args or {}).get(keys[1], {}))
        named = {"option": option, "eval": keys[1], "tier": keys[2]}
        ours = {"eval": keys[1], **named, "effort": _effort(row)}
        run_config: dict[str, Any] = {
            "task": {"task": task, "args": arguments} if arguments else task,
            "model": model,
            "eval_config": config,
            "metadata": {"evalfolio": ours},
        }
        if solver := _first(solvers or {}, keys):
            run_config["solver"] = solver
        notes = _notes(row, config, size, catalogue)
        runs.append({**named, "notes": notes, "run_config": run_config})
    return {"model": model, "model_costs": _costs(runs, model, prices), "runs": runs}


def _passes(row: pd.Series) -> list[pd.Series]:
    """Return the runs an option is made of: the reading as it comes, if it has one, and itself."""
    runs = _number(row, "baseline_runs", 0.0)
    if np.isnan(runs) or runs <= 0:
        return [row]
    changed = {
        "tier": "plateau",
        "effort": 0.0,
        "attempts": max(1, round(runs / _whole(row, "tasks"))),
        "cap": row["baseline_cap"],
        "of_option": row["tier"],
    }
    return [pd.Series({**row, **changed}, dtype=object), row]


def _limit(row: pd.Series) -> dict[str, Any]:
    cap, unit = _number(row, "cap"), str(row["cap_unit"])
    if np.isnan(cap):
        return {}
    if cap <= 0:
        raise InputError(f"{row['eval']}: the cap must be above 0, got {cap}.")
    if unit in ("tokens", "token"):
        return {"token_limit": max(1, round(cap))}
    if unit == "usd":
        return {"cost_limit": float(cap)}
    if unit in ("hours", "hour"):
        return {"working_limit": max(1, round(cap * 3600))}
    raise InputError(
        f"{row['eval']}: Inspect limits tokens, usd or hours, got the cap unit {unit!r}; give the "
        "cap in one of these."
    )


def _subset(
    row: pd.Series,
    keys: tuple[str, ...],
    sample_ids: Mapping[str, Sequence[str]],
    size: int | None,
    seed: int,
) -> dict[str, Any]:
    count = _whole(row, "tasks")
    drawn = _first(sample_ids, keys)
    if drawn is not None:
        if len(drawn) != count:
            raise InputError(
                f"{row['eval']}: {count} tasks are to be run, but {len(drawn)} sample ids came."
            )
        # Inspect takes ids for patterns, in which * ? and [ mean something.
        return {"sample_id": [glob.escape(str(name)) for name in drawn]}
    if size is not None and count >= size:
        return {}
    return {"limit": count, "sample_shuffle": int(seed) or 1}  # to Inspect 0 means "do not"


def _whole(row: pd.Series, column: str) -> int:
    value = _number(row, column)
    if not value >= 1 or value != int(value):
        raise InputError(f"{row['eval']}: {column} must be a whole number from 1, got {value}.")
    return int(value)


def _number(row: pd.Series, column: str, default: float = np.nan) -> float:
    """Return a number of a row, NaN where it is not known; refuse others, and what has no end."""
    value = row.get(column, default)
    if value is None or value is pd.NA or value is pd.NaT:
        return np.nan
    value = value.item() if isinstance(value, np.generic) else value
    if type(value) not in (int, float) or abs(value) > MOST:
        raise InputError(
            f"{row['eval']}: {column} must be a number of at most {MOST:g}, got {str(value)[:40]}."
        )
    return float(value)


def _effort(row: pd.Series) -> float:
    effort = _number(row, "effort")
    if effort < 0 or effort > 1:
        raise InputError(f"{row['eval']}: effort must be from 0 to 1, got {effort}.")
    return 0.0 if np.isnan(effort) else effort


def _first(by_key: Mapping[str, Any], keys: Sequence[str]) -> Any:
    return next((by_key[key] for key in keys if key in by_key), None)


def _notes(
    row: pd.Series, config: Mapping[str, Any], size: int | None, catalogue: Any
) -> list[str]:
    cap = "no cap"
    if not pd.isna(most := row["cap"]):
        cap = f"cap {most:{',.0f' if most >= 100 else '.6g'}} {row['cap_unit']}"
    of = "" if size is None else f" of {size}"
    attempts = f"{config['epochs']} attempt{'s' * (config['epochs'] != 1)} each"
    tasks = f"{_whole(row, 'tasks')}{of} tasks"
    notes = [f"{row['tier']}: {tasks}, {attempts}, {cap} per attempt"]
    effort, deep = _effort(row), row["tier"] == "max-elicitation"
    if isinstance(after := row.get("of_option"), str):
        after = after if after == "max-elicitation" else "the one after repairs"
        notes.append(
            f"before any elicitation: the plateau-level reading that {after} is held against"
        )
    elif deep or effort > 0:
        spec = None if catalogue is None else catalogue.eval(str(row["eval"]))
        key = "staff_hours_elicitation" if deep else "staff_hours_repair"
        hours = getattr(spec, key, 0.0)
        hours = sum(hours.values()) if isinstance(hours, Mapping) else hours
        asked = f" ({hours:,.3g} staff hours): " if hours else ": "
        how = f"effort {effort:g}, with the tailored scaffold as solver"
        mend = "read the transcripts and mend what failed for spurious reasons"
        notes.append(f"elicit first{asked}{how}" if deep else f"repair first{asked}{mend}")
    if "limit" in config:
        notes.append("random subset: the same seed draws the same samples from the same data set")
    return notes


def _costs(runs: Sequence[Mapping[str, Any]], model: str, prices: Prices | None) -> dict[str, Any]:
    """Return the model's prices as Inspect takes them, if any run is limited in USD."""
    limited = [r["eval"] for r in runs if "cost_limit" in r["run_config"]["eval_config"]]
    if not limited:
        return {}
    price = (prices or default_prices()).find(model)
    if price is None:
        raise InputError(
            f"{limited[0]}: the cap is in USD, but no price is known for {model}; give a price "
            "table (--prices FILE.toml) with a [[price]] of model, input, output, date and source."
        )
    return {
        model: {
            "input": price.input,
            "output": price.output,
            "input_cache_read": price.input if price.cache_read is None else price.cache_read,
            "input_cache_write": price.input if price.cache_write is None else price.cache_write,
        }
    }
