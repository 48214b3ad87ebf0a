"""Human baselines: how long tasks take people, and what people reach in a time beside AI models.

log2 of the minutes to a success on task j of eval i is d_j + σε with d_j ~ N(μ_i, τ²); a run that
failed after t minutes says only that it would have taken longer.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from evalbayes.catalogue.interval import Z95
from evalbayes.errors import InputError
from evalbayes.observations.files import rows_of
from evalbayes.observations.rows import ABOVE_0

BURN = 300
WITHIN, BETWEEN = (3.0, 3.0), (2.0, 4.0)  # inverse gamma priors of σ² and τ²: shape, scale


def runs_by_people(frame: pd.DataFrame, source: str = "runs by people") -> pd.DataFrame:
    """Return runs by people with eval, task, minutes, score and success.

    InputError if task, minutes, or score and success are missing, or are no such figures.

    Parameters
    ----------
    frame
        Rows with task, minutes and score or success. A success has a score of 1 or more, the eval
        is what stands before a slash in the name of the task, unless columns say so.
    source
        What messages call them.
    """
    if not {"task", "minutes"} <= set(frame) or not {"score", "success"} & set(frame):
        raise InputError(
            f"{source} must have task, minutes, and success or score, got the columns "
            f"{', '.join(map(str, frame.columns))}; name them so"
        )
    rows = rows_of(frame, source)
    tasks = rows.names("task")
    minutes = rows.numbers("minutes", ABOVE_0, "write how long the run took", required=True)
    score, success = rows.numbers("score", cure="write 1 for a success"), rows.flags("success")
    score = np.where(np.isnan(score), success, score)
    rows.refuse(np.isnan(score), "success", "or score must be given in every row", "fill it in")
    rows.settle()
    success = np.where(np.isnan(success), score >= 1, success)
    evals = pd.Series([name.split("/")[0] for name in tasks], dtype=object)
    evals = rows.frame["eval"].fillna(evals) if rows.has("eval") else evals
    return rows.frame.assign(task=tasks, minutes=minutes, score=score, success=success, eval=evals)


def human_difficulty(runs: pd.DataFrame, *, seed: int = 0, n_draws: int = 2000) -> pd.DataFrame:
    """Return how many minutes a success takes people, by task and by eval, with 90 % intervals.

    One row each: eval, task (empty for the median task of an eval), runs, solved, minutes, low,
    high.

    Parameters
    ----------
    runs
        As `runs_by_people` returns them.
    seed, n_draws
        Of Gibbs draws, failures drawn beyond their time.
    """
    rng, x = np.random.default_rng([seed, 29]), np.log2(runs["minutes"].to_numpy())
    lost, (of, tasks) = (runs["success"] < 1).to_numpy(), pd.factorize(runs["task"])
    own = runs.groupby(of)["eval"].first()
    group, evals = pd.factorize(own)
    count, size = np.bincount(of), np.bincount(group)
    d, sigma, tau = np.bincount(of, x) / count, 1.0, 2.0
    kept = np.empty((n_draws, len(tasks)))
    for sweep in range(-BURN, n_draws):
        beyond = ndtr((x - d[of]) / sigma)
        luck = np.minimum(beyond + rng.random(len(x)) * (1.0 - beyond), 1.0 - 1e-12)
        y = np.where(lost, d[of] + sigma * ndtri(luck), x)
        middle = np.bincount(group, d) / size + tau * rng.standard_normal(len(evals)) / size**0.5
        precision = count / sigma**2 + 1.0 / tau**2
        mean = (np.bincount(of, y) / sigma**2 + middle[group] / tau**2) / precision
        d = mean + rng.standard_normal(len(d)) / np.sqrt(precision)
        off, apart = ((y - d[of]) ** 2).sum(), ((d - middle[group]) ** 2).sum()
        sigma = np.sqrt((WITHIN[1] + off / 2) / rng.gamma(WITHIN[0] + len(y) / 2))
        tau = np.sqrt((BETWEEN[1] + apart / 2) / rng.gamma(BETWEEN[0] + len(d) / 2))
        kept[sweep if sweep >= 0 else 0] = d
    solved = np.bincount(of, runs["success"])
    rows = [(own[j], tasks[j], count[j], solved[j], kept[:, j]) for j in range(len(tasks))]
    for i, name in enumerate(evals):
        at = group == i
        draws = np.median(kept[:, at], axis=1)
        rows.append((name, "", count[at].sum(), solved[at].sum(), draws))
    told = [(*row[:4], *2.0 ** np.quantile(row[4], (0.5, 0.05, 0.95))) for row in rows]
    columns = ["eval", "task", "runs", "solved", "minutes", "low", "high"]
    return pd.DataFrame(told, columns=columns)


def score_at_time(runs: pd.DataFrame, minutes: Sequence[float]) -> pd.DataFrame:
    """Return the mean score handed in by each time, with a 90 % interval, over runs of one eval.

    Parameters
    ----------
    runs
        With minutes and score. What was in hand before it was handed in does not count.
    minutes
        The times.
    """
    done = runs["minutes"].to_numpy()[:, None] <= np.asarray(minutes, dtype=float)
    score = pd.DataFrame(runs["score"].to_numpy()[:, None] * done, columns=list(minutes))
    mean, half = score.mean(), Z95 * score.sem()
    told = {"score": mean, "low": mean - half, "high": mean + half}
    return pd.DataFrame(told).rename_axis("minutes").reset_index()


def score_beside_people(human: pd.DataFrame, ai: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """Return two curves from where both are known, and the crossing.

    Parameters
    ----------
    human, ai
        Minutes, rising, and score.

    Returns
    -------
    table, crossing
        Columns: minutes, human, ai, normalised (ai over human); linear in ln minutes between
        points, and beyond the last as there: more time has not been shown to help. The crossing is
        the time at which people pass an AI model that led; NaN if they do not.

    Examples
    --------
    >>> people = pd.DataFrame({"minutes": [30.0, 480.0], "score": [0.0, 0.8]})
    >>> model = people.assign(score=[0.2, 0.4])
    >>> table, at = score_beside_people(people, model)
    >>> table["normalised"].tolist()[-1], round(at)
    (0.5, 76)
    """
    curves = (human, ai)
    low = max(curve["minutes"].min() for curve in curves)
    times = np.union1d(human["minutes"], ai["minutes"])
    times = times[times >= low]
    scores = [np.interp(np.log(times), np.log(c["minutes"]), c["score"]) for c in curves]
    table = pd.DataFrame({"minutes": times, "human": scores[0], "ai": scores[1]})
    lead = scores[1] - scores[0]
    turns = np.flatnonzero((lead[:-1] > 0) & (lead[1:] <= 0))[:1]
    share = lead[turns] / (lead[turns] - lead[turns + 1])
    crossing = times[turns] * (times[turns + 1] / times[turns]) ** share
    normalised = table["ai"] / table["human"].where(table["human"] > 0)
    return table.assign(normalised=normalised), float(crossing[0]) if len(turns) else np.nan
