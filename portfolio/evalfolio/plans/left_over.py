"""The next steps that what whole runs leave of the budget falls short of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalfolio.narrative import listing, percent, two_digits, words
from evalfolio.search.changes import NOTHING, Changes
from evalfolio.search.problem import Problem

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
    left = np.array(list(problem.spendable.values())) - problem.menu.with_shared(x) @ problem.use
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


def next_step_in_words(budget: Mapping[str, float], steps: pd.DataFrame, value: float) -> str:
    """Say what the nearest step still needs and adds; nothing where no budget is limited."""
    limited = [name for name, amount in budget.items() if np.isfinite(amount)]
    if not limited:
        return ""
    beyond = steps[(steps[[f"short_{name}" for name in limited]] > 0).any(axis=1)]
    if beyond.empty:
        return "No further step would add a thousandth to the value, at any price."
    step = beyond.iloc[0]
    needs = listing(
        [
            f"${two_digits(short)}" if name == "usd" else f"{two_digits(short)} {words(name)}"
            for name in limited
            if (short := step[f"short_{name}"]) > 0
        ]
    )
    instead = step["instead_of"]  # no name where nothing was run: pandas makes of None what it may
    way = f", instead of {instead}" if isinstance(instead, str) else ""
    gain = (
        f"adds {percent(step['value_added'] / value)} to the value"
        if value > 0
        else "is the first of worth"
    )
    return f"The nearest step, {beyond.index[0]}{way}, needs {needs} more and {gain}."
