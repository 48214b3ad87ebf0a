"""Long tasks: cost and success by length, and what splitting them would tell and cost."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import logit

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue
from evalbayes.horizons.horizon import horizon_of, human_time
from evalbayes.posterior.posterior import Posterior
from evalfolio.outlook.forecast import banded

PIECE = 30.0  # minutes
LENGTHS = np.array([10.0, 30.0, 120.0, 480.0, 1440.0, 2400.0, 9600.0])  # minutes: to 160 h
LEAST_EVALS = 3


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Power:
    """What a success costs by task length: ln USD = level + exponent·ln minutes, in draws."""

    level: Array
    exponent: Array
    table: pd.DataFrame  # the evals it is read off, shortest tasks first

    @classmethod
    def of(cls, posterior: Posterior, catalogue: Catalogue, seed: int = 0) -> "Power | None":
        """Read it off the evals whose tasks have human times; None of fewer than three.

        Least squares under every draw of the AI model under test, with the line's own error.
        """
        minutes = {d.name: d.minutes for d in catalogue.domains}
        specs = [e for e in catalogue.evals if e.human_minutes and minutes.get(e.domain)]
        if len(specs) < LEAST_EVALS:
            return None
        specs = sorted(specs, key=lambda e: e.human_minutes or 0.0)
        m = posterior.index_of("ai_model", catalogue.portfolio.ai_model)
        i = [posterior.index_of("eval", each.name) for each in specs]
        x = np.log([each.human_minutes or 1.0 for each in specs])
        price = np.log([each.usd_per_unit.mid for each in specs])
        y = posterior.draws["success_location"][:, i, m] + price
        design = np.stack([np.ones_like(x), x], axis=1)
        line = y @ np.linalg.pinv(design).T
        spread = np.sqrt(((y - line @ design.T) ** 2).sum(axis=1) / (len(x) - 2))
        root = np.linalg.cholesky(np.linalg.inv(design.T @ design))
        luck = np.random.default_rng(seed).standard_normal(line.shape)
        line = line + spread[:, None] * (luck @ root.T)
        told = {"eval": [each.name for each in specs], "human_minutes": np.exp(x)}
        return cls(line[:, 0], line[:, 1], pd.DataFrame(told | banded("usd", np.exp(y))))

    def usd(self, minutes: Array) -> Array:
        """Return draws of the USD of a success of these lengths, of shape (draws, lengths)."""
        return np.asarray(np.exp(self.level[:, None] + self.exponent[:, None] * np.log(minutes)))


def by_length(posterior: Posterior, catalogue: Catalogue, power: Power) -> pd.DataFrame:
    """Return success and cost by task length and domain, whole and in 30-minute pieces.

    `success` and `usd` are of a run of the whole; `chain` is the chance that all its pieces succeed
    one by one, each begun from a right state, and `usd_pieces` what they cost. `tells` is the share
    of the variance of capability at the whole length that capability at pieces' accounts for: what
    pieces can tell of it, at most, however many are run.
    """
    pieces, tables = np.maximum(LENGTHS / PIECE, 1.0), []
    costs = banded("usd", power.usd(LENGTHS))
    costs |= banded("usd_pieces", pieces * power.usd(np.minimum(LENGTHS, PIECE)))
    for spec in (each for each in catalogue.domains if each.minutes):
        horizon = horizon_of(posterior, spec.name, catalogue.portfolio.ai_model)
        whole = np.stack([horizon.completion(each) for each in LENGTHS], axis=1)
        piece = horizon.completion(PIECE)[:, None]
        able = np.concatenate([logit(whole), logit(piece)], axis=1) / horizon.slope[:, None]
        told = {"length": [human_time(each) for each in LENGTHS]} | costs
        told |= banded("success", whole) | banded("chain", piece**pieces)
        moved = np.cov(able, rowvar=False)
        told |= {"tells": moved[-1, :-1] ** 2 / moved[-1, -1] / np.diag(moved)[:-1]}
        tables.append(pd.DataFrame({"domain": spec.name, **told}))
    return pd.concat(tables)


def unfair(catalogue: Catalogue) -> pd.DataFrame:
    """Return the evals whose tasks cannot fairly be split or restarted, and why.

    Pieces are begun from a right state that somebody made, so they hide what a long task asks:
    to hold a plan, and to find one's own mistakes. Where tasks cannot be reset there is none to
    begin from; where nothing tells a success, nobody knows whether the piece before was right.
    """
    rows = []
    for spec in catalogue.evals:
        why = [f"{1 - spec.resettable:.0%} of tasks cannot be reset"] * (spec.resettable < 1)
        why += ["nothing tells a success"] * (not spec.verifier)
        rows += [{"eval": spec.name, "domain": spec.domain, "why": "; ".join(why)}] * bool(why)
    return pd.DataFrame(rows)
