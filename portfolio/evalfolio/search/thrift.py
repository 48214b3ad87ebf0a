"""Thrift: of choices worth the same to within the gap, take one that costs less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evalbayes.arrays import Array
from evalfolio.search.answer import Answer
from evalfolio.search.exchange import moved
from evalfolio.search.problem import Problem

SHARE = 0.5  # of the gap asked for that may be given up for a lower cost


def thrifty(found: Answer, gap: float) -> Answer:
    """Return a certified choice after every downgrade that costs next to nothing in value.

    A certified choice is one of many within its gap, and the search has no reason to prefer the
    cheap ones: where a resource is not short it may spend days of staff on a ten-thousandth of the
    value. Chosen options are dropped, or exchanged for another of their eval, so that no more of
    any resource is used (the last option that needs a shared purchase returns it), the greatest
    saving first, while no more than half of the gap asked for is given up and the rest still fits
    into it. The bound is that of the search, so the certificate holds.
    """
    problem = found.problem
    floor = found.value - SHARE * gap * abs(found.bound)
    floor = max(floor, found.bound - gap * abs(found.bound))
    top = problem.costs.max(axis=0, initial=0.0)
    sizes = np.array(
        [
            problem.spendable.get(name, 0.0) or most or 1.0
            for name, most in zip(problem.menu.resources, top, strict=True)
        ]
    )
    sizes = np.where(np.isfinite(sizes), sizes, 1.0)
    x, value = found.x.copy(), found.value
    while (better := _cheapest(problem, x, sizes, floor)) is not None:
        x, value = better, problem.value(better)
    return replace(found, x=x, value=value)


def _cheapest(problem: Problem, x: Array, sizes: Array, floor: float) -> Array | None:
    """Return the downgrade of one option that saves most and keeps the value above the floor."""
    pairs = []
    for old in np.flatnonzero(x > 0.5):
        mates = np.flatnonzero(problem.eval_codes == problem.eval_codes[old])
        pairs += [(int(old), new) for new in (-1, *mates.tolist()) if new != old]
    if not pairs:
        return None
    old, new = np.array(pairs).T
    more = problem.more(x, new, old, problem.costs)
    saving = -(more / sizes).sum(axis=1)
    cheaper = (more <= 0).all(axis=1) & (saving > 0)
    if not cheaper.any():
        return None
    old, new, saving = old[cheaper], new[cheaper], saving[cheaper]
    values = problem.values_of(problem.explained.exchanged(x, old, new))
    near = floor - 1e-9 * abs(floor)  # exchanged values are right to rounding only
    for k in np.argsort(-saving, kind="stable"):
        if values[k] >= near:
            trial = moved(x, option=int(new[k]), without=int(old[k]))
            if problem.value(trial) >= floor and problem.met(trial):
                return trial
    return None
