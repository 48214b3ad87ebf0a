"""What a reader of runs from Inspect logs must know: whatever moved a number, and how often."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import pandas as pd

from evalfolio.readers.remarks import Remarks, notes_on_spellings
from evalfolio.readers.settings import notes_on_settings
from evalfolio.readers.spent import CAP, METERED, OWN, REPORTED, TOTAL_TIME

_PRICES_DIFFER = 0.1  # share from which a reported cost departs from the price table's
_YEAR = 8766.0  # hours
_COLLAPSED = 0.05  # share of another attempt's tokens below which an answer was hardly made anew


def notes_on_logs(
    samples: pd.DataFrame,
    counts: pd.DataFrame,
    headers: Sequence[Mapping[str, Any]],
    unpriced: set[str],
    *,
    spend: str,
    kept: bool,
    scorer: str | None,
    default_threshold: bool,
) -> tuple[str, ...]:
    """Return what the counts do not say by themselves, one sentence each."""
    remark = Remarks(samples, "logs")
    _outcomes(remark, counts)
    remark("copied", samples["copied"], done="counted again" if kept else "excluded")
    remark("differs", samples["differs"])
    text = samples["task"].str.startswith('"')
    remark("quoted", samples["task"].eq(samples["sample_key"]) & text)
    _spends(remark, spend)
    if spend == "usd":
        _prices(remark)
    if unpriced:
        remark.notes.append(
            f"No price is known for {', '.join(sorted(unpriced))}: usd is what the log reports, or "
            "empty; add rows to a price table."
        )
    _overhead(remark.notes, counts)
    # what used next to nothing where another attempt with the same score did not
    used = samples["outcome"].isin(("success", "gave_up"))
    keys = ["eval", "task", "ai_model", "score", "solver", "reasoning_effort", "task_args"]
    most = samples[used].groupby(keys, dropna=False)["tokens"].transform("max")
    little = samples["tokens"].fillna(0) < _COLLAPSED * most.reindex(samples.index)
    remark("collapsed", used & little, share=_COLLAPSED)
    if empty := counts.loc[counts["samples"].eq(0), "log"].tolist():
        remark.notes.append(
            f"{len(empty):,} logs hold no samples (first: {PurePath(empty[0]).name}): written "
            "without them, or before any was finished; nothing is read from them."
        )
    if untidy := [header for header in headers if header["untidy"]]:
        first = untidy[0]
        remark.notes.append(
            f"{len(untidy):,} logs name their AI model with odd or invisible spaces, which were "
            f"tidied (first: {first['untidy']!a} in {PurePath(first['log']).name})."
        )
    remark.notes += notes_on_settings(headers)
    remark.notes += notes_on_spellings(
        samples.loc[~samples["human"] & samples["ai_model"].ne(""), "ai_model"].unique()
    )
    _scores(remark, counts, scorer=scorer, default_threshold=default_threshold)
    return tuple(remark.notes)


def _outcomes(remark: Remarks, counts: pd.DataFrame) -> None:
    runs, reason = remark.runs, remark.runs["reason"]
    left = runs["outcome"].eq("excluded")
    kept = ~left
    for each in ("errored", "cancelled", "unscored", "invalidated", "grading failed"):
        remark("excluded", left & reason.eq(each), reason=each)
    unread = left & reason.eq("score is no number")
    if unread.any():
        remark("unread", unread, repr(runs.loc[unread, "unread"].iloc[0]))
    remark("nameless", left & reason.eq("no AI model named"))
    people = left & reason.eq("human")
    tasks = len(runs.loc[runs["anchored"], ["eval", "task"]].drop_duplicates())
    anchor = f"; their median times are human_minutes of {tasks:,} tasks" if tasks else ""
    remark("people", people, won=int((people & runs["success"]).sum()), anchor=anchor)
    unscored = kept & reason.eq("unscored")
    limits = runs.loc[unscored, "limit"].value_counts()
    told = ", ".join(f"{n:,} by {limit}" for limit, n in limits.items())
    by_cap = int((unscored & runs["outcome"].eq("stopped_by_cap")).sum())
    remark("unscored", unscored, by_cap=by_cap, told=told)
    errored = kept & runs["error"].fillna("").ne("")
    remark("errored", errored, won=int((errored & runs["success"]).sum()))
    remark("cut_off", kept & reason.eq("cut off"))
    remark("silent", kept & reason.eq("no output"))
    for each, what in (("refusal", "refusals"), ("format", "answers in a format nobody reads")):
        remark("flawed", kept & reason.eq(each), what=what)
    if n := int(counts["missing"].sum()):
        logs = counts.loc[counts["missing"] > 0, "log"].tolist()
        remark.notes.append(
            f"{n:,} planned samples are not in their {len(logs):,} logs (first: {logs[0]}); those "
            "that were finished first are not a random choice."
        )


def _spends(remark: Remarks, spend: str) -> None:
    runs, source, reason = remark.runs, remark.runs["spend_from"], remark.runs["reason"]
    used = runs["outcome"].ne("excluded")
    lone = runs["lone"] & runs["tokens"].isna()
    if lone.any():
        planned = runs.loc[lone, "planned"].iloc[0]
        of = f" for {planned:,.0f} planned samples" if planned > 1 else ""
        remark("lone", lone, f"whose log has a total{of}")
    nothing = reason.eq("neither spend nor cap")
    remark("unspent", runs["spend"].isna() & (used | nothing), spend=spend)
    metered = source.eq(METERED)
    if metered.any():
        run = runs[metered].iloc[0]
        remark("metered", metered, f"{run['spend']:,.0f} of {run['tokens']:,.0f} tokens")
    by_use = spend != "hours"
    remark("graders", used & (runs["grader_tokens"] > 0) & by_use)
    remark("own", source.eq(OWN))
    remark("at_limit", source.eq(CAP))
    remark("years", used & (runs["spend"] > _YEAR) & (not by_use))
    late, timed = source.eq(TOTAL_TIME), runs["meter"].eq("time")
    remark("no_working_time", late & ~timed)
    remark("total_time", late & timed)
    alone = used & source.isna() & runs["grader_tokens"].eq(0) & by_use
    remark("others", alone & runs["other_models"])
    remark("graded", alone & runs["scorer"].astype(str).str.startswith("model_graded"))
    remark("no_cap", runs["cap_from"].eq("largest spend"), spend=spend)
    remark("past_cap", runs["cap_from"].eq("own spend"))
    remark("settled", runs["settled"])
    remark("nothing", nothing)


def _prices(remark: Remarks) -> None:
    runs = remark.runs
    reported, table = runs["usd_reported"], runs["usd_table"]
    odd = ((reported - table).abs() > _PRICES_DIFFER * table) & runs["outcome"].ne("excluded")
    if not odd.any():
        return
    by_log = int((odd & runs["spend_from"].eq(REPORTED)).sum())
    first = runs[odd].iloc[0]
    detail = f"{first['usd_reported']:.4g} against {first['usd_table']:.4g} usd"
    remark("priced", odd, detail, differ=_PRICES_DIFFER, by_log=by_log)


def _overhead(notes: list[str], counts: pd.DataFrame) -> None:
    """Say what logs paid for beyond runs that count: attempts made again, or excluded."""
    paid, told = counts["tokens"], counts["tokens_in_runs"]
    known = counts["missing"].eq(0) & counts["no_tokens"].eq(0)
    more = counts[(paid > 1.01 * told) & known]
    if more.empty:
        return
    first = more.iloc[0]
    total, runs = more["tokens"].sum(), more["tokens_in_runs"].sum()
    retries = int(more["retries"].sum())
    notes.append(
        f"{len(more):,} logs paid for {total:,.0f} tokens and their runs explain {runs:,.0f} "
        f"(first: {PurePath(first['log']).name}, {first['tokens']:,.0f} and "
        f"{first['tokens_in_runs']:,.0f}); {retries:,} retries: to plan with what such runs "
        f"really cost, multiply usd_per_unit by {total / runs:.2g}."
    )


def _scores(
    remark: Remarks, counts: pd.DataFrame, *, scorer: str | None, default_threshold: bool
) -> None:
    runs = remark.runs
    if several := sorted(set(counts.loc[counts["other_scorers"].ne(""), "log"])):
        used = ", ".join(sorted(set(counts.loc[counts["other_scorers"].ne(""), "scorer"].dropna())))
        remark.notes.append(
            f"{len(several):,} logs have several scores; counted was {used or 'none'}: choose "
            "another by scorer."
        )
    if scorer and (n := int(counts["scorer"].isna().sum())):
        remark.notes.append(f"{n:,} logs have no score named {scorer}.")
    scores = runs["score"].dropna()
    between = (scores > 0) & (scores < 1)
    if default_threshold and between.any():
        remark.notes.append(
            f"{between.mean():.0%} of the scores lie between 0 and 1 and count as failures (first: "
            f"{remark.first(between.reindex(runs.index, fill_value=False))}, "
            f"{scores[between].iloc[0]:g}): give the threshold by success."
        )
    remark("outside", (runs["score"] < 0) | (runs["score"] > 1))
