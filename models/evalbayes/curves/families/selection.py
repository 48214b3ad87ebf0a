"""Which families of spend a fit uses, eval by eval: stacking weights, why, and the cells' draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from evalbayes.arrays import Array
from evalbayes.curves.families.compare import (
    HIGH_K,
    LEAST_RUNS,
    cell_posterior,
    cells_of,
    comparison,
    foretold,
)
from evalbayes.curves.families.family import FAMILIES
from evalbayes.curves.law import STACKED
from evalbayes.errors import FitError, InputError

BASELINE = "loglinear"
SMALLEST = 0.05  # weights below this are left out: they change no figure
MOST_RUNS = 120  # of a cell that are compared on, taken at random
DRAWS = 800
COLUMNS = ["eval", "family", "runs", "elpd", "behind", "behind_se", "weight", "refitted", "reason"]


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Selection:
    """Weights by eval, in the order of `STACKED`, and the table that says why."""

    weights: Mapping[str, Array]  # of every eval whose families were weighed
    # a row per eval and family: eval, family, runs compared on, elpd (Σ leave-one-out log
    # predictive density), behind the best, behind_se, weight as used, refitted (0: importance
    # alone), reason
    table: pd.DataFrame
    # by eval and AI model, then by family: equally weighted draws of logit A, location and ln
    # shapes of the cell's own posterior, (n, 2 + n_shapes), sorted by logit A
    cells: Mapping[tuple[str, str], Mapping[str, Array]] = field(default_factory=dict)

    def weights_of(self, evals: Sequence[str]) -> Array:
        """Weights of these evals, (n_evals, n): the mean of the others' where none were weighed.

        An eval that was seen but could not be weighed is lognormal.
        """
        seen, lognormal = set(self.table["eval"]), np.eye(len(STACKED))[0]
        mean = np.mean(list(self.weights.values()), axis=0) if self.weights else lognormal
        rows = [self.weights.get(e, lognormal if e in seen else mean) for e in evals]
        return np.array(rows).reshape(-1, len(STACKED))


def selection_of(
    plain: Mapping[str, pd.DataFrame],
    summed: Mapping[str, int],
    families: Sequence[str] = STACKED,
    *,
    seed: int = 0,
) -> Selection:
    """Weigh families of spend by how well each foretells a left-out run, eval by eval.

    Single spends are needed: evals known by cells, counts or scores alone, those without five
    successes by any AI model and those whose spends are too odd for a shape to be found stay
    lognormal, and the table says so. Elicited runs are left out: curves are of runs as they come.
    `plain` has of every observed eval its single runs as they come, those that the cap stopped
    spending the cap, see `evalbayes.model.evidence.Evidence`; `summed` the number of its successes
    known by the mean and sd of their ln spend alone. Families are one for all evals, or several to
    weigh; InputError if one is not of `STACKED`, or none is named.
    """
    unknown = [name for name in families if name not in STACKED]
    if unknown or not families:
        raise InputError(
            f"families of spend must be of {', '.join(STACKED)}, got "
            f"{', '.join(unknown) or 'none'}; name one for all evals, or several to weigh"
        )
    weights: dict[str, Array] = {}
    cells: dict[tuple[str, str], dict[str, Array]] = {}
    frames = []
    for name, runs in plain.items():
        reason = _not_compared(runs, summed.get(name, 0))
        if reason or tuple(families) == ("lognormal",):
            frames.append(_alone(name, "lognormal", len(runs), reason or "asked for"))
            continue
        try:
            table, own = _weighed(name, runs, families, seed)
        except FitError as error:  # spends so odd that a shape cannot be told are no reason to stop
            frames.append(_alone(name, "lognormal", len(runs), f"by default: {error}"))
            continue
        found = table.set_index("family")["weight"]
        weights[name] = np.array([float(found.get(family, 0.0)) for family in STACKED])
        used = {family for family in STACKED if found.get(family, 0.0) > 0} | {"lognormal"}
        for ai_model, by_family in own.items():
            cells[name, ai_model] = {key: by_family[key] for key in used}
        frames.append(table)
    whole = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)
    return Selection(weights, whole.reindex(columns=COLUMNS), cells)


def _weighed(
    name: str, runs: pd.DataFrame, families: Sequence[str], seed: int
) -> tuple[pd.DataFrame, dict[str, dict[str, Array]]]:
    """Table of one eval, and its cells' draws by AI model and family."""
    fitted = tuple(dict.fromkeys(("lognormal", *families, BASELINE)))
    scores, high = [], []
    cells: dict[str, dict[str, Array]] = {}
    for (_, ai_model), whole in cells_of(runs).items():
        cell = whole.some(MOST_RUNS, seed)
        found = {key: cell_posterior(cell, FAMILIES[key], seed, DRAWS) for key in fitted}
        pairs = [foretold(cell, FAMILIES[key], found[key]) for key in fitted]
        scores.append(np.column_stack([score for score, _ in pairs]))
        high.append(np.column_stack([k > HIGH_K for _, k in pairs]))
        if len(cell.success) >= LEAST_RUNS:
            rng = np.random.default_rng([seed, 2])
            for key in (key for key in fitted if key != BASELINE):
                draws = found[key].resampled(DRAWS, rng)[:, :-2]
                cells.setdefault(ai_model, {})[key] = draws[np.argsort(draws[:, 0])]
    table = comparison(name, list(fitted), np.concatenate(scores), np.concatenate(high), families)
    kept = table["weight"].where(table["weight"] >= SMALLEST, 0.0)
    return table.assign(weight=kept / kept.sum(), refitted=0.0), cells


def _not_compared(runs: pd.DataFrame, summed: int) -> str:
    """Why an eval's families cannot be compared; empty if they can."""
    if summed:
        return "by default: cells hold the mean and sd of ln spend, which only it can use"
    if not len(runs):
        return "by default: no single spends are known"
    success = runs[runs["outcome"] == "success"]
    if not len(success) or success.groupby("ai_model").size().max() < LEAST_RUNS:
        return f"by default: no AI model has {LEAST_RUNS} successes whose spend could tell"
    if success.groupby("ai_model")["spend"].nunique().max() == 1:
        return "by default: all successes of an AI model spent the same, which tells of no shape"
    return ""


def _alone(name: str, family: str, runs: int, reason: str) -> pd.DataFrame:
    row = {"eval": name, "family": family, "runs": runs, "weight": 1.0, "reason": reason}
    return pd.DataFrame([row]).reindex(columns=COLUMNS)
