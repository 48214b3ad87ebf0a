"""The search and its rival on A-Fusion, against every design counted out."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from benchmarks.fusion import Instance

fusion = pytest.importorskip("benchmarks.fusion", reason="needs pyscipopt, of the extra `solvers`")


def least(case: Instance) -> float:
    """Return the least trace, by trying every choice of units."""
    m = len(case.most)
    chosen = np.array(list(combinations_with_replacement(range(m), case.total)))
    units = (chosen[:, :, None] == np.arange(m)).sum(axis=1)
    units = units[(units <= case.most).all(axis=1)]
    told = case.c + np.einsum("xi,ij,ik->xjk", units, case.a, case.a, optimize=True)
    return float(np.trace(np.linalg.inv(told), axis1=1, axis2=2).min())


@pytest.mark.parametrize("method", list(fusion.METHODS))
def test_the_least_trace_lies_between_bound_and_value(method: str) -> None:
    tried = 0
    for seed in range(8):
        for correlated in (False, True):
            case = fusion.instance(20, 5, seed, correlated)
            if case.total > 4:
                continue
            units, low, _ = fusion.METHODS[method](case, 20.0)
            value, exact = case.trace(units)[0], least(case)
            assert units.sum() <= case.total
            assert (units <= case.most).all()
            assert low <= exact * (1 + 1e-6)
            assert exact * (1 - 1e-9) <= value <= low * (1 + fusion.GAP) * (1 + 1e-9)
            tried += 1
    assert tried >= 5
