"""Remarks on an import: how many runs something holds for, and which is the first."""

from __future__ import annotations

from pathlib import PurePath

import pandas as pd


class Remarks:
    """Notes on runs, one sentence each; what holds for no run is not said.

    Parameters
    ----------
    runs
        Columns eval, task and log, one row per run; `line` too where a file is read by lines.

    Examples
    --------
    >>> runs = pd.DataFrame({"eval": "ctf", "task": ["a", "b"], "log": "logs/1.eval"})
    >>> remarks = Remarks(runs)
    >>> remarks(runs["task"].eq("b"), "runs are odd", "look at them")
    >>> remarks.notes
    ['1 runs are odd (first: ctf b in 1.eval): look at them.']
    """

    def __init__(self, runs: pd.DataFrame) -> None:
        self.runs = runs
        self.notes: list[str] = []

    def __call__(self, which: pd.Series, words: str, cure: str = "", detail: str = "") -> None:
        """Add `n words (first: …, detail): cure.` if it holds for any run."""
        n = int(which.sum())
        if n:
            first = self.first(which) + (f", {detail}" if detail else "")
            self.notes.append(f"{n:,} {words} (first: {first}){f': {cure}' if cure else ''}.")

    def first(self, which: pd.Series) -> str:
        """Name the first run it holds for: eval, task, file and line."""
        run = self.runs[which].iloc[0]
        task, name = str(run["task"]), str(run["eval"])
        task = task if task.startswith(f"{name}/") else f"{name} {task}"
        line = f", line {int(run['line'])}" if "line" in self.runs else ""
        return f"{task} in {PurePath(str(run['log'])).name}{line}"
