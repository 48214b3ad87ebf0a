"""What one sample of an Inspect log used, and what of it its cap meters."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isnan, nan
from typing import Any

from evalbayes.observations.shape import OVERSHOOT
from evalfolio.readers.log_header import COLUMNS
from evalfolio.readers.prices import Price

Usage = Mapping[str, Mapping[str, float]]
# Where a spend comes from, as the column `spend_from` says.
METERED, OWN, REPORTED = "limit's meter", "its own model", "reported cost"
TOTAL_TIME, CAP = "total time", "cap"


_ROUNDED = 1.01  # working time is no longer than total time, but for how they are rounded
PriceOf = Callable[[str, str], Price | None]  # of a model on a day


@dataclass(frozen=True)
class Spent:
    """Spend and cap of one sample; `meter` is the kind of limit that holds the spend."""

    spend: float
    cap: float
    meter: str
    source: str


def used(
    row: Mapping[str, Any], usage: Usage, header: Mapping[str, Any], day: str, price_of: PriceOf
) -> dict[str, float]:
    """Return tokens by kind and cost of one sample; nothing recorded is NaN, never zero.

    Costs are priced by the table, or as the log reports them where the table has no price; a
    model reported to cost nothing costs nothing. A count below 0 is none. `grader_*` is what
    scoring used: model roles and models that scorers name, and the roles grader, judge and scorer.
    """
    total = sum(u["total"] for u in usage.values())
    if total <= 0 or any(u[kind] < 0 for u in usage.values() for kind in COLUMNS):
        keys = ("tokens", "grader_tokens", "usd", "usd_reported", "usd_table")
        more = ("grader_usd", "grader_reported", "own_tokens", "own_reported")
        return dict.fromkeys([*COLUMNS.values(), *keys, *more], nan)
    roles: Usage = json.loads(row["roles"])
    by_role = [u for role, u in roles.items() if role in header["grading_roles"]]
    by_model = [usage[m] for m in header["grading_models"] if m in usage]
    grading = max(by_role, by_model, key=lambda us: sum(u["total"] for u in us))
    graded = sum(u["total"] for u in grading)
    tables = {m: None if (p := price_of(m, day)) is None else p.usd(u) for m, u in usage.items()}
    usd = sum(cost if cost is not None else usage[m].get("cost", nan) for m, cost in tables.items())
    reported = sum(u.get("cost", nan) for u in usage.values())
    # Where roles carry no cost, the share of scoring goes by its tokens.
    told = sum(u.get("cost", nan) for u in grading)
    own = usage.get(header["ai_model"], {})
    return {
        "tokens": total,
        **{column: sum(u[k] for u in usage.values()) for k, column in COLUMNS.items()},
        "grader_tokens": graded,
        "usd": reported if isnan(usd) else usd,
        "usd_reported": reported,
        "usd_table": nan if None in tables.values() else sum(filter(None, tables.values())),
        "grader_usd": (reported if isnan(usd) else usd) * graded / total,
        "grader_reported": reported * graded / total if isnan(told) else told,
        "own_tokens": own.get("total", nan),
        "own_reported": own.get("cost", nan),
    }


def spent(
    used: Mapping[str, float], row: Mapping[str, Any], header: Mapping[str, Any], unit: str
) -> Spent:
    """Return spend and cap in the unit asked for, both from one meter wherever there is one.

    Tokens: what the token limit metered, else all but what scoring used. USD: what the log
    reports where the cap is the log's own cost limit, else the priced usage. Hours: working time,
    or total time where that is what is limited.
    """
    if unit == "tokens":
        return _tokens(used, row, header)
    if unit == "usd":
        return _usd(used, row, header)
    return _hours(row, header)


def _tokens(used: Mapping[str, float], row: Mapping[str, Any], header: Mapping[str, Any]) -> Spent:
    # A limit on output tokens, or on a formula of kinds, is no cap on tokens of all kinds.
    kind = row["token_limit_type"] or header["token_limit_type"] or "all"
    limit = header["token_limit"] if row["token_limit"] is None else row["token_limit"]
    cap = float(limit) if kind == "all" and limit else nan
    rest, metered = used["tokens"] - used["grader_tokens"], row["token_limit_usage"]
    if kind == "all" and metered and rest != metered:
        return Spent(float(metered), cap, "token", METERED)
    if row["limit"] != "token" and rest > OVERSHOOT * cap >= used["own_tokens"]:
        return Spent(used["own_tokens"], cap, "token", OWN)
    return Spent(rest, cap, "token", "")


def _usd(used: Mapping[str, float], row: Mapping[str, Any], header: Mapping[str, Any]) -> Spent:
    priced = used["usd"] - used["grader_usd"]
    reported = used["usd_reported"] - used["grader_reported"]
    cap = float(header["cost_limit"]) if header["cost_limit"] else nan
    if isnan(cap):
        return Spent(priced, cap, "cost", "")
    at_cap = row["limit"] == "cost"
    if reported > 0:
        if not at_cap and reported > OVERSHOOT * cap >= used["own_reported"]:
            return Spent(used["own_reported"], cap, "cost", OWN)
        return Spent(reported, cap, "cost", REPORTED)
    if at_cap or priced > cap:  # the log's meter is not kept, only that it did or did not reach it
        return Spent(cap, cap, "cost", CAP)
    return Spent(priced, cap, "cost", "")


def _hours(row: Mapping[str, Any], header: Mapping[str, Any]) -> Spent:
    working, total = _seconds(row["working_seconds"]), _seconds(row["total_seconds"])
    clock = header["time_limit"] if row["time_limit"] is None else row["time_limit"]
    work = header["working_limit"]
    if header["human"]:
        taken = next((t for t in (_seconds(row["human_seconds"]), total, working) if t > 0), nan)
        return Spent(taken / 3600, nan, "working", "")
    if clock and (not work or clock <= work):  # working time cannot pass total time
        source = TOTAL_TIME if total != working else ""
        taken = working if isnan(total) else total
        return Spent(taken / 3600, clock / 3600, "time", source if taken == total else "")
    cap = work / 3600 if work else nan
    if isnan(working) or working > _ROUNDED * total:
        return Spent(total / 3600, cap, "working", "" if isnan(total) else TOTAL_TIME)
    return Spent(working / 3600, cap, "working", "")


def _seconds(value: float | None) -> float:
    """Return a time that can be: none is not recorded, one below 0 a fault of the log's clock."""
    return nan if value is None or value <= 0 else float(value)
