"""The public cyber runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

CAP = 2_000_000.0  # of the main runs
APART = "GPT-5.5"  # ran a half of the tasks that is no random one
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
