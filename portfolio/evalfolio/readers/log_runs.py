"""From the facts of logs to runs and counts: prices, spends, outcomes, duplicates."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from evalfolio.readers.caps import CapRule, numbered_attempts, settle_caps
from evalfolio.readers.log_counts import counts_of_logs, notes_on_logs
from evalfolio.readers.outcomes import SuccessRule, outcomes, succeeded
from evalfolio.readers.prices import Price, Prices
from evalfolio.readers.scores import chosen_scorer
from evalfolio.readers.usage import COLUMNS

Facts = tuple[str, dict[str, Any], pa.Table]
RUN_COLUMNS = (
    *("eval", "task", "ai_model", "outcome", "spend", "spend_unit", "cap", "human_minutes"),
    *(
        "effort",
        "attempt",
        "reviewed",
        "score",
        "date",
    ),  # so far the columns of an observations file
    *("cap_from", "epoch", "reason", "error", "limit"),
    *("tokens", *COLUMNS.values(), "grader_tokens", "usd", "usd_reported"),
    *("working_hours", "total_hours", "retries", "scorer", "solver", "reasoning_effort"),
    *("tier", "option", "log"),
)
_TEXT_COLUMNS = (
    *("eval", "task", "ai_model", "outcome", "spend_unit", "date", "cap_from", "reason", "error"),
    "limit",
    *("scorer", "solver", "reasoning_effort", "tier", "option", "log"),
)
_WORKING_COLUMNS = ("log_status", "invalidated", "uuid")
_ROWS_PER_FRAME = 20_000  # plain records are bulky: they become columns by the batch


@dataclass(frozen=True)
class Reading:
    """How facts are to be read; the arguments of `read_inspect_logs`, checked."""

    prices: Prices
    spend: str
    success: SuccessRule
    scorer: str | None
    evals: Mapping[str, str]
    ai_models: Mapping[str, str]
    effort: float | Mapping[str, float] | None
    cap: CapRule
    keep_duplicates: bool


def runs_of_logs(
    facts: Iterable[Facts], reading: Reading
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """Return runs (one row per sample), counts (one row per log) and notes."""
    headers: list[dict[str, Any]] = []
    records: list[dict[str, Any]] = []
    frames: list[pd.DataFrame] = []
    price_of = _PriceOf(reading.prices)
    for log, header, table in facts:
        records += _records(log, header, table, reading, price_of)
        headers.append({**header, "log": log, "samples": table.num_rows})
        if len(records) >= _ROWS_PER_FRAME:
            frames.append(_frame(records))
            records.clear()
    frames += [_frame(records)] if records or not frames else []
    samples = pd.concat(frames, ignore_index=True)
    if not headers:
        return samples[list(RUN_COLUMNS)], pd.DataFrame(columns=["log", "samples"]), ()
    success = succeeded(samples["eval"], samples["score"], reading.success)
    samples[["outcome", "reason"]] = outcomes(samples, success, reading.spend)
    before = samples["outcome"].copy()
    duplicate = _mark_duplicates(samples, keep=reading.keep_duplicates)
    samples[["outcome", "reason", "cap", "cap_from"]] = settle_caps(samples, reading.cap)
    samples["attempt"] = numbered_attempts(samples)
    counts = counts_of_logs(samples, before, duplicate, headers)
    notes = notes_on_logs(
        samples,
        counts,
        price_of.unknown,
        spend=reading.spend,
        kept=reading.keep_duplicates,
        scorer=reading.scorer,
        default_threshold=reading.success == 1.0,
    )
    met = {name for header in headers for name in (header["task"], _bare(header["task"]))}
    unmet = [name for name in reading.evals if name not in met]
    if unmet:
        notes += (f"No log is of {', '.join(unmet)}: the new names given for them are not used.",)
    return samples[list(RUN_COLUMNS)], counts, notes


class _PriceOf:
    """Prices by model and day, looked up once each; models without a price are remembered."""

    def __init__(self, prices: Prices) -> None:
        self._prices = prices
        self._known: dict[tuple[str, str], Price | None] = {}
        self.unknown: set[str] = set()

    def __call__(self, model: str, day: str) -> Price | None:
        key = (model, day)
        if key not in self._known:
            self._known[key] = self._prices.find(model, datetime.date.fromisoformat(day))
        if self._known[key] is None:
            self.unknown.add(model)
        return self._known[key]


def _frame(records: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(records, columns=[*RUN_COLUMNS, *_WORKING_COLUMNS])
    text = [*_TEXT_COLUMNS, *_WORKING_COLUMNS]
    return frame.astype({c: (object if c in text else float) for c in frame}).astype({"epoch": int})


def _records(
    log: str, header: dict[str, Any], table: pa.Table, reading: Reading, price_of: _PriceOf
) -> list[dict[str, Any]]:
    rows = table.to_pylist()
    scores = [json.loads(row["scores"]) for row in rows]
    names = header["scorers"] = list(dict.fromkeys(name for given in scores for name in given))
    scorer = header["scorer"] = chosen_scorer(names, header["headline"], reading.scorer)
    ours = header["evalfolio"]
    eval_name = header["eval"] = _eval_name(header["task"], ours, reading.evals)
    effort = reading.effort if reading.effort is not None else ours.get("effort")
    if isinstance(effort, Mapping):
        effort = effort.get(eval_name)
    if not isinstance(effort, int | float) or not 0 <= effort <= 1:
        effort = np.nan  # metadata may hold anything
    lone_usage = header["usage"] if len(rows) == 1 else {}  # a lone sample used all there is
    records = []
    for row, given in zip(rows, scores, strict=True):
        usage = json.loads(row["usage"]) or lone_usage
        day = (row["started"] or header["created"])[:10]
        used = _used(usage, json.loads(row["grader"]), day, price_of)
        hours = {f"{k}_hours": _number(row[f"{k}_seconds"]) / 3600 for k in ("working", "total")}
        spend, cap = _spend_and_cap(used, hours, row, header, reading.spend)
        records.append(
            {
                "eval": eval_name,
                "task": row["sample"],
                "ai_model": reading.ai_models.get(header["ai_model"], header["ai_model"]),
                "spend": spend if spend > 0 else np.nan,
                "spend_unit": reading.spend,
                "cap": cap,
                "human_minutes": row["human_minutes"],
                "effort": effort,
                "epoch": row["epoch"],
                "score": given.get(scorer),
                "date": day,
                "limit": row["limit"],
                **used,
                **hours,
                "retries": row["retries"],
                "scorer": scorer,
                "solver": header["solver"],
                "reasoning_effort": header["reasoning_effort"],
                "tier": ours.get("tier"),
                "option": ours.get("option"),
                "log": log,
                "log_status": header["status"],
                "error": row["error"],
                "invalidated": row["invalidated"],
                "uuid": row["uuid"] or f"{header['eval_id']}/{row['sample']}/{row['epoch']}",
            }
        )
    return records


def _bare(task: str) -> str:
    """Return a task's name without its package: inspect_evals/cybench is cybench."""
    return task.rsplit("/", 1)[-1]


def _eval_name(task: str, ours: Mapping[str, Any], evals: Mapping[str, str]) -> str:
    """Return the eval's name: renamed by the caller, as exported by us, or the task's own."""
    bare = _bare(task)
    return str(evals.get(task) or evals.get(bare) or ours.get("eval") or bare)


def _used(
    usage: Mapping[str, Mapping[str, float]],
    grader: Mapping[str, Mapping[str, float]],
    day: str,
    price_of: _PriceOf,
) -> dict[str, float]:
    """Return tokens by kind and cost of one sample; nothing recorded is NaN, never zero."""
    total = sum(u["total"] for u in usage.values())
    if total <= 0:
        return dict.fromkeys(
            [*COLUMNS.values(), "tokens", "grader_tokens", "usd", "grader_usd", "usd_reported"],
            np.nan,
        )
    usd = 0.0
    for model, used in usage.items():
        price = price_of(model, day)
        usd += np.nan if price is None else price.usd(used)
    costs = [u["cost"] for u in usage.values() if u.get("cost")]
    reported = sum(costs) if len(costs) == len(usage) else np.nan
    usd = reported if np.isnan(usd) else usd
    graded = sum(u["total"] for u in grader.values())
    return {
        "tokens": total,
        **{column: sum(u[k] for u in usage.values()) for k, column in COLUMNS.items()},
        "grader_tokens": graded,
        "usd": usd,
        # Roles are not logged with their model: the grader's share of the cost goes by its tokens.
        "grader_usd": usd * graded / total,
        "usd_reported": reported,
    }


def _spend_and_cap(
    used: Mapping[str, float],
    hours: Mapping[str, float],
    row: Mapping[str, Any],
    header: Mapping[str, Any],
    unit: str,
) -> tuple[float, float]:
    if unit == "tokens":
        # A limit on output tokens, or on a formula of kinds, is no cap on tokens of all kinds.
        kind = row["token_limit_type"] or header["token_limit_type"] or "all"
        limit = header["token_limit"] if row["token_limit"] is None else row["token_limit"]
        cap = _number(limit) if kind == "all" else np.nan
        return used["tokens"] - used["grader_tokens"], cap
    if unit == "usd":
        return used["usd"] - used["grader_usd"], _number(header["cost_limit"])
    working, total = hours["working_hours"], hours["total_hours"]
    limits = [header[k] / 3600 for k in ("working_limit", "time_limit") if header[k]]
    return (total if np.isnan(working) else working), min(limits, default=np.nan)


def _mark_duplicates(samples: pd.DataFrame, *, keep: bool) -> pd.Series:
    """Return which samples were met before; unless they are kept, exclude them in place."""
    # Excluded samples go last: of a sample and its unscored copy the scored one counts.
    order = samples[["uuid", "log"]].assign(last=samples["outcome"].eq("excluded"))
    order = order.sort_values("last", kind="stable")
    duplicate = order.duplicated("uuid", keep="first").reindex(samples.index)
    if not keep and duplicate.any():
        first = order.drop_duplicates("uuid").set_index("uuid")["log"]
        names = samples.loc[duplicate, "uuid"].map(first)
        samples.loc[duplicate, "reason"] = "duplicate of a sample in " + names
        samples.loc[duplicate, "outcome"] = "excluded"
    return duplicate


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)
