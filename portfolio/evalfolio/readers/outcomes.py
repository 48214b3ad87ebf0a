"""How runs count: their outcome and cap from what a log says, people's runs, and copies."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalbayes.errors import InputError
from evalbayes.observations.runs import LEAST_OF_CAP
from evalbayes.observations.shape import OVERSHOOT

HUMAN_SOLVERS = frozenset(
    f"{package}{solver}"
    for package in ("", "inspect_ai/")
    for solver in ("human_cli", "human_agent")
)
_PERSON = re.compile(r"(?<![a-z])(?:humans?|baseliners?)(?![a-z])")


def is_human(name: str) -> bool:
    """Whether a name means people: `human`, `Human Expert`, `human_novice`, `baseliner 3`.

    >>> [is_human(n) for n in ("human", "Human Expert", "human_novice", "humanloop/x", "o3")]
    [True, True, True, False, False]
    """
    return _PERSON.search(name.lower()) is not None


def anchored(runs: pd.DataFrame, human: pd.Series, minutes: pd.Series) -> pd.Series:
    """Return human minutes, filled where empty with people's median time on the task.

    Only their successes tell how long a task takes. `human` is which runs were a person's and
    succeeded, `minutes` how long each took, of shape (n_runs,); `runs` has columns eval, task,
    human_minutes.
    """
    known = human & (minutes > 0)
    if not known.any():
        return runs["human_minutes"]
    medians = minutes[known].groupby([runs["eval"][known], runs["task"][known]]).median()
    keys = pd.MultiIndex.from_frame(runs[["eval", "task"]])
    taken = pd.Series(medians.reindex(keys).to_numpy(), runs.index)
    return runs["human_minutes"].fillna(taken)


SuccessRule = float | Mapping[str, float] | Callable[[float], bool]

SPEND_UNITS = ("tokens", "usd", "hours")
_ROUNDING = 1e-9  # scores that are means of several graders miss their threshold by this much


def succeeded(evals: pd.Series, scores: pd.Series, rule: SuccessRule) -> pd.Series:
    """Return which scores count as success.

    The rule is a threshold the score must reach, thresholds by eval (1 where an eval is not named),
    or a function from a score to true or false; evals and scores are of each run, (n_runs,).
    """
    for given in () if callable(rule) else rule.values() if isinstance(rule, Mapping) else (rule,):
        if not np.isfinite(given):
            raise InputError(f"success must be a number, got {given}; give the score that suffices")
    if callable(rule):
        return scores.map(lambda s: bool(rule(s)) if np.isfinite(s) else False).astype(bool)
    if isinstance(rule, Mapping):
        thresholds = evals.map({**dict.fromkeys(evals.unique(), 1.0), **rule}).astype(float)
        return scores >= thresholds - _ROUNDING
    return scores >= float(rule) - _ROUNDING


def outcomes(samples: pd.DataFrame, success: pd.Series) -> pd.DataFrame:
    """Return the outcome of every sample and, where it is no plain one, the reason.

    A success past the limit is a success. A failure at a limit is `stopped_by_cap` if that limit is
    the one its spend is metered by and known, `stopped_otherwise` if not; so is a sample that hit a
    limit and was never scored. A failure cut by the length of an answer or of a context, or ended
    by an error and scored all the same, is `stopped_otherwise`; one without any output, a refusal,
    or an answer in a format nobody can read is `spurious`. Samples invalidated, done by people,
    ended by an error, cancelled or without a score are `excluded`. Columns of the samples:
    invalidated, human, ai_model, error, again (run again elsewhere), score, unread (the score,
    where it is no number), score_reason, limit, meter, cap, stop, silent, log_status; `success` is
    which succeeded, (n_samples,).
    """
    error = samples["error"].fillna("").astype(str)
    errored = error.ne("")
    cancelled = samples["log_status"].eq("cancelled")
    interrupted = cancelled & error.str.contains("cancel|interrupt", case=False, regex=True)
    stopped = samples["limit"].notna()
    unscored = samples["score"].isna()
    left = unscored & ~(stopped & ~errored)
    why = samples["score_reason"]
    stop = samples["stop"]
    excluded = {
        "invalidated": samples["invalidated"].astype(bool),
        "human": samples["human"].astype(bool),
        "no AI model named": samples["ai_model"].astype(str).str.strip().eq(""),
        "interrupted": interrupted,
        "errored": errored & (unscored | samples["again"].astype(bool)),
        "cancelled": left & cancelled,
        "score is no number": left & samples["unread"].notna(),
        "unscored": left,
        "grading failed": why.isin(("grader_failed", "scoring_failed")) & ~success,
    }
    reason = np.select([c.to_numpy() for c in excluded.values()], list(excluded), default="")
    kept = [
        (pd.Series(reason != "", samples.index), "excluded", ""),
        (success, "success", ""),
        (stopped & samples["limit"].eq(samples["meter"]) & samples["cap"].notna(),
         "stopped_by_cap", ""),
        (stopped, "stopped_otherwise", ""),
        (errored, "stopped_otherwise", "errored"),
        (stop.isin(("max_tokens", "model_length")), "stopped_otherwise", "cut off"),
        (stop.eq("content_filter") | why.eq("refusal"), "spurious", "refusal"),
        (samples["silent"].astype(bool), "spurious", "no output"),
        (why.eq("invalid_response_format"), "spurious", "format"),
    ]  # fmt: skip
    conditions = [c.to_numpy() for c, _, _ in kept]
    outcome = np.select(conditions, [o for _, o, _ in kept], default="gave_up")
    plain = np.select(conditions, [r for _, _, r in kept], default="")
    plain = np.where((plain == "") & unscored & (reason == ""), "unscored", plain)
    told = np.where(reason == "", plain, np.where(reason == "interrupted", "cancelled", reason))
    return pd.DataFrame({"outcome": outcome, "reason": told}, index=samples.index)


CapRule = float | Mapping[str, float] | None


def check_cap(given: CapRule) -> None:
    """Refuse a cap that no run can have."""
    rules = given if isinstance(given, Mapping) else {} if given is None else {"": given}
    for name, cap in rules.items():
        if not 0 < cap < np.inf:
            raise InputError(
                f"{f'{name}: ' if name else ''}cap must be a number above 0, got {cap:g}; give "
                "what one attempt was allowed to spend"
            )


def settle_caps(runs: pd.DataFrame, given: CapRule) -> pd.DataFrame:
    """Return outcome, reason, cap and cap_from, such that every run that counts has a cap.

    A run without a cap in its log was never stopped by one. It gets the cap `given` (for all, or by
    eval), or else the largest spend met in its eval, rounded up: that censors nothing. A run more
    than a tenth past its cap (one long call may do that) has its own spend for a cap; one stopped
    below half of it was stopped by something else. A run with neither spend nor cap cannot be
    placed on the curve and is excluded. `runs` has columns eval, outcome, reason, spend, cap, one
    row per run; `given` is in the unit of spend.

    >>> runs = pd.DataFrame({
    ...     "eval": "ctf", "outcome": ["success", "gave_up", "stopped_by_cap"], "reason": "",
    ...     "spend": [812.0, 433.0, 150.0], "cap": [np.nan, np.nan, 100.0],
    ... })
    >>> settle_caps(runs, None)[["cap", "cap_from"]].values.tolist()
    [[820.0, 'largest spend'], [820.0, 'largest spend'], [150.0, 'own spend']]
    """
    outcome, reason = runs["outcome"].copy(), runs["reason"].copy()
    spend, cap = runs["spend"], runs["cap"].astype(float)
    used = outcome.ne("excluded")
    cap_from = pd.Series(np.where(cap.notna(), "log", ""), runs.index, dtype=object)
    missing = used & cap.isna()
    if given is not None:
        rule = runs["eval"].map(given) if isinstance(given, Mapping) else given
        cap = cap.where(~missing, pd.Series(rule, runs.index).astype(float))
        cap_from = cap_from.mask(missing & cap.notna(), "given")
        missing &= cap.isna()
    largest = spend.where(used).groupby(runs["eval"]).transform("max")
    # Round up to two significant digits, so that caps look like caps
    with np.errstate(divide="ignore", invalid="ignore"):
        step = 10.0 ** (np.floor(np.log10(largest)) - 1)
    rounded: pd.Series = np.ceil(largest / step) * step
    cap = cap.where(~missing, rounded)
    cap_from = cap_from.mask(missing & cap.notna(), "largest spend")
    over = used & (spend > OVERSHOOT * cap)
    cap = cap.where(~over, spend)
    cap_from = cap_from.mask(over, "own spend")
    outcome = outcome.mask(
        outcome.eq("stopped_by_cap") & (spend < LEAST_OF_CAP * cap), "stopped_otherwise"
    )
    placeless = used & cap.isna()
    return pd.DataFrame(
        {
            "outcome": outcome.mask(placeless, "excluded"),
            "reason": reason.mask(placeless, "neither spend nor cap"),
            "cap": cap,
            "cap_from": cap_from,
        }
    )


def numbered_attempts(runs: pd.DataFrame) -> pd.Series:
    """Return attempts numbered from 1 per task, AI model and effort, over all logs."""
    keys = [runs["eval"], runs["task"], runs["ai_model"], runs["effort"].fillna(0.0)]
    counted: pd.Series = runs.groupby(keys).cumcount() + 1
    return counted


EditsOf = Callable[[pd.Series], int]


@dataclass(frozen=True, eq=False)  # eq=False: series have no single truth value
class Copies:
    """Which samples are copies of one that counts, which of them differ, and where that one is."""

    copy: pd.Series
    differs: pd.Series
    counted: pd.Series


def find_copies(samples: pd.DataFrame, edits_of: EditsOf) -> Copies:
    """Tell of every sample met more than once which of its copies counts.

    Where copies differ, the corrected one counts: edited or invalidated by hand, then the one that
    counts at all (a scored copy before an unscored one), then the one written last. Of equal copies
    the first met counts. Columns: uuid, content (equal where copies say the same), outcome,
    invalidated, edits, written, log, one row per sample. `edits_of` says how often the scores of a
    sample (a row) were edited; it is asked only where copies differ and `edits` is empty.
    """
    order = samples[["uuid", "log"]].assign(last=samples["outcome"].eq("excluded"))
    order = order.sort_values("last", kind="stable")
    copy = order.duplicated("uuid", keep="first").reindex(samples.index)
    first = order.drop_duplicates("uuid").set_index("uuid")["log"]
    counted = samples["uuid"].map(first).where(copy, "")
    differs = pd.Series(data=False, index=samples.index)
    several = samples[samples["uuid"].duplicated(keep=False)]
    contents = several.groupby("uuid", sort=False)["content"].transform("nunique")
    for _, rows in several[contents > 1].groupby("uuid", sort=False):

        def rank(at: int, rows: pd.DataFrame = rows) -> tuple[object, ...]:
            row = rows.iloc[at]
            edits = int(row["edits"]) if np.isfinite(row["edits"]) else edits_of(row)
            by_hand = edits > 0 or bool(row["invalidated"])
            return (by_hand, edits, row["outcome"] != "excluded", row["written"], -at)

        best = int(rows.index[max(range(len(rows)), key=rank)])
        others = rows.index.drop([best])
        copy[best], counted[best] = False, ""
        copy[others], counted[others] = True, rows.loc[best, "log"]
        differs[others] = rows.loc[others, "content"].ne(rows.loc[best, "content"])
    return Copies(copy, differs, counted)
