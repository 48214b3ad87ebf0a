"""What whole runs leave of the budget, and the next steps it falls short of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalfolio.changes import NOTHING, Changes
from evalfolio.narrative import listing, percent, two_digits, words
from evalfolio.problem import Problem

WORTH = 1e-3  # of the plan's value; steps that add less are within the usual gap, and not told


def next_steps(problem: Problem, x: NDArray[np.float64], changes: Changes) -> pd.DataFrame:
    """Return the single changes of a choice that would add value, nearest to affordable first.

    A step runs an eval that the choice leaves out, or runs a chosen one by another option. Its
    shortfall is what it needs beyond what the choice leaves of a budget. A step of a certified
    choice that has none adds no more than the gap, or breaks another limit. Steps that add less
    than a thousandth are left out.

    Parameters
    ----------
    problem
        The problem that was solved.
    x
        The choice, of shape (n_options,), 0 or 1.
    changes
        Its single changes.

    Returns
    -------
    pandas.DataFrame
        Indexed by option: eval, instead_of (an option, or None), value_added (unit of the
        objective), and `short_` and each limited resource (its unit; 0 where it fits).
    """
    left = np.array(list(problem.budget.values())) - x @ problem.use
    short = np.maximum(changes.more - left, 0.0)
    distance = (short / problem.price_units).max(axis=1, initial=0.0)
    order = np.lexsort((-changes.added, distance))
    steps = order[changes.added[order] > WORTH * abs(changes.value)]
    steps = steps[changes.new[steps] != NOTHING]
    names, evals = problem.menu.options.index, problem.menu.options["eval"].to_numpy()
    new, old = changes.new[steps], changes.old[steps]
    return pd.DataFrame(
        {
            "eval": evals[new],
            "instead_of": np.array(
                [None if k == NOTHING else str(names[k]) for k in old], dtype=object
            ),
            "value_added": changes.added[steps],
            **{f"short_{name}": short[steps, k] for k, name in enumerate(problem.resource_names)},
        },
        index=names[new],
    )


def left_over_in_words(
    budget: Mapping[str, float], spend: Mapping[str, float], steps: pd.DataFrame, value: float
) -> str:
    """Say what of each budget is left over and what the nearest step would still need."""
    rests = {name: limit - spend[name] for name, limit in budget.items() if np.isfinite(limit)}
    parts = [
        f"{_figure(name, max(rest, 0.0))} of {_amount(name, budget[name])}"
        for name, rest in rests.items()
    ]
    if not parts:
        return ""
    said = f"Left over of what may be planned, as runs are bought whole: {listing(parts)}."
    short = [f"short_{name}" for name in rests]
    beyond = steps[(steps[short] > 0).any(axis=1)]
    if beyond.empty:
        return f"{said} No further step would add a thousandth to the value, at any price."
    step = beyond.iloc[0]
    needs = listing(
        [_amount(name, step[f"short_{name}"]) for name in rests if step[f"short_{name}"] > 0]
    )
    way = f", instead of {step['instead_of']}" if step["instead_of"] else ""
    gain = f"adds {percent(step['value_added'] / value)}" if value > 0 else "is the first of worth"
    return f"{said} The nearest step, {beyond.index[0]}{way}, needs {needs} more and {gain}."


def _amount(resource: str, amount: float) -> str:
    figure = _figure(resource, amount)
    return figure if resource == "usd" else f"{figure} {words(resource)}"


def _figure(resource: str, amount: float) -> str:
    return f"${two_digits(amount)}" if resource == "usd" else two_digits(amount)
