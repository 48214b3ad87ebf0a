"""How a run ended, from what its log says: the outcomes of the spend-to-outcome curve."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from evalbayes.errors import InputError

SuccessRule = float | Mapping[str, float] | Callable[[float], bool]

SPEND_UNITS = ("tokens", "usd", "hours")
_ROUNDING = 1e-9  # scores that are means of several graders miss their threshold by this much


def succeeded(evals: pd.Series, scores: pd.Series, rule: SuccessRule) -> pd.Series:
    """Return which scores count as success.

    InputError if a threshold is no finite number. The rule is a threshold the score must reach,
    thresholds by eval (1 where an eval is not named), or a function from a score to true or false;
    evals and scores are of each run, (n_runs,).
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
