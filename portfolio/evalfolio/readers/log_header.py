"""What an Inspect log says of a whole run and of its samples, as plain data."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from evalbayes.names import plain_name
from evalfolio.readers.cells import score_number, score_numbers, score_reasons, without_control
from evalfolio.readers.outcomes import HUMAN_SOLVERS, is_human

KINDS = ("logged_input", "input", "output", "cache_read", "cache_write", "reasoning")
COLUMNS = {
    k: f"{'uncached_input' if k == 'input' else k.removeprefix('logged_')}_tokens" for k in KINDS
}


def usage_record(usage: Any) -> dict[str, float]:
    """Return one model's usage as plain numbers, `input` being the tokens not read from a cache.

    Inspect's `input_tokens` leaves cached tokens out today, but logs of OpenAI models written
    up to 2025 count cached tokens in it. Which was meant shows in the total: when input + output
    alone make it up although tokens were cached, the cached ones are inside the input. Reasoning
    tokens are part of the output. `logged_input` is `input_tokens` as it stands, `cost` what the
    log reports in USD, if anything.

    >>> from types import SimpleNamespace
    >>> old = SimpleNamespace(input_tokens=15235, output_tokens=281, total_tokens=15516,
    ...     input_tokens_cache_read=9088, input_tokens_cache_write=None, reasoning_tokens=0,
    ...     total_cost=None)
    >>> usage_record(old)["input"]
    6147.0
    """
    read = float(usage.input_tokens_cache_read or 0)
    write = float(usage.input_tokens_cache_write or 0)
    fresh, output = float(usage.input_tokens or 0), float(usage.output_tokens or 0)
    total = float(usage.total_tokens or 0)
    cached = read + write
    if cached and fresh >= cached and total == fresh + output:
        fresh -= cached
    record = {
        "logged_input": float(usage.input_tokens or 0),
        "input": fresh,
        "output": output,
        "cache_read": read,
        "cache_write": write,
        "reasoning": float(usage.reasoning_tokens or 0),
        "total": total or fresh + output + cached,
    }
    cost = getattr(usage, "total_cost", None)
    if cost is not None:
        record["cost"] = float(cost)
    return record


_LIMITS = (
    *("token_limit", "token_limit_type", "cost_limit", "message_limit"),
    *("turn_limit", "time_limit", "working_limit"),
)
_SAMPLE_LIMITS = ("token_limit", "token_limit_type", "token_limit_usage", "time_limit")
_GRADERS = ("grader", "judge", "scorer")  # model roles whose work is scoring, by their name
_GENERATE = ("reasoning_effort", "reasoning_tokens", "max_tokens", "temperature", "top_p")
_LONGEST = 60  # characters of a setting's value that a note or a name can bear


def header_facts(log: Any, written: str) -> dict[str, Any]:
    """Return what concerns a whole run: AI model, settings, limits, usage, planned samples.

    Samples of the `EvalLog` are not looked at; `written` is when the file was, as far as it tells.
    """
    spec, config, results = log.eval, log.eval.config, log.results
    scores = (results.scores if results else None) or []
    metadata = {**(spec.metadata or {}), **log.metadata}
    headline = results.headline if results and getattr(results, "headline", None) else None
    steps = [step.solver for step in log.plan.steps]
    grading = [s.options for s in getattr(spec, "scorers", None) or []] + [s.params for s in scores]
    return {
        "task": plain_name(spec.task),
        "ai_model": plain_name(spec.model),
        "untidy": spec.model if spec.model != plain_name(spec.model) else "",
        "status": log.status,
        "created": str(spec.created),
        "written": written,
        "run_id": spec.run_id,
        "task_id": getattr(spec, "task_id", ""),
        "eval_id": spec.eval_id,
        "inspect_version": spec.packages.get("inspect_ai", ""),
        "solver": spec.solver or " + ".join(steps),
        "human": is_human(spec.model) or not HUMAN_SOLVERS.isdisjoint([spec.solver, *steps]),
        **{key: _generate(log, key) for key in _GENERATE},
        "settings": _settings(log),
        "epochs": config.epochs or 1,
        "epochs_reducer": config.epochs_reducer or [],
        **{key: getattr(config, key, None) for key in _LIMITS},
        "planned": _planned(log),
        "planned_alone": _planned_alone(log),
        "error": log.error.message if log.error else None,
        "invalidated": bool(log.invalidated),
        "usage": {m: usage_record(u) for m, u in log.stats.model_usage.items()},
        "grading_roles": sorted({*_GRADERS, *_named(grading, "role")}),
        "grading_models": sorted({*_named(grading, "model")} - {spec.model}),
        "headline": (headline.score or headline.scorer) if headline else None,
        # A scorer of several values has one entry per value, named for it.
        "metrics": [
            {
                "score": s.name,
                "scorer": s.scorer,
                "reducer": s.reducer,
                "values": {
                    name: float(m.value) if isinstance(m.value, int | float) else None
                    for name, m in s.metrics.items()
                },
            }
            for s in scores
        ],
        "evalfolio": ours if isinstance(ours := metadata.get("evalfolio"), dict) else {},
    }


def _generate(log: Any, key: str) -> Any:
    given = getattr(log.eval.model_generate_config, key, None)
    return given if given is not None else getattr(log.plan.config, key, None)


def _settings(log: Any) -> dict[str, dict[str, str]]:
    """Return what tells one configuration of a task from another, as text.

    `task` holds what makes another task of it (arguments, version), `agent` what makes another
    elicitation of the AI model (solver, generation).
    """
    spec = log.eval
    task = {str(k): _short(v) for k, v in (spec.task_args or {}).items()}
    if spec.task_version not in (0, "0", None):
        task["task_version"] = _short(spec.task_version)
    steps = [step.solver for step in log.plan.steps]
    params = spec.solver_args_passed or spec.solver_args
    if not params:
        params = {
            step.solver: given
            for step in log.plan.steps
            if (given := getattr(step, "params_passed", None) or step.params)
        }
    agent = {
        "solver": spec.solver or " + ".join(steps),
        "solver_args": _short(params) if params else "",
        **{key: _short(value) for key in _GENERATE if (value := _generate(log, key)) is not None},
        "model_args": _short(spec.model_args) if spec.model_args else "",
    }
    return {
        "task": {k: v for k, v in task.items() if v},
        "agent": {k: v for k, v in agent.items() if v},
    }


def _short(value: Any) -> str:
    """Return a setting as text on one line that stays apart from other settings when cut."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    text = without_control(" ".join(text.split()))
    if len(text) > _LONGEST:
        import hashlib

        text = f"{text[: _LONGEST - 10]}…{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return text


def _named(options: Iterable[Mapping[str, Any] | None], what: str) -> list[str]:
    """Return the roles or models that scorers name among their arguments."""
    found = []
    for given in options:
        for key, value in (given or {}).items():
            if key == what or key.endswith(f"_{what}"):
                several = value if isinstance(value, list) else [value]
                found += [name for name in several if isinstance(name, str) and name]
    return found


def _planned(log: Any) -> int | None:
    """Return how many samples the run was to have, epochs counted, where the log tells."""
    if log.results and log.results.total_samples:
        return int(log.results.total_samples)
    dataset, config = log.eval.dataset, log.eval.config
    if getattr(dataset, "sample_ids", None):
        samples = len(dataset.sample_ids)
    elif isinstance(config.limit, int):
        samples = min(config.limit, dataset.samples or config.limit)
    elif dataset.samples and config.limit is None and config.sample_id is None:
        samples = dataset.samples
    else:
        return None
    return samples * (config.epochs or 1)


def _planned_alone(log: Any) -> bool:
    """Whether the run was planned with one sample: no count in the log says otherwise."""
    dataset, config = log.eval.dataset, log.eval.config
    ids = getattr(dataset, "sample_ids", None)
    asked = config.sample_id
    whole = dataset.samples if config.limit is None and asked is None and not ids else None
    counts = (
        log.results.total_samples if log.results else None,
        len(ids) if ids else None,
        whole,
        config.limit if isinstance(config.limit, int) else None,
        len(asked) if isinstance(asked, list) else None,
    )
    known = [count for count in counts if count]
    one_id = asked is not None and not isinstance(asked, list)
    return (config.epochs or 1) == 1 and (bool(known) or one_id) and set(known) <= {1}


_HUMAN_MINUTES = ("human_minutes", "human_time_minutes", "baseline_minutes")
_HUMAN_CLOCK = "HumanAgentState:accumulated_time"  # seconds a person's clock ran, pauses left out
_FULL = 0.95  # share of max_tokens from which an answer may have been cut by it


def sample_facts(summary: Any, sample: Any, header: Mapping[str, Any]) -> dict[str, Any]:
    """Return one sample as a record with the columns of `log_facts.SCHEMA`.

    `summary` is an `inspect_ai.log.EvalSampleSummary`, `sample` the `EvalSample` itself, where it
    had to be read, or None; the header is the facts of its log.
    """
    usage: Mapping[str, Any] = summary.model_usage
    if not usage and sample is not None:
        usage = sample.model_usage
    roles = {r: usage_record(u) for r, u in getattr(summary, "role_usage", {}).items()}
    limit, total, working = summary.limit, summary.total_time, summary.working_time
    retries, stop, silent = summary.retries, None, False
    if sample is not None:
        limit = limit or (sample.limit.type if sample.limit else None)
        total = sample.total_time if total is None else total
        working = sample.working_time if working is None else working
        retries = len(sample.error_retries or []) if retries is None else retries
        stop = sample.output.stop_reason if sample.output.choices else None
        silent = visible_tokens(usage, header) <= 0 and not _spoke(sample)
    return {
        "sample": str(summary.id),
        "sample_key": json.dumps(summary.id),
        "epoch": int(summary.epoch),
        "uuid": summary.uuid,
        "scores": json.dumps(score_numbers(summary.scores)),
        "score_reasons": json.dumps(score_reasons(summary.scores)),
        "usage": json.dumps({m: usage_record(u) for m, u in usage.items()}),
        "roles": json.dumps(roles),
        **{key: getattr(summary, key, None) for key in _SAMPLE_LIMITS},
        "limit": limit,
        "error": without_control(summary.error) if summary.error else None,
        "invalidated": bool(sample is not None and sample.invalidation is not None),
        "edits": None if sample is None else score_edits_of(sample),
        "stop": stop,
        "silent": silent,
        "retries": retries,
        "total_seconds": total,
        "working_seconds": working,
        "human_seconds": _clock(sample),
        "human_minutes": _human_minutes(summary.metadata),
        "started": str(summary.started_at) if summary.started_at else None,
    }


def maybe_silent(summary: Any, header: Mapping[str, Any]) -> bool:
    """Whether a failed sample may have been cut short or have no output: only the whole tells."""
    scores = summary.scores or {}
    if any(score_number(score.value) == 1.0 for score in scores.values()):
        return False
    usage = summary.model_usage
    if "no_response" in score_reasons(scores).values():
        return True
    if not usage:
        return True
    most = header["max_tokens"]
    output = sum(u.output_tokens or 0 for u in _own(usage, header).values())
    turns = getattr(summary, "turn_count", None) or 1
    return visible_tokens(usage, header) <= 0 or bool(most and output >= _FULL * most * turns)


def visible_tokens(usage: Mapping[str, Any], header: Mapping[str, Any]) -> float:
    """Return the output tokens of the AI model under test that are no reasoning."""
    own = _own(usage, header).values()
    return float(sum((u.output_tokens or 0) - (u.reasoning_tokens or 0) for u in own))


def score_edits_of(sample: Any) -> int:
    """Return how often the scores of a sample were edited by hand."""
    histories = [getattr(score, "history", None) or [] for score in (sample.scores or {}).values()]
    # Of several entries the first is the score as it was; a score added by hand has but one.
    return sum(max(len(history) - 1, min(len(history), 1)) for history in histories)


def _own(usage: Mapping[str, Any], header: Mapping[str, Any]) -> Mapping[str, Any]:
    model = header["ai_model"]
    return {model: usage[model]} if model in usage else usage


def _spoke(sample: Any) -> bool:
    """Whether anything was answered: text, or a call of a tool."""
    output = sample.output
    if (output.completion or "").strip():
        return True
    return any(bool(getattr(choice.message, "tool_calls", None)) for choice in output.choices)


def _clock(sample: Any) -> float | None:
    seconds = sample.store.get(_HUMAN_CLOCK) if sample is not None and sample.store else None
    return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else None


def _human_minutes(metadata: Mapping[str, Any] | None) -> float | None:
    for key in _HUMAN_MINUTES:
        value = (metadata or {}).get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return float(value)
    return None
