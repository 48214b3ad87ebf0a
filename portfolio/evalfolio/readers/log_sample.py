"""What an Inspect log says of one sample, as plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from evalfolio.readers.cells import without_control
from evalfolio.readers.scores import score_number, score_numbers, score_reasons
from evalfolio.readers.usage import usage_record

_HUMAN_MINUTES = ("human_minutes", "human_time_minutes", "baseline_minutes")
_HUMAN_CLOCK = "HumanAgentState:accumulated_time"  # seconds a person's clock ran, pauses left out
_FULL = 0.95  # share of max_tokens from which an answer may have been cut by it


def sample_facts(summary: Any, sample: Any, header: Mapping[str, Any]) -> dict[str, Any]:
    """Return one sample as a record with the columns of `checkpoint.SCHEMA`.

    Parameters
    ----------
    summary
        An `inspect_ai.log.EvalSampleSummary`.
    sample
        The `EvalSample` itself, where it had to be read, or None.
    header
        The facts of its log.
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
        "token_limit": getattr(summary, "token_limit", None),
        "token_limit_type": getattr(summary, "token_limit_type", None),
        "token_limit_usage": getattr(summary, "token_limit_usage", None),
        "time_limit": getattr(summary, "time_limit", None),
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
