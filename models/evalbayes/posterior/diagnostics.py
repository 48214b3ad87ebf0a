"""The gate: whether a fit may be built upon, and if not, why."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import bdtrc

R_HAT = 1.01
ESS = 400
DIVERGENCE_SHARE = 0.001
PREDICTIVE = (0.005, 0.995)
PREDICTIVE_SHARE = 0.95
UNLIKELY = PREDICTIVE[0] + 1 - PREDICTIVE[1]  # of the cells of a model that is right lie outside
PARETO_K = 0.7
PARETO_SHARE = 0.05
CHANCE = 0.05  # by which so many cells, or more, would be outside for nothing
CHECKED = {
    "p_success": "successes",
    "p_spend": "spend of successes",
    "p_score": "scores",
    "p_gain": "gain of elicited runs over those as they come",
}


def too_many(found: int, n: int, share: float, chance: float) -> bool:
    """Whether more than a share of n cells are outside, and more than chance puts there.

    The second by a binomial test at 5 %, `chance` being of each: of few cells one is no failure.

    >>> too_many(1, 12, 0.05, 0.01), too_many(2, 12, 0.05, 0.01), too_many(10, 200, 0.05, 0.01)
    (False, True, False)
    """
    return found > share * n and bool(bdtrc(found - 1, n, chance) < CHANCE)


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Diagnostics:
    """Convergence, predictive checks and influence of one fit."""

    # one row per reported quantity (index "quantity"): r_hat, ess_bulk, ess_tail, and prior_shift,
    # by how many sds its mean moves when the priors weigh twice as much
    quantities: pd.DataFrame
    # one row per eval, AI model and effort seen: n, n_success and how many were expected,
    # predictive tail probabilities p_success, p_spend, p_score and, of the share gained over the
    # pair's runs as they come, p_gain (NaN where there is nothing to compare), and pareto_k of
    # leaving a run out
    cells: pd.DataFrame
    # divergences, draws: divergent transitions, out of how many draws in all chains
    divergences: int
    draws: int
    # what a reader should know that is no failure, e.g. a divergence within the allowance
    notes: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        """Whether every part of the gate is passed."""
        return not self.reasons

    @property
    def reasons(self) -> tuple[str, ...]:
        """One sentence per part of the gate that fails, naming the worst offender."""
        return (*self._sampling_reasons(), *self._predictive_reasons())

    @property
    def times_the_draws(self) -> int:
        """How many times as many draws would do by proportion; 1 where draws are not too few.

        Effective sizes grow with draws, R-hat − 1 falls with them. Both are noisy: half more.
        """
        table = self.quantities
        if not len(table):
            return 1
        least = ESS / max(table[["ess_bulk", "ess_tail"]].min().min(), 1.0)
        short = max(least, (table["r_hat"].max() - 1) / (R_HAT - 1))
        return int(np.ceil(1.5 * short)) if short > 1 else 1

    def _sampling_reasons(self) -> Iterator[str]:
        table = self.quantities
        if len(table):
            worst = table["r_hat"]
            if worst.max() > R_HAT:
                yield f"R-hat must be at most {R_HAT}, got {worst.max():.3f} for {worst.idxmax()}"
            for name in ("bulk", "tail"):
                worst = table[f"ess_{name}"]
                if worst.min() < ESS:
                    yield (
                        f"{name} effective sample size must be at least {ESS}, "
                        f"got {worst.min():.0f} for {worst.idxmin()}"
                    )
        if self.divergences > DIVERGENCE_SHARE * self.draws:
            yield (
                f"divergences must be at most {DIVERGENCE_SHARE:.1%} of draws, "
                f"got {self.divergences} of {self.draws}"
            )

    def _predictive_reasons(self) -> Iterator[str]:
        low, high = PREDICTIVE
        for column, what in CHECKED.items():
            p = self.cells.get(column, pd.Series(dtype=float)).dropna()
            outside = p[(p < low) | (p > high)]
            if too_many(len(outside), len(p), 1 - PREDICTIVE_SHARE, UNLIKELY):
                yield (
                    f"predictive probability of the {what} must lie in [{low}, {high}] for "
                    f"{PREDICTIVE_SHARE:.0%} of cells, but {len(outside)} of {len(p)} lie outside: "
                    f"{self._named(outside.index)}"
                )
        k = self.cells.get("pareto_k", pd.Series(dtype=float)).dropna()
        large = k[k > PARETO_K].sort_values(ascending=False)
        if too_many(len(large), len(k), PARETO_SHARE, UNLIKELY):
            yield (
                f"Pareto k must be at most {PARETO_K} for {1 - PARETO_SHARE:.0%} of cells, "
                f"but {len(large)} of {len(k)} are above: {self._named(large.index)}"
            )

    def _named(self, rows: Any) -> str:
        """Name up to five cells."""
        names = [f"{row.eval} by {row.ai_model}" for row in self.cells.loc[rows[:5]].itertuples()]
        return ", ".join(names) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")

    def to_frame(self) -> pd.DataFrame:
        """One row per eval: runs, AI models, how well results are predicted, worst Pareto k.

        `unlikely` is how many cells have a predictive probability outside the gate's bounds.
        """
        if not len(self.cells):
            return pd.DataFrame(index=pd.Index([], name="eval"))
        low, high = PREDICTIVE
        p = self.cells.reindex(columns=list(CHECKED))
        cells = self.cells.assign(unlikely=((p < low) | (p > high)).any(axis=1))
        by_eval = cells.groupby("eval")
        return pd.DataFrame(
            {
                "ai_models": by_eval["ai_model"].nunique(),
                "runs": by_eval["n"].sum(),
                "successes": by_eval["n_success"].sum(),
                "expected": by_eval["expected"].sum().round(1),
                "cells": by_eval.size(),
                "unlikely": by_eval["unlikely"].sum(),
                "largest_pareto_k": by_eval["pareto_k"].max().round(2),
            }
        )

    def summary(self) -> str:
        """Say in a few lines whether to trust the fit."""
        lines = ["The fit passes its gate." if self.passed else "THE FIT FAILS ITS GATE:"]
        lines += [f"- {reason}" for reason in self.reasons]
        if self.times_the_draws > 1:
            lines.append(f"By proportion {self.times_the_draws} times as many draws would do.")
        table = self.quantities
        if len(table):
            lines.append(
                f"R-hat at most {table['r_hat'].max():.3f}, effective sample size at least "
                f"{table['ess_bulk'].min():.0f} (bulk) and {table['ess_tail'].min():.0f} (tail), "
                f"{self.divergences} divergences in {self.draws} draws."
            )
        return "\n".join([*lines, *(f"Note: {note}." for note in self.notes)])

    def to_dict(self) -> dict[str, Any]:
        """Plain figures for a record: passed, reasons, notes and the worst of each measure."""
        table = self.quantities.reindex(columns=["r_hat", "ess_bulk", "ess_tail"])
        return {
            "passed": self.passed,
            "reasons": list(self.reasons),
            "notes": list(self.notes),
            "r_hat_max": _figure(table["r_hat"].max()),
            "ess_bulk_min": _figure(table["ess_bulk"].min()),
            "ess_tail_min": _figure(table["ess_tail"].min()),
            "divergences": int(self.divergences),
            "draws": int(self.draws),
        }


def _figure(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
