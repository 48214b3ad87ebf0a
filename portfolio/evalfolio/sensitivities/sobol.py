"""Sobol indices: the share of an answer's variance that each figure accounts for."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from evalfolio.errors import InputError
from evalfolio.search import Certified, Method
from evalfolio.sensitivities.assumed import WORDS, Assumed
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.mixes import levels_at, mixes_under, varied
from evalfolio.sensitivities.sweep import Sweep

Points = Sequence[Sequence[float]]
Answers = Sequence[Mapping[str, float]]
INDICES = {"first": "S1", "first_ci": "S1_conf", "total": "ST", "total_ci": "ST_conf"}  # SALib's


def sobol_indices(
    evaluate: Callable[[Points], Answers],
    ranges: Mapping[str, tuple[float, float]],
    *,
    samples: int = 256,
    seed: int = 0,
    groups: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return first-order and total Sobol indices with 95 % confidence half-widths.

    Figures vary independently and evenly over their ranges; samples·(number of figures or groups +
    2) points are worked out (Saltelli et al. 2010, doi:10.1016/j.cpc.2009.09.018). InputError if
    samples is no power of 2, or there are no figures. `evaluate` takes points, one value per figure
    each, to named answers for each; the ranges are by name of the figure; the samples are base
    samples, a power of 2; with `groups`, the group of every figure, indices are of those, which
    vary together.

    One row per answer and figure (or group): answer, name, first, first_ci, total, total_ci. An
    answer that does not vary has indices of 0.
    """
    from SALib.analyze import sobol as analysis
    from SALib.sample import sobol as sampling

    if samples < 2 or samples & (samples - 1):
        raise InputError(f"samples must be a power of 2, got {samples}; take 128 or 256")
    if not ranges:
        raise InputError("there must be at least one figure to vary, got none; give one")
    problem: dict[str, Any] = {
        "num_vars": len(ranges),
        "names": list(ranges),
        "bounds": [list(pair) for pair in ranges.values()],
    }
    if groups is not None:
        problem["groups"] = list(groups)
    names = list(ranges) if groups is None else list(dict.fromkeys(groups))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SALib speaks of its own deprecations
        points = sampling.sample(problem, samples, calc_second_order=False, seed=seed + 1)
    answers = evaluate(points.tolist())
    rows = []
    for answer in answers[0]:
        values = np.array([each[answer] for each in answers], dtype=np.float64)
        spread = float(values.std())
        found: dict[str, Any] = {}
        if spread > 1e-12 * max(abs(float(values.mean())), 1e-300):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = analysis.analyze(
                    problem,
                    (values - values.mean()) / spread,
                    calc_second_order=False,
                    seed=seed + 1,  # SALib takes 0 for no seed
                )
        for k, name in enumerate(names):
            told = {own: float(found[his][k]) if found else 0.0 for own, his in INDICES.items()}
            rows.append({"answer": answer, "name": name, **told})
    return pd.DataFrame(rows)


def sobol_of_plan(
    basis: Basis,
    assumptions: Sequence[Assumed],
    *,
    samples: int = 128,
    by_kind: bool = True,
    seed: int = 0,
    method: Method = Certified(),
    sweep: Sweep | None = None,
) -> pd.DataFrame:
    """Return Sobol indices of the plan's value, its share on depth and each domain's share.

    Every one of the samples·(kinds + 2) points is a certified plan. Figures of one kind, e.g. the
    thresholds of all domains, vary independently and count together; `by_kind=False` tells them
    apart, at the price of more points. Figures that ask for a new menu take three levels, see
    `levels_at`; without a catalogue and posterior to build from they are held.
    """
    figures = varied(basis, assumptions)

    def evaluate(points: Points) -> Answers:
        levels = levels_at(figures, np.asarray(points, dtype=np.float64)).tolist()
        return [
            {"value": float(mix["value"]), "share on max elicitation": float(mix["deep"])}
            | {f"share of {name}": float(share) for name, share in mix["shares"].items()}
            for mix in mixes_under(basis, figures, levels, method=method, sweep=sweep)
        ]

    ranges, groups = {a.name: (0.0, 1.0) for a in figures}, [WORDS[a.kind] for a in figures]
    own = groups if by_kind else None
    return sobol_indices(evaluate, ranges, samples=samples, seed=seed, groups=own)
