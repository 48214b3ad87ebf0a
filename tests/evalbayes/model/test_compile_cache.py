"""Draws do not hang on whether the compiled code comes from the cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from evalbayes.model import sampling

PROGRAM = """
import numpy as np
from evalbayes.model.sampling import compiled, pm, pt, sample
x = np.random.default_rng(0).normal(size=(40, 7))
with pm.Model() as model:
    a = pm.Normal("a", 0.0, 1.0, shape=7)
    s = pm.LogNormal("s", 0.0, 0.5)
    rate = pt.sigmoid((x * a).sum(axis=1) * s)
    pm.Potential("seen", (pt.log(rate) * 3 + pt.log1p(-rate) * 2).sum())
drawn = sample(compiled(model), seed=1, draws=100, tune=100, chains=2)
print(float.hex(float(drawn.draws["a"].sum())))
"""


def test_compiled_sums_keep_their_order() -> None:
    assert sampling.pytensor.config.numba__fastmath is False


@pytest.mark.slow  # a model compiled twice, half a minute each
def test_an_empty_compile_cache_and_a_full_one_give_the_same_draws(tmp_path: Path) -> None:
    flags = {
        "PYTENSOR_FLAGS": f"base_compiledir={tmp_path}",
        "NUMBA_CACHE_DIR": str(tmp_path / "n"),
    }
    told = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=os.environ | flags,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    assert told[0] == told[1]
    assert any(tmp_path.rglob("*.nbi"))  # the second did find a cache
