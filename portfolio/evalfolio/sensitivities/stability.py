"""Stability: how often every option stays in the best mix while beliefs vary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import qmc

from evalfolio.narrative import listing
from evalfolio.search.answer import Method
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question
from evalfolio.sensitivities.assumed import ON_INPUTS, ON_MENU, Assumed
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.mixes import levels_at, mixes_under
from evalfolio.sensitivities.solution import solve
from evalfolio.sensitivities.sweep import Sweep, inputs_hash
from evalfolio.sensitivities.tornado import summary

SHARED = 8  # mixes that share the figures that ask for a new menu
CORE = 0.9  # evals in at least this share of the mixes are the core, the others the fringe


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Stability:
    """Inclusion probabilities.

    Parameters
    ----------
    evals
        One row per eval that is in any mix, the most frequent first: included (share of the mixes
        it is in), deep (share it is run with max elicitation in), core.
    options
        Share of the mixes each option is in, only those above 0.
    deep
        Mean and 5 % and 95 % quantiles over the mixes of the share of usd on max elicitation.
    n_mixes
        How many mixes.
    """

    evals: pd.DataFrame
    options: pd.Series
    deep: tuple[float, float, float]
    n_mixes: int

    def __str__(self) -> str:
        core = self.evals.index[self.evals["core"]].astype(str).tolist()
        fringe = self.evals.index[~self.evals["core"]].astype(str).tolist()
        return (
            f"Over {self.n_mixes} mixes the core is {listing(core) or 'empty'}; "
            f"the fringe is {listing(fringe) or 'empty'}."
        )


def stability_over_draws(
    question: Question,
    *,
    most: int = 64,
    method: Method = Certified(),
    sweep: Sweep | None = None,
) -> Stability:
    """Return how stable the mix is over posterior draws of what the options tell."""
    draws = question.menu.information_draws
    count = 0 if draws is None else len(draws)
    points = np.unique(np.linspace(0, count - 1, min(most, count)).astype(int)).tolist()
    run = (sweep or Sweep()).run(
        partial(_draw, question, method), points, inputs=inputs_hash(question, method)
    )
    return gathered(run)


def stability_over_assumptions(
    basis: Basis,
    assumptions: Sequence[Assumed],
    *,
    samples: int = 64,
    seed: int = 0,
    method: Method = Certified(),
    sweep: Sweep | None = None,
) -> Stability:
    """Return how stable the mix is over a Latin hypercube of the assumed figures.

    Figures that ask for a new menu are drawn together, one combination for every `SHARED` mixes,
    each at its low end, its level in use or its high end (see `levels_at`); without a catalogue
    and posterior to build from they are held.
    """
    figures = varied(basis, assumptions)
    rng = np.random.default_rng(seed)
    unit = qmc.LatinHypercube(len(figures), rng=rng).random(samples)
    few = qmc.LatinHypercube(len(figures), rng=rng).random(-(-samples // SHARED))
    remade = np.array([a.kind in ON_INPUTS for a in figures], dtype=bool)
    unit[:, remade] = np.repeat(few, SHARED, axis=0)[:samples, remade]
    points = levels_at(figures, unit).tolist()
    return gathered(mixes_under(basis, figures, points, method=method, sweep=sweep))


def varied(basis: Basis, assumptions: Sequence[Assumed]) -> tuple[Assumed, ...]:
    """Return the figures that can be varied with what the basis holds."""
    whole = basis.catalogue is not None and basis.posterior is not None
    return tuple(a for a in assumptions if whole or a.kind in ON_MENU)


def _draw(question: Question, method: Method, draw: int) -> dict[str, Any]:
    draws = question.menu.information_draws
    assert draws is not None  # points come from them
    own = replace(question.lean.menu, information=draws[draw])
    return summary(own, solve(question.on(own), method))


def gathered(mixes: Sequence[Mapping[str, Any]]) -> Stability:
    """Return how often every eval and option is in summaries of mixes, see `summary`."""
    n = len(mixes)
    included: dict[str, int] = {}
    deepened: dict[str, int] = {}
    options: dict[str, int] = {}
    for mix in mixes:
        for name, tier in mix["tiers"].items():
            included[name] = included.get(name, 0) + 1
            deepened[name] = deepened.get(name, 0) + (tier == "max-elicitation")
        for name in mix["options"]:
            options[name] = options.get(name, 0) + 1
    evals = pd.DataFrame(
        {
            "included": {name: count / n for name, count in included.items()},
            "deep": {name: count / n for name, count in deepened.items()},
        },
        dtype=np.float64,
    )
    evals = evals.sort_values(["included", "deep"], ascending=False, kind="stable")
    evals.index.name = "eval"
    shares = np.array([mix["deep"] for mix in mixes]) if n else np.zeros(1)
    low, high = np.quantile(shares, [0.05, 0.95])
    frequency = pd.Series({name: count / n for name, count in options.items()}, dtype=np.float64)
    return Stability(
        evals.assign(core=evals["included"] >= CORE),
        frequency.sort_values(ascending=False, kind="stable"),
        (float(shares.mean()), float(low), float(high)),
        n,
    )
