"""Caps an observations file can stand on: every run that counts has one, near what it spent."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from evalbayes.errors import InputError
from evalbayes.observations.runs import LEAST_OF_CAP
from evalbayes.observations.shape import OVERSHOOT

CapRule = float | Mapping[str, float] | None


def check_cap(given: CapRule) -> None:
    """Refuse a cap that no run can have.

    InputError if it is not a finite number above 0; the eval is named where caps are given by eval.
    """
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

    Examples
    --------
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
    cap = cap.where(~missing, _rounded_up(largest))
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


def _rounded_up(values: pd.Series) -> pd.Series:
    """Round up to two significant digits, so that caps look like caps."""
    with np.errstate(divide="ignore", invalid="ignore"):
        step = 10.0 ** (np.floor(np.log10(values)) - 1)
    rounded: pd.Series = np.ceil(values / step) * step
    return rounded


def numbered_attempts(runs: pd.DataFrame) -> pd.Series:
    """Return attempts numbered from 1 per task, AI model and effort, over all logs."""
    keys = [runs["eval"], runs["task"], runs["ai_model"], runs["effort"].fillna(0.0)]
    counted: pd.Series = runs.groupby(keys).cumcount() + 1
    return counted
