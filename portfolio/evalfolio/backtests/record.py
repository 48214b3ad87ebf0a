"""The record: every run that was made, to be hidden and bought again."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evalbayes.arrays import Array, Index
from evalbayes.errors import InputError
from evalbayes.observations import OUTCOMES, Rows, observations_of


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Design:
    """Runs to buy.

    >>> Design([3, 5], caps=2e6).attempts
    array([1, 1])
    """

    tasks: Index  # positions, each at most once, (n,)
    caps: Array  # of every attempt, one for all or one per task
    attempts: Index  # at most per task (a success ends them), likewise
    promised: Array | None  # expected value of the decisions, by threshold, where one is
    added: Array | None  # likewise, of what the last stage adds to those before it

    def __init__(
        self,
        tasks: ArrayLike,
        caps: ArrayLike,
        attempts: ArrayLike = 1,
        promised: Array | None = None,
        added: Array | None = None,
    ) -> None:
        chosen = np.asarray(tasks, dtype=np.int64).reshape(-1)
        n = len(chosen)
        object.__setattr__(self, "tasks", chosen)
        object.__setattr__(self, "caps", np.broadcast_to(np.asarray(caps, float), (n,)).copy())
        object.__setattr__(
            self, "attempts", np.broadcast_to(np.asarray(attempts, np.int64), (n,)).copy()
        )
        object.__setattr__(self, "promised", promised)
        object.__setattr__(self, "added", added)
        if len(np.unique(chosen)) < n:
            twice = int(chosen[np.flatnonzero(np.bincount(chosen)[chosen] > 1)[0]])
            raise InputError(f"a design must buy a task at most once, got task {twice} twice")
        if not (self.caps > 0).all() or not (self.attempts > 0).all():
            raise InputError("caps and attempts of a design must be above 0")

    def __len__(self) -> int:
        return len(self.tasks)

    def rows(self) -> list[tuple[int, float, int]]:
        """Return task, cap and attempts of each."""
        return list(
            zip(self.tasks.tolist(), self.caps.tolist(), self.attempts.tolist(), strict=True)
        )


KNOWN = pd.Index(list(OUTCOMES))
REASON_FOR_DATES = "the time-ordered mode needs a column release_date, or dates by AI model"


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Record:
    """Runs of several AI models on the same tasks, each at the highest cap it was given.

    Parameters
    ----------
    runs
        One row per run: eval, task, ai_model, outcome, spend, cap, human_minutes; `at` is the
        position of its task in `tasks`, `attempt` counts from 0 inside task and AI model.
    tasks
        One row per task: eval, task, human_minutes, and the highest cap of its eval; its position
        is the task's number.
    released
        Release date of AI models, as far as known.
    attempts
        Attempts at a task that count: a task is solved when any of the first so many succeeds.
    """

    runs: pd.DataFrame
    tasks: pd.DataFrame
    released: Mapping[str, pd.Timestamp]
    attempts: int = 1

    @property
    def ai_models(self) -> tuple[str, ...]:
        """All AI models, sorted."""
        return tuple(sorted(self.runs["ai_model"].unique()))

    def of(self, ai_model: str) -> "Hidden":
        """Return the runs of the AI model under test, to be bought.

        InputError if it has none.
        """
        runs = self.runs[self.runs["ai_model"] == ai_model]
        if not len(runs):
            raise InputError(
                f"backtest: ai_model must be one of {', '.join(self.ai_models)}, got {ai_model!r}"
            )
        return Hidden(ai_model, runs.reset_index(drop=True), self.tasks, self.attempts)

    def history(self, ai_model: str, mode: str) -> pd.DataFrame:
        """Return the runs that may be known when an AI model is tested.

        InputError if the mode is unknown or a release date is missing.

        Parameters
        ----------
        ai_model
            The AI model under test; none of its own runs is among them.
        mode
            "others": of all other AI models. "earlier": only of those released before it.
        """
        others = self.runs[self.runs["ai_model"] != ai_model]
        if mode == "others":
            return others
        if mode != "earlier":
            raise InputError(f"history must be others or earlier, got {mode!r}")
        missing = [name for name in self.ai_models if name not in self.released]
        if missing:
            raise InputError(f"{REASON_FOR_DATES}; got none for {missing[0]!r}")
        when = self.released[ai_model]
        earlier = [name for name, date in self.released.items() if date < when]
        return others[others["ai_model"].isin(earlier)]


@dataclass(frozen=True, eq=False)
class Hidden:
    """All runs of the AI model under test: what is bought is seen, and the rest is the truth."""

    ai_model: str
    runs: pd.DataFrame  # as in `Record`
    tasks: pd.DataFrame  # all of the record
    attempts: int  # at a task that count

    @property
    def run_on(self) -> Index:
        """Positions of the tasks it was run on, ascending: the finite set that is judged."""
        return np.unique(self.runs["at"].to_numpy(np.int64))

    @property
    def truth(self) -> Array:
        """Whether each task of `run_on` is solved with everything spent: 1 or 0."""
        counted = self.runs[self.runs["attempt"] < self.attempts]
        solved = np.zeros(len(self.tasks))
        won = (counted["outcome"] == "success").to_numpy()
        solved[counted["at"].to_numpy(np.int64)[won]] = 1.0
        return solved[self.run_on]

    @property
    def bill(self) -> float:
        """What all of the runs that count spent."""
        return float(self.runs.loc[self.runs["attempt"] < self.attempts, "spend"].sum())

    def buy(self, design: Design) -> pd.DataFrame:
        """Return the runs bought, as they would have come out under the caps paid for.

        A run that spent no more than the cap is seen as it was; any other is seen stopped by the
        cap, having spent it. Attempts are bought in order; those after a success are not run.
        """
        n = len(self.tasks)
        caps, attempts = np.zeros(n), np.zeros(n, dtype=np.int64)
        caps[design.tasks], attempts[design.tasks] = design.caps, design.attempts
        at = self.runs["at"].to_numpy(np.int64)
        rows = np.flatnonzero(self.runs["attempt"].to_numpy(np.int64) < attempts[at])
        runs, at = self.runs.iloc[rows], at[rows]
        own, spend = runs["cap"].to_numpy(np.float64), runs["spend"].to_numpy(np.float64)
        cap = np.minimum(caps[at], own)
        # Real runs overshoot: at the run's own cap it is seen as it was, at most a tenth past it.
        seen = (spend <= cap) | (caps[at] >= own)
        codes = runs["outcome"].cat.codes.to_numpy()
        codes = np.where(seen, codes, list(OUTCOMES).index("stopped_by_cap"))
        # Attempts of a task follow each other in the record: none is run after a success.
        won = codes == list(OUTCOMES).index("success")
        order = np.lexsort((rows, at))
        tally = np.cumsum(won[order])
        first = np.concatenate([[True], at[order][1:] != at[order][:-1]])[: len(order)]
        start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
        before = tally - won[order] - (tally - won[order])[start]
        keep = np.sort(order[before == 0])
        return pd.DataFrame(
            {
                "eval": runs["eval"].array.take(keep),
                "task": runs["task"].array.take(keep),
                "outcome": pd.Categorical.from_codes(codes[keep].tolist(), KNOWN),
                "spend": np.where(seen, spend, cap)[keep],
                "cap": cap[keep],
                "human_minutes": runs["human_minutes"].to_numpy()[keep],
                "at": at[keep],
            }
        )


def record_of(
    runs: pd.DataFrame,
    *,
    released: Mapping[str, str] | None = None,
    attempts: int = 1,
    source: str = "runs",
) -> Record:
    """Check a table of runs and make the record of it.

    InputError if the table breaks a rule of the runs shape, has no human minutes, fewer than two AI
    models, or attempts is below 1.

    Parameters
    ----------
    runs
        Columns eval, task, ai_model, outcome, spend, cap and human_minutes; optional attempt and
        release_date. Runs without human minutes, excluded ones and elicited ones (effort above 0)
        are left out.
    released
        Release dates by AI model, in place of the column release_date.
    attempts
        Attempts at a task that count, e.g. 8 for best-of-8.
    source
        What to call the table in messages.
    """
    if attempts < 1:
        raise InputError(f"attempts must be 1 or more, got {attempts}")
    runs = runs.reset_index(drop=True)
    observed = observations_of([Rows(runs.astype(object).where(runs.notna(), None), source)])
    typed = observed.runs
    typed = typed[typed["effort"].fillna(0.0) == 0.0]
    typed = typed[typed["human_minutes"] > 0]
    if not len(typed):
        raise InputError(
            f"{source}: a back-test needs runs with spend and human_minutes above 0, got none; "
            "the horizon is in human time, so fill human_minutes in"
        )
    if typed["ai_model"].nunique() < 2:
        raise InputError(
            f"{source}: a back-test needs runs of two or more AI models, got "
            f"{typed['ai_model'].iloc[0]!r} only; one is tested on what the others teach"
        )
    minutes = typed.groupby(["eval", "task"], sort=True)["human_minutes"].median()
    tasks = minutes.reset_index()
    tasks["cap"] = tasks["eval"].map(typed.groupby("eval")["cap"].max()).astype(np.float64)
    position = pd.Series(np.arange(len(tasks)), index=minutes.index)
    keys = pd.MultiIndex.from_frame(typed[["eval", "task"]])
    dates = _dates(typed, released, source)
    made = pd.DataFrame(
        {
            "eval": typed["eval"].astype(str).to_numpy(),
            "task": typed["task"].astype(str).to_numpy(),
            "ai_model": typed["ai_model"].astype(str).to_numpy(),
            "outcome": pd.Categorical(typed["outcome"].astype(str).to_list(), KNOWN),
            "spend": typed["spend"].to_numpy(np.float64),
            "cap": typed["cap"].to_numpy(np.float64),
            "human_minutes": minutes.loc[keys].to_numpy(np.float64),
            "at": position.loc[keys].to_numpy(np.int64),
        }
    )
    made["attempt"] = made.groupby(["ai_model", "at"]).cumcount()
    return Record(made.reset_index(drop=True), tasks, dates, attempts)


def _dates(
    runs: pd.DataFrame, released: Mapping[str, str] | None, source: str
) -> dict[str, pd.Timestamp]:
    names = set(runs["ai_model"].astype(str))
    if released is not None:
        given = {str(name): text for name, text in released.items() if str(name) in names}
    elif "release_date" in runs:
        known = runs.dropna(subset=["release_date"])
        given = {
            str(name): str(part.iloc[0]) for name, part in known.groupby("ai_model")["release_date"]
        }
    else:
        return {}
    dates = {}
    for name, text in given.items():
        try:
            dates[name] = pd.Timestamp(text)
        except ValueError as error:
            raise InputError(
                f"{source}: release_date of {name} must be a date such as 2025-02-24, got {text!r}"
            ) from error
    return dates
