"""How far evidence reaches is learned, from a history without fading and from one with it.

`benchmarks/fading.py` has the same with intervals, and what far evals are then worth.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from benchmarks.fading import FADING, NONE, SPAN, catalogue, history

from evalbayes.arrays import Array
from evalbayes.model import sampling
from evalbayes.model.design import design_of
from evalbayes.model.evidence import evidence_of
from evalbayes.model.fit import fit
from evalbayes.model.graph import build
from evalbayes.observations import Observations

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
N_MODELS = 40
Reach = tuple[float, float]  # walk over 9 doublings, sd, and correlation of gaps at this distance


@pytest.fixture(name="reach", scope="module")
def reach_fixture() -> dict[str, Reach]:
    """Medians by history, and of the prior; the model is compiled once for both."""
    specs = catalogue()
    histories = {"none": history(*NONE, n_models=N_MODELS)}
    histories["fading"] = history(*FADING, n_models=N_MODELS)
    seen = {name: evidence_of(each, specs) for name, each in histories.items()}
    graph = build(design_of(specs, seen["none"]), seen["none"])
    program = sampling.compiled(graph.model)
    found = {"prior": reach_of(fit(specs, Observations(), draws=4000).draws)}
    for name, evidence in seen.items():
        told = program.with_data(**evidence.data)
        drawn = sampling.sample(told, seed=0, draws=200, tune=300, chains=2)
        found[name] = reach_of(graph.named(**drawn.draws))
    return found


def reach_of(draws: Mapping[str, Array]) -> Reach:
    walk, range_ = (draws[key][..., 0] for key in ("walk_sd", "gap_range"))
    return float(np.median(walk) * SPAN**0.5), float(np.median(np.exp(-SPAN / range_)))


def test_a_history_without_fading_gives_back_the_old_reach(reach: dict[str, Reach]) -> None:
    """The walk goes, and gaps of all lengths go together."""
    assert reach["prior"][0] > 0.9
    assert reach["prior"][1] < 0.45
    assert reach["none"][0] < 0.35
    assert reach["none"][1] > 0.7


def test_a_history_with_fading_teaches_it(reach: dict[str, Reach]) -> None:
    assert reach["fading"][0] == pytest.approx(FADING[0] * SPAN**0.5, abs=0.5)
    assert reach["fading"][1] < 0.33
