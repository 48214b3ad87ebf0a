"""A plan small enough to be run by Inspect in seconds, and tasks that follow known curves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.simulated import catalogue_in, numbered, simulated
from tests.once import once

from evalfolio.search.greedy import Greedy

CURVES = {"ctf": (8, 0.6, 400_000), "exploits": (6, 0.4, 1_500_000)}
# Warnings of Inspect's own: a retry's argument that is deprecated, streams left to be collected.
INSPECTS = (
    "The 'initial' parameter is deprecated:DeprecationWarning",
    "Unclosed <MemoryObject:ResourceWarning",
    ":pytest.PytestUnraisableExceptionWarning",
)
QUICK: dict[str, Any] = {"method": Greedy(), "tell": lambda _: None}


@pytest.fixture(scope="session")
def small_plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plan the small catalogue once, in two stages."""

    def make(folder: Path) -> None:
        from evalbayes.model.fit import fit
        from evalbayes.observations import Observations
        from evalfolio.export import write_all
        from evalfolio.programmes.told import in_stages
        from evalfolio.recommendations.recommender import recommend

        catalogue = catalogue_in(folder, 300, {name: n for name, (n, *_) in CURVES.items()})
        belief = fit(catalogue, Observations(), draws=400, seed=1)
        made = recommend(catalogue, None, belief, method=Greedy(), frontier_points=0)
        write_all(in_stages(made, 2), folder / "plan")

    return once(tmp_path_factory, "inspect-plan", make) / "plan"


def by_curve(times: float = 1.0, **how: Any) -> dict[str, Callable[..., Any]]:
    """Return tasks whose runs are solved and spend tokens by CURVES; `times` dearer than said.

    More is as `simulated` has it.
    """

    def outcome(name: str, sample: str, effort: float, attempt: int) -> tuple[bool, float]:
        _, plateau, middle = CURVES[name]
        rng = np.random.default_rng([list(CURVES).index(name), int(sample), attempt])
        return rng.random() < plateau, middle * float(np.exp(rng.standard_normal()))

    sizes = {name: n for name, (n, *_) in CURVES.items()}
    price = 8e-6 * times if times != 1 else None
    return simulated(outcome, numbered(sizes), price=price, **how)
