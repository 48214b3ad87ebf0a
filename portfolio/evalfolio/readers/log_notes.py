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
    remark = Remarks(samples)
    _outcomes(remark, counts)
    _copies(remark, kept=kept)
    _spends(remark, counts, spend)
    if spend == "usd":
        _prices(remark)
    if unpriced:
        remark.notes.append(
            f"No price is known for {', '.join(sorted(unpriced))}: usd is what the log reports, or "
            "empty; add rows to a price table."
        )
    _overhead(remark.notes, counts)
    remark(_collapsed(samples), f"runs used less than {_COLLAPSED:.0%} of the tokens of another "
           "attempt at the same task with the same score",
           "answers from a cache look so, and are no independent attempts")  # fmt: skip
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
    runs = remark.runs
    left = runs["outcome"].eq("excluded")
    for reason in ("errored", "cancelled", "unscored", "invalidated", "grading failed"):
        remark(left & runs["reason"].eq(reason), f"samples are excluded: {reason}")
    unread = left & runs["reason"].eq("score is no number")
    if unread.any():
        remark(unread, "samples have scores that are no number and are excluded",
               "score them as numbers, or choose another score or one entry of it by scorer",
               repr(runs.loc[unread, "unread"].iloc[0]))  # fmt: skip
    remark(left & runs["reason"].eq("no AI model named"), "runs name no AI model and are excluded",
           "name it by ai_models")  # fmt: skip
    people = left & runs["reason"].eq("human")
    if people.any():
        won = int((people & runs["success"]).sum())
        filled = runs[runs["anchored"]]
        tasks = len(filled[["eval", "task"]].drop_duplicates())
        anchor = f"; their median times are human_minutes of {tasks:,} tasks" if tasks else ""
        remark(people, f"runs by people are excluded, {won:,} of them successes{anchor}")
    kept = ~left
    unscored = kept & runs["reason"].eq("unscored")
    if unscored.any():
        limits = runs.loc[unscored, "limit"].value_counts()
        told = ", ".join(f"{n:,} by {limit}" for limit, n in limits.items())
        by_cap = int((unscored & runs["outcome"].eq("stopped_by_cap")).sum())
        remark(unscored, "unscored samples hit a limit and count as stopped there, "
               f"{by_cap:,} by their cap ({told})")  # fmt: skip
    errored = kept & runs["error"].fillna("").ne("")
    won = int((errored & runs["success"]).sum())
    remark(errored, "samples ended in an error and were scored all the same: the log's score "
           f"counts, {won:,} as successes and failures as stopped_otherwise")  # fmt: skip
    remark(kept & runs["reason"].eq("cut off"), "failures were cut off by the length of an answer "
           "or context and count as stopped_otherwise, not as gave_up")  # fmt: skip
    remark(kept & runs["reason"].eq("no output"), "failures have no output at all and count as "
           "spurious, not as gave_up", "look at how they were set up")  # fmt: skip
    for reason, what in (("refusal", "refusals"), ("format", "answers in a format nobody reads")):
        remark(kept & runs["reason"].eq(reason), f"failures are {what} by the log's word and count "
               "as spurious, not as gave_up")  # fmt: skip
    if n := int(counts["missing"].sum()):
        logs = counts.loc[counts["missing"] > 0, "log"].tolist()
        remark.notes.append(
            f"{n:,} planned samples are not in their {len(logs):,} logs (first: {logs[0]}); those "
            "that were finished first are not a random choice."
        )


def _copies(remark: Remarks, *, kept: bool) -> None:
    runs = remark.runs
    done = "counted again" if kept else "excluded"
    remark(
        runs["copied"], f"samples occur more than once, in another log or in one, and are {done}"
    )
    if runs["differs"].any():
        remark(runs["differs"], "copies differ from the one that counts", "of such copies the one "
               "corrected by hand counts, else the one written last")  # fmt: skip
    remark(runs["task"].eq(runs["sample_key"]) & runs["task"].str.startswith('"'),
           "samples have an id in text that another has as a number",
           "they are other tasks, named in quotes")  # fmt: skip


def _spends(remark: Remarks, counts: pd.DataFrame, spend: str) -> None:
    runs = remark.runs
    used = runs["outcome"].ne("excluded")
    source = runs["spend_from"]
    lone = runs["lone"] & runs["tokens"].isna()
    if lone.any():
        planned = runs.loc[lone, "planned"].iloc[0]
        of = f" for {planned:,.0f} planned samples" if planned > 1 else ""
        remark(lone, "runs have no usage of their own", "the log's total is not given to them",
               f"whose log has a total{of}")  # fmt: skip
    unspent = runs["spend"].isna() & (used | runs["reason"].eq("neither spend nor cap"))
    remark(unspent, f"runs have no recorded {spend}: their spend is empty")
    metered = source.eq(METERED)
    if metered.any():
        run = runs[metered].iloc[0]
        remark(metered, "runs spent what their token limit metered",
               "the other tokens, of a judge perhaps, were paid and not spent",
               f"{run['spend']:,.0f} of {run['tokens']:,.0f} tokens")  # fmt: skip
    if spend != "hours":
        remark(used & (runs["grader_tokens"] > 0), "runs were scored by AI models: what that used "
               "is paid and not spent")  # fmt: skip
    remark(source.eq(OWN), "runs used more than the cap that did not stop them: the usage of the "
           "AI model under test alone counts as spend")  # fmt: skip
    remark(source.eq(CAP), "runs have their cost limit for spend: the log does not keep what it "
           "metered, and the price table's figure cannot be it")  # fmt: skip
    remark(used & (runs["spend"] > _YEAR) & (spend == "hours"), "runs took more than a year by "
           "their log", "is its clock right?")  # fmt: skip
    late = source.eq(TOTAL_TIME)
    timed = runs["meter"].eq("time")
    remark(late & ~timed, "runs have no working time that can be (none, not above 0, or longer "
           "than their total time): their total time is used")  # fmt: skip
    remark(late & timed, "runs were limited in total time: their spend is total time, waiting "
           "included")  # fmt: skip
    others = used & runs["other_models"] & source.isna() & (runs["grader_tokens"] == 0)
    if spend != "hours":
        remark(
            others, "runs used further AI models in no role of scoring: their spend includes them"
        )
    graded = used & runs["scorer"].astype(str).str.startswith("model_graded")
    graded &= runs["grader_tokens"].eq(0) & source.isna()
    if spend != "hours":
        remark(graded, "runs were graded by an AI model whose tokens the log does not tell apart: "
               "their spend includes the grading")  # fmt: skip
    remark(runs["cap_from"].eq("largest spend"), f"runs had no cap on {spend}: as cap stands the "
           "largest spend of their eval, which censors nothing", "give another by cap")  # fmt: skip
    remark(runs["cap_from"].eq("own spend"), "runs passed their cap by more than a tenth: their "
           "own spend is used as cap")  # fmt: skip
    remark(runs["settled"], "runs were stopped by their limit at less than half of their cap and "
           "count as stopped_otherwise")  # fmt: skip
    remark(runs["reason"].eq("neither spend nor cap"), "runs have neither spend nor cap and are "
           "excluded", "give a cap")  # fmt: skip


def _prices(remark: Remarks) -> None:
    runs = remark.runs
    reported, table = runs["usd_reported"], runs["usd_table"]
    odd = ((reported - table).abs() > _PRICES_DIFFER * table) & runs["outcome"].ne("excluded")
    if not odd.any():
        return
    by_log = int((odd & runs["spend_from"].eq(REPORTED)).sum())
    first = runs[odd].iloc[0]
    remark(odd, f"runs cost by the log more than {_PRICES_DIFFER:.0%} above or below the price "
           "table", f"the log's figure counts for {by_log:,} of them, which its cost limit held",
           f"{first['usd_reported']:.4g} against {first['usd_table']:.4g} usd")  # fmt: skip


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


def _collapsed(runs: pd.DataFrame) -> pd.Series:
    """Return which runs used next to nothing where another attempt with the same score did."""
    used = runs["outcome"].isin(("success", "gave_up"))
    alike = runs[used].groupby(
        ["eval", "task", "ai_model", "score", "solver", "reasoning_effort", "task_args"],
        dropna=False,
    )["tokens"]
    most = alike.transform("max").reindex(runs.index)
    return used & (runs["tokens"].fillna(0) < _COLLAPSED * most)


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
    remark((runs["score"] < 0) | (runs["score"] > 1), "scores lie outside 0..1",
           "check the threshold given by success")  # fmt: skip
