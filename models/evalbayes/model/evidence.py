"""The evidence: observations boiled down, once, to what all parts of a fit need, nothing lost.

For lognormal spends the number, mean and sum of squares of ln spend are sufficient, so runs and the
cells that summarise them become the same evidence. Runs that were stopped keep their own spend.
Runs as they come also stay single: families of spend, how unlike tasks are and successes late in
their cap are told by them alone. Nothing after this module sees an observation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.arrays import Array, Index
from evalbayes.catalogue import Catalogue
from evalbayes.errors import InputError
from evalbayes.model.likelihood import Betas, Counts, Ended, Nested, Rows, Scores, Stopped
from evalbayes.observations.attempts import attempts_of
from evalbayes.observations.counts import nested_sets
from evalbayes.observations.equal_spends import equal_spends
from evalbayes.observations.observations import FRAMES, Observations, joined
from evalbayes.observations.score_scale import on_scale
from evalbayes.observations.shape import CENSORED_ELSEWHERE

CONDITION = ("eval", "ai_model", "effort")
PAIR = ["eval", "ai_model"]
NOWHERE = 100.0  # e-folds below the least cap, where no run has ended yet
FEWEST = 5  # tasks with repeats below which an eval and AI model say nothing of best-of-k


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Evidence:
    """Results by kind, in rows of one condition each, and what single runs tell beside."""

    conditions: pd.DataFrame  # one row per condition: eval, ai_model, effort
    ended: Ended  # a row for each condition
    stopped: Stopped
    counts: Counts
    nested: Nested
    scores: Scores
    betas: Betas
    # plain: by eval, every observed one: its single runs as they come (effort 0), repeats included,
    # in the order given: task, ai_model, outcome, cap and spend, which is the cap where that
    # stopped the run
    plain: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    summed: Mapping[str, int] = field(default_factory=dict)  # successes by eval that cells hold
    # human_minutes: median human minutes by eval, of evals whose observations state them
    human_minutes: Mapping[str, float] = field(default_factory=dict)
    # attempts: how often tasks were tried and solved, of `observations.attempts.attempts_of`
    attempts: pd.DataFrame = field(default_factory=pd.DataFrame)
    remarks: tuple[str, ...] = ()  # what is probably not meant in the observations, in sentences

    def __len__(self) -> int:
        return len(self.conditions)

    @property
    def rows(self) -> dict[str, Rows]:
        """Rows by kind."""
        return {key: each for key, each in vars(self).items() if isinstance(each, Rows)}

    @property
    def data(self) -> dict[str, Array]:
        """Figures that are a model's data, by name ("counts_n_success"), of kinds with rows."""
        return {
            f"{kind}_{key}": value
            for kind, rows in self.rows.items()
            for key, value in rows.figures.items()
            if len(rows) and key not in rows.fixed
        }

    @property
    def n_runs(self) -> Array:
        """Runs of every condition, of shape (n_conditions,); a score counts as one."""
        n = len(self)
        scored = sum(each.by_condition(np.ones(len(each)), n) for each in (self.scores, self.betas))
        counted = self.counts.by_condition(self.counts.n_runs, n)
        found: Array = (
            self.ended.n_success + self.ended.n_gave_up + self.n_stopped + counted + scored
        )
        return found

    @property
    def successes(self) -> Array:
        """Successes of every condition, counted ones included, of shape (n_conditions,)."""
        counted = self.counts.by_condition(self.counts.n_success, len(self))
        return np.asarray(self.ended.n_success + counted)

    @property
    def n_stopped(self) -> Array:
        """Stopped runs of every condition, of shape (n_conditions,)."""
        return self.stopped.by_condition(self.stopped.n, len(self))

    @property
    def ln_largest_cap(self) -> Array:
        """Log of the largest cap of every condition."""
        largest = np.full(len(self), -np.inf)
        np.maximum.at(largest, self.stopped.of, self.stopped.ln_spend)
        for rows in (self.counts, self.scores, self.betas):
            np.maximum.at(largest, rows.of, rows.ln_cap)
        return largest

    def by_pair(self, i: Index, m: Index, shape: tuple[int, int]) -> dict[str, Any]:
        """Sum runs by how they ended, and take largest caps, by eval and AI model; 0 where none.

        Tables of this shape by their names in a posterior; i and m are those of every condition.
        """
        counts = {
            "n_runs": self.n_runs,
            "n_success": self.successes,
            "n_gave_up": self.ended.n_gave_up,
            "n_stopped": self.n_stopped,
        }
        found: dict[str, Any] = {key: np.zeros(shape, dtype=np.int64) for key in counts}
        for key, values in counts.items():
            np.add.at(found[key], (i, m), values.astype(np.int64))
        found["largest_cap"] = np.zeros(shape)
        np.maximum.at(found["largest_cap"], (i, m), np.exp(self.ln_largest_cap))
        return found

    def about(self, condition: int) -> "Evidence":
        """Return the results of one condition alone, which is then the first."""
        own: dict[str, Any] = {"conditions": self.conditions.iloc[[condition]]}
        for kind, rows in self.rows.items():
            keep = rows.of == condition
            own[kind] = rows.some(keep, np.zeros(keep.sum(), dtype=np.int64))
        return replace(self, **own)


def evidence_of(observations: Observations, catalogue: Catalogue | None = None) -> Evidence:
    """Boil observations down.

    Cells and runs of one condition are pooled: ``n``, the mean and the sum of squares add exactly.
    Counts that share their runs become one count at their largest cap and, given it, how its
    successes fall between the smaller caps. The catalogue says on what scales scores lie and
    whether repeats are read as best-of-k; without one, scores are shares already, and every run is
    one.
    """
    told = observations
    if catalogue is not None:
        _check_evals(catalogue, observations)
        told = on_scale(with_best_of_k(observations, catalogue), catalogue)
    parts = {key: _frame(getattr(told, key)) for key in FRAMES}
    keys = [part[list(CONDITION)] for part in parts.values() if len(part)]
    every = pd.concat(keys or [parts["cells"][list(CONDITION)]])
    conditions = every.drop_duplicates().sort_values(list(CONDITION)).reset_index(drop=True)
    row_of = {key: row for row, key in enumerate(conditions.itertuples(index=False, name=None))}

    def rows(part: pd.DataFrame) -> Index:
        named = part[list(CONDITION)].itertuples(index=False, name=None)
        return np.array([row_of[key] for key in named], dtype=np.int64)

    def told_at(scores: pd.DataFrame) -> tuple[Index, Array, Array]:
        return rows(scores), _ln(scores, "cap"), _floats(scores, "score")

    cells, runs, counts, scores = parts.values()
    n, summed = len(conditions), observations.cells.groupby("eval")["n_success"].sum()
    success = _pooled(n, _moments(cells, rows, "success"), _values(runs, rows, "success"))
    gave_up = _pooled(n, _moments(cells, rows, "gave_up"), _values(runs, rows, "gave_up"))
    counts, nested = _nested(counts, rows)
    won = _floats(counts, "n_success")
    beta = np.array(scores.get("concentration", np.full(len(scores), np.nan)), dtype=np.float64)
    scores, betas = scores[np.isnan(beta)], scores[~np.isnan(beta)]
    return Evidence(
        conditions,
        ended=Ended(np.arange(n), *success, *gave_up),
        stopped=_stopped(cells, runs, rows),
        counts=Counts(rows(counts), _ln(counts, "cap"), won, _floats(counts, "n_runs") - won),
        nested=nested,
        scores=Scores(*told_at(scores), _floats(scores, "standard_error")),
        betas=Betas(*told_at(betas), _floats(betas, "concentration")),
        plain=_plain(observations),
        summed={str(e): int(n) for e, n in summed.items()},
        human_minutes=observations.human_minutes,
        attempts=attempts_of(observations),
        remarks=tuple(equal_spends(observations.cells, observations.runs)),
    )


def _check_evals(catalogue: Catalogue, observations: Observations) -> None:
    known = {spec.name for spec in catalogue.evals}
    for name in observations.evals:
        if name not in known:
            raise InputError(
                f"observations: eval must be one of the catalogue's {sorted(known)}, got {name!r}; "
                "add it to the catalogue or drop its rows"
            )


def with_best_of_k(observations: Observations, catalogue: Catalogue) -> Observations:
    """Read repeats of runs as they come as best-of-k, at the catalogue's `best_of_k_effort`.

    Of every task the first attempt stays a single run; whether any of the others solved it becomes
    one count at that effort. So the model has a pair, single and best-of-k, to learn the gap from,
    and no run counts twice. Only where best-of-k is fair: a verified eval all of whose
    tasks can be reset, run at one cap, with 5 or more tasks run again. Without `best_of_k_effort`
    nothing changes.
    """
    effort = catalogue.portfolio.best_of_k_effort
    runs = observations.runs
    if effort is None or not len(runs):
        return observations
    fair = {spec.name for spec in catalogue.evals if spec.verifier and spec.resettable == 1.0}
    plain = runs[
        (runs["effort"].fillna(0.0) == 0)
        & runs["eval"].isin(fair)
        & ~runs["outcome"].isin(CENSORED_ELSEWHERE)
    ]
    again = plain[plain.duplicated([*PAIR, "task"], keep="first")]
    counts, used = [], []
    for (name, ai_model), own in again.groupby(PAIR, sort=True):
        solved = (own["outcome"] == "success").groupby(own["task"]).any()
        if len(solved) < FEWEST or own["cap"].min() < own["cap"].max():
            continue
        counts.append(
            {
                "eval": name,
                "ai_model": ai_model,
                "effort": effort,
                "cap": float(own["cap"].iloc[0]),
                "n_runs": len(solved),
                "n_success": int(solved.sum()),
                "human_minutes": own["human_minutes"].median(),
            }
        )
        used += list(own.index)
    if not counts:
        return observations
    note = (
        f"the repeats of {len(counts)} pairs of eval and AI model are read as best-of-k at effort "
        f"{effort:g}"
    )
    return replace(
        observations,
        runs=runs.drop(index=used).reset_index(drop=True),
        counts=joined([observations.counts, pd.DataFrame(counts)], "counts"),
        notes=(*observations.notes, note),
    )


def _plain(observations: Observations) -> dict[str, pd.DataFrame]:
    """Single runs as they come, by eval; an empty table where an eval has none."""
    runs = observations.runs
    runs = runs[runs["effort"].fillna(0.0).astype(float) == 0.0]
    cap, at_cap = runs["cap"].astype(float), runs["outcome"] == "stopped_by_cap"
    spend = runs["spend"].astype(float).where(~at_cap, cap)
    runs = runs[["eval", "task", "ai_model", "outcome"]].assign(cap=cap, spend=spend)
    by_eval = dict(list(runs.groupby("eval")))
    return {name: by_eval.get(name, runs.iloc[:0]) for name in observations.evals}


def _nested(counts: pd.DataFrame, rows: Any) -> tuple[pd.DataFrame, Nested]:
    """Split counts into one row per set of runs, and the successes between caps of a set."""
    own, smaller = [], []
    for _, group in nested_sets(counts):
        ln_cap = _ln(group, "cap")
        low = np.append(ln_cap[0] - NOWHERE, ln_cap[:-1])
        between = np.diff(_floats(group, "n_success"), prepend=0.0)
        own.append((rows(group), low, ln_cap, np.full(len(group), ln_cap[-1]), between))
        smaller += list(group.index[:-1])
    none = (np.zeros(0, dtype=np.int64), *np.zeros((4, 0)))
    parts = [np.concatenate(each) for each in zip(none, *own, strict=True)]
    return counts.drop(index=smaller), Nested(*parts)


def _frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy with an effort, 0 where none is given."""
    frame = frame.reset_index(drop=True)
    effort = frame["effort"].fillna(0.0) if "effort" in frame else 0.0
    return frame.assign(effort=effort).astype({"effort": float})


def _floats(frame: pd.DataFrame, column: str) -> Array:
    if column not in frame:
        return np.zeros(len(frame))
    return frame[column].to_numpy(dtype=np.float64)


def _ln(frame: pd.DataFrame, column: str) -> Array:
    return np.log(_floats(frame, column))


def _moments(cells: pd.DataFrame, rows: Any, outcome: str) -> Iterable[tuple[Any, ...]]:
    """Row, n, mean and sum of squares of ln spend of one outcome in every cell."""
    n = _floats(cells, f"n_{outcome}")
    mean = np.nan_to_num(_floats(cells, f"mean_ln_spend_{outcome}"))
    sd = np.nan_to_num(_floats(cells, f"sd_ln_spend_{outcome}"))
    return zip(rows(cells), n, mean, np.maximum(n - 1.0, 0.0) * sd**2, strict=True)


def _values(runs: pd.DataFrame, rows: Any, outcome: str) -> Iterable[tuple[Any, ...]]:
    """Row, 1, ln spend and 0 of every run with one outcome."""
    chosen = runs[runs["outcome"] == outcome]
    ln_spend = _ln(chosen, "spend")
    of = rows(chosen)
    return zip(of, np.ones(len(of)), ln_spend, np.zeros(len(of)), strict=True)


def _pooled(n_conditions: int, *parts: Iterable[tuple[Any, ...]]) -> tuple[Array, Array, Array]:
    """Pool groups of ln spend by condition: n, mean, and squares within plus between groups."""
    table = np.array([entry for part in parts for entry in part], dtype=np.float64).reshape(-1, 4)
    of, n, mean, part = table[:, 0].astype(np.int64), *table[:, 1:].T
    total = np.bincount(of, weights=n, minlength=n_conditions).astype(np.float64)
    pooled = np.bincount(of, weights=n * mean, minlength=n_conditions) / np.maximum(total, 1.0)
    within = part + n * (mean - pooled[of]) ** 2
    square = np.bincount(of, weights=within, minlength=n_conditions).astype(np.float64)
    return total, pooled, square


def _stopped(cells: pd.DataFrame, runs: pd.DataFrame, rows: Any) -> Stopped:
    """Merge stops at equal spends; every cap has a row.

    A stop by the cap is censored at the cap, any other at the run's own spend.
    """
    amount = _floats(cells, "n_stopped")
    at_cap = (runs["outcome"] == "stopped_by_cap").to_numpy(dtype=np.float64)
    chosen = runs[runs["outcome"].isin(CENSORED_ELSEWHERE)]
    parts = ((cells, "cap", amount), (runs, "cap", at_cap), (chosen, "spend", 1.0))
    frames = [pd.DataFrame({"of": rows(p), "ln": _ln(p, key), "n": n}) for p, key, n in parts]
    table = pd.concat(frames).groupby(["of", "ln"], as_index=False)["n"].sum()
    return Stopped(
        table["of"].to_numpy(dtype=np.int64),
        table["ln"].to_numpy(dtype=np.float64),
        table["n"].to_numpy(dtype=np.float64),
    )
