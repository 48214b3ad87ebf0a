"""Which family of spends the runs of each eval prefer, by exact leave-one-out and stacking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from evalbayes.arrays import Array, Flags
from evalbayes.curves.families import lognormal
from evalbayes.curves.families.family import FAMILIES, Family
from evalbayes.curves.families.family_curve import FamilyCurve
from evalbayes.curves.leave_one_out import smoothed, stacking_weights
from evalbayes.curves.small_posterior import SmallPosterior, small_posterior
from evalbayes.errors import InputError

NEEDED = ("eval", "ai_model", "outcome", "spend")
LEFT_OUT = ("excluded",)
LEAST_RUNS = 5  # below this a cell tells nothing of a family
LOCATION_SD = 2.0  # of a cell's ln median spend around the eval's
PLATEAU_SD = 1.5  # of logit A: nearly flat over A
HIGH_K = 0.7


@dataclass(frozen=True, eq=False)
class Cell:
    """Runs of one eval by one AI model: ln spends by how they ended, and where they centre."""

    success: Array
    gave_up: Array
    stopped: Array
    centre: float

    def without(self, j: int) -> "Cell":
        """Return the cell less one run, counted through successes, gave up and stopped."""
        return self._kept(np.arange(len(self)) != j)

    def some(self, n: int, seed: int) -> "Cell":
        """Return the cell with at most n of its runs, taken at random."""
        if len(self) <= n:
            return self
        taken = np.random.default_rng(seed).permutation(len(self))[:n]
        return self._kept(np.isin(np.arange(len(self)), taken))

    def _kept(self, keep: Flags) -> "Cell":
        parts = (self.success, self.gave_up, self.stopped)
        own = np.split(keep, np.cumsum([len(part) for part in parts])[:-1])
        won, lost, stopped = (part[some] for part, some in zip(parts, own, strict=True))
        return Cell(won, lost, stopped, self.centre)

    def __len__(self) -> int:
        return len(self.success) + len(self.gave_up) + len(self.stopped)


def compare(
    runs: pd.DataFrame,
    families: Mapping[str, Family] | None = None,
    *,
    seed: int = 0,
    n_draws: int = 2000,
) -> pd.DataFrame:
    """Compare families of spend on runs, eval by eval and over all of them.

    Every cell (eval × AI model) has its own plateau, locations and shapes, with weak priors; the
    likelihood is that of competing risks with censoring. A family without a plateau takes giving up
    as an independent rival of success: gave up at t is h(t)·S(t), success f(t)·(1 − H(t)).
    InputError if a column is missing, a spend is not positive or no cell has five runs.

    Parameters
    ----------
    runs
        One row per run: eval, ai_model, outcome (success, gave_up; any other is stopped at its
        own spend, excluded is left out) and spend > 0.
    families
        By name; by default `FAMILIES`.
    seed, n_draws
        Of the weighted draws of each cell's posterior.

    Returns
    -------
    pandas.DataFrame
        One row per eval × family, and per family over "all evals": runs, elpd (Σ leave-one-out
        log predictive density, in nats), behind (elpd below the best), behind_se, weight
        (stacking), refitted (share of runs with Pareto k > 0.7) and reason.

    Notes
    -----
    Leave-one-out is by Pareto-smoothed importance over weighted draws of each cell's posterior;
    where k is above 0.7 (Vehtari, Gelman & Gabry 2017) the cell is fitted again without that run,
    so that the score is exact.
    """
    families = FAMILIES if families is None else families
    cells = cells_of(runs)
    scores: dict[str, list[Array]] = {}
    high: dict[str, list[Flags]] = {}
    for (name, _), cell in cells.items():
        pairs = [_left_out(cell, family, seed, n_draws) for family in families.values()]
        scores.setdefault(name, []).append(np.column_stack([score for score, _ in pairs]))
        high.setdefault(name, []).append(np.column_stack([k > HIGH_K for _, k in pairs]))
    if len(scores) > 1:
        scores["all evals"] = [each for own in scores.values() for each in own]
        high["all evals"] = [each for own in high.values() for each in own]
    frames = [
        comparison(name, list(families), np.concatenate(own), np.concatenate(high[name]))
        for name, own in scores.items()
    ]
    return pd.concat(frames, ignore_index=True)


def fit_family(
    runs: pd.DataFrame, family: Family, *, n: int = 100, seed: int = 0, n_draws: int = 2000
) -> list[FamilyCurve]:
    """Draw n curves of one eval and AI model from their posterior, for figures and bands.

    Parameters
    ----------
    runs
        As for `compare`, of one eval and one AI model.
    family
        One of `FAMILIES`.
    n
        Number of curves.
    seed, n_draws
        Of the weighted draws that the curves are taken from.

    Raises
    ------
    InputError
        As `compare`, and if the runs are of more than one eval or AI model.
    """
    cells = cells_of(runs)
    if len(cells) > 1:
        raise InputError(
            f"a curve is fitted to the runs of one eval and one AI model; got {len(cells)}: "
            f"{', '.join(' by '.join(key) for key in list(cells)[:4])}: pick one"
        )
    (cell,) = cells.values()
    found = cell_posterior(cell, family, seed, n_draws)
    points = found.resampled(n, np.random.default_rng([seed, 1]))
    return [
        FamilyCurve(
            family,
            float(expit(point[0])) if family.plateau else 1.0,
            (float(point[1]), *np.exp(point[2:-2]).tolist()),
            (float(point[-2]), float(np.exp(point[-1]))) if family.plateau else None,
        )
        for point in points
    ]


def cells_of(runs: pd.DataFrame) -> dict[tuple[str, str], Cell]:
    """Sort runs by eval and AI model; cells of fewer than five runs are left out."""
    missing = [column for column in NEEDED if column not in runs]
    if missing:
        raise InputError(
            f"runs must have the columns {', '.join(NEEDED)}; {', '.join(missing)} missing: add or "
            "rename them"
        )
    kept = runs[~runs["outcome"].isin(LEFT_OUT)]
    if not (kept["spend"] > 0).all():
        row = kept.index[~(kept["spend"] > 0)][0]
        raise InputError(
            f"spend must be above 0 in every run; row {row} has {kept.loc[row, 'spend']}: a zero "
            "usually means that it was not recorded; leave the run out"
        )
    cells: dict[tuple[str, str], Cell] = {}
    for name, own in kept.groupby("eval"):
        ln_spend = np.log(own["spend"].to_numpy(dtype=float))
        centre = float(np.median(ln_spend))
        for ai_model, index in own.reset_index(drop=True).groupby("ai_model").groups.items():
            if len(index) < LEAST_RUNS:
                continue
            at, outcome = np.asarray(index), own["outcome"].to_numpy()
            x, ended = ln_spend[at], outcome[at]
            success, gave_up = ended == "success", ended == "gave_up"
            cells[str(name), str(ai_model)] = Cell(
                x[success], x[gave_up], x[~success & ~gave_up], centre
            )
    if not cells:
        raise InputError(
            f"some eval must have {LEAST_RUNS} runs of one AI model to compare families; the "
            f"largest has {kept.groupby(['eval', 'ai_model']).size().max() if len(kept) else 0}"
        )
    return cells


def cell_posterior(cell: Cell, family: Family, seed: int, n_draws: int) -> SmallPosterior:
    """Weighted draws of logit A, location, ln shapes, and the rival's location and ln scale."""

    def log_joint(points: Array) -> Array:
        likelihood = log_likelihood(cell, family, points).sum(axis=1)
        return np.asarray(likelihood + _log_prior(cell, family, points))

    return small_posterior(
        log_joint, _start(cell, family), seed=seed, n_draws=n_draws, what=f"the {family.name} fit"
    )


def _left_out(cell: Cell, family: Family, seed: int, n_draws: int) -> tuple[Array, Array]:
    """Leave-one-out log density of every run of a cell, and its Pareto k before any refit."""
    found = cell_posterior(cell, family, seed, n_draws)
    scores, k = foretold(cell, family, found)
    for j in np.flatnonzero(k > HIGH_K):
        without = cell_posterior(cell.without(int(j)), family, seed, n_draws)
        alone = log_likelihood(cell, family, without.draws)[:, j]
        scores[j] = np.logaddexp.reduce(without.log_weights + alone)
    return scores, k


def foretold(cell: Cell, family: Family, found: SmallPosterior) -> tuple[Array, Array]:
    """Leave-one-out log density of every run by importance alone, and its Pareto k."""
    pointwise = log_likelihood(cell, family, found.draws)
    log_weights, k = smoothed(found.log_weights[:, None] - pointwise)
    scores: Array = np.logaddexp.reduce(log_weights + pointwise, axis=0)
    return scores, k


def log_likelihood(cell: Cell, family: Family, points: Array) -> Array:
    """Log likelihood of each run (successes, then gave up, then stopped) under each draw.

    `points` has the columns logit A, location and ln shapes of F, location and ln scale of H.
    """
    columns = points.T[:, :, None]
    location, shapes = columns[1], np.exp(columns[2:-2])
    rival = (columns[-2], np.exp(columns[-1]))
    density = partial(_at, family.log_density, (location, *shapes))
    survival = partial(_at, family.log_survival, (location, *shapes))
    h = partial(_at, lognormal.log_density, rival)
    not_h = partial(_at, lognormal.log_survival, rival)
    won, lost, stopped = cell.success, cell.gave_up, cell.stopped
    if family.plateau:
        ln_a, ln_not_a = -np.logaddexp(0.0, -columns[0]), -np.logaddexp(0.0, columns[0])
        still = np.logaddexp(ln_a + survival(stopped), ln_not_a + not_h(stopped))
        parts = [ln_a + density(won), ln_not_a + h(lost), still]
    else:
        still = survival(stopped) + not_h(stopped)
        parts = [density(won) + not_h(won), h(lost) + survival(lost), still]
    return np.concatenate(parts, axis=1)


def _at(function: object, parameters: tuple[Array, ...], x: Array) -> Array:
    assert callable(function)
    return np.asarray(function(x[None, :], *parameters))


def _log_prior(cell: Cell, family: Family, points: Array) -> Array:
    priors = [(p["mean_ln"], p["sd_ln"]) for p in (*family.priors.values(), _RIVAL)]
    means = np.array([0.0, cell.centre, *(m for m, _ in priors[:-1]), cell.centre, priors[-1][0]])
    sds = [PLATEAU_SD, LOCATION_SD, *(s for _, s in priors[:-1]), LOCATION_SD, priors[-1][1]]
    return np.asarray(-0.5 * (((points - means) / np.array(sds)) ** 2).sum(axis=1))


_RIVAL = lognormal.DEFAULT_PRIORS["scale"]


def _start(cell: Cell, family: Family) -> Array:
    share = (len(cell.success) + 1.0) / (len(cell) + 2.0)
    middle = float(np.median(cell.success)) if len(cell.success) else cell.centre
    other = float(np.median(cell.gave_up)) if len(cell.gave_up) else cell.centre + 1.0
    shapes = [p["mean_ln"] for p in family.priors.values()]
    return np.array([logit(share), middle, *shapes, other, _RIVAL["mean_ln"]])


def comparison(
    name: str,
    families: list[str],
    scores: Array,
    high_k: Flags,
    stacked: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Rows of the table of one eval; families not stacked are baselines of weight 0."""
    elpd = scores.sum(axis=0)
    best = int(np.argmax(elpd))
    gaps = scores[:, [best]] - scores
    members = [k for k, family in enumerate(families) if family in (stacked or families)]
    weights = np.zeros(len(families))
    weights[members] = stacking_weights(scores[:, members])
    frame = pd.DataFrame(
        {
            "eval": name,
            "family": families,
            "runs": len(scores),
            "elpd": elpd,
            "behind": elpd[best] - elpd,
            "behind_se": np.sqrt(len(scores)) * gaps.std(axis=0, ddof=1),
            "weight": weights,
            "refitted": high_k.mean(axis=0),
        }
    )
    frame["reason"] = [_reason(row, families[best], frame) for row in frame.itertuples()]
    return frame


def _reason(row: object, best: str, frame: pd.DataFrame) -> str:
    family, behind, error = (getattr(row, key) for key in ("family", "behind", "behind_se"))
    if family == best:
        rivals = frame[(frame["family"] != best) & (frame["behind"] < 2.0 * frame["behind_se"])]
        if rivals.empty:
            return "predicts a left-out run best, every other clearly behind"
        return f"predicts a left-out run best, not clearly ahead of {', '.join(rivals['family'])}"
    clearly = "clearly behind" if behind > 2.0 * error else "not clearly behind"
    return f"{clearly} {best}, by {behind:.2g} nats (standard error {error:.2g})"
