"""The public cyber runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

CAP = 2_000_000.0  # of the main runs
APART = "GPT-5.5"  # ran a half of the tasks that is no random one
RELEASED = {  # as announced by their makers
    "Claude 3 Opus": "2024-03-04",
    "GPT-4o": "2024-05-13",
    "o3": "2025-04-16",
    "Opus 4": "2025-05-22",
    "DeepSeek V3.1": "2025-08-21",
    "GPT-5.1 Codex Max": "2025-11-19",
    "GPT-5.3 Codex": "2026-02-05",
    "GLM-5": "2026-02-11",
    "Sonnet 4.6": "2026-02-17",
    "GPT-5.5": "2026-04-23",
}
FAMILIES = {
    "cvebench": "exploits",
    "cybergym": "exploits",
    "cybench": "ctf",
    "nyuctf": "ctf",
    "intercode_ctf": "ctf",
    "cybashbench": "shell",
    "nl2bash": "shell",
}


def cyber_runs(path: Path) -> pd.DataFrame:
    """Read runs with the columns of observations, and success as 0 or 1."""
    runs = pd.read_csv(path).rename(columns={"spend_tokens": "spend", "cap_tokens": "cap"})
    failed = np.where(runs["stopped_by_cap"], "stopped_by_cap", "gave_up")
    return runs.assign(outcome=np.where(runs["success"] == 1, "success", failed))


def recapped(runs: pd.DataFrame, cap: float) -> pd.DataFrame:
    """Return runs as they would have been told at a smaller cap: beyond it, stopped by it.

    An AI model told of a smaller cap might pace itself differently, so shares at small caps are
    understated, if anything.

    Examples
    --------
    >>> runs = pd.DataFrame({"outcome": ["success", "gave_up"], "spend": [5.0, 50.0], "cap": 99.0})
    >>> recapped(runs, 10.0)[["outcome", "spend", "cap"]].to_numpy().tolist()
    [['success', 5.0, 10.0], ['stopped_by_cap', 10.0, 10.0]]
    """
    spend, own = runs["spend"].to_numpy(float), runs["cap"].to_numpy(float)
    cut = (own > cap) & (spend > cap)
    return runs.assign(
        outcome=np.where(cut, "stopped_by_cap", runs["outcome"]),
        spend=np.where(cut, cap, spend),
        cap=np.minimum(own, cap),
    )
